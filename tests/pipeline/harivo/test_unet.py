"""The frozen text-to-image model inside the video model stays what it is, to the last bit."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.tokens import FrameTokens
from pipeline.harivo.unet import VideoUNet, inflate, load_video_unet
from tests.pipeline import tiny
from tests.pipeline.harivo.conftest import FRAMES

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def each_frame(images: UNet2DConditionModel, inputs: Inputs) -> torch.Tensor:
    """The text-to-image model on every frame, one by one."""
    noisy, timestep, text = inputs
    frames = [images(noisy[:, :, i], timestep, text[i::FRAMES]).sample for i in range(FRAMES)]
    return torch.stack(frames, dim=2)


@torch.no_grad()
def test_an_untrained_video_model_is_the_image_model(images: UNet2DConditionModel, inputs: Inputs) -> None:
    untrained = inflate(images, FRAMES, heads=2)
    torch.testing.assert_close(untrained(*inputs).sample, each_frame(images, inputs), rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_without_temporal_parts_it_is_the_image_model(
    images: UNet2DConditionModel, video: VideoUNet, inputs: Inputs
) -> None:
    noisy, timestep, text = inputs
    frames = noisy.movedim(2, 1).flatten(0, 1)
    alone = images(frames, timestep.repeat_interleave(FRAMES), text).sample.unflatten(0, (-1, FRAMES)).movedim(1, 2)
    with video.spatial_only():
        bypassed = video(*inputs).sample
    # the time embedding is computed once a video instead of once a frame: the last bit may differ, images do not
    # (tests/pipeline/test_animatediff.py)
    torch.testing.assert_close(bypassed, alone, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(video(*inputs).sample, alone, atol=1e-3)


@torch.no_grad()
def test_bypassing_leaves_out_tokens_and_keeps_the_mapping(video: VideoUNet, inputs: Inputs) -> None:
    mapping, tokens = MappingNetwork(4, heads=2, head_dim=4), FrameTokens(tiny.IMAGE_TEXT_WIDTH, 6, FRAMES)
    torch.nn.init.normal_(mapping.out.weight)

    def bypassed(*networks: torch.nn.Module | None) -> torch.Tensor:
        with video.equip(*networks).spatial_only():
            return video(*inputs).sample

    both = bypassed(mapping, tokens)
    assert torch.equal(both, bypassed(mapping, None))
    assert not torch.allclose(both, bypassed(None, None), atol=1e-4)
    assert video.equip(mapping, tokens).tokens is tokens  # and they are back


def test_training_moves_no_bit_of_the_image_model(video: VideoUNet, inputs: Inputs) -> None:
    video.equip(MappingNetwork(4, heads=2, head_dim=4), FrameTokens(tiny.IMAGE_TEXT_WIDTH, 6, FRAMES))
    trained = video.trainable()
    learns = {id(parameter) for parameter in trained.parameters()}
    before = {name: value.detach().clone() for name, value in video.named_parameters()}
    optimizer = torch.optim.AdamW(trained.parameters(), 1e-2, weight_decay=0.1)
    for _ in range(3):
        video(*inputs).sample.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    for name, value in video.named_parameters():
        own = name.startswith(("mapping.", "tokens.")) or "motion_modules" in name
        assert own == (id(value) in learns), name
        assert own != torch.equal(value, before[name]), name


@torch.no_grad()
def test_saved_and_loaded_it_predicts_the_same(
    images: UNet2DConditionModel, video: VideoUNet, inputs: Inputs, tmp_path: Path
) -> None:
    video.equip(MappingNetwork(4, heads=2, head_dim=4), FrameTokens(tiny.IMAGE_TEXT_WIDTH, 6, FRAMES))
    torch.nn.init.normal_(video.mapping.out.weight)
    before = video(*inputs).sample
    video.save_motion(tmp_path)
    after = load_video_unet(images, tmp_path)(*inputs).sample
    torch.testing.assert_close(after, before, rtol=0.02, atol=0.02)  # float16 on disk
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 200_000


@torch.no_grad()
def test_a_variant_saved_over_another_has_no_network_of_it(
    images: UNet2DConditionModel, video: VideoUNet, tmp_path: Path
) -> None:
    video.equip(MappingNetwork(4, heads=2, head_dim=4), FrameTokens(tiny.IMAGE_TEXT_WIDTH, 6, FRAMES))
    video.save_motion(tmp_path)
    video.equip(None, None).save_motion(tmp_path)
    loaded = load_video_unet(images, tmp_path)
    assert (loaded.mapping, loaded.tokens) == (None, None)


@torch.no_grad()
def test_it_takes_a_controlnets_residuals(video: VideoUNet, inputs: Inputs) -> None:
    video.equip(None, None)
    shapes: list[torch.Size] = []
    handle = video.mid_block.register_forward_hook(lambda _module, _inputs, output: shapes.append(output.shape))
    plain = video(*inputs).sample
    handle.remove()
    steered = video(*inputs, mid_block_additional_residual=torch.ones(shapes[0])).sample
    assert not torch.allclose(steered, plain, atol=1e-4)


@pytest.mark.parametrize("network", ["mapping", "tokens"])
@torch.no_grad()
def test_networks_are_left_out_one_by_one(video: VideoUNet, inputs: Inputs, network: str) -> None:
    mapping, tokens = MappingNetwork(4, heads=2, head_dim=4), FrameTokens(tiny.IMAGE_TEXT_WIDTH, 6, FRAMES)
    torch.nn.init.normal_(mapping.out.weight)
    both = video.equip(mapping, tokens)(*inputs).sample
    kept = {"mapping": (None, tokens), "tokens": (mapping, None)}[network]
    assert not torch.allclose(video.equip(*kept)(*inputs).sample, both, atol=1e-4)
