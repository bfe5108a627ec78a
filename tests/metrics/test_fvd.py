"""Fréchet distance against scipy's matrix square root, and I3D against published values."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from metrics.fvd import Moments, frechet_distance, moments
from metrics.i3d import I3D, _same_padding, extract, prepare


def literal_distance(a: Moments, b: Moments) -> float:
    """The definition, with scipy's general square root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # singular products
        root = sqrtm(a.covariance @ b.covariance).real
    difference = a.mean - b.mean
    return float(difference @ difference + np.trace(a.covariance + b.covariance - 2 * root))


@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), n=st.integers(2, 60))
@settings(deadline=None)
def test_distance_equals_the_definition(seed: int, d: int, n: int) -> None:
    """Also for fewer vectors than dimensions, where both covariances are singular."""
    rng = np.random.default_rng(seed)
    a = moments(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)))
    b = moments(rng.normal(1, 2, size=(n + 3, d)))
    distance = frechet_distance(a, b)
    # scipy's root of a singular product is itself only good to the square root of the rounding error
    tolerance = 1e-5 if n > d + 1 else 1e-3
    assert distance == pytest.approx(literal_distance(a, b), rel=tolerance, abs=1e-6)
    assert distance == pytest.approx(frechet_distance(b, a), rel=1e-6, abs=1e-6)


@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), n=st.integers(2, 30))
@settings(deadline=None)
def test_distance_of_a_set_to_itself_is_zero(seed: int, d: int, n: int) -> None:
    own = moments(np.random.default_rng(seed).normal(size=(n, d)))
    distance = frechet_distance(own, own)
    assert 0 <= distance < 1e-6 * max(1.0, np.trace(own.covariance))


@given(shift=st.floats(-10, 10), scale=st.floats(0.1, 10))
def test_gaussians_of_one_dimension_have_a_closed_form(shift: float, scale: float) -> None:
    a = Moments(np.zeros(1), np.ones((1, 1)), 10)
    b = Moments(np.full(1, shift), np.full((1, 1), scale**2), 10)
    assert frechet_distance(a, b) == pytest.approx(shift**2 + (1 - scale) ** 2, abs=1e-9)


def test_moments_are_unbiased() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4))
    own = moments(values)
    centred = values - values.mean(0)
    assert own.covariance == pytest.approx(centred.T @ centred / 49)
    assert own.n == 50


@pytest.mark.parametrize(
    ("values", "message"), [(np.zeros((1, 3)), "at least two"), (np.full((3, 2), np.nan), "NaN or infinity")]
)
def test_bad_features_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moments(values)


@pytest.fixture(scope="module")
def network(i3d_weights: Path) -> I3D:
    return I3D.from_pretrained(i3d_weights)


@pytest.mark.parametrize(("frames", "published"), [(30, 151.39244), (15, 133.908)])
def test_constant_clips_have_the_published_distance(network: I3D, frames: int, published: float) -> None:
    """|f(-1) - f(+1)|² of the TensorFlow original."""
    black, white = (network(torch.full((1, 3, frames, 224, 224), value)) for value in (-1.0, 1.0))
    assert float(((black - white) ** 2).sum()) == pytest.approx(published, abs=1e-3)


def test_a_real_clip_is_recognised(network: I3D, shared: Path) -> None:
    import av

    with av.open(str(shared / "data/fvd/v_CricketShot_g04_c01_rgb.gif")) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    logits = extract(network, prepare(torch.from_numpy(frames[None, :64])))[0]
    labels = (shared / "data/fvd/label_map.txt").read_text().splitlines()
    assert labels[int(logits.argmax())] == "playing cricket"


def test_the_batch_does_not_matter(network: I3D) -> None:
    clips = torch.randint(0, 256, (2, 9, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    both = extract(network, prepare(clips))
    assert both.shape == (2, 400)
    assert torch.allclose(both[1], extract(network, prepare(clips[1:]))[0], atol=1e-3)


def test_clips_are_squashed_and_scaled() -> None:
    clips = torch.zeros(1, 9, 16, 64, 3, dtype=torch.uint8)
    clips[..., 32:, :] = 255
    prepared = prepare(clips)
    assert prepared.shape == (1, 3, 9, 224, 224)
    assert float(prepared[..., 0].max()) == -1
    assert float(prepared[..., -1].min()) == 1


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
