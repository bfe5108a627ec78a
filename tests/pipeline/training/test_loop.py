"""The loop on a small task: a killed run must continue as if nothing had happened."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.training.loop import Schedule, step_generator, train

SCHEDULE = Schedule(steps=60, learning_rate=1e-2, warmup=5, ema=0.9, seed=3, checkpoint_every=10, validate_every=20)


class Killed(Exception):
    pass


class Line:
    """Learn y = 2x + 1; dies before a given step."""

    def __init__(self, dies_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(1, 1)
        self.dies_at, self.steps = dies_at, []

    def loss(self, step: int) -> torch.Tensor:
        if step == self.dies_at:
            raise Killed
        self.steps.append(step)
        x = torch.randn(16, 1, generator=step_generator(3, step))
        return ((self.model(x) - (2 * x + 1)) ** 2).mean()

    def validate(self, final: bool) -> dict[str, float]:
        return {"weight": self.model.weight.item(), "final": float(final)}

    def picture(self) -> np.ndarray:
        return np.zeros((2, 2, 3), np.uint8)


def silent(*_: object) -> None:
    pass


def run(tmp_path: Path, task: Line, identity: str = "line") -> list[dict[str, float]]:
    return train(task, SCHEDULE, tmp_path / "c.safetensors", identity, silent).rows


def test_a_killed_run_continues_bit_for_bit(tmp_path: Path) -> None:
    whole = Line()
    expected = run(tmp_path / "whole", whole)
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=37))
    rest = Line()
    assert run(tmp_path, rest) == expected
    assert rest.steps[0] == 30
    for a, b in zip(whole.model.parameters(), rest.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_checkpoint_is_never_half_written_and_outlives_the_training(tmp_path: Path) -> None:
    """A run that is killed after the last step, before its result is written, has nothing to train again."""
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=15))
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]
    first, again = Line(), Line()
    assert run(tmp_path, first) == run(tmp_path, again)
    assert again.steps == []
    assert torch.equal(first.model.weight, again.model.weight)


def test_a_checkpoint_of_other_parameters_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, Line(dies_at=37))
    fresh = Line()
    run(tmp_path, fresh, identity="another line")
    assert fresh.steps[0] == 0


def test_the_final_weights_are_the_average(tmp_path: Path) -> None:
    """Re-computed by hand: diffusers' warm-up of the decay, then the convex average."""
    task, raw = Line(), []
    original = task.loss

    def spy(step: int) -> torch.Tensor:
        raw.append(task.model.weight.detach().clone())
        return original(step)

    task.loss = spy
    rows = run(tmp_path, task)
    assert rows[-1]["weight"] == pytest.approx(task.model.weight.item())
    assert task.model.weight.item() != raw[-1].item()
    assert [row["step"] for row in rows if "weight" in row] == [20, 40, 60]
    assert [row["final"] for row in rows if "weight" in row] == [0, 0, 1]


def test_what_is_random_depends_on_the_step_alone() -> None:
    a, b, c = (torch.randn(3, generator=step_generator(seed, step)) for seed, step in ((0, 5), (0, 5), (0, 6)))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
