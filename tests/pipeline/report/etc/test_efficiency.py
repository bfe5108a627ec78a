"""ETC's Table 1, and what the paper prints."""

import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import save_file

from pipeline.report.etc import efficiency
from pipeline.report.pages import paper_etc
from pipeline.report.printed import published
from pipeline.report.results import Results
from pipeline.report.table import Table
from tests.pipeline.report.conftest import metric_row
from tests.pipeline.report.reading import Reader

PRINTED = published(paper_etc.__file__)


def table_1(results: Results) -> tuple[Table, dict[str, dict[str, str]]]:
    """The table, and its texts by method and column."""
    table = efficiency.section(results, PRINTED).tables[0]
    headers = [column.header for column in table.columns]
    return table, {row[0].text: dict(zip(headers, (cell.text for cell in row), strict=True)) for row in table.rows}


def test_every_evaluated_method_has_a_row(results: Results) -> None:
    _, rows = table_1(results)
    assert set(rows) == set(results.params.generate.evaluated)
    groups = [row["Asked for"] for row in rows.values()]
    assert groups == sorted(groups, reverse=True)  # prompts, then mixtures


def test_a_row_says_what_params_yaml_says(results: Results) -> None:
    _, rows = table_1(results)
    t2i, etc = (results.params.train[name] for name in ("t2i", "etc"))
    assert rows["etc"]["Trained"] == "t2i + etc"
    assert rows["etc"]["Data"] == f"{t2i.spec.scenes:,} + {etc.spec.used:,}"
    assert rows["etc"]["Iterations"] == f"{t2i.schedule.steps:,} + {etc.schedule.steps:,}"
    assert rows["etc"]["Batch"] == f"{t2i.spec.batch} + {etc.spec.batch}"
    assert rows["cogvideox"]["Trained"] == "cogvideox"
    assert (rows["etc"]["Speed ↑"], rows["etc"]["Parameters"]) == ("7.0", "7")
    assert rows["harivo"]["User study"] == "–"


def test_speed_names_the_precision(results: Results) -> None:
    table, _ = table_1(results)
    at = [column.header for column in table.columns].index("Speed ↑")
    notes = {row[0].text: row[at].note for row in table.rows}
    models = results.params.generate.models
    assert models["grid"].sampling.precision in notes["etc"]
    assert models["images"].sampling.precision in notes["animatediff"]


def test_the_whole_model_is_denoiser_encoder_and_codec(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without weights there is a dash; then 7 of the denoiser, 5 and 3 around it; of a cascade the dual encoder's 3."""
    assert {row["Whole model"] for row in table_1(results)[1].values()} == {"–"}
    monkeypatch.chdir(tmp_path)
    for name, size in (("models/public/minilm", 5), ("models/world/codec", 3), ("models/world/clip", 3)):
        Path(name).mkdir(parents=True)
        save_file({"weight": np.zeros(size, np.float32)}, Path(name) / "model.safetensors")
    table, rows = table_1(results)
    assert {row["Whole model"] for row in rows.values()} == {"15"}
    sizes = table.data[(table.data.method == "etc") & table.data.metric.str.startswith("parameters")]
    assert dict(zip(sizes.metric, sizes.value, strict=True)) == {
        "parameters": 7,
        "parameters_text_encoder": 5,
        "parameters_codec": 3,
    }
    cascade = set(table.data[table.data.method == "make_a_video"].metric)
    assert "parameters_dual_encoder" in cascade and "parameters_codec" not in cascade


def test_videos_of_others_have_dashes(results: Results) -> None:
    rows = pd.DataFrame([metric_row("lvdm", "videos", metric) for metric in ("fvd", "clipsim")])
    _, found = table_1(replace(results, metrics=rows))
    assert {found["lvdm"][name] for name in ("Trained", "Data", "Whole model", "Speed ↑", "Iterations")} == {"–"}
    assert found["lvdm"]["CLIPSIM ↑"] != "–"


def test_the_long_table_has_every_training(report: Path) -> None:
    table = pd.read_csv(report / "tables/etc_table1.csv")
    own = table[(table.method == "animatediff") & (table.metric == "batch")]
    assert list(own.training) == ["t2i", "animatediff"]


def test_the_papers_rows(report: Path) -> None:
    _, *rows = Reader(report / "paper_etc.html").tables["table-etc_table1_paper"]
    assert [row[0] for row in rows] == ["LVDM", "VideoCrafter", "VideoCrafter2", "ModelScope", "ETC"]
    assert rows[0][4:6] == ["432K†", "64†"]
    assert rows[-1][1:] == ["0.1M", "0.9B", "1.92", "15K", "48", "326", "31.01", "612", "30.49", "35.44", "37.49"]


def test_the_papers_values_are_those_of_the_reference(shared: Path) -> None:
    """Which was read from the paper by somebody else."""
    reference = yaml.safe_load((shared / "reference/paper_tables.yaml").read_text())
    names = {"params_b": "parameters", "speed_fps": "speed", "training_iters": "iterations", "user_study_pct": "votes"}
    columns = [names.get(column, column) for column in reference["etc_table1"]["columns"][1:]]
    for model, *values in reference["etc_table1"]["rows"]:
        own = PRINTED["table_1"][model] | {"parameters": float(PRINTED["table_1"][model]["parameters"].rstrip("B"))}
        assert [own[column] for column in columns] == values
    assert reference["etc_table4"]["columns"][3:] == list(PRINTED["table_1"])
    assert {row[1]: row[3:] for row in reference["etc_table4"]["rows"]} == PRINTED["table_4"]


def test_table_4_does_not_lead_to_table_1(shared: Path) -> None:
    """What the notes say, from the reference data: ETC's mean is 37.5 %, not 35.44, and one row adds up to 90 %."""
    reference = yaml.safe_load((shared / "reference/paper_tables.yaml").read_text())
    votes, (_, *models) = reference["etc_table4"]["rows"], reference["etc_table4"]["columns"][2:]
    means = {model: statistics.fmean(row[3 + i] for row in votes) for i, model in enumerate(models)}
    assert round(means["ETC"], 1) == 37.5
    printed = {row[0]: row[-1] for row in reference["etc_table1"]["rows"]}
    wrong = [model for model in models if abs(means[model] - printed[model]) > 0.01]
    sums = {row[1]: round(sum(row[3:]), 1) for row in votes}
    assert {name: total for name, total in sums.items() if total != 100} == {"WFpZ": 90.0}
    assert round(sum(printed.values()), 2) == 100
    said = " ".join(efficiency._paper(PRINTED).remarks)
    assert all(f"{model} ({means[model]:.2f}, printed {printed[model]:.2f})" in said for model in wrong)
    assert "shares of volunteer WFpZ add up to 90.0 %" in said


def test_votes_that_agree_are_not_remarked_on() -> None:
    models = {name: PRINTED["table_1"]["ETC"] | {"votes": votes} for name, votes in (("A", 60.0), ("B", 40.0))}
    votes = {"first": [70.0, 30.0], "second": [50.0, 50.0]}
    remarks = efficiency._paper({"table_1": models, "table_4": votes}).remarks
    assert len(remarks) == 1
