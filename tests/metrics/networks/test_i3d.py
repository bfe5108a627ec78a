"""I3D against the values that are published for the TensorFlow original."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metrics.distances.fvd import fvd
from metrics.distances.stateful import FrechetVideoDistance
from metrics.networks.i3d import I3D, _same_padding, extract, prepare
from metrics.reading.video import read_all
from tests.metrics.networks import noise

SLOW = pytest.mark.skipif("REELBENCH_SLOW" not in os.environ, reason="a minute and a half (set REELBENCH_SLOW)")


@pytest.fixture(scope="module")
def network(i3d_weights: Path) -> I3D:
    return I3D.from_pretrained(i3d_weights)


@pytest.fixture(scope="module")
def few() -> torch.Tensor:
    """Four clips of nine frames of noise, prepared."""
    return prepare(torch.randint(0, 256, (4, 9, 32, 32, 3), generator=torch.Generator().manual_seed(0)).byte())


@pytest.fixture(scope="module")
def logits(network: I3D, few: torch.Tensor) -> torch.Tensor:
    """Theirs, in one batch."""
    return extract(network, few)


@pytest.mark.parametrize(("frames", "published"), [(30, 151.39244), (15, 133.908)])
def test_constant_clips_have_the_published_distance(network: I3D, frames: int, published: float) -> None:
    """|f(-1) - f(+1)|² of the TensorFlow original."""
    black, white = (network(torch.full((1, 3, frames, 224, 224), value)) for value in (-1.0, 1.0))
    assert float(((black - white) ** 2).sum()) == pytest.approx(published, abs=1e-3)


def test_a_real_clip_is_recognised(network: I3D, shared: Path) -> None:
    frames = read_all(shared / "data/fvd/v_CricketShot_g04_c01_rgb.gif")
    logits = extract(network, prepare(torch.from_numpy(frames[None, :64])))[0]
    labels = (shared / "data/fvd/label_map.txt").read_text().splitlines()
    assert labels[int(logits.argmax())] == "playing cricket"


def test_noise_has_the_published_fvd() -> None:
    """Uniform noise of numpy's seeds 1 and 2, 128 clips each, fed as it is: 10.138085 by the TensorFlow original.

    The golden value of the whole chain: network, moments (n - 1), distance. The logits come from a file; the next test
    holds the file to the network.
    """
    sides = noise.kept()
    assert [side.shape for side in sides] == [(noise.CLIPS, 400)] * 2
    assert fvd(*sides) == pytest.approx(10.138085, abs=1e-4)
    assert fvd(*sides, ddof=0) == pytest.approx(10.0628, abs=1e-3)
    metric = FrechetVideoDistance()
    for side, real in zip(sides, (False, True), strict=True):
        for part in np.split(side, 8):
            metric.update(torch.from_numpy(part), real=real)
    assert float(metric.compute()) == pytest.approx(fvd(*sides), rel=1e-6)


@pytest.mark.parametrize("clips", [2, pytest.param(noise.CLIPS, marks=SLOW)])
def test_the_network_makes_the_kept_logits_of_the_noise(network: I3D, clips: int) -> None:
    """Of the first clips of each seed, or of all of them; a logit of noise is of the order of ten."""
    for seed, expected in zip(noise.SEEDS, noise.kept(), strict=True):
        assert np.abs(noise.computed(network, seed, clips) - expected[:clips]).max() < 1e-3


def test_bfloat16_is_near(i3d_weights: Path, few: torch.Tensor, logits: torch.Tensor) -> None:
    near = extract(I3D.from_pretrained(i3d_weights, torch.bfloat16), few[:2])
    assert near.dtype == torch.float32
    assert 0 < float((near - logits[:2]).abs().max()) < 0.05 * float(logits[:2].abs().max())


def test_the_class_takes_clips_through_the_network(network: I3D, few: torch.Tensor, logits: torch.Tensor) -> None:
    metric = FrechetVideoDistance(network)
    metric.update(few[:2], real=False)
    metric.update(few[2:], real=True)
    assert float(metric.compute()) == pytest.approx(fvd(logits[:2].numpy(), logits[2:].numpy()), rel=1e-3)


def test_the_batch_does_not_matter(network: I3D, few: torch.Tensor, logits: torch.Tensor) -> None:
    assert logits.shape == (4, 400)
    assert torch.allclose(logits[1], extract(network, few[1:2])[0], atol=1e-3)


def test_clips_are_squashed_and_scaled() -> None:
    clips = torch.zeros(1, 9, 16, 64, 3, dtype=torch.uint8)
    clips[..., 32:, :] = 255
    prepared = prepare(clips)
    assert prepared.shape == (1, 3, 9, 224, 224)
    assert float(prepared[..., 0].max()) == pytest.approx(-1, abs=1e-6)
    assert float(prepared[..., -1].min()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-1, 1.5), (-1.1, 0), (float("nan"), 0)])
def test_other_ranges_are_refused(network: I3D, low: float, high: float) -> None:
    """Clips of 0 to 255 would saturate every layer in silence."""
    clips = torch.full((1, 3, 9, 224, 224), float(low))
    clips[..., 0] = high
    with pytest.raises(ValueError, match=rf"I3D wants clips in \[-1, 1\], found \[{'nan' if low != low else low}, "):
        extract(network, clips)


def test_other_shapes_are_refused(network: I3D) -> None:
    with pytest.raises(ValueError, match=r"T >= 9, 224, 224\), found \(1, 3, 8, 224, 224\)"):
        network(torch.zeros(1, 3, 8, 224, 224))
    with pytest.raises(FileNotFoundError, match="run the weights stage"):
        I3D.from_pretrained(Path("nowhere.safetensors"))


@given(size=st.integers(1, 300), kernel=st.integers(1, 7), stride=st.integers(1, 3))
def test_same_padding_keeps_every_output(size: int, kernel: int, stride: int) -> None:
    """TensorFlow's rule: ceil(size / stride) outputs, the odd pixel of padding after."""
    before, after = _same_padding(size, kernel, stride)
    assert 0 <= after - before <= 1
    padded = size + before + after
    if padded >= kernel and (before or after):
        assert (padded - kernel) // stride + 1 == -(-size // stride)
