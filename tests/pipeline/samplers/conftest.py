"""What samplers of a Stable Diffusion folder made small are asked for."""

from pathlib import Path

import pytest
import torch

from pipeline.text.encoders import TextEncoder

FRAMES = 4


@pytest.fixture
def text(stable_diffusion_folder: Path) -> torch.Tensor:
    """(3, 77, 16): two prompts and the empty one."""
    encoder = TextEncoder("clip", stable_diffusion_folder)
    return encoder.encode(["A cat runs.", "A dog sits.", ""], 77, zero_padding=False).tokens


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.randn(2, 4, FRAMES, 8, 8, generator=torch.Generator().manual_seed(3))
