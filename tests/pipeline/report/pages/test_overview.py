from dataclasses import replace
from pathlib import Path

from pipeline.config.generate import External
from pipeline.report.pages import PAGES
from pipeline.report.pages.overview import build
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_the_main_numbers_stand_beside_their_baselines(report: Path) -> None:
    text = words(Reader(report / "index.html"))
    assert "richspace against cogvideox Mixture shown ↑ 60.0 % (25–75) cogvideox: 60.0 % (25–75)" in text  # published
    assert "2 pairs of 1 mixtures: 2 shown by richspace alone, 0 by cogvideox alone; p = 0.5." in text
    assert "Difference on 2 pairs: 10.0 (−10 to 20) points; p = 0.4." in text
    assert "Difference on 2 pairs: −12.5 (−20 to −1); p = 0.04; n = 2 < 400." in text
    assert "corrected by Holm for its family (mixtures shown: all pairs of methods" in text


def test_every_page_has_its_line(report: Path) -> None:
    text = words(Reader(report / "index.html"))
    assert all(page.summary in text for page in PAGES[1:])


def test_the_strip_is_a_mixture_that_interpolation_alone_shows(results: Results) -> None:
    """Not the first one: there the baseline succeeds as well."""
    verdicts = results.verdicts
    verdicts.loc[(verdicts.method == "cogvideox") & (verdicts.mixture == results.generated[0].id), "success"] = True
    (card,) = build(results).clips["strip"]
    assert card.title == results.prompts[results.generated[1].guide].text


def test_clips_are_counted_from_the_ledgers(results: Results) -> None:
    counts = build(results).context["counts"]
    assert counts["methods"] == len(results.params.generate.methods)
    assert counts["failed"] == 1


def test_every_paper_is_named(report: Path) -> None:
    page = Reader(report / "index.html")
    first = words(page).split("Main numbers")[-2]
    assert all(name in first for name in ("RichSpace mixes", "HARIVO moves", "ETC makes", "Make-A-Video learns"))
    assert page.references.count("paper_make_a_video.html") == 3  # navigation, sentence, list


def test_a_stranger_reads_first_that_it_is_a_toy_world(report: Path, results: Results) -> None:
    text = words(Reader(report / "index.html"))
    said = "Measured in a toy world: clips of 16 frames of 32 × 32 pixels"
    assert text.index(said) < text.index("Main numbers", text.index(said))
    images = results.params.generate.models["images"].model_copy(update={"checkpoint": "hub/public"})
    generate = results.params.generate
    other = generate.model_copy(update={"models": {**generate.models, "images": images}})
    imported = generate.model_copy(update={"external": {"lvdm": External(clips="videos", captions="videos.csv")}})
    for changed in (other, imported):
        elsewhere = replace(results, params=results.params.model_copy(update={"generate": changed}))
        assert build(elsewhere).context["world"] is None
