"""HARIVO's Table 2: the printed rows, and those of a run whose every metric is known."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import yaml

from pipeline.config.generate import Method
from pipeline.report import harivo_comparison as comparison
from pipeline.report.pages import paper_harivo
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.table import Table
from tests.pipeline.report.reading import Reader

PRINTED = published(paper_harivo.__file__)["table_2"]


def table(results: Results) -> Table:
    found = comparison.table(results, PRINTED)
    assert found is not None
    return found


def rows(results: Results) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in table(results).rows}


def with_remark(results: Results) -> Results:
    harivo = results.params.harivo.model_copy(update={"remark": "To be trained again."})
    return replace(results, params=results.params.model_copy(update={"harivo": harivo}))


def test_the_papers_values_are_those_of_the_reference(shared: Path) -> None:
    """Which was read from the paper by somebody else."""
    reference = yaml.safe_load((shared / "reference/paper_tables.yaml").read_text())["harivo_table2"]
    assert reference["columns"] == ["method", "single_stage", "frozen_t2i", "params_b", "fvd", "clipsim"]
    keys = ("single_stage", "frozen", "parameters", "fvd", "clipsim")
    names = [name.removesuffix(" (frames)") for name, *_ in reference["rows"]]
    assert list(PRINTED) == names
    for name, (_, *values) in zip(names, reference["rows"], strict=True):
        assert [PRINTED[name].get(key) for key in keys] == values


def test_every_method_stands_below_the_printed_ones(report: Path, results: Results) -> None:
    header, *found = Reader(report / "paper_harivo.html").tables["table-harivo_table_2"]
    assert header == ["Method", "FVD ↓", "CLIPSIM ↑", "Clips", "Parameters (M)", "Single stage",
                      "Frozen text-to-image model"]  # fmt: skip
    printed = [f"Paper: {name}" for name in PRINTED]
    ours = list(dict.fromkeys(results.prompted.method))
    assert [row[0].rstrip("†‡§¶‖#") for row in found] == [*printed, *ours]
    assert {"animatediff", "harivo", "frames", "cogvideox_prompts", "etc", "make_a_video", "modelscope"} <= set(ours)


def test_printed_rows(results: Results) -> None:
    """Billions of parameters are millions here."""
    found = rows(results)
    assert found["Paper: Make-A-Video"] == ["367.23", "0.3049", "–", "9,700", "no", "no"]
    assert found["Paper: Video LDM"] == ["550.61", "0.2929", "–", "4,200", "no", "yes"]
    assert found["Paper: VideoFusion"] == ["639.90", "–", "–", "–", "yes", "no"]
    assert found["Paper: StableDiffusion"] == ["2,065.71", "–", "–", "–", "–", "–"]
    notes = {row[0].text: row[0].note for row in table(results).rows if row[0].note}
    assert notes == {f"Paper: {name}": values["note"] for name, values in PRINTED.items() if "note" in values}


def test_rows_of_the_run(results: Results) -> None:
    metrics = results.metrics.copy()
    metrics.loc[metrics.metric == "parameters", "value"] = 2_534_000
    found = rows(replace(results, metrics=metrics))
    values = ["0.500 (0.25–0.75)", "0.5000 (0.250–0.750)", "2", "2.53"]
    assert found["animatediff"] == [*values, "yes", "yes"]
    assert found["frames"] == [*values, "–", "–"]
    assert found["make_a_video"] == [*values, "no", "no"]
    for name in ("cogvideox_prompts", "etc", "modelscope"):
        assert found[name] == [*values, "yes", "no"]


def test_what_was_not_measured_has_a_dash(results: Results) -> None:
    measured = results.metrics[~results.metrics.metric.isin(["parameters", "clipsim"])]
    assert rows(replace(results, metrics=measured))["etc"] == ["0.500 (0.25–0.75)", "–", "2", "–", "yes", "no"]


def test_frames_of_another_name_are_frames(results: Results) -> None:
    """A text-to-image model is read from the model's family, temporal layers from the entry."""
    single = Method(module="x.py", model="images")
    moved = Method.model_validate({"module": "x.py", "model": "images", "motion": "somewhere"})
    assert [of(results.params, single) for of in (comparison.single_stage, comparison.frozen)] == [None, None]
    assert [of(results.params, moved) for of in (comparison.single_stage, comparison.frozen)] == [True, True]


def test_the_worlds_differ(results: Results) -> None:
    assert table(results).remarks[0].startswith("The worlds differ: ")
    assert any(said.startswith("n < 401") for said in table(results).remarks)


def test_placeholders_are_named_while_the_remark_stands(results: Results) -> None:
    """Those whose temporal layers had fewer steps than animatediff's; without the remark none."""
    marked = {row[0].text: row[0].note for row in table(with_remark(results)).rows if "placeholder" in row[0].note}
    names = ("harivo_base", "harivo_trs", "harivo_trs_dc", "harivo_mapping", "harivo_tokens", "harivo")
    short = dict.fromkeys(names, "3,000 steps of 4") | {"pyoco_noise": "300 steps of 2"}
    assert marked == {name: f"A placeholder: {said} videos." for name, said in short.items()}
    assert "HARIVO: To be trained again." in table(with_remark(results)).remarks
    assert not any("placeholder" in row[0].note for row in table(results).rows)
    assert not any(said.startswith("HARIVO") for said in table(results).remarks)


def test_nothing_is_bold(results: Results) -> None:
    assert not any(cell.bold for row in table(results).rows for cell in row)


def test_the_long_table_has_both_sources(report: Path) -> None:
    found = pd.read_csv(report / "tables/harivo_table_2.csv").set_index(["source", "method", "metric"])
    assert found.value["paper", "HARIVO", "parameters"] == 0.45e9
    assert found.value["this run", "harivo", "clipsim"] == 0.5
    assert "animatediff" in found.loc["this run"].index and "AnimateDiff" in found.loc["paper"].index
    assert set(found.loc["this run"].index.get_level_values("metric")) == {"fvd", "clipsim", "parameters"}


def test_without_methods_that_were_asked_for_prompts_it_is_missing(results: Results) -> None:
    assert comparison.table(replace(results, metrics=results.mixed), PRINTED) is None
    content = paper_harivo.build(replace(results, metrics=results.mixed))
    assert "Table 2 needs a method that was asked for prompts and evaluated." in content.missing
    assert "harivo_table_2" not in {one.name for one in content.tables}
