"""Points of ETC's, on a Stable Diffusion folder made small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.evaluation import evaluated
from pipeline.evaluation.cuts import COLUMN
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.sweeps import etc as points
from pipeline.sweeps.cuts import CutReadings
from pipeline.training import etc
from pipeline.world.cuts import cut_wrongly
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.training.small import etc_spec

POINTS = {"own": {"training": "etc"}, "fast": {"training": "etc", "rate": 60}, "plain": {"training": "etc_plain"}}
PROMPTS = 2


@pytest.fixture(scope="module")
def params(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded, and two models that are shipped."""
    folder = tmp_path_factory.mktemp("etc")
    with run_folder(root, folder, small(root, stable_diffusion_folder)) as wanted:
        for name in wanted.train:
            task = etc.build_task(wanted.train[name].spec, wanted.embed, 0, "cpu")
            paths.world_model(name).mkdir(parents=True)
            etc.export(task, paths.world_model(name))
        yield wanted


def small(root: Path, checkpoint: Path) -> dict[str, object]:
    """The shipped parameters on a small Stable Diffusion folder."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    world = {"length": 77, "zero_padding": False}
    values["embed"]["encoders"] = {"clip": {"kind": "clip", "checkpoint": str(checkpoint), "sets": {"world": world}}}
    text = {"text": {"encoder": "clip", "set": "world"}}
    schedule = {"steps": 50, "learning_rate": 1e-3, "warmup": 5}
    values["train"] = {
        name: {"module": "etc", "spec": etc_spec(checkpoint, mixed=mixed).model_dump() | text, "schedule": schedule}
        for name, mixed in (("etc", True), ("etc_plain", False))
    }
    sampling = {"steps": 2, "guidance": 2.0, "frames": 16, "height": 32, "width": 32, "precision": "float32"}
    model = {"family": "grid", "checkpoint": str(checkpoint), "encoder": "clip", "fps": 8, "sampling": sampling}
    method = {"module": "pipeline/methods/etc.py", "model": "sd", "trained": "models/world/etc", "rate": 8}
    values["generate"] |= {"models": {"sd": model}, "methods": {"etc": method}, "workers": 1}
    values["evaluate"] |= {"comparisons": []}
    values["report"] |= {"strip": "etc", "guide": "etc", "controls": {}}
    values["harivo"] |= {"ablation": {}, "sweep": values["harivo"]["sweep"] | {"points": {}}}
    values["richspace"] = {"oracle": None}
    values["etc"] = {"method": "etc", "prompts": PROMPTS, "points": POINTS}
    return values


def test_a_point_changes_the_model_or_the_rate_and_nothing_else(params: Params) -> None:
    base = params.generate.methods["etc"]
    for name, changes in {
        "own": {},
        "fast": {"rate": 60},
        "plain": {"trained": "models/world/etc_plain"},
    }.items():
        variant = points.with_etc_point(params, name)
        (own,) = variant.generate.methods.values()
        assert own.options == base.options | changes
        assert (own.model, own.limit, own.seeds) == (base.model, PROMPTS, 1)


def test_a_point_is_sampled_and_measured(params: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the judge alone, which needs no weights; run again, it makes no clip anew."""
    usual = Measurer([JudgeReadings()], named("reelbench"), FeatureCache(None), workers=0)
    monkeypatch.setattr(points, "measurer", lambda features: usual)
    for name in ("own", "plain"):
        points.run(params, name, tmp_path / name, paths.etc_point(name))
    found = {name: evaluated.read(paths.etc_point(name)) for name in ("own", "plain")}
    for name, one in found.items():
        assert one.counts == {"requested": PROMPTS, "generated": PROMPTS, "scored": PROMPTS}, name
        assert one.measured.table[COLUMN].isin([0.0, 1.0]).all()
    assert (found["own"].table.content != found["plain"].table.content).all()
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "own/clips").rglob("*.mkv")}
    points.run(params, "own", tmp_path / "own", paths.etc_point("own"))
    assert made == {file: file.stat().st_mtime_ns for file in (tmp_path / "own/clips").rglob("*.mkv")}


def test_readings_of_cuts_are_those_of_the_judge_of_cuts() -> None:
    clips = render(draw(3, 5)[1])
    network = CutReadings()
    found = network.features([network.prepare(clip) for clip in clips])
    assert [one[COLUMN] for one in found] == cut_wrongly(clips).tolist()
    for odd in (clips[0, :9, :16], clips[0, :8]):
        assert np.isnan(network.features([network.prepare(odd)])[0][COLUMN])
