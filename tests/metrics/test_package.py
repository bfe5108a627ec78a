"""What `metrics` offers by name, and what importing it does."""

import os
import subprocess
import sys

import pytest
from torch import nn
from torchmetrics import Metric

import metrics


def test_every_name_is_there() -> None:
    for name in ("FrechetVideoDistance", "KernelVideoDistance", "CLIPSIM", "CLIPScore", "FrameConsistency"):
        assert issubclass(getattr(metrics, name), Metric)
    assert issubclass(metrics.I3D, nn.Module)
    assert all(callable(getattr(metrics, name)) for name in metrics.__all__)
    with pytest.raises(AttributeError, match="no attribute 'FID'"):
        metrics.FID  # noqa: B018


@pytest.mark.parametrize(("before", "after"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_wait_without_spinning_unless_told(before: dict[str, str], after: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | before
    code = "import sys, metrics, os; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [after, "False"]
