from metrics.reading.video import read_all
from pipeline.report.cards import cards
from pipeline.report.pages.paper_harivo import UNMAPPED
from pipeline.report.results import Results


def test_cards_show_one_prompt_by_every_method(results: Results) -> None:
    found = cards(results, UNMAPPED)
    assert [shot.method for shot in found[0].shots] == list(UNMAPPED)
    assert all(read_all(shot.source).shape == (4, 16, 16, 3) for shot in found[0].shots)
    assert cards(results, ["harivo", "no such method"]) == []  # nothing to compare with
