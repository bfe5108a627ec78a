"""Figure A1's statistics of the latents before and after the mapping network."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.mapping_effect import COLUMNS, mapping_effect
from pipeline.harivo.unet import inflate
from pipeline.samplers import stable_diffusion
from pipeline.samplers.animatediff import AnimateDiffModel, AnimateDiffSampling, denoise
from pipeline.samplers.guidance import Guidance

SAMPLING = AnimateDiffSampling(3, Guidance(2.0))


@pytest.fixture
def model(stable_diffusion_folder: Path) -> AnimateDiffModel:
    images = stable_diffusion.load(stable_diffusion_folder, None)
    unet = inflate(images.unet, 4, heads=2).equip(MappingNetwork(4, heads=2, head_dim=4), None)
    return AnimateDiffModel(unet, images.scheduler, images.codec)


def effect_of(model: AnimateDiffModel) -> pd.DataFrame:
    inputs = torch.randn(2, 77, 16), torch.randn(2, 4, 4, 8, 8)
    return mapping_effect(model.unet, lambda: denoise(model, *inputs, SAMPLING))


def test_an_untrained_network_changes_nothing(model: AnimateDiffModel) -> None:
    effect = effect_of(model)
    assert effect.columns.tolist() == list(COLUMNS)
    assert effect.timestep.tolist() == [int(t) for t in model.scheduler.timesteps]
    assert not effect.drop(columns="timestep").to_numpy().any()
    assert len(effect_of(model)) == 3  # nothing is left of the first call


def test_a_shift_by_a_constant_is_found(model: AnimateDiffModel) -> None:
    """out = 0 x + 0.25: every value moves by as much."""
    torch.nn.init.constant_(model.unet.mapping.out.bias, 0.25)
    effect = effect_of(model)
    assert effect.change.tolist() == pytest.approx([0.25] * 3)
    assert effect.mean_shift.tolist() == pytest.approx([0.25] * 3)
    assert effect.change_sd.tolist() == pytest.approx([0] * 3, abs=1e-6)
    assert effect.sd_change.tolist() == pytest.approx([0] * 3, abs=1e-6)


def test_a_model_without_mapping_network_is_refused(model: AnimateDiffModel) -> None:
    model.unet.equip(None, None)
    with pytest.raises(ValueError, match="no mapping network"):
        effect_of(model)
