"""What `metrics` offers by name."""

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
