"""Convolutions by minimal filtering against the definition, and where it is used."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from metrics.networks import i3d
from metrics.networks.winograd import FILTERINGS, TemporalFiltering, pays, worthwhile


@pytest.mark.parametrize("taps", sorted(FILTERINGS))
def test_a_tile_is_the_sliding_sum(taps: int) -> None:
    """y_i = sum over j of d_(i+j) g_j, in float64: the matrices are right to its last digits."""
    filtering, generator = FILTERINGS[taps], torch.Generator().manual_seed(0)
    frames = torch.randn(filtering.inputs, 50, generator=generator, dtype=torch.float64)
    weights = torch.randn(taps, 1, generator=generator, dtype=torch.float64)
    products = [v * w for v, w in zip(filtering.mixed(list(frames)), filtering.weights(weights), strict=True)]
    assert len(products) == filtering.inputs
    found = torch.stack(filtering.outputs_of(products))
    assert torch.allclose(found, (frames.unfold(0, taps, 1) * weights[:, 0]).sum(-1), atol=1e-12)


@settings(max_examples=20)
@given(
    frames=st.integers(1, 17), side=st.integers(7, 12), batch=st.integers(1, 2), kind=st.sampled_from([(3, 1), (7, 2)])
)
def test_it_is_the_convolution(frames: int, side: int, batch: int, kind: tuple[int, int]) -> None:
    """Any number of frames, also such as fill no tile, with TensorFlow's padding, which is uneven for stride two."""
    kernel, stride = kind
    generator = torch.Generator().manual_seed(frames)
    x = torch.randn(batch, 5, frames, side, side + 2, generator=generator)
    weight, bias = torch.randn(6, 5, *[kernel] * 3, generator=generator), torch.randn(6, generator=generator)
    pads = i3d._padding(x.shape, (kernel,) * 3, (stride,) * 3)
    padded = F.pad(x.double(), [end for pair in reversed(pads) for end in pair])
    expected = F.conv3d(padded, weight.double(), bias.double(), stride)
    found = TemporalFiltering(weight, bias, stride)(x, pads)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)
    assert float((found - expected).abs().max()) < 2e-6 * float(expected.std()) * weight[0].numel() ** 0.5


def test_it_is_used_where_it_saves() -> None:
    assert pays(8, 3, 1)
    assert pays(4, 3, 1)
    assert pays(8, 7, 2)
    assert not pays(2, 3, 1)  # four of the six products would meet padding
    assert not pays(5, 3, 1)  # a second tile for one frame
    assert worthwhile((192, 64, 3, 3, 3))
    assert worthwhile((64, 3, 7, 7, 7))
    assert not worthwhile((32, 16, 3, 3, 3))
    assert not worthwhile((512, 512, 1, 1, 1))


def test_logits_are_those_of_plain_convolutions(i3d_weights: Path) -> None:
    network = i3d.I3D.from_pretrained(i3d_weights)
    units = [unit for unit in network.modules() if isinstance(unit, i3d._Conv) and unit.filtered]
    assert len(units) > 5
    clips = i3d.prepare(torch.randint(0, 256, (1, 16, 28, 28, 3), generator=torch.Generator().manual_seed(1)).byte())
    found = i3d.extract(network, clips)
    for name in ("Conv3d_1a_7x7", "Conv3d_2c_3x3", "Mixed_3c.branch_1.1", "Mixed_4f.branch_1.1"):
        assert "_filtering" in vars(network.trunk.get_submodule(name))  # it was used
    for unit in units:
        unit.filtered = False
    assert 0 < float((found - i3d.extract(network, clips)).abs().max()) < 5e-5


def test_bfloat16_is_left_alone(i3d_weights: Path) -> None:
    network = i3d.I3D.from_pretrained(i3d_weights, torch.bfloat16)
    assert not any(unit.filtered for unit in network.modules() if isinstance(unit, i3d._Conv))


def test_gradients_reach_the_clip(i3d_weights: Path) -> None:
    """Filtering and pooling overwrite what a gradient would need: where one is wanted they are left out."""
    network = i3d.I3D.from_pretrained(i3d_weights)
    clip = torch.rand(1, 3, 16, 224, 224, generator=torch.Generator().manual_seed(2)) * 2 - 1
    wanted = clip.clone().requires_grad_()
    logits = network(wanted)
    assert torch.allclose(logits, i3d.extract(network, clip), atol=1e-4)
    (gradient,) = torch.autograd.grad(logits[0, 0], wanted)
    step = 1e-2 * gradient / gradient.norm()
    moved = i3d.extract(network, clip + step) - i3d.extract(network, clip - step)
    assert float(moved[0, 0]) == pytest.approx(2e-2 * float(gradient.norm()), rel=0.05)
