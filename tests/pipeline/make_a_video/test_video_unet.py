"""D_t and the other networks of videos: D at first, and what training of the layers over time may change."""

from collections.abc import Callable

import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video import upscaling
from pipeline.make_a_video.decoder import predict_image
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from tests.pipeline.make_a_video.small import HEADS, MOST_FRAMES, SIZE, image_decoder, upscaler
from tests.pipeline.tiny import EMBEDDING

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def inputs(batch: int = 2, frames: int = 4) -> Inputs:
    """Noisy videos, their own timesteps, image embeddings and frame rates."""
    generator = torch.Generator().manual_seed(batch * 100 + frames)
    noisy = torch.randn(batch, 3, frames, SIZE, SIZE, generator=generator)
    timestep = torch.randint(1000, (batch,), generator=generator)
    image = torch.randn(batch, EMBEDDING, generator=generator)
    return noisy, timestep, image, 30 * torch.rand(batch, generator=generator)


def each_frame(images: UNet2DConditionModel, noisy: torch.Tensor, timestep: torch.Tensor, image: torch.Tensor) -> list:
    """What D predicts of every frame, by loops."""
    return [
        torch.stack([predict_image(images, clip[None, :, i], t, one[None])[0] for i in range(clip.shape[1])], dim=1)
        for clip, t, one in zip(noisy, timestep, image, strict=True)
    ]


@torch.no_grad()
@settings(max_examples=6)
@given(batch=st.integers(1, 3), frames=st.sampled_from([1, 2, 5, MOST_FRAMES]))
def test_before_its_first_step_it_is_the_image_model_on_each_frame(batch: int, frames: int) -> None:
    images = image_decoder()
    untrained = PseudoVideoUNet.of(images, HEADS, MOST_FRAMES, rated=True).eval()
    noisy, timestep, image, fps = inputs(batch, frames)
    wanted = torch.stack(each_frame(images, noisy, timestep, image))
    assert torch.allclose(untrained(noisy, timestep, image, fps), wanted, atol=1e-5)


@torch.no_grad()
def test_without_embedding_and_rate_it_is_the_super_resolution_on_each_frame() -> None:
    images = upscaler(SIZE)
    model = PseudoVideoUNet.of(images, 1, MOST_FRAMES, rated=False).eval()
    noisy, low = torch.randn(2, 3, 3, SIZE, SIZE), torch.randn(2, 3, 3, 4, 4)
    timestep = torch.tensor([3, 800])
    found = upscaling.predict(model, noisy, timestep, low)
    for i in range(3):
        wanted = upscaling.predict(images, noisy[:, :, i], timestep, low[:, :, i])
        assert torch.allclose(found[:, :, i], wanted, atol=1e-5)


def test_training_over_time_leaves_the_image_model_as_it_was(
    images: UNet2DConditionModel, untrained: PseudoVideoUNet
) -> None:
    """A single frame is predicted otherwise all the same, and frames see one another."""
    noisy, timestep, image, fps = inputs()
    untrained.requires_grad_(False)
    untrained.temporal.requires_grad_(True)
    own = list(untrained.temporal.parameters())
    assert {id(p) for p in own} == {id(p) for p in untrained.parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(own, 1e-2)
    for _ in range(3):
        untrained(noisy, timestep, image, fps).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    after = untrained.unet.state_dict()
    for name, before in images.state_dict().items():
        found = [value for key, value in after.items() if key.replace(".spatial.", ".") == name]
        assert len(found) == 1, name
        assert torch.equal(found[0], before), name
    with torch.no_grad():
        one = noisy[:, :, :1]
        wanted = torch.stack(each_frame(images, one, timestep, image))
        assert (untrained(one, timestep, image, fps) - wanted).abs().max() > 1e-3
        other = noisy.clone()
        other[:, :, 3] = 0
        moved = untrained(other, timestep, image, fps) - untrained(noisy, timestep, image, fps)
        assert moved[:, :, 0].abs().max() > 1e-5


def replaced(inputs: Inputs, place: int) -> Inputs:
    """The same with another first row of one of them."""
    changed = list(inputs)
    changed[place] = torch.cat([changed[place][:1].float() + 7, changed[place][1:].float()]).to(inputs[place].dtype)
    return tuple(changed)


@torch.no_grad()
@pytest.mark.parametrize("place", range(4), ids=["noisy", "timestep", "image", "fps"])
def test_each_clip_has_its_own_conditions(videos: PseudoVideoUNet, place: int) -> None:
    before, after = videos(*inputs()), videos(*replaced(inputs(), place))
    assert torch.allclose(before[1], after[1], atol=1e-5)
    assert (before[0] - after[0]).abs().max() > 1e-4


@torch.no_grad()
def test_one_timestep_and_rate_are_for_all(videos: PseudoVideoUNet) -> None:
    noisy, _, image, _ = inputs()
    wanted = videos(noisy, torch.tensor([5, 5]), image, torch.tensor([8.0, 8.0]))
    assert torch.equal(videos(noisy, torch.tensor(5), image, torch.tensor([8.0])), wanted)


@torch.no_grad()
def test_clips_may_have_other_numbers_of_frames_one_after_the_other(videos: PseudoVideoUNet) -> None:
    short = videos(*inputs(frames=2))
    videos(*inputs(frames=5))
    assert torch.equal(videos(*inputs(frames=2)), short)


def test_more_frames_than_it_can_tell_apart_are_refused(videos: PseudoVideoUNet) -> None:
    with pytest.raises(ValueError, match="frames: found 17, expected at most 16"):
        videos(*inputs(frames=MOST_FRAMES + 1))


@torch.no_grad()
@settings(max_examples=10)
@given(size=st.sampled_from([0.0, 1.0, 1e3]), further=st.integers(1, 5))
def test_further_channels_change_nothing_at_first(size: float, further: int) -> None:
    videos = PseudoVideoUNet.of(image_decoder(), HEADS, MOST_FRAMES, rated=True).eval()
    noisy, *conditions = inputs()
    wanted = videos(noisy, *conditions)
    wide = videos.widened(further).eval()
    told = size * torch.randn(2, further, *noisy.shape[2:])
    assert torch.allclose(wide(torch.cat([noisy, told], dim=1), *conditions), wanted, atol=1e-5)


def test_a_wider_one_learns_from_its_further_channels(videos: PseudoVideoUNet) -> None:
    """And is a network of its own."""
    wide, before = videos.widened(4), videos.unet.conv_in.spatial.weight.clone()
    noisy, *conditions = inputs()
    told = torch.ones(2, 4, *noisy.shape[2:])
    wide(torch.cat([noisy, told], dim=1), *conditions).sum().backward()
    gradient = wide.unet.conv_in.spatial.weight.grad[:, 3:]
    assert (gradient.abs().flatten(2).amax(dim=2) > 0).all()
    with torch.no_grad():
        wide.unet.conv_in.spatial.weight.zero_()
    assert torch.equal(videos.unet.conv_in.spatial.weight, before)
    assert wide.config.image["in_channels"] == 7
    assert videos.config.image["in_channels"] == 3


def test_weights_without_a_place_are_named(images: UNet2DConditionModel) -> None:
    images.register_module("further", torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"no place here: further\.weight, further\.bias"):
        PseudoVideoUNet.of(images, HEADS, MOST_FRAMES, rated=False)


@pytest.mark.parametrize("build", [image_decoder, lambda: upscaler(SIZE)], ids=["decoder", "upscaler"])
def test_every_parameter_has_a_gradient(build: Callable[[], UNet2DConditionModel]) -> None:
    """Those of layers that end in zeros from the second step on: here all were moved."""
    rated = build().config.encoder_hid_dim is not None
    model = PseudoVideoUNet.of(build(), HEADS if rated else 1, MOST_FRAMES, rated)
    for parameter in model.temporal.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    noisy, timestep, image, fps = inputs()
    given = (noisy, timestep, image, fps) if rated else (torch.cat([noisy, noisy], dim=1), timestep)
    model(*given).square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None]
    assert still == []
