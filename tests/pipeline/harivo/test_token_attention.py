"""Figure 6b: attention to frame-wise tokens, against maps written out, and on a network whose tokens are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.harivo.token_attention import COLUMNS, token_attention
from pipeline.harivo.tokens import FrameTokens
from pipeline.harivo.unet import inflate
from pipeline.samplers import stable_diffusion
from pipeline.samplers.animatediff import AnimateDiffModel, AnimateDiffSampling, denoise
from pipeline.samplers.guidance import Guidance

FRAMES, STEPS, K, LENGTH = 4, 2, 3, 77


@pytest.fixture
def model(stable_diffusion_folder: Path) -> AnimateDiffModel:
    images = stable_diffusion.load(stable_diffusion_folder, None)
    unet = inflate(images.unet, FRAMES, heads=2).equip(None, FrameTokens(16, LENGTH, FRAMES, K))
    return AnimateDiffModel(unet, images.scheduler, images.codec)


def clips_of(model: AnimateDiffModel, videos: int = 2) -> np.ndarray:
    """Sampled, but what is returned shows an object in the right half of each frame."""
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(videos, LENGTH, 16, generator=generator)
    noise = torch.randn(videos, 4, FRAMES, 8, 8, generator=generator)
    denoise(model, text, noise, AnimateDiffSampling(STEPS, Guidance(2.0)))
    clips = np.full((videos, FRAMES, 16, 16, 3), 100, np.uint8)
    clips[:, :, :, 12:] = 200
    return clips


def places_of(model: AnimateDiffModel) -> pd.DataFrame:
    return token_attention(model.unet, lambda: clips_of(model))


def test_a_place_for_each_token_of_the_finest_maps(model: AnimateDiffModel) -> None:
    found = places_of(model)
    assert found.columns.tolist() == list(COLUMNS)
    side = int(len(found) // (2 * FRAMES)) ** 0.5
    assert side in (4, 8)
    assert len(found.groupby(["video", "frame"])) == 2 * FRAMES
    assert found.share.between(0, 1).all()
    assert found.even.unique().tolist() == [K / (LENGTH + K)]
    assert found[found.column < side / 2].object.eq(0).all()
    assert found[found.column >= side * 3 / 4].object.eq(1).all()


def test_keys_that_are_all_alike_are_attended_to_alike(model: AnimateDiffModel) -> None:
    for name, parameter in model.unet.named_parameters():
        if "attn2.to_k" in name:
            torch.nn.init.zeros_(parameter)
    assert np.allclose(places_of(model).share, K / (LENGTH + K), atol=1e-6)


def test_it_is_what_the_maps_say(model: AnimateDiffModel) -> None:
    """The mean over steps, finest layers and heads of the sum over the last K keys, of the prompts' half."""
    maps: list[torch.Tensor] = []
    original = torch.Tensor.softmax

    def listen(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], named: dict[str, torch.Tensor]) -> None:
        text = named.get("encoder_hidden_states")
        query, key = (
            module.head_to_batch_dim(layer(states)) for layer, states in ((module.to_q, inputs[0]), (module.to_k, text))
        )
        scores = (query @ key.transpose(1, 2)) * module.scale
        maps.append(original(scores, -1).unflatten(0, (-1, module.heads)))

    layers = [
        module
        for name, module in model.unet.named_modules()
        if name.startswith("up_blocks.") and ".attentions." in name and name.endswith(".attn2")
    ]
    handles = [layer.register_forward_pre_hook(listen, with_kwargs=True) for layer in layers]
    found = places_of(model)
    for handle in handles:
        handle.remove()
    finest = max(one.shape[2] for one in maps)
    own = [one[..., -K:].sum(-1).mean(1)[2 * FRAMES :] for one in maps if one.shape[2] == finest]
    expected = torch.stack(own).mean(0).flatten()
    assert np.allclose(found.share, expected.numpy(), atol=1e-5)


def test_sampling_is_as_without_it(model: AnimateDiffModel) -> None:
    inputs = torch.randn(1, LENGTH, 16), torch.randn(1, 4, FRAMES, 8, 8)
    sampling, seen = AnimateDiffSampling(STEPS, Guidance(2.0)), []

    def sample() -> np.ndarray:
        seen.append(denoise(model, *inputs, sampling))
        return np.zeros((1, FRAMES, 16, 16, 3), np.uint8)

    token_attention(model.unet, sample)
    torch.testing.assert_close(seen[0], denoise(model, *inputs, sampling), rtol=1e-4, atol=1e-4)


def test_a_model_without_frame_wise_tokens_is_refused(model: AnimateDiffModel) -> None:
    model.unet.equip(None, None)
    with pytest.raises(ValueError, match="no frame-wise tokens"):
        places_of(model)
