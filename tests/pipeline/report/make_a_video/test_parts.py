"""What each part of Make-A-Video's cascade buys, from a run whose every metric is known."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.report.make_a_video import parts
from pipeline.report.results import Results
from pipeline.report.table import Table
from tests.pipeline.report.reading import Reader

VALUE = "50 (25–75)"  # of every metric in percent


def table(results: Results) -> Table:
    (found,) = parts.section(results).tables
    return found


def rows(results: Results) -> dict[str, dict[str, str]]:
    """Texts by label and header."""
    found = table(results)
    headers = [column.header for column in found.columns]
    return {row[0].text: dict(zip(headers, (cell.text for cell in row), strict=True)) for row in found.rows}


def with_points(results: Results, metrics: pd.DataFrame) -> Results:
    return replace(results, make_a_video=metrics)


def with_sampling(results: Results, **changes: int | None) -> Results:
    """The results of a run whose cascade is sampled otherwise."""
    generate = results.params.generate
    cascade = generate.models["cascade"]
    sampling = cascade.sampling.model_copy(update=changes)
    models = generate.models | {"cascade": cascade.model_copy(update={"sampling": sampling})}
    changed = generate.model_copy(update={"models": models})
    return replace(results, params=results.params.model_copy(update={"generate": changed}))


def test_points_have_their_labels_in_the_order_of_params_yaml(results: Results) -> None:
    """Whatever the order of the results."""
    labels = [point.label for point in results.params.make_a_video.points.values()]
    assert list(rows(results)) == labels
    assert list(rows(with_points(results, results.make_a_video.iloc[::-1]))) == labels


def test_the_whole_cascade(report: Path) -> None:
    """16 frames at 7 frames a second are 2.29 seconds."""
    header, whole, *_ = Reader(report / "paper_make_a_video.html").tables["table-make_a_video_parts"]
    assert header == ["Cascade", "FVD ↓†", "CLIPSIM ↑", "Content ↑ (%)", "Action ↑ (%)", "Smooth ↑ (%)",
                      "Not weird ↑ (%)", "Heading ↑ (%)", "Seconds a clip", "Parameters", "Clips"]  # fmt: skip
    values = ["0.500 (0.25–0.75)", "0.5000 (0.250–0.750)", *[VALUE] * 5, "2.29", "7", "2"]
    assert whole == ["the whole cascade", *values]


def test_an_image_that_stands_has_no_motion(results: Results) -> None:
    """Nor FVD or smoothness, in the table and in its file; all other points have."""
    standing = results.params.make_a_video.points["images"].label
    found = rows(results)
    dashes = {label: [header for header, text in own.items() if text == "–"] for label, own in found.items()}
    assert dashes.pop(standing) == ["FVD ↓", "Action ↑", "Smooth ↑"]
    assert set(map(len, dashes.values())) == {0}
    own = table(results).data.query("method == 'images'")
    assert not set(own.metric) & {"fvd", "action", "smooth"}
    assert {"content", "not_weird", "heading"} <= set(own.metric)
    assert any(said.startswith(f"{standing}: one image stands") for said in table(results).remarks)


def test_what_stands_still_is_read_from_the_options(results: Results) -> None:
    """With a frame more than its factor of 16, the decoder makes two."""
    label = results.params.make_a_video.points["images"].label
    assert rows(with_sampling(results, frames=17))[label]["Action ↑"] == VALUE
    assert rows(with_sampling(results, frames=17))[label]["Seconds a clip"] == "2.43"
    assert rows(with_sampling(results, frames=None))[label]["Action ↑"] == "–"  # the toy world's 16


def test_remarks_say_what_the_values_are_of(results: Results) -> None:
    said = " ".join(table(results).remarks)
    assert "95 % intervals. They are of these prompts alone: every network was trained from one seed" in said
    assert "compared at 32 × 32 pixels. The cascade makes 64 × 64" in said
    assert "device not recorded" in said
    assert "n < 401" in said
    small = " ".join(table(with_sampling(results, height=24, width=None)).remarks)
    assert "compared at" not in small


def test_clips_at_the_cascades_own_size_are_said_to_be_no_smaller(results: Results) -> None:
    said = " ".join(table(with_sampling(results, height=64, width=64)).remarks)
    assert "compared at 64 × 64 pixels." in said
    assert "not seen here" not in said


def test_nothing_is_bold(results: Results) -> None:
    """No test separates points."""
    assert not any(cell.bold for row in table(results).rows for cell in row)


def test_what_was_not_measured_has_no_column(results: Results) -> None:
    measured = results.make_a_video[~results.make_a_video.metric.isin(["frames_per_second", "heading"])]
    found = rows(with_points(results, measured))["the whole cascade"]
    assert "Seconds a clip" not in found and "Heading ↑" not in found and "Parameters" in found
    assert not any("Seconds a clip" in said for said in table(with_points(results, measured)).remarks)


def test_a_few_failed_clips_are_told(results: Results) -> None:
    metrics = results.make_a_video.assign(requested=3)
    assert rows(with_points(results, metrics))["without SR_t and SR_h"]["Clips"] == "2 of 3"


def test_the_long_table_has_labels_and_seconds(report: Path) -> None:
    found = pd.read_csv(report / "tables/make_a_video_parts.csv").set_index(["method", "metric"])
    assert found.label["cueless", "action"] == "control, frames show no heading"
    assert found.value["whole", "seconds_per_clip"] * 7 == 16


def test_without_points_the_table_is_missing(results: Results) -> None:
    """Nothing measured, none wanted, or a method that is in no run."""
    missing = ["What each part buys needs points of Make-A-Video's (make_a_video.points)."]
    own, generate = results.params.make_a_video, results.params.generate
    none = results.params.model_copy(update={"make_a_video": own.model_copy(update={"points": {}})})
    others = results.params.model_copy(update={"generate": generate.model_copy(update={"methods": {}})})
    empty = with_points(results, results.make_a_video.iloc[:0])
    for run in (empty, replace(results, params=none), replace(results, params=others)):
        content = parts.section(run)
        assert (content.tables, content.missing) == ((), missing)


def test_points_without_results_are_named(results: Results) -> None:
    metrics = results.make_a_video[~results.make_a_video.method.isin(["images", "cueless"])]
    content = parts.section(with_points(results, metrics))
    assert content.missing == ["These points of make_a_video.points have no results: images, cueless."]
    assert len(content.tables[0].rows) == len(results.params.make_a_video.points) - 2
