"""Trials of HARIVO's: variants of a training, on a Stable Diffusion folder made small; and those that are shipped."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.config import params as params_file
from pipeline.config import paths
from pipeline.config.params import Params, ParamsError
from pipeline.evaluation import evaluated
from pipeline.sweeps import trial_tables, trials
from pipeline.sweeps.variants import trial_training, with_trial
from pipeline.training import motion
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.sweeps.test_sweeps import small

PROMPTS = 3
POINTS = {
    "shipped": {"training": "harivo"},
    "mitigated": {"training": "harivo", "mg": True, "prompts": 2},
    "fast": {"training": "harivo", "steps": 2, "learning_rate": 3e-3},
    "seed": {"training": "harivo", "seed": 1},
    "brief": {"training": "harivo", "steps": 2, "batch": 1, "warmup": 1},
    "queue": {"training": "harivo", "steps": 2, "queue": 64, "other_content": False, "timestep_power": 1},
}


@pytest.fixture(scope="module")
def params(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded, and a HARIVO that is shipped."""
    values = small(root, stable_diffusion_folder)
    values["harivo"]["sweep"]["points"] = {}
    values["harivo"]["trials"] = {"method": "harivo", "prompts": PROMPTS, "points": POINTS}
    values["features"] |= {
        "clip": str(root / "models/world/clip"),
        "clip_text_tower": str(root / "models/public/minilm"),
    }
    with run_folder(root, tmp_path_factory.mktemp("trials"), values) as wanted:
        task = motion.build_task(wanted.train["harivo"].spec, wanted.embed, 0, "cpu")
        motion.export(task, paths.world_model("harivo"))
        pd.DataFrame({"step": [50], "validation_loss": [0.5]}).to_csv(paths.world_model("harivo") / "history.csv")
        yield wanted


def changed(params: Params, name: str) -> tuple[dict[str, object], dict[str, object]]:
    """In what a trial's training differs from the one that it is a variant of: its specification, its schedule."""
    own, base = trial_training(params, name), params.train["harivo"]
    pairs = [(own.spec.model_dump(), base.spec.model_dump()), (own.schedule.model_dump(), base.schedule.model_dump())]
    return tuple({key: value for key, value in one.items() if value != other[key]} for one, other in pairs)


def test_a_trial_differs_in_what_it_says(params: Params) -> None:
    assert trial_training(params, "shipped") is None
    assert trial_training(params, "mitigated") is None
    clips = {"validation_prompts": 1}
    short = {"steps": 2, "warmup": 0, "checkpoint_every": 2}
    assert changed(params, "fast") == (clips, short | {"learning_rate": 3e-3})
    assert changed(params, "seed") == (clips, {"seed": 1})
    brief = {"batch": 1, "used": 2} | clips, short | {"warmup": 1}
    assert changed(params, "brief") == brief  # no more scenes than it can see
    assert changed(params, "queue") == (clips | {"queue": 64, "other_content": False, "timestep_power": 1}, short)


def test_it_is_sampled_without_mitigation_unless_it_says_so(params: Params) -> None:
    for name, mg, limit in (("fast", False, PROMPTS), ("mitigated", True, 2)):
        method = with_trial(params, name, Path("trained")).generate.methods[name]
        assert method.options == {"motion": "trained", "mg": mg}
        assert (method.limit, method.seeds) == (limit, 1)


def test_trials_are_trained_sampled_and_measured(params: Params, i3d_weights: Path, minilm: Path) -> None:
    """Those of shipped weights with nothing trained."""
    Path("models/public").symlink_to(i3d_weights.parent)
    for name in ("shipped", "fast"):
        trials.run(params, name, Path("scratch") / name, paths.trial(name))
        found = evaluated.read(paths.trial(name))
        assert (found.name, found.counts["scored"]) == (name, PROMPTS)
        assert found.measured.logits.shape == (PROMPTS, 400)
    assert not list(Path("scratch/shipped").glob("model-*"))
    losses = {name: pd.read_csv(paths.trial(name) / "history.csv").validation_loss for name in ("shipped", "fast")}
    assert losses["shipped"].tolist() == [0.5]
    assert losses["fast"].iloc[-1] > 0
    assert evaluated.read(paths.trial("shipped")).content != evaluated.read(paths.trial("fast")).content


def test_a_row_for_each_trial_with_what_its_curves_end_at(params: Params) -> None:
    two = {name: params.harivo.trials.points[name] for name in ("brief", "seed")}
    trials_of_two = params.harivo.trials.model_copy(update={"points": two})
    harivo = params.harivo.model_copy(update={"trials": trials_of_two})
    wanted = params.model_copy(update={"harivo": harivo})
    rows = [
        {"method": name, "metric": "average", "value": 0.5, "low": 0.4, "high": 0.6, "requested": 3}
        for name in ("brief", "seed")
    ]
    paths.RESULTS.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(paths.TRIALS, index=False)
    for name in ("brief", "seed"):
        paths.trial(name).mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"step": [2], "validation_loss": [0.7]}).to_csv(paths.trial("brief") / "history.csv")
    curves = {"step": [10, 30, 45, 50, 50], "validation_loss": [0.9, None, None, None, 0.7]}
    curves |= {"dc_over_chance": [0.0, -1, -2, -4, None], "grad_norm_simple": [1.0, None, 2, 1, None]}
    curves |= {"loss_dc": [0.0, 0, math.log(200) - 2, math.log(256) - 4, None]}
    pd.DataFrame(curves | {"grad_norm_dc": [5.0, None, 20, 90, None]}).to_csv(paths.trial("seed") / "history.csv")
    found = trial_tables.read(wanted).set_index("point")
    own = found.loc["seed"]
    assert (own.seed, own.steps, own.learning_rate, own.clips) == (1, 50, 1e-3, 3)
    assert (own.validation_loss, own.dc_over_chance) == (0.7, -3)
    assert (own.dc_over_chance_last, own.negatives) == (-4, pytest.approx(256))
    assert own.share_dc == pytest.approx(0.1 * 10)  # λ is 0.1
    assert (found.loc["brief"].steps, found.loc["brief"].batch, found.loc["brief"].validation_loss) == (2, 1, 0.7)
    pd.DataFrame(rows[:1]).to_csv(paths.TRIALS, index=False)
    with pytest.raises(FileNotFoundError, match="lacks the trial seed: run its stage and the evaluate stage"):
        trial_tables.read(wanted)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"points": {"a": {"training": "clip"}}}, "expected one of the trainings of temporal layers"),
        ({"choices": {"harivo": ["nowhere"]}}, "expected one of harivo.trials.points"),
        ({"pairs": [["shipped", "nowhere"]]}, "expected one of harivo.trials.points"),
        ({"choices": {"harivo_base": ["shipped"]}}, "shipped is of harivo, expected of harivo_base"),
    ],
)
def test_a_name_that_does_not_fit_is_refused(root: Path, tmp_path: Path, changes: dict[str, object], said: str) -> None:
    values = yaml.safe_load((root / "params.yaml").read_text())
    trial = {"method": "harivo", "prompts": 2, "points": {"shipped": {"training": "harivo"}}}
    values["harivo"]["trials"] = trial | changes
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ParamsError, match=said):
        params_file.load(tmp_path / "params.yaml")


def test_every_variant_is_trained_at_the_rate_with_the_least_validation_loss(root: Path) -> None:
    """Of those that were tried, as params.yaml says it is."""
    wanted = params_file.load(root / "params.yaml")
    assert set(wanted.harivo.trials.choices) == {
        "harivo_base",
        "harivo_trs",
        "harivo_trs_dc",
        "harivo_mapping",
        "harivo",
    }
    for training, names in wanted.harivo.trials.choices.items():
        curves = {name: pd.read_csv(root / paths.trial(name) / "history.csv") for name in names}
        losses = {name: float(curve.validation_loss.dropna().iloc[-1]) for name, curve in curves.items()}
        best = wanted.harivo.trials.points[min(losses, key=losses.__getitem__)]
        assert wanted.train[training].schedule.learning_rate == best.learning_rate, losses


def test_the_ablation_adds_one_part_after_the_other(root: Path) -> None:
    """All with the same number of steps; the learning rate is each one's own."""
    wanted = params_file.load(root / "params.yaml")
    points = list(wanted.harivo.trials.ablation.values())
    trainings = [wanted.train[wanted.harivo.trials.points[name].training] for name in points]
    schedules = [one.schedule.model_dump() | {"learning_rate": None} for one in trainings]
    assert all(schedule == schedules[0] for schedule in schedules)
    added = []
    for before, after in pairwise(trainings):
        one, other = before.spec.model_dump(), after.spec.model_dump()
        added.append({key for key in other if other[key] != one[key]})
    assert added == [{"lambda_trs"}, {"lambda_dc"}, {"mapping", "lambda_reg"}, {"tokens"}, set()]
    assert [wanted.harivo.trials.points[name].mg for name in points] == [False] * 5 + [True]
