"""How often motion follows the words, from points and trainings whose every value is known."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import paths
from pipeline.report.make_a_video import pairs
from pipeline.report.results import Results
from tests.pipeline.report.reading import Reader, words

HALF = "50.0 (25.0–75.0)"  # of the points


def found(results: Results) -> list[list[str]]:
    """Texts of the table."""
    (table,) = pairs.section(results).tables
    return [[cell.text for cell in row] for row in table.rows]


@pytest.fixture
def trained(results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """A run with four trainings on pairs, two of them with a control."""
    monkeypatch.setattr(paths, "WORLD_MODELS", tmp_path)
    for name, values in (
        ("t2i", {"judge_heading": [0.97]}),
        ("t2i_cueless", {"judge_heading": [0.04]}),
        ("modelscope", {"judge_action": [0.3, 0.9], "judge_heading": [0.5, 0.95]}),
        ("animatediff_cueless", {"judge_action": [0.3], "judge_heading": [0.0]}),
        ("animatediff", {"judge_action": [0.65]}),
        ("etc", {"judge_action": [0.7], "judge_heading": [0.975]}),
        ("cogvideox", {"judge_motion": [0.99]}),
    ):
        (tmp_path / name).mkdir()
        steps = range(1, 1 + len(next(iter(values.values()))))
        pd.DataFrame({"step": steps, "loss": 0.1, **values}).to_csv(tmp_path / name / "history.csv", index=False)
    return results


def test_make_a_video_stands_above_what_learnt_from_pairs(report: Path) -> None:
    """Wilson's intervals for 100, 200, 50 and 198 of 200, from the closed form."""
    header, *rows = Reader(report / "paper_make_a_video.html").tables["table-make_a_video_pairs"]
    assert header == ["Model", "Trained on pairs of video and caption", "Action (%)", "Heading (%)", "Clips",
                      "Without the cue: action (%)", "Without the cue: heading (%)",
                      "Without the cue: clips"]  # fmt: skip
    always = "100.0 (98.1–100.0)"
    assert rows == [
        ["Make-A-Video", "no", HALF, HALF, "2", HALF, HALF, "2"],
        ["animatediff", "yes", "50.0 (43.1–56.9)", always, "200", "25.0 (19.5–31.4)", always, "200"],
        ["cogvideox", "yes", "99.0 (96.4–99.7)", "–", "200", "–", "–", "–"],
    ]


def test_only_video_models_in_order(trained: Results) -> None:
    """Those with a control as report.controls has them, then those without; the last validation counts."""
    rows = {row[0]: row[1:] for row in found(trained)}
    assert list(rows) == ["Make-A-Video", "animatediff", "modelscope", "cogvideox", "etc"]
    assert {row[0] for name, row in rows.items() if name != "Make-A-Video"} == {"yes"}
    assert [rows["animatediff"][i].split(" ")[0] for i in (1, 4, 5)] == ["65.0", "30.0", "0.0"]
    assert [rows["modelscope"][i].split(" ")[0] for i in (1, 2, 4, 5, 6)] == ["90.0", "95.0", "–", "–", "–"]
    assert [rows["etc"][i].split(" ")[0] for i in (1, 2, 4)] == ["70.0", "97.5", "–"]


def test_the_clips_of_a_training_are_those_of_its_validation(trained: Results) -> None:
    spec = trained.params.train["etc"].spec.model_copy(update={"validation_prompts": 20})
    etc = trained.params.train["etc"].model_copy(update={"spec": spec})
    run = replace(trained, params=trained.params.model_copy(update={"train": trained.params.train | {"etc": etc}}))
    assert found(run)[-1][2:5] == ["70.0 (48.1–85.5)", "100.0 (83.9–100.0)", "20"]  # 14 and round(19.5) of 20


def test_without_controls_the_models_stand_alone(trained: Results) -> None:
    none = trained.params.report.model_copy(update={"controls": {}})
    run = replace(trained, params=trained.params.model_copy(update={"report": none}))
    assert [row[0] for row in found(run)] == ["Make-A-Video", "modelscope", "cogvideox", "etc"]


def test_the_long_table(report: Path) -> None:
    table = pd.read_csv(report / "tables/make_a_video_pairs.csv").set_index(["model", "cue", "metric"])
    assert table.value["animatediff", False, "action"] == 0.25
    assert table.clips["Make-A-Video", True, "heading"] == 2
    assert not table.pairs["Make-A-Video"].any() and table.pairs["cogvideox"].all()


def test_the_page_says_what_the_table_cannot(report: Path) -> None:
    text = words(Reader(report / "paper_make_a_video.html"))
    assert "one direction of 4 is right in 25 % by chance" in text
    assert "cannot tell which words mean which way" in text
    assert "The numbers of the two sources are of different prompts" in text


def test_what_the_later_parts_do_to_clips_without_shading(report: Path) -> None:
    """90 % of the motion is kept; 98 % show no heading, so 2 % show one."""
    text = words(Reader(report / "paper_make_a_video.html"))
    assert "Given the true frames of 100 clips without shading, they keep the true motion in 90.0 (89.0–91.0) %" in text
    assert "(of clips with shading: 99.0 (98.0–100.0) %)" in text
    assert "and show a shading where there was none in 2.0 (1.0–3.0) %" in text


@pytest.mark.parametrize("rows", [None, 0])
def test_without_its_stage_that_is_missing(results: Results, rows: int | None) -> None:
    table = results.passed_on
    assert table is not None
    content = pairs.section(replace(results, passed_on=None if rows is None else table.iloc[:rows]))
    assert content.context == {"passed_on": None}
    assert content.missing == ["What the later parts do to a clip without shading needs the stage cascade_parts."]
    assert len(content.tables) == 1


def test_without_the_whole_cascade_there_is_no_table(results: Results) -> None:
    content = pairs.section(replace(results, make_a_video=results.make_a_video.iloc[:0]))
    assert content.tables == ()
    assert content.missing == [
        "Motion without pairs needs the point make_a_video.whole, and make_a_video.cueless beside it."
    ]
    none = results.params.make_a_video.model_copy(update={"whole": None})
    run = replace(results, params=results.params.model_copy(update={"make_a_video": none}))
    assert pairs.section(run).tables == ()


def test_without_its_control_the_cells_are_empty(results: Results) -> None:
    measured = results.make_a_video
    run = replace(results, make_a_video=measured[measured.method != "cueless"])
    assert found(run)[0] == ["Make-A-Video", "no", HALF, HALF, "2", "–", "–", "–"]
    assert pairs.section(run).missing == ["The control of motion without pairs needs the point make_a_video.cueless."]
