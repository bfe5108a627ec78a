"""Points of HARIVO's sweeps."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.config import paths
from pipeline.config.params import Sweep, SweepPoint, Training
from pipeline.harivo import sweeps
from pipeline.training import motion, point
from tests.pipeline.training.small import motion_spec


def test_a_point_of_each_kind_of_sweep(
    stable_diffusion_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = motion_spec(stable_diffusion_folder)
    training = Training(spec=asdict(spec), schedule={"steps": 50, "learning_rate": 1e-3})
    motion.export(motion.build_task(asdict(spec), 0, "cpu"), paths.world_model("harivo"))
    wanted = Sweep(model="harivo", steps=2, batch=2, prompts=3, points={"x": SweepPoint(mg_scale=1)})
    for name, values in {"mg-20": {"mg_scale": 20}, "all": {"lambda_trs": 0.1}, "none": {"lambda_trs": 0}}.items():
        point.run(name, SweepPoint(**values), wanted, training, tmp_path / "ck", paths.sweep(name))
    found = sweeps.read(paths.SWEEPS, ["mg-20", "all", "none"]).set_index("point")
    assert found.steps.to_dict() == {"mg-20": 0, "all": 2, "none": 2}
    assert found.mg_scale.to_dict() == {"mg-20": 20, "all": 0, "none": 0}
    assert found.lambda_trs.to_dict() == {"mg-20": 0.1, "all": 0.1, "none": 0}
    assert (found.content_low <= found.content).all()
    by_sweep = sweeps.sweeps(found.reset_index(), dict.fromkeys(sweeps.LAMBDAS, 0.1))
    assert {name: own.point.tolist() for name, own in by_sweep.items()} == {
        "mg_scale": ["mg-20"], "lambda_trs": ["none", "all"], "lambda_reg": ["all"], "lambda_dc": ["all"],
        "lambda_grid": ["none", "all"],
    }  # fmt: skip
    assert json.loads(paths.sweep("all").read_text())["clips"] == 3
    with pytest.raises(FileNotFoundError, match=r"other\.json not found: run the sweep stage"):
        sweeps.read(paths.SWEEPS, ["other"])
