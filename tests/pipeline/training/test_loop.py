"""The loop on a small task: against a training written out in numpy, and killed and continued."""

from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pipeline.training.loop import Schedule, silent, train
from pipeline.training.task import WHOLE, Batch, Losses, Share, step_generator

SCHEDULE = Schedule(steps=60, learning_rate=1e-2, warmup=5, ema=0.9, seed=3, checkpoint_every=10, validate_every=20)


class Killed(Exception):
    pass


@dataclass(frozen=True)
class Points(Batch):
    x: torch.Tensor


class PointSource:
    """Sixteen points a step; dies before a given one."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at, self.steps = dies_at, []

    def batch(self, step: int, share: Share = WHOLE) -> Points:
        if step == self.dies_at:
            raise Killed
        self.steps.append(step)
        return Points(torch.randn(16, 1, generator=step_generator(3, step))).part(share)


class Line:
    """Learn y = 2x + 1 with a layer before one that is frozen; the loss is a sum of two."""

    def __init__(self, dies_at: int | None = None, bias_apart: bool = False) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
        nn.init.ones_(self.model[1].weight)
        nn.init.zeros_(self.model[1].bias)
        self.apart = {"bias": nn.ParameterList([self.model[0].bias])} if bias_apart else {}
        self.source = PointSource(dies_at)
        self.pictures = 0
        self.learnt_in_training_mode: list[bool] = []

    @property
    def values(self) -> list[float]:
        return [self.model[0].weight.item(), self.model[0].bias.item()]

    def loss(self, model: nn.Module, batch: Points) -> Losses:
        self.learnt_in_training_mode.append(model.training)
        error = model(batch.x) - (2 * batch.x + 1)
        parts = {"square": error.square().mean(), "size": error.abs().mean()}
        return Losses(parts["square"] + 0.5 * parts["size"], parts)

    def validate(self, final: bool) -> dict[str, float]:
        return {"weight": self.values[0], "final": float(final), "training": float(self.model.training)}

    def picture(self) -> np.ndarray:
        self.pictures += 1
        return np.zeros((2, 2, 3), np.uint8)


def run(tmp_path: Path, task: Line, identity: str = "line", schedule: Schedule = SCHEDULE) -> list[dict[str, float]]:
    return train(task, schedule, tmp_path / "c.safetensors", identity, silent).rows


def naive(
    start: list[float], schedule: Schedule, apart: bool = False
) -> tuple[np.ndarray, dict[int, dict[str, float]]]:
    """The same training in float64, from the formulas: AdamW, warm-up and cosine, clipping (of both weights or of
    each by itself), and the average of the weights with diffusers' warm-up of the decay. Returns the averages, and what
    can be seen of every step."""
    weights, curves = np.array(start), {}
    average, m, v = weights.copy(), np.zeros(2), np.zeros(2)
    for step in range(schedule.steps):
        x = torch.randn(16, 1, generator=step_generator(3, step)).double().numpy()[:, 0]
        error = weights[0] * x + weights[1] - (2 * x + 1)
        slope = 2 * error + 0.5 * np.sign(error)
        gradient = np.array([(slope * x).mean(), slope.mean()])
        norm = np.sqrt((gradient**2).sum())
        clipped = {"norm": abs(gradient[0]), "norm_bias": abs(gradient[1])} if apart else {"norm": norm}
        gradient *= np.minimum(1, schedule.clip / (np.abs(gradient) if apart else norm))
        progress = (step - schedule.warmup) / (schedule.steps - schedule.warmup)
        share = step / schedule.warmup if step < schedule.warmup else (1 + cos(pi * progress)) / 2
        rate = schedule.learning_rate * share
        m, v = 0.9 * m + 0.1 * gradient, 0.99 * v + 0.01 * gradient**2
        unbiased = m / (1 - 0.9 ** (step + 1)) / (np.sqrt(v / (1 - 0.99 ** (step + 1))) + 1e-8)
        weights = weights * (1 - rate * schedule.weight_decay) - rate * unbiased
        decay = min(1 - (1 + step) ** -0.75, schedule.ema) if step else 0
        average = decay * average + (1 - decay) * weights
        curves[step + 1] = {"square": (error**2).mean(), "size": np.abs(error).mean(), "rate": rate}
        curves[step + 1] |= {"weight": weights[0], "average": average[0]} | clipped
    return average, curves


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("clip", [1.0, 100.0])
def test_against_the_formulas(tmp_path: Path, clip: float, apart: bool) -> None:
    schedule = SCHEDULE.model_copy(update={"clip": clip})
    task = Line(bias_apart=apart)
    expected, curves = naive(task.values, schedule, apart)
    rows = run(tmp_path, task, schedule=schedule)
    assert task.values == pytest.approx(expected.tolist(), rel=1e-4)
    assert [row["step"] for row in rows] == [20, 40, 60]
    for row in rows:
        wanted = curves[row["step"]]
        assert row["loss_square"] == pytest.approx(wanted["square"], rel=1e-3)
        assert row["loss_size"] == pytest.approx(wanted["size"], rel=1e-3)
        assert row["loss"] == pytest.approx(wanted["square"] + 0.5 * wanted["size"], rel=1e-3)
        assert row["grad_norm"] == pytest.approx(wanted["norm"], rel=1e-3)
        assert row.get("grad_norm_bias") == (pytest.approx(wanted["norm_bias"], rel=1e-3) if apart else None)
        following = curves[row["step"] + 1]["rate"] if row["step"] < 60 else 0
        assert row["lr"] == pytest.approx(following)
        assert row["weight"] == pytest.approx(wanted["average"], rel=1e-4)
        assert row["weight"] != pytest.approx(wanted["weight"], rel=1e-3)
        assert (row["final"], row["training"]) == (row["step"] == 60, 0)


@pytest.mark.parametrize("parts", [1, 4])
def test_the_gradient_of_each_loss_is_measured_and_changes_nothing(tmp_path: Path, parts: int) -> None:
    schedule = SCHEDULE.model_copy(update={"log_every": 1, "accumulate": parts})
    plain, measured = Line(), Line()
    expected = run(tmp_path, plain, schedule=schedule)
    rows = run(tmp_path / "measured", measured, schedule=schedule.model_copy(update={"gradients_every": 7}))
    assert measured.values == plain.values
    found = [row["step"] for row in rows if "grad_norm_square" in row]
    assert found == list(range(7, 61, 7))
    for row, other in zip(rows, expected, strict=True):
        norms = {name: row.pop(name, None) for name in ("grad_norm_square", "grad_norm_size")}
        assert row == other
        if norms["grad_norm_square"] is not None:  # |a - b/2| <= |a + b/2| <= |a| + |b/2|
            assert row["grad_norm"] <= norms["grad_norm_square"] + 0.5 * norms["grad_norm_size"] + 1e-6


def test_the_gradient_of_a_loss_is_its_own(tmp_path: Path) -> None:
    """Of the first step, from the formulas."""
    task = Line()
    weight, bias = task.values
    schedule = SCHEDULE.model_copy(update={"steps": 1, "warmup": 0, "log_every": 1, "gradients_every": 1})
    row = run(tmp_path, task, schedule=schedule)[0]
    x = torch.randn(16, 1, generator=step_generator(3, 0)).double().numpy()[:, 0]
    error = weight * x + bias - (2 * x + 1)
    for name, slope in {"square": 2 * error, "size": np.sign(error)}.items():
        assert row[f"grad_norm_{name}"] == pytest.approx(np.hypot((slope * x).mean(), slope.mean()), rel=1e-4)


@pytest.mark.parametrize("parts", [2, 16])
def test_a_batch_in_parts_is_the_batch(tmp_path: Path, parts: int) -> None:
    """Losses, which are means of rows, the gradient's norm and the weights; in float32, summed in another order."""
    whole, split = Line(), Line()
    rows = run(tmp_path, whole)
    others = run(tmp_path / "parts", split, schedule=SCHEDULE.model_copy(update={"accumulate": parts}))
    assert split.values == pytest.approx(whole.values, rel=1e-4)
    for row, other in zip(rows, others, strict=True):
        assert other == pytest.approx(row, rel=1e-3, abs=1e-5)


def test_parts_must_be_equal(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a batch of 16 cannot be divided equally among 3 processes or parts"):
        run(tmp_path, Line(), schedule=SCHEDULE.model_copy(update={"accumulate": 3}))


def test_every_step_is_in_training_mode(tmp_path: Path) -> None:
    """Also of a model that was loaded for inference, and after a validation."""
    task = Line()
    task.model.eval()
    run(tmp_path, task)
    assert task.learnt_in_training_mode == [True] * SCHEDULE.steps


def test_one_process_trains_in_one_precision_after_another(tmp_path: Path) -> None:
    whole, half = Line(), Line()
    run(tmp_path, whole)
    rows = run(tmp_path, half, "half", SCHEDULE.model_copy(update={"precision": "bf16"}))
    assert half.values == pytest.approx(whole.values, rel=0.05)
    assert half.values != whole.values
    assert np.isfinite([row["loss"] for row in rows]).all()


def test_every_loss_is_reported_as_it_is_logged(tmp_path: Path) -> None:
    task, said = Line(), []
    schedule = SCHEDULE.model_copy(update={"steps": 7, "log_every": 3, "validate_every": 5})
    history = train(task, schedule, tmp_path / "c", "x", lambda step, _, picture: said.append((step, picture is None)))
    assert [row["step"] for row in history.rows] == [3, 5, 6, 7]
    assert said == [(3, True), (5, False), (6, True), (7, True), (7, False)]
    assert task.pictures == 2
    assert list(history.rows[0]) == ["step", "loss", "loss_square", "loss_size", "grad_norm", "lr"]


def test_what_is_frozen_stays_and_is_not_kept(tmp_path: Path) -> None:
    task = Line()
    run(tmp_path, task)
    assert (task.model[1].weight.item(), task.model[1].bias.item()) == (1, 0)
    assert {name.split(".", 1)[1] for name in load_file(tmp_path / "c.safetensors")} == {"0.weight", "0.bias"}


def test_a_killed_run_continues_bit_for_bit(tmp_path: Path) -> None:
    whole = Line()
    expected = run(tmp_path / "whole", whole)
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=37))
    rest = Line()
    assert run(tmp_path, rest) == expected
    assert rest.source.steps[0] == 30
    assert rest.values == whole.values


def test_the_checkpoint_is_never_half_written_and_outlives_the_training(tmp_path: Path) -> None:
    """A run that is killed after the last step, before its result is written, has nothing to train again."""
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=15))
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]
    first, again = Line(), Line()
    assert run(tmp_path, first) == run(tmp_path, again)
    assert again.source.steps == []
    assert first.values == again.values


def test_a_checkpoint_of_other_parameters_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=37))
    fresh = Line()
    run(tmp_path, fresh, identity="another line")
    assert fresh.source.steps[0] == 0
