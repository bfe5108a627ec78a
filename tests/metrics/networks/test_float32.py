"""Networks compute in float32 whatever torch was told, and what it was told holds again afterwards."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import metrics
from metrics.distances.stateful import features_of
from metrics.networks import i3d
from metrics.networks.clip import DualEncoder
from metrics.networks.float32 import full_float32

ALLOWED = (False, False, "highest", "ieee", "ieee", "ieee")


def settings() -> tuple[object, ...]:
    """What torch computes with: by its old settings, then by its new ones."""
    backends = torch.backends
    old = (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32, torch.get_float32_matmul_precision())
    new = (backends.cudnn.conv, backends.cuda.matmul, backends.mkldnn.matmul)
    return *old, *(one.fp32_precision for one in new)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The settings under which a network's layers ran, while a user allows TF32 wherever torch can."""
    before, ran = torch.get_float32_matmul_precision(), []
    forward = nn.Linear.forward

    def noting(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        ran.append(settings())
        return forward(self, x)

    monkeypatch.setattr(nn.Linear, "forward", noting)
    torch.set_float32_matmul_precision("medium")
    outside = settings()
    assert outside[:3] == (True, True, "medium")
    yield ran  # type: ignore[misc]
    assert settings() == outside
    torch.set_float32_matmul_precision(before)


class Small(nn.Module):
    """A network on clips (B, 3, T, H, W) that a user brings."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 5)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.linear(clips.mean(dim=(2, 3, 4)))


@pytest.mark.parametrize("kind", [lambda n: metrics.FrechetVideoDistance(n, d=5), metrics.KernelVideoDistance])
def test_the_library_classes(seen: list, kind: Callable[[nn.Module], metrics.KernelVideoDistance]) -> None:
    kind(Small()).update(torch.rand(2, 3, 4, 8, 8), real=True)
    assert seen == [ALLOWED]


def test_a_network_that_fails_leaves_the_settings_as_they_were(seen: list) -> None:
    with pytest.raises(RuntimeError):
        features_of(Small(), torch.rand(2, 7, 4, 8, 8))
    assert seen == [ALLOWED]


def test_i3d(seen: list) -> None:
    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.small = Small()

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            return self.small(clips)

    i3d.extract(Head(), torch.rand(2, 3, 9, 8, 8))  # type: ignore[arg-type]
    assert seen == [ALLOWED]


def test_a_dual_encoder_in_the_library_classes(seen: list, root: Path, minilm: Path) -> None:
    metric = metrics.CLIPSIM(DualEncoder(root / "models/world/clip", minilm))
    metric.update(torch.zeros(1, 2, 32, 32, 3, dtype=torch.uint8), ["A red circle."])
    assert set(seen) == {ALLOWED}


@pytest.mark.parametrize(
    "setting",
    [
        "torch.backends.cudnn.conv.fp32_precision = 'tf32'; torch.backends.cuda.matmul.fp32_precision = 'tf32'",
        "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
        "torch.backends.fp32_precision = 'tf32'",
        "torch.backends.cudnn.allow_tf32 = False",
        "torch.backends.cuda.matmul.allow_tf32 = True",
    ],
)
def test_old_and_new_settings_come_back(setting: str) -> None:
    """In a process of its own: torch refuses to read old settings that new ones contradict, and these stay so."""
    code = f"""
import torch
from metrics.networks.float32 import _OPERATIONS, full_float32
{setting}
def read():
    found = [operation.fp32_precision for operation in _OPERATIONS]
    old = lambda: torch.backends.cudnn.allow_tf32, lambda: torch.backends.cuda.matmul.allow_tf32
    for one in (*old, torch.get_float32_matmul_precision):
        try:
            found.append(one())
        except RuntimeError:
            found.append("refused")
    return found
before = read()
with full_float32():
    assert read() == ["ieee"] * 5 + [False, False, "highest"], read()
assert read() == before, (before, read())
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_may_be_entered_twice() -> None:
    before = settings()
    with full_float32(), full_float32():
        assert settings() == ALLOWED
    assert settings() == before
