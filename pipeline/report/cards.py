"""Clips of the same prompts and noise by several methods, side by side."""

from collections.abc import Sequence

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.report.results import Results
from pipeline.report.strips import Card, Shot, Slice, changing_line
from pipeline.world.scene import DIRECTIONS

_CARDS = 6  # prompts whose clips are shown


def cards(results: Results, methods: Sequence[str]) -> list[Card]:
    """Clips of the same prompt and noise by those methods that made them: the first prompts of the first method."""
    generate = results.params.generate
    ledgers = {name: ledger.read(generate.folder(name)) for name in methods if name in generate.methods}
    made = {name: entries for name, entries in ledgers.items() if entries}
    if len(made) < 2:
        return []
    clips = list(next(iter(made.values())))[:_CARDS]
    return [
        Card(
            next(iter(made.values()))[clip].prompt,
            [_shot(results, name, entries[clip]) for name, entries in made.items() if clip in entries],
        )
        for clip in clips
    ]


def slices(results: Results, methods: Sequence[str]) -> list[Card]:
    """The same as slices through space and time (HARIVO, Figure 6a): of prompts whose motion is known, the line along
    which it is to go, at the place where the first method's clip changes most; one place for all methods."""
    motions = {prompt.text: prompt.extra.get("motion", "") for prompt in results.prompts.values()}
    found = []
    for card in cards(results, methods):
        if (motion := motions.get(card.title, "")) in DIRECTIONS:
            across = bool(DIRECTIONS[motion][0])
            first = next((shot for shot in card.shots if shot.made), None)
            line = changing_line(read_all(first.source), across) if first else 0
            found.append(Card(card.title, [Slice(**vars(shot), across=across, line=line) for shot in card.shots]))
    return found


def _shot(results: Results, method: str, entry: ledger.Entry) -> Shot:
    generate = results.params.generate
    fps = generate.models[generate.methods[method].model].fps
    return Shot(method.replace("_", " "), method, generate.folder(method) / entry.file, fps)
