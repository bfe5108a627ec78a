"""Points of HARIVO's sweeps: variants of a method and a training, on a Stable Diffusion folder made small."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.evaluation import evaluated
from pipeline.sweeps import point, tables
from pipeline.sweeps.variants import training_of, with_point
from pipeline.training import motion
from tests.emptied import without_points
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.training.small import motion_spec

POINTS = {"mg-20": {"mg_scale": 20}, "mg-0": {"mg_scale": 0}, "all": {"lambda_trs": 0.1}, "none": {"lambda_trs": 0}}
PROMPTS = 3


@pytest.fixture(scope="module")
def params(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded, and a HARIVO that is shipped."""
    folder = tmp_path_factory.mktemp("sweeps")
    with run_folder(root, folder, small(root, stable_diffusion_folder)) as wanted:
        task = motion.build_task(wanted.train["harivo"].spec, wanted.embed, 0, "cpu")
        motion.export(task, paths.world_model("harivo"))
        yield wanted


def small(root: Path, checkpoint: Path) -> dict[str, object]:
    """The shipped parameters on a small Stable Diffusion folder."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    world = {"length": 77, "zero_padding": False}
    values["embed"]["encoders"] = {"clip": {"kind": "clip", "checkpoint": str(checkpoint), "sets": {"world": world}}}
    spec = motion_spec(checkpoint).model_dump() | {"text": {"encoder": "clip", "set": "world"}}
    schedule = {"steps": 50, "learning_rate": 1e-3, "warmup": 5}
    values["train"] = {"harivo": {"module": "motion", "spec": spec, "schedule": schedule}}
    values["report"]["controls"] = {}
    without_points(values)
    sampling = {"steps": 2, "guidance": 2.0, "frames": 16, "precision": "float32"}
    model = {"family": "stable_diffusion", "checkpoint": str(checkpoint), "encoder": "clip", "fps": 8}
    harivo = {"module": "pipeline/methods/harivo.py", "model": "sd", "motion": "models/world/harivo"}
    values["generate"] |= {
        "models": {"sd": model | {"sampling": sampling}},
        "methods": {"harivo": harivo},
        "workers": 1,
    }
    values["evaluate"] |= {"comparisons": []}
    values["report"] |= {"strip": "harivo", "guide": "harivo"}
    sweep = {"method": "harivo", "training": "harivo", "steps": 2, "batch": 2, "prompts": PROMPTS, "points": POINTS}
    values["harivo"] |= {"ablation": {}, "sweep": sweep}
    values["richspace"] = {"oracle": None}
    return values


def test_a_point_of_alpha_changes_nothing_but_the_scale(params: Params) -> None:
    variant = with_point(params, "mg-20", Path("unused"))
    base, own = params.generate.methods["harivo"], variant.generate.methods["mg-20"]
    assert variant.harivo.mg_scale == 20
    assert own.options == base.options | {"mg": True}
    assert (own.limit, own.seeds) == (PROMPTS, 1)
    assert training_of(params, "mg-20") is None
    assert with_point(params, "mg-0", Path("unused")).generate.methods["mg-0"].options["mg"] is False


def test_a_point_of_lambda_is_a_short_training_and_no_mitigation(params: Params) -> None:
    variant = with_point(params, "none", Path("trained"))
    assert variant.generate.methods["none"].options == {"motion": "trained", "mg": False}
    base, own = params.train["harivo"], training_of(params, "none")
    changed = {key for key, value in own.spec.model_dump().items() if value != base.spec.model_dump()[key]}
    assert changed == {"lambda_trs", "validation_prompts"}
    assert (own.spec.lambda_trs, own.spec.batch, own.spec.used) == (0, 2, 4)
    assert (own.schedule.steps, own.schedule.learning_rate) == (2, base.schedule.learning_rate)


def test_a_method_that_has_no_mitigating_gradient_is_refused(params: Params, root: Path) -> None:
    frames = {"module": "pipeline/methods/frames.py", "model": "sd"}
    generate = params.generate.model_copy(update={"methods": {"harivo": Method.model_validate(frames)}})
    with pytest.raises(ValueError, match=r"harivo\.sweep\.method: mg: the mitigating gradient needs temporal layers"):
        with_point(params.model_copy(update={"generate": generate}), "mg-20", Path("unused"))


def test_points_are_trained_sampled_and_measured(params: Params, capsys: pytest.CaptureFixture[str]) -> None:
    for name in POINTS:
        point.run(params, name, Path("scratch") / name, paths.sweep(name))
    measured = {name: evaluated.read(paths.sweep(name)) for name in POINTS}
    for name, own in measured.items():
        assert (own.name, own.asked) == (name, "prompts")
        assert own.counts == {"requested": PROMPTS, "generated": PROMPTS, "scored": PROMPTS}
        assert own.table["objects"].notna().all()
    contents = {name: tuple(own.table["content"]) for name, own in measured.items()}
    assert len(set(contents.values())) == 4  # each its own clips, of the same prompts and noise
    assert len({tuple(own.table["clip"]) for own in measured.values()}) == 1
    trained = sorted(path.name for path in Path("scratch").glob("*/model-*"))
    assert len(trained) == 2
    before = {path: path.stat().st_mtime_ns for path in Path("scratch").rglob("*.safetensors") if "model" in str(path)}
    point.run(params, "all", Path("scratch/all"), paths.sweep("all"))  # as after a kill: nothing is trained again
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert tuple(evaluated.read(paths.sweep("all")).table["content"]) == contents["all"]


def test_without_points_there_is_no_sweep(params: Params) -> None:
    assert tables.sweeps(pd.DataFrame(), tables.base_of(params)) == {}


def test_which_points_each_sweep_has(params: Params) -> None:
    rows = [
        {"method": name, "metric": metric, "value": 0.5, "low": 0.4, "high": 0.6, "requested": PROMPTS}
        for name in POINTS
        for metric in ("content", "average")
    ]
    paths.RESULTS.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(paths.SWEPT, index=False)
    found = tables.read(params).set_index("point")
    assert found.steps.to_dict() == {"mg-20": 0, "mg-0": 0, "all": 2, "none": 2}
    assert found.mg_scale.to_dict() == {"mg-20": 20, "mg-0": 0, "all": 0, "none": 0}
    assert found.lambda_trs.to_dict() == {"mg-20": 0.1, "mg-0": 0.1, "all": 0.1, "none": 0}
    assert (found.content_low < found.content).all()
    by_sweep = tables.sweeps(found.reset_index(), tables.base_of(params))
    assert {name: own.point.tolist() for name, own in by_sweep.items()} == {
        "mg_scale": ["mg-0", "mg-20"],
        "lambda_trs": ["none", "all"],
        "lambda_reg": ["all"],
        "lambda_dc": ["all"],
        "lambda_grid": ["none", "all"],
    }
    pd.DataFrame(rows[:2]).to_csv(paths.SWEPT, index=False)
    with pytest.raises(FileNotFoundError, match="lacks the point mg-0: run the sweep and the evaluate stage"):
        tables.read(params)
