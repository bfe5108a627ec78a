import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from pipeline.report.page import Content
from pipeline.report.pages.paper_make_a_video import CLIPS, CUE, build
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words

HEADINGS = [
    "What does each part buy?",
    "Motion without pairs",
    "Interpolation, by numbers",
    "Why the same noise for every frame",
    "Clips with the cue and without",
    "Clips of the same prompt and noise",
]


def nothing_measured(results: Results) -> Content:
    none = dict.fromkeys(("interpolation", "extrapolation", "consistency", "passed_on"))
    return build(replace(results, make_a_video=results.make_a_video.iloc[:0], **none))


def test_sections_in_their_order(report: Path) -> None:
    found = [heading.rstrip(" #") for heading in Reader(report / "paper_make_a_video.html").headings]
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS


def test_it_says_what_it_is_and_that_nothing_is_printed(report: Path) -> None:
    text = words(Reader(report / "paper_make_a_video.html"))
    assert "learns from captioned images what words look like, and from videos without captions" in text
    assert "has no tables of results to compare with." in text


def test_clips_of_one_prompt_by_every_method(results: Results) -> None:
    groups = build(results).clips
    assert [shot.method for shot in groups["all"][0].shots] == list(CLIPS)
    assert [shot.method for shot in groups["cue"][0].shots] == list(CUE)


def test_a_whole_run_lacks_nothing(results: Results) -> None:
    content = build(results)
    assert content.missing == []
    names = [f"make_a_video_{part}" for part in ("parts", "pairs", "interpolation", "extrapolation", "noise")]
    assert [table.name for table in content.tables] == names


def test_what_was_not_measured_is_missing(results: Results) -> None:
    content = nothing_measured(results)
    assert content.tables == []
    starts = ("What each part buys", "Motion without pairs", "What the later parts do", "Interpolation")
    starts += ("Extrapolation", "The noise")
    assert len(content.missing) == len(starts)
    assert all(said.startswith(start) for said, start in zip(content.missing, starts, strict=True))


def test_the_page_needs_no_torch() -> None:
    code = "import sys, pipeline.report.pages.paper_make_a_video; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
