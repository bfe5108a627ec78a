"""What MLflow is told of searches and trainings."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import paths
from pipeline.config.params import Params, load
from pipeline.tracking.runs import _searches, _trainings, result_files


@pytest.fixture
def searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Params:
    """One mixture, searched with k = 2 and k = 4."""
    monkeypatch.chdir(root)
    wanted = load()
    monkeypatch.chdir(tmp_path)
    (name,) = wanted.embed.encoders
    folder = paths.search(name)
    folder.mkdir(parents=True)
    optima = {"mixture": "a/x", "k": [2, 4], "step": [1, 3], "weight": [0.5, 0.75], "continuous_weight": 0.7}
    pd.DataFrame({**optima, "similarity": [1.5, 1.75], "first_step": None}).to_csv(folder / "optima.csv", index=False)
    totals = {"a/x/k2": [1.5, 1.0], "a/x/k4": [1.25, 1.5, 1.75, 1.0]}
    (folder / "curves.json").write_text(json.dumps({key: {"total": total} for key, total in totals.items()}))
    return wanted


def test_each_k_is_a_run_whose_figures_are_its_own(searched: Params) -> None:
    (search,) = _searches(searched)
    assert [run.name for run in search.children] == ["k=2", "k=4"]
    two, four = search.children
    assert (two.kind, two.params["k"], search.kind) == ("search", 2, "sweep")
    assert (two.metrics["step/a/x"], four.metrics["step/a/x"]) == (1, 3)
    assert (two.metrics["similarity"], four.metrics["similarity"]) == (1.5, 1.75)
    assert (two.metrics["weight_error"], four.metrics["weight_error"]) == pytest.approx((0.2, 0.05))
    assert two.series[0].points == [(1, 1.5), (2, 1.5)]
    assert four.series[0].points == [(1, 1.25), (2, 1.5), (3, 1.75), (4, 1.75)]
    assert [path.name for path in search.files] == ["optima.csv", "curves.json"]


def test_the_state_of_the_results_is_made_of_their_files(searched: Params) -> None:
    folder = searched.generate.folder("richspace")
    folder.mkdir(parents=True)
    (folder / "method.json").write_text("{}")
    assert {path.name for path in result_files(searched)} == {"optima.csv", "curves.json", "method.json"}


def test_a_training_has_its_schedule_and_its_curves(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load(root / "params.yaml")
    monkeypatch.chdir(tmp_path)
    folder = paths.world_model("cogvideox")
    folder.mkdir(parents=True)
    pd.DataFrame({"step": [1, 2], "loss": [0.5, 0.25], "judge": [None, 1.0]}).to_csv(
        folder / paths.HISTORY, index=False
    )
    (run,) = _trainings(params)
    assert (run.name, run.kind, run.params["text.encoder"]) == ("train-cogvideox", "training", "minilm")
    assert {one.name: one.points for one in run.series} == {"loss": [(1, 0.5), (2, 0.25)], "judge": [(2, 1.0)]}
