"""What MLflow is told of a method: values, intervals, counts, what made its clips, and FVD by number of clips."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params, load
from pipeline.tracking.methods import described_of, runs


@pytest.fixture
def params(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    monkeypatch.chdir(root)
    wanted = load()
    monkeypatch.chdir(tmp_path)
    Path("pipeline").symlink_to(root / "pipeline")  # methods are files that params.yaml names
    return wanted


@pytest.fixture
def raw(root: Path) -> dict[str, Any]:
    """params.yaml as it is written."""
    return yaml.safe_load((root / "params.yaml").read_text())


def made(params: Params, method: str, **about: Any) -> None:
    """Write a method.json."""
    folder = params.generate.folder(method)
    folder.mkdir(parents=True)
    (folder / ledger.ABOUT).write_text(json.dumps(about))


def test_a_run_has_values_curve_flags_and_fingerprints(params: Params) -> None:
    paths.RESULTS.mkdir(parents=True)
    counts = {"method": "richspace", "asked": "mixtures", "requested": 3, "generated": 3, "scored": 2}
    rows = [
        {**counts, "metric": "fvd", "value": 9.0, "low": 8.0, "high": 11.0, "flag": "n = 2 < 400", "fingerprint": "ab"},
        {**counts, "metric": "kvd", "value": 1.0, "low": np.nan, "high": np.nan, "flag": "", "fingerprint": "cd"},
    ]
    pd.DataFrame(rows).to_csv(paths.RESULTS / "metrics.csv", index=False)
    points = [(n, seed) for n in (2, 4) for seed in (0, 2)]
    curve = [{"method": m, "n": n, "seed": s, "fvd": 10 * n + s} for m in ("richspace", "x") for n, s in points]
    pd.DataFrame(curve).to_csv(paths.RESULTS / "fvd_by_clips.csv", index=False)
    (run,) = runs(params)
    assert (run.name, run.kind, run.params["module"]) == ("richspace", "method", "pipeline/methods/richspace.py")
    assert run.tags == {"flag.fvd": "n = 2 < 400", "fingerprint.fvd": "ab", "fingerprint.kvd": "cd"}
    assert (run.metrics["fvd"], run.metrics["fvd_high"], run.metrics["clips_scored"]) == (9.0, 11.0, 2)
    assert "kvd_low" not in run.metrics
    assert [(series.name, series.points) for series in run.series] == [("fvd_by_clips", [(2, 21.0), (4, 41.0)])]


def test_richspace_carries_its_k_and_how_it_was_sampled(params: Params, raw: dict[str, Any]) -> None:
    made(params, "richspace", weights="abc", origin="models/world/cogvideox", made_by={"sampling": {"steps": 25}})
    found = described_of(params, "richspace", "mixtures")
    model = raw["generate"]["models"]["world"]
    assert (found["k"], found["point"]) == (raw["search"]["default_k"], "optimum")
    assert (found["steps"], found["guidance"]) == (model["sampling"]["steps"], model["sampling"]["guidance"])
    assert (found["model"], found["checkpoint"], found["weights"]) == ("world", "models/world/cogvideox", "abc")
    asked = raw["generate"]["mixtures"]
    assert (found["set"], found["seeds"], found["limit"]) == (raw["generate"]["set"], asked["seeds"], asked["limit"])
    assert found["mg_scale"] is None


def test_alpha_is_the_one_that_the_clips_were_made_with(params: Params, raw: dict[str, Any]) -> None:
    made(params, "harivo", weights="abc", made_by={"sampling": {"mg_scale": 7.5}})
    found = described_of(params, "harivo", "prompts")
    assert (found["mg_scale"], found["k"]) == (7.5, None)
    guidance = raw["generate"]["models"]["images"]["sampling"]["guidance"]
    assert (found["guidance"], found["guidance_early"]) == (guidance["late"], guidance["early"])
    assert (found["limit"], found["motion"]) == (raw["generate"]["prompts"]["limit"], "models/world/harivo")


def test_parts_of_a_cascade_are_parameters_of_their_own(params: Params) -> None:
    found = described_of(params, "make_a_video", "prompts")
    assert (found["prior.steps"], found["sr_h.low"], found["interpolation.window"]) == (10, 32, 16)
    assert not [key for key, value in found.items() if isinstance(value, dict)]


def test_videos_of_others_name_their_folder(params: Params, raw: dict[str, Any]) -> None:
    raw["generate"]["external"] = {"lvdm": {"clips": "lvdm", "captions": "lvdm.csv"}}
    wanted = params.model_copy(update={"generate": type(params.generate).model_validate(raw["generate"])})
    found = described_of(wanted, "lvdm", "videos")
    assert (found["clips"], found["asked"], found["weights"]) == ("lvdm", "videos", None)
