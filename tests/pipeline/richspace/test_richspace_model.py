"""RichSpace's model definitions (3.4-3.8, Algorithm 4) against the video transformer that this project trains.

The modules are diffusers'; how they are put together, `pipeline.training.cogvideox.build` says.
"""

from dataclasses import dataclass

import pytest
import torch
from diffusers import CogVideoXTransformer3DModel
from torch import Tensor
from torch.nn import functional as F

from pipeline.training.cogvideox import build
from tests.pipeline.training.small import VIDEO

FRAMES, CHANNELS, SIDE, TOKENS, TEXT = 4, 4, 8, 5, 12
PATCH_FRAMES = VIDEO.patch_frames
WIDTH = VIDEO.heads * VIDEO.head_dim


@dataclass(frozen=True)
class Place:
    """Of a patch: which of the groups of frames, row and column."""

    group: int
    y: int
    x: int

    @property
    def token(self) -> int:
        """Algorithm 4, line 22: frames, then rows, then columns, one after the other."""
        return (self.group * (SIDE // 2) + self.y) * (SIDE // 2) + self.x

    def of(self, video: Tensor) -> Tensor:
        """The patch (C, p, 2, 2) of the first video in (1, F, C, H, W)."""
        frames = slice(PATCH_FRAMES * self.group, PATCH_FRAMES * (self.group + 1))
        rows, columns = (slice(2 * i, 2 * i + 2) for i in (self.y, self.x))
        return video[0, frames, :, rows, columns].movedim(0, 1)


PLACES = (Place(0, 0, 0), Place(1, 2, 3), Place(1, 3, 1))


@pytest.fixture
def model() -> CogVideoXTransformer3DModel:
    torch.manual_seed(0)
    return build(VIDEO, CHANNELS, TOKENS, TEXT).eval()


@pytest.fixture
def video() -> Tensor:
    return torch.randn(1, FRAMES, CHANNELS, SIDE, SIDE)


def test_patches_are_a_convolution_of_stride_two(model: CogVideoXTransformer3DModel, video: Tensor) -> None:
    """Algorithm 4, lines 19-24: convolve (s = 2), flatten frames and places, put the text in front.

    The paper writes padding 2 and a 3 x 3 kernel; CogVideoX cuts 2 x 2 patches of several frames without padding.
    """
    text = torch.randn(1, TOKENS, TEXT)
    hidden = model.patch_embed(text, video)
    assert hidden.shape == (1, TOKENS + FRAMES // PATCH_FRAMES * (SIDE // 2) ** 2, WIDTH)
    assert torch.allclose(hidden[:, :TOKENS], model.patch_embed.text_proj(text), atol=1e-5)
    kernel, bias = model.patch_embed.proj.weight.view(WIDTH, CHANNELS, PATCH_FRAMES, 2, 2), model.patch_embed.proj.bias
    for place in PLACES:
        expected = torch.einsum("dcfyx,cfyx->d", kernel, place.of(video)) + bias
        assert torch.allclose(hidden[0, TOKENS + place.token], expected, atol=1e-5)


def literal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Definition 3.4 with A = exp(QK^T / sqrt(d)): D^-1 A V, D the row sums of A."""
    a = torch.exp(q @ k.T / q.shape[1] ** 0.5)
    return torch.diag(1 / a.sum(1)) @ a @ v


def test_attention_runs_over_text_and_all_places_of_all_frames(model: CogVideoXTransformer3DModel) -> None:
    """Algorithm 4, lines 25-29: one attention over the whole row of tokens, then split into text and video."""
    attention = model.transformer_blocks[0].attn1
    text, video = torch.randn(1, TOKENS, WIDTH), torch.randn(1, 12, WIDTH)
    both = torch.cat([text, video], 1)
    q, k, v = (layer(both)[0] for layer in (attention.to_q, attention.to_k, attention.to_v))
    expected = attention.to_out[0](literal_attention(attention.norm_q(q), attention.norm_k(k), v))
    found_video, found_text = attention(hidden_states=video, encoder_hidden_states=text)
    assert torch.allclose(found_text[0], expected[:TOKENS], atol=1e-5)
    assert torch.allclose(found_video[0], expected[TOKENS:], atol=1e-5)


def test_the_output_is_a_linear_map_put_back_in_place(model: CogVideoXTransformer3DModel, video: Tensor) -> None:
    """Algorithm 4, lines 30-33: each token's linear projection is the patch at its place."""
    tokens: list[Tensor] = []
    model.proj_out.register_forward_hook(lambda _, inputs, output: tokens.append(inputs[0]))
    output = model(video, torch.randn(1, TOKENS, TEXT), torch.tensor([3]), return_dict=False)[0]
    projected = F.linear(tokens[0], model.proj_out.weight, model.proj_out.bias)[0]
    for place in PLACES:
        assert torch.allclose(place.of(output), projected[place.token].view(CHANNELS, PATCH_FRAMES, 2, 2), atol=1e-6)


def test_a_change_of_the_text_reaches_every_place_of_the_video(
    model: CogVideoXTransformer3DModel, video: Tensor
) -> None:
    """Definition 3.8: text and video go through every block."""
    one, other = (
        model(video, text, torch.tensor([3]), return_dict=False)[0] for text in torch.randn(2, 1, TOKENS, TEXT)
    )
    assert one.shape == video.shape
    assert ((one - other).abs() > 1e-7).all()
