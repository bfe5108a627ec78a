"""Which trials a rater sees, in which order, on which sides: decided by the study's seed and the rater's number alone.

What can be asked is dealt out like cards: every item (a prompt) under every contrast (methods that are shown
together), one after the other, so that after any number of raters each was dealt equally often, give or take one. A
rater's hand is a run of the deal. Along it contrasts take turns, and no item comes back before all others were there,
as long as a rater has fewer trials than there are items. Each time that a card comes back its clips have moved on by a
side, so every method stands on every side equally often. A fresh shuffle begins whenever all of that has come round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np

from pipeline.study.design import BROKEN, Study, StudyError
from pipeline.study.questions import SIDE_BY_SIDE

REAL, PRACTICE, IDENTICAL, OBVIOUS = "", "practice", "identical", "obvious"
_ITEMS, _ORDER, _SIDES = 1, 2, 3  # streams of the study's seed


@dataclass(frozen=True)
class Item:
    """What every method has a clip of. id: the clips' common name. prompt: id of the prompt or mixture. caption: the
    text that is shown. parts: of a mixture, what questions about it name as a and b."""

    id: str
    prompt: str
    caption: str
    parts: tuple[str, str] | None = None


@dataclass(frozen=True)
class Trial:
    """One page of a rater: number from 1; check: "" of a real trial, else practice, identical or obvious; shown: the
    methods from left to right; repeats: number of the earlier trial whose clip is shown again, of identical ones with
    a single clip."""

    number: int
    check: str
    item: Item
    shown: tuple[str, ...]
    repeats: int | None = None


@dataclass(frozen=True)
class _Card:
    item: int
    shown: tuple[str, ...]


def trials(study: Study, items: Sequence[Item], rater: int) -> list[Trial]:
    """The trials of a rater: practice first, then `raters.trials` real ones in random order, checks among them.

    Args:
        items: those of the study, in its order. rater: the rater's number, from 0.

    Raises:
        StudyError: if there is less to ask than a rater has trials.
    """
    check_length(study, len(items))
    random = np.random.default_rng([study.seed, _ORDER, rater])
    dealt = hand(study, len(items), rater)
    real = [dealt[i] for i in random.permutation(len(dealt))]
    others = [i for i in range(len(items)) if i not in {card.item for card in dealt}] or list(range(len(items)))
    drafts = [(0.0, PRACTICE, _random_card(study, others, random), None) for _ in range(study.practice)]
    drafts += [(float(i + 1), REAL, card, None) for i, card in enumerate(real)]
    drafts += [_obvious(study, others, random) for _ in range(study.checks.obvious)]
    drafts += _identical(study, real, others, random)
    drafts.sort(key=lambda draft: draft[0])
    places = {place: number for number, (place, *_) in enumerate(drafts, 1)}
    return [
        Trial(number, check, items[card.item], card.shown, None if repeats is None else places[repeats])
        for number, (_, check, card, repeats) in enumerate(drafts, 1)
    ]


def check_length(study: Study, items: int) -> None:
    """Refuse a study that has less to ask than a rater has trials.

    Raises:
        StudyError: naming both numbers.
    """
    if study.raters.trials > (most := items * len(study.contrasts)):
        raise StudyError(
            f"raters.trials is {study.raters.trials}, expected at most {most}: {items} prompts, each under "
            f"{len(study.contrasts)} choices of methods"
        )


def hand(study: Study, items: int, rater: int) -> list[_Card]:
    """What is dealt to a rater, in the order of the deal: (number of the item, methods from left to right)."""
    contrasts, length = study.contrasts, study.raters.trials
    cards, sides = items * len(contrasts), study.sides
    raters = lcm(cards, length) * sides // length  # until every card was dealt equally often on every side
    deal, place = divmod(rater, raters)
    order = np.random.default_rng([study.seed, _ITEMS, deal]).permutation(items)
    first = [_place(position, items, len(contrasts)) for position in range(cards)]
    turn = {card: position // len(contrasts) for position, card in enumerate(first)}  # a card's turn in its contrast
    run = range(place * length, (place + 1) * length)
    dealt = []
    for position in run:
        card = _place(position if length <= items else position % cards, items, len(contrasts))
        block, start = divmod(turn[card], sides)
        mixed = np.random.default_rng([study.seed, _SIDES, deal, card[1], block]).permutation(sides)
        shown = np.roll(mixed, start + position // cards)
        dealt.append(_Card(int(order[card[0]]), tuple(contrasts[card[1]][side] for side in shown)))
    return dealt


def _place(position: int, items: int, contrasts: int) -> tuple[int, int]:
    """(item, contrast) at a position of the deal: both go round; the item skips one whenever both begin anew, so that
    each of items * contrasts positions in a row is another card."""
    return (position + position // lcm(items, contrasts)) % items, position % contrasts


def _random_card(study: Study, items: Sequence[int], random: np.random.Generator) -> _Card:
    shown = study.contrasts[random.integers(len(study.contrasts))]
    return _Card(int(random.choice(items)), tuple(str(method) for method in random.permutation(shown)))


def _obvious(study: Study, items: Sequence[int], random: np.random.Generator) -> tuple[float, str, _Card, None]:
    """One clip as it is among broken ones; a broken one alone where clips are shown singly."""
    card = _random_card(study, items, random)
    intact = int(random.integers(study.sides)) if study.design in SIDE_BY_SIDE else -1
    shown = tuple(method if side == intact else BROKEN for side, method in enumerate(card.shown))
    return _between(study, random), OBVIOUS, _Card(card.item, shown), None


def _identical(
    study: Study, real: Sequence[_Card], items: Sequence[int], random: np.random.Generator
) -> list[tuple[float, str, _Card, float | None]]:
    """The same clip on all sides; where clips are shown singly, one of the first half again in the second half."""
    count, half = study.checks.identical, (len(real) + 1) // 2
    if study.design in SIDE_BY_SIDE:
        cards = [_random_card(study, items, random) for _ in range(count)]
        same = [_Card(card.item, (card.shown[0],) * study.sides) for card in cards]
        return [(_between(study, random), IDENTICAL, card, None) for card in same]
    earlier = random.choice(half, size=count, replace=count > half)
    later = [_later(int(i), half, len(real), random) + random.random() * 0.9 + 0.05 for i in earlier]
    return [(place, IDENTICAL, real[i], float(i + 1)) for i, place in zip(earlier, later, strict=True)]


def _later(first: int, half: int, count: int, random: np.random.Generator) -> int:
    """After how many real trials a clip comes again: in the second half, and not directly after trial `first` (from 0)
    showed it, if there is another trial to come between."""
    return int(random.integers(min(max(half, first + 2), count), count + 1))


def _between(study: Study, random: np.random.Generator) -> float:
    """A place after the first real trial, between two others or at the end."""
    return float(random.integers(1, study.raters.trials + 1)) + random.random() * 0.9 + 0.05
