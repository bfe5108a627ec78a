"""What MLflow is told of user studies: a run each, marked where nobody voted."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import params, paths
from pipeline.tracking.runs import result_files
from pipeline.tracking.studies import SIMULATED_TAG, runs
from tests.pipeline.report.study_results import write_studies


def test_a_study_is_a_run_with_its_main_values(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted = params.load()
    monkeypatch.chdir(tmp_path)
    assert runs() == []
    write_studies(wanted)
    found = {run.name: run for run in runs()}
    assert next(iter(found)) == "simulated-user-study-small-best-of" and len(found) == 5
    best = found["simulated-user-study-small-best-of"]
    assert best.tags == {SIMULATED_TAG: "true"} and best.params["simulated"]
    shares = pd.read_csv(paths.STUDY / "shares.csv").query("group == 'overall'").set_index("method")
    assert best.metrics["shares/best/etc"] == pytest.approx(shares.value["etc"])
    assert best.metrics["shares/best/etc_low"] == pytest.approx(shares.low["etc"])
    assert not any("sim-" in name for name in best.metrics)  # no value of a single rater
    assert "preferences/motion/harivo/animatediff" in found["simulated-user-study-small-pairwise"].metrics
    assert "mixture/success/richspace" in found["simulated-user-study-small-mixture"].metrics
    assert "reliability/quality" in found["simulated-user-study-small-rating"].metrics
    assert paths.STUDY / "shares.csv" in result_files(wanted)


def test_votes_of_people_are_not_called_simulated(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted = params.load()
    monkeypatch.chdir(tmp_path)
    write_studies(wanted)
    studies = pd.read_csv(paths.STUDY / "studies.csv").assign(simulated=False)
    studies.to_csv(paths.STUDY / "studies.csv", index=False)
    for run in runs():
        assert "simulated" not in run.name and run.tags == {SIMULATED_TAG: "false"}
