from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.config.generate import External
from pipeline.report.pages import PAGES
from pipeline.report.pages.overview import build
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words


def test_the_main_numbers_stand_beside_their_baselines(report: Path) -> None:
    text = words(Reader(report / "index.html"))
    shown = "richspace against cogvideox Mixture shown ↑ · 0.0 M parameters 60.0 % (25–75) cogvideox: 60.0 % (25–75)"
    assert shown in text  # published
    assert "2 pairs of 1 mixtures: 2 shown by richspace alone, 0 by cogvideox alone; p = 0.5." in text
    assert "Difference on 2 pairs: 10.0 (−10 to 20) points; p = 0.4." in text
    assert "Difference on 2 pairs: −12.5 (−20 to −1); p = 0.04; n = 2 < 400." in text
    assert "corrected by Holm for its family (mixtures shown: all pairs of methods" in text


def test_the_sizes_of_both_models_are_told(results: Results) -> None:
    """Of the models that the tile compares; no word where a method's size is not known."""
    whole = results.full_size
    assert whole is not None
    own = whole.metrics.metric == "parameters"
    whole.metrics.loc[own, "value"] = 3_724_416
    assert {tile.size for tile in build(results).context["tiles"]} == {"3.7 M parameters"}
    whole.metrics.loc[own & (whole.metrics.method == "richspace"), "value"] = 1_812_345
    first = build(results).context["tiles"][0]
    assert (first.title, first.size) == ("richspace against cogvideox", "1.8 and 3.7 M parameters")
    unknown = replace(results, full_size=replace(whole, metrics=whole.metrics[~own]))
    assert not any(tile.size for tile in build(unknown).context["tiles"])


def test_what_came_with_the_repository_is_told_apart(report: Path, results: Results) -> None:
    text = words(Reader(report / "index.html")).split("Main numbers")[1]
    made, came = text.split("Made by this run")[1].split("Came with the repository")
    assert f"clips of {len(results.params.generate.methods)} methods (1 failed)" in made
    assert all(part in came for part in ("trained weights", "published figures", "reference clips"))


def test_all_that_came_with_the_toy_world_is_listed(results: Results) -> None:
    published = sum(one.requested for one in results.manifests)
    came = build(replace(results, bounds=pd.DataFrame())).context["came"].striptags()
    assert came == (
        f"The trained weights and their curves, the published figures of {published:,} clips, "
        "the features of the reference clips, HARIVO's sweeps, trials and analyses, the ablations of ETC and "
        "Make-A-Video, attention maps and timings, the bounds of Theorem A.6, and the verdicts on every step of "
        "RichSpace's interpolation"
    )


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
    metrics = results.metrics
    metrics.loc[(metrics.metric == "parameters") & (metrics.method == "cogvideox"), "value"] = 3_724_416
    assert build(results).context["counts"]["transformer"] == "3.7"  # of CogVideoX, of a page that says so
    images = results.params.generate.models["images"].model_copy(update={"checkpoint": "hub/public"})
    generate = results.params.generate
    other = generate.model_copy(update={"models": {**generate.models, "images": images}})
    imported = generate.model_copy(update={"external": {"lvdm": External(clips="videos", captions="videos.csv")}})
    for changed in (other, imported):
        elsewhere = replace(results, params=results.params.model_copy(update={"generate": changed}))
        assert build(elsewhere).context["world"] is None
