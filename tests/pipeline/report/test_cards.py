from dataclasses import replace

from metrics.reading.video import read_all
from pipeline.prompts.sets import Prompt
from pipeline.report.cards import cards, slices
from pipeline.report.pages.paper_harivo import UNMAPPED
from pipeline.report.results import Results


def test_cards_show_one_prompt_by_every_method(results: Results) -> None:
    found = cards(results, UNMAPPED)
    assert [shot.method for shot in found[0].shots] == list(UNMAPPED)
    assert all(read_all(shot.source).shape == (4, 16, 16, 3) for shot in found[0].shots)
    assert cards(results, ["harivo", "no such method"]) == []  # nothing to compare with


def test_slices_are_of_prompts_whose_motion_is_known(results: Results) -> None:
    """Along the row for left and right, along the column for up and down."""
    texts = [card.title for card in cards(results, UNMAPPED)]
    named = {f"p{i}": Prompt(f"p{i}", "world", "", text, {"motion": "up"}) for i, text in enumerate(texts)}
    found = slices(replace(results, prompts=named), UNMAPPED)
    assert [card.title for card in found] == texts
    assert {shot.across for card in found for shot in card.shots} == {False}
    named = {key: replace(prompt, extra={"motion": "left"}) for key, prompt in named.items()}
    assert {shot.across for card in slices(replace(results, prompts=named), UNMAPPED) for shot in card.shots} == {True}
    assert slices(replace(results, prompts={}), UNMAPPED) == []
