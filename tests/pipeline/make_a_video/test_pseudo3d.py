"""Pseudo-3D layers against a 3-D convolution of torch, and against attention written as loops."""

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from pipeline.make_a_video.pseudo3d import FrameCount, PseudoAttention3d, PseudoConv3d, inflate, temporal_layers
from tests.pipeline.make_a_video.small import image_decoder, upscaler

WIDTH, HEADS, PLACES = 8, 2, 6


def as_rows(clips: torch.Tensor) -> torch.Tensor:
    """(B, C, F, h, w) -> (B F, C, h, w), by a loop."""
    return torch.stack([clip[:, i] for clip in clips for i in range(clips.shape[2])])


def as_clips(rows: torch.Tensor, frames: int) -> torch.Tensor:
    """The way back."""
    clips = [rows[start : start + frames] for start in range(0, len(rows), frames)]
    return torch.stack([torch.stack(list(clip), dim=1) for clip in clips])


def convolution(kernel: int, stride: int, bias: bool, frames: int) -> PseudoConv3d:
    torch.manual_seed(0)
    spatial = nn.Conv2d(3, 5, kernel, stride, padding=kernel // 2, bias=bias)
    return PseudoConv3d(spatial, FrameCount(frames))


def attention(frames: int, most_frames: int = 7) -> PseudoAttention3d:
    """With weights at random."""
    torch.manual_seed(0)
    spatial = Attention(WIDTH, heads=HEADS, dim_head=WIDTH // HEADS)
    layer = PseudoAttention3d(spatial, FrameCount(frames), HEADS, most_frames)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
@settings(max_examples=8)
@given(batch=st.integers(1, 3), frames=st.integers(1, 6))
def test_it_is_the_3d_convolution_of_the_outer_product(kernel: int, stride: int, batch: int, frames: int) -> None:
    """Weights at random; without a bias in the 2-D part, which at the ends of a clip is no zero as padding is."""
    layer = convolution(kernel, stride, False, frames)
    nn.init.normal_(layer.temporal.weight)
    nn.init.normal_(layer.temporal.bias)
    clips = torch.randn(batch, 3, frames, 6, 6)
    outer = torch.einsum("omt,miyx->oityx", layer.temporal.weight, layer.spatial.weight)
    half = kernel // 2
    wanted = F.conv3d(clips, outer, layer.temporal.bias, (1, stride, stride), (1, half, half))
    found = as_clips(layer(as_rows(clips)), frames)
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_an_untrained_convolution_is_that_of_images(frames: int) -> None:
    layer, rows = convolution(3, 1, True, frames), torch.randn(2 * frames, 3, 4, 6)
    assert torch.allclose(layer(rows), layer.spatial(rows), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_untrained_attention_is_that_of_images(frames: int) -> None:
    torch.manual_seed(0)
    spatial = Attention(WIDTH, heads=HEADS, dim_head=WIDTH // HEADS)
    layer, rows = PseudoAttention3d(spatial, FrameCount(frames), HEADS, 5), torch.randn(2 * frames, PLACES, WIDTH)
    assert torch.equal(layer(rows), spatial(rows))


def by_loops(layer: PseudoAttention3d, rows: torch.Tensor, frames: int) -> torch.Tensor:
    """Clip by clip, place by place, head by head: frames that look at frames, sinusoids added to what is normalised."""
    rows, made = layer.spatial(rows), torch.zeros_like(rows)
    own, size = layer.temporal, WIDTH // HEADS
    rates = torch.tensor([10_000 ** (-2 * (i // 2) / WIDTH) for i in range(WIDTH)])
    for start in range(0, len(rows), frames):
        for place in range(rows.shape[1]):
            line = rows[start : start + frames, place]
            told = layer.norm(line)
            for i in range(frames):
                told[i] += torch.where(torch.arange(WIDTH) % 2 == 0, (i * rates).sin(), (i * rates).cos())
            heads = []
            for part in (slice(k * size, (k + 1) * size) for k in range(HEADS)):
                q, k, v = (told @ one.weight.T[:, part] for one in (own.to_q, own.to_k, own.to_v))
                heads.append(torch.softmax(q @ k.T / size**0.5, dim=-1) @ v)
            made[start : start + frames, place] = line + own.to_out[0](torch.cat(heads, dim=1))
    return made


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 3, 7])
def test_temporal_attention_is_attention_at_each_place(frames: int) -> None:
    layer, rows = attention(frames), torch.randn(2 * frames, PLACES, WIDTH)
    assert torch.allclose(layer(rows), by_loops(layer, rows, frames), atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("layer", [attention(4), convolution(3, 1, True, 4)], ids=["attention", "convolution"])
def test_clips_of_a_batch_do_not_see_one_another(layer: nn.Module) -> None:
    shape = (PLACES, WIDTH) if isinstance(layer, PseudoAttention3d) else (3, 5, 4)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    rows = torch.randn(8, *shape)
    other = torch.cat([torch.randn(4, *shape), rows[4:]])
    assert torch.allclose(layer(rows)[4:], layer(other)[4:], atol=1e-5)
    assert not torch.allclose(layer(rows)[:4], layer(other)[:4], atol=1e-2)


@torch.no_grad()
@given(order=st.permutations(range(5)))
@settings(max_examples=10)
def test_only_positions_tell_attention_the_order_of_frames(order: list[int]) -> None:
    layer, rows = attention(5), torch.randn(5, PLACES, WIDTH, generator=torch.Generator().manual_seed(1))
    told = torch.allclose(layer(rows[order]), layer(rows)[order], atol=1e-3)
    assert told == (order == sorted(order))
    layer.position.pe.zero_()
    assert torch.allclose(layer(rows[order]), layer(rows)[order], atol=1e-4)


@pytest.mark.parametrize("build", [image_decoder, lambda: upscaler(16)], ids=["decoder", "upscaler"])
def test_every_convolution_and_self_attention_gets_a_temporal_layer(build: type[UNet2DConditionModel]) -> None:
    unet, before = build(), build()
    count = inflate(unet, 2, 5)
    convolutions = [one for one in before.modules() if isinstance(one, nn.Conv2d)]
    selves = [name for name, one in before.named_modules() if isinstance(one, Attention) and name.endswith("attn1")]
    inflated = [one for one in unet.modules() if isinstance(one, PseudoConv3d)]
    attentions = [one for one in unet.modules() if isinstance(one, PseudoAttention3d)]
    assert (len(inflated), len(attentions)) == (len(convolutions), len(selves))
    assert all(one._count is count for one in (*inflated, *attentions))
    own = sum(p.numel() for p in temporal_layers(unet).parameters())
    total, images = (sum(p.numel() for p in one.parameters()) for one in (unet, before))
    assert own == total - images


def test_a_layer_that_two_parents_share_is_inflated_once() -> None:
    first = nn.Conv2d(2, 2, 1)
    module = nn.ModuleDict({"outer": nn.Sequential(first), "inner": nn.Sequential(nn.Sequential(first))})
    inflate(module, 1, 4)
    inflated = module["outer"][0]
    assert isinstance(inflated, PseudoConv3d)
    assert inflated is module["inner"][0][0]
    assert inflated.spatial is first


@pytest.mark.parametrize("name", ["attn1", "attn2"])
def test_attention_to_a_text_stays_as_it_is(name: str) -> None:
    parent = nn.Module()
    setattr(parent, name, Attention(WIDTH, heads=2, dim_head=4))
    inflate(parent, 2, 4)
    assert isinstance(getattr(parent, name), PseudoAttention3d) == (name == "attn1")
