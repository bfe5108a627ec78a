"""What a fingerprint says of the machine: the same twice, and of a GPU its name."""

from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from metrics.networks.environment import environment
from metrics.networks.features import load_i3d
from metrics.networks.rules import Resize


def test_it_names_libraries_and_device() -> None:
    found = environment("cpu", "torchmetrics")
    assert found == {"torch": version("torch"), "torchmetrics": version("torchmetrics"), "device": "cpu"}
    assert environment("cpu", "torchmetrics") == found


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_before_anything_is_read(i3d_weights: Path) -> None:
    with pytest.raises(ValueError, match=r"device cuda: torch .* sees no GPU here, expected cpu"):
        load_i3d(i3d_weights, Resize.SQUASH_BILINEAR, "cuda")
