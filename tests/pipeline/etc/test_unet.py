from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from pipeline.etc.embedding import mixed_embedding
from pipeline.etc.fps import FpsEmbedding
from pipeline.etc.grid import from_grid, to_grid
from pipeline.etc.unet import GridUNet, TemporalUNet, load_rated
from pipeline.harivo.unet import inflate

FPS = torch.tensor([8.0, 60.0])


@pytest.fixture
def unet() -> UNet2DConditionModel:
    """A text-to-image UNet of latents with four channels, attention in its second resolution."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
        norm_num_groups=4,
    ).eval()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 4, 9, 4, 6), torch.tensor([10, 900]), torch.randn(2, 5, 12)


def trained(model: GridUNet | TemporalUNet) -> GridUNet | TemporalUNet:
    """With an FPS embedding that no longer is zero."""
    nn.init.normal_(model.fps.layers[-1].weight)
    return model


@torch.no_grad()
def test_untrained_it_is_the_image_model_on_the_grid(unet: UNet2DConditionModel, inputs: tuple) -> None:
    noisy, timestep, text = inputs
    model = GridUNet.of(unet, mixed=False)
    wanted = unet(to_grid(noisy), timestep, text).sample
    assert torch.equal(model(noisy, timestep, text, FPS).sample, from_grid(wanted, 9))


@torch.no_grad()
def test_the_mixed_embedding_is_added_to_the_noise(unet: UNet2DConditionModel, inputs: tuple) -> None:
    noisy, timestep, text = inputs
    wanted = unet(to_grid(noisy) + mixed_embedding(4, 9, 4, 6), timestep, text).sample
    assert torch.equal(GridUNet.of(unet, mixed=True)(noisy, timestep, text, FPS).sample, from_grid(wanted, 9))


@torch.no_grad()
def test_the_frame_rate_is_embedded_as_the_timestep_is(unet: UNet2DConditionModel, inputs: tuple) -> None:
    """Written out: sinusoids of the UNet, three layers, and the sum behind the first convolution."""
    noisy, timestep, text = inputs
    model = trained(GridUNet.of(unet, mixed=False))
    first, second, third = (layer for layer in model.fps.layers if isinstance(layer, nn.Linear))
    up = nn.functional.silu(first(unet.time_proj(FPS)))
    added = third(nn.functional.silu(second(up)))
    assert up.shape == (2, 4 * 16)
    bias = unet.conv_in.bias.clone()
    for i in range(2):
        unet.conv_in.bias.copy_(bias + added[i])
        one = slice(i, i + 1)
        wanted = from_grid(unet(to_grid(noisy[one]), timestep[one], text[one]).sample, 9)
        unet.conv_in.bias.copy_(bias)
        found = model(noisy[one], timestep[one], text[one], FPS[one]).sample
        assert torch.allclose(found, wanted, atol=1e-5)


@torch.no_grad()
def test_rates_of_a_batch_are_apart_and_nothing_stays_behind(unet: UNet2DConditionModel, inputs: tuple) -> None:
    noisy, timestep, text = inputs
    before = unet(to_grid(noisy), timestep, text).sample
    model = trained(GridUNet.of(unet, mixed=False))
    together = model(noisy, timestep, text, FPS).sample
    swapped = model(noisy, timestep, text, FPS.flip(0)).sample
    assert (together - swapped).abs().max() > 1e-3
    alone = model(noisy[1:], timestep[1:], text[1:], FPS[1:]).sample
    assert torch.allclose(together[1:], alone, atol=1e-5)
    assert torch.equal(unet(to_grid(noisy), timestep, text).sample, before)


def test_every_parameter_learns(unet: UNet2DConditionModel, inputs: tuple) -> None:
    """Behind a last layer at zero the others of the FPS embedding have gradients from its second step on."""
    noisy, timestep, text = inputs
    model = trained(GridUNet.of(unet, mixed=True))
    model(noisy, timestep, text, FPS).sample.square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_at_stable_diffusions_width_it_adds_less_than_a_percent() -> None:
    added = sum(p.numel() for p in FpsEmbedding(320).parameters())
    assert added < 0.01 * 865_910_724  # the UNet of Stable Diffusion 2.1


@pytest.mark.parametrize("mixed", [True, False])
def test_a_grid_comes_back(unet: UNet2DConditionModel, inputs: tuple, tmp_path: Path, mixed: bool) -> None:
    model = trained(GridUNet.of(unet, mixed))
    after = saved_and_loaded(model, inputs, tmp_path)
    assert isinstance(after, GridUNet)
    assert after.mixed == mixed


def test_temporal_attention_comes_back(unet: UNet2DConditionModel, inputs: tuple, tmp_path: Path) -> None:
    model = trained(with_attention(unet))
    assert isinstance(saved_and_loaded(model, inputs, tmp_path), TemporalUNet)


def saved_and_loaded(model: GridUNet | TemporalUNet, inputs: tuple, folder: Path) -> GridUNet | TemporalUNet:
    """What is on disk, which predicts the same."""
    with torch.no_grad():
        before = model(*inputs, FPS).sample
        model.save(folder)
        loaded = load_rated(folder)
        assert torch.allclose(before, loaded(*inputs, FPS).sample, atol=0.02)
    assert {path.name for path in folder.iterdir()} == {"unet", "fps", "arrangement.json"}
    return loaded


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no arrangement.json: expected the folder of a training with module"):
        load_rated(tmp_path)


def with_attention(unet: UNet2DConditionModel) -> TemporalUNet:
    """The baseline, whose temporal layers no longer end in zeros."""
    model = TemporalUNet.of(inflate(unet, 9, heads=2))
    for name, parameter in model.named_parameters():
        if "motion_modules" in name and "proj_out.weight" in name:
            nn.init.normal_(parameter, std=0.1)
    return model


@torch.no_grad()
def test_untrained_temporal_attention_is_the_image_model_on_each_frame(
    unet: UNet2DConditionModel, inputs: tuple
) -> None:
    noisy, timestep, text = inputs
    model = TemporalUNet.of(inflate(unet, 9, heads=2))
    found = model(noisy, timestep, text, FPS).sample
    for frame in range(9):
        assert torch.allclose(found[:, :, frame], unet(noisy[:, :, frame], timestep, text).sample, atol=1e-5)


@torch.no_grad()
def test_with_temporal_attention_frames_and_their_rate_matter(unet: UNet2DConditionModel, inputs: tuple) -> None:
    noisy, timestep, text = inputs
    model = trained(with_attention(unet))
    found, other = model(noisy, timestep, text, FPS).sample, noisy.clone()
    other[:, :, 8] = 0
    assert (model(other, timestep, text, FPS).sample - found)[:, :, 0].abs().max() > 1e-4
    assert (model(noisy, timestep, text, FPS.flip(0)).sample - found).abs().max() > 1e-3


def test_every_parameter_of_the_baseline_learns(unet: UNet2DConditionModel, inputs: tuple) -> None:
    model = trained(with_attention(unet))
    model(*inputs, FPS).sample.square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert [name for name in still if "motion_modules" not in name] == []
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == []


def test_frames_that_do_not_fit_are_named(unet: UNet2DConditionModel) -> None:
    grid, temporal = GridUNet.of(unet, mixed=True), with_attention(unet)
    for model in (grid, temporal):
        model.check_frames(9)
    grid.check_frames(25)
    with pytest.raises(ValueError, match="found 8, expected a square number"):
        grid.check_frames(8)
    with pytest.raises(ValueError, match="frames: found 16, expected at most 9"):
        temporal.check_frames(16)


@pytest.mark.parametrize("rate", [-1.0, 121.0])
def test_rates_that_no_training_has_are_refused(unet: UNet2DConditionModel, inputs: tuple, rate: float) -> None:
    with pytest.raises(ValueError, match=r"fps: found .* expected 0 to 120"):
        GridUNet.of(unet, mixed=True)(*inputs, torch.tensor([8.0, rate]))


def test_frames_that_fill_no_square_are_refused(unet: UNet2DConditionModel, inputs: tuple) -> None:
    noisy, timestep, text = inputs
    with pytest.raises(ValueError, match="found 8, expected a square number"):
        GridUNet.of(unet, mixed=True)(noisy[:, :, :8], timestep, text, FPS)
