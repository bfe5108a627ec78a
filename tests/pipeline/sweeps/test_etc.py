"""Points of ETC's, on a Stable Diffusion folder made small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from metrics.reading.video import read_all
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.evaluation import evaluated
from pipeline.evaluation.cuts import COLUMN
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.sweeps import etc as points
from pipeline.sweeps import etc_tables, etc_variants, larger
from pipeline.sweeps.cuts import CutReadings
from pipeline.training import etc
from pipeline.world.cuts import cut_wrongly
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.emptied import without_points
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.training.small import etc_spec

POINTS = {
    "etc": {"training": "etc"},
    "fast": {"training": "etc", "rate": 60, "prompts": 1},
    "plain": {"training": "etc_plain"},
}
SHORT = {
    "training": "etc",
    "prompts": 1,
    "spoilt": 0.5,
    "points": {"few": {"steps": 2, "used": 3}, "best": {"steps": 2, "filter_ratio": 0.5}},
}
LARGER = {
    "training": "etc",
    "prompts": 2,
    "shown": 1,
    "points": {"long": {"steps": 2, "rate": 15, "frames": 25, "height": 48, "batch": 1}},
}
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
    without_points(values)
    values["harivo"] |= {"ablation": {}}
    values["richspace"] = {"oracle": None}
    values["etc"] = {"method": "etc", "prompts": PROMPTS, "points": POINTS, "short": SHORT, "larger": LARGER}
    values["features"] |= {"clip": str(root / "models/world/clip")}
    return values


def test_a_point_changes_the_model_or_the_rate_and_nothing_else(params: Params) -> None:
    base = params.generate.methods["etc"]
    plain = paths.world_model("etc_plain")
    for given, changes, asked in (
        ((Path(base.options["trained"]),), {}, PROMPTS),
        ((Path(base.options["trained"]), 60, 1), {"rate": 60}, 1),
        ((plain,), {"trained": str(plain)}, PROMPTS),
    ):
        variant = etc_variants.with_etc_point(params, "own", *given)
        ((name, own),) = variant.generate.methods.items()
        assert own.options == base.options | changes
        assert (name, own.model, own.limit, own.seeds) == ("own", base.model, asked, 1)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured by the judge alone, which needs no weights."""
    usual = Measurer([JudgeReadings()], named("reelbench"), FeatureCache(None), workers=0)
    monkeypatch.setattr(points, "measurer", lambda features: usual)


@pytest.mark.usefixtures("judged")
def test_a_point_is_sampled_and_measured(params: Params, tmp_path: Path) -> None:
    """Run again, it makes no clip anew."""
    for name in POINTS:
        points.run(params, name, tmp_path / name, paths.etc_point(name))
    found = {name: evaluated.read(paths.etc_point(name)) for name in POINTS}
    for name, one in found.items():
        asked = POINTS[name].get("prompts", PROMPTS)
        assert one.counts == {"requested": asked, "generated": asked, "scored": asked}, name
        assert one.measured.table[COLUMN].isin([0.0, 1.0]).all()
    assert len({one.table.content.iloc[0] for one in found.values()}) == 3
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "etc/clips").rglob("*.mkv")}
    points.run(params, "etc", tmp_path / "etc", paths.etc_point("etc"))
    assert made == {file: file.stat().st_mtime_ns for file in (tmp_path / "etc/clips").rglob("*.mkv")}


@pytest.mark.usefixtures("judged")
def test_a_short_point_is_trained_once_and_measured(params: Params, tmp_path: Path) -> None:
    times = []
    for _ in range(2):
        points.run_short(params, "few", tmp_path, paths.etc_point("few"))
        (weights,) = tmp_path.glob("model-*/unet/*.safetensors")
        times.append(weights.stat().st_mtime_ns)
    assert times[0] == times[1]
    own = evaluated.read(paths.etc_point("few"))
    assert own.counts == {"requested": 1, "generated": 1, "scored": 1}


def test_a_short_training_differs_in_what_is_swept(params: Params) -> None:
    base = params.train["etc"]
    for name, changes in {"few": {"used": 3}, "best": {}}.items():
        own = etc_variants.short_training(params, name)
        changed = {key: value for key, value in own.spec.model_dump().items() if value != base.spec.model_dump()[key]}
        filtered = changed.pop("filtered", None)
        assert changed == changes | {"validation_prompts": 1}
        assert (own.schedule.steps, own.schedule.learning_rate) == (2, base.schedule.learning_rate)
        assert (filtered is None) == (name == "few")
    wanted = etc_variants.short_training(params, "best").spec.filtered
    assert (wanted.spoilt, wanted.ratio, wanted.clip) == (0.5, 0.5, params.features.clip)


def test_larger_clips_start_from_the_trained_model_and_are_kept(params: Params, tmp_path: Path) -> None:
    own = etc_variants.larger_training(params, "long").spec
    assert (own.starts_from, own.length, own.height, own.batch) == ("models/world/etc", 25, 48, 1)
    larger.run(params, "long", tmp_path, paths.etc_larger("long"))
    (file,) = paths.etc_larger("long").glob("*.mkv")  # one of two is shown
    assert read_all(file).shape == (25, 48, 48, 3)
    found = etc_tables.read_larger(params).set_index("metric")
    assert set(found.clips) == {PROMPTS} and set(found.point) == {"long"}
    assert found.value["cut_wrongly"] in (0, 0.5, 1)
    assert {"judge_content", "judge_action", "judge_not_weird"} <= set(found.index)


def test_which_points_each_sweep_has(params: Params) -> None:
    names = [*POINTS, *SHORT["points"]]
    rows = [{"method": name, "metric": "fvd", "value": 5.0, "low": 4.0, "high": 6.0, "requested": 2} for name in names]
    paths.RESULTS.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(paths.ETC_POINTS, index=False)
    found = etc_tables.read(params)
    by_point = found.set_index("point")
    assert by_point.rate.to_dict() == {"etc": 8, "fast": 60, "plain": 8, "few": 8, "best": 8}
    assert by_point.used.to_dict() == {"etc": 8, "fast": 8, "plain": 8, "few": 3, "best": 8}
    assert by_point.steps.to_dict() == {"etc": 50, "fast": 50, "plain": 50, "few": 2, "best": 2}
    assert {name: own.point.tolist() for name, own in etc_tables.sweeps(params, found).items()} == {
        "rate": ["fast"],
        "used": ["few"],
        "filter_ratio": ["best"],
    }
    pd.DataFrame(rows[:2]).to_csv(paths.ETC_POINTS, index=False)
    with pytest.raises(FileNotFoundError, match="lacks the point plain: run its stage and the evaluate stage"):
        etc_tables.read(params)


def test_readings_of_cuts_are_those_of_the_judge_of_cuts() -> None:
    clips = render(draw(3, 5)[1])
    network = CutReadings()
    found = network.features([network.prepare(clip) for clip in clips])
    assert [one[COLUMN] for one in found] == cut_wrongly(clips).tolist()
    for odd in (clips[0, :9, :16], clips[0, :8]):
        assert np.isnan(network.features([network.prepare(odd)])[0][COLUMN])
