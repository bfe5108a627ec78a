"""Guidance by timestep, and the mitigating gradient against the paper's algorithm and its potential."""

from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harivo.mitigation import mitigate, mitigating_gradient
from pipeline.samplers.guidance import Guidance


def test_guidance_is_strong_early() -> None:
    paper = Guidance(late=7.5, early=12.0)
    assert [paper.at(t, 1000) for t in (999, 701, 700, 0)] == [12.0, 12.0, 7.5, 7.5]
    assert Guidance(4.0).at(999, 1000) == 4.0


def algorithm_1(clean: torch.Tensor, alpha_bar: float) -> torch.Tensor:
    """Lines 2-4 for one video (F, ...), frame by frame."""
    frames = len(clean)
    steps = [clean[j] - clean[j - 1] for j in range(1, frames)]
    norms = sorted(float(step.norm()) for step in steps)
    scale = norms[(len(norms) - 1) // 2] ** 2 / log(frames - 1)  # torch's median: the lower of two
    omega = ((1 - alpha_bar) / alpha_bar) ** 0.5
    gradient = [torch.zeros_like(clean[0])]
    gradient += [2 * torch.exp(-(step.norm() ** 2) / scale) * step / scale * omega for step in steps]
    return torch.stack(gradient)


@given(st.integers(3, 7), st.floats(0.001, 1), st.integers(0, 999))
def test_mitigating_gradient_is_algorithm_1(frames: int, alpha_bar: float, seed: int) -> None:
    clean = torch.randn(2, 3, frames, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = torch.stack([algorithm_1(video.movedim(1, 0), alpha_bar).movedim(0, 1) for video in clean])
    torch.testing.assert_close(mitigating_gradient(clean, alpha_bar), expected)


@given(st.integers(3, 6), st.integers(0, 999))
def test_it_is_the_gradient_of_the_similarity_of_each_frame_with_the_one_before(frames: int, seed: int) -> None:
    """-ω ∇ Σ_j exp(-|x_j - x_(j-1)|² / S), the frame before and S held fixed."""
    clean = torch.randn(1, 2, frames, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    moving = clean.clone().requires_grad_()
    squares = (moving[:, :, 1:] - clean[:, :, :-1]).square().sum(dim=(1, 3, 4))
    scale = squares.detach().sqrt().median().square() / log(frames - 1)
    torch.exp(-squares / scale).sum().backward()
    omega = (0.7 / 0.3) ** 0.5
    torch.testing.assert_close(mitigating_gradient(clean, 0.3), -omega * moving.grad)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_mitigation_changes_the_noise_by_the_same_in_every_parametrisation(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 1, 2, 5, 3, 3, generator=generator)
    alpha_bar, scale = 0.4, 3.0
    noisy = alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
    predicted = noise if kind == "epsilon" else alpha_bar**0.5 * noise - (1 - alpha_bar) ** 0.5 * clean
    found = mitigate(predicted, noisy, alpha_bar, kind, scale)
    if kind == "v_prediction":  # back to the noise: ε = sqrt(ᾱ) v + sqrt(1 - ᾱ) x
        found = alpha_bar**0.5 * found + (1 - alpha_bar) ** 0.5 * noisy
    torch.testing.assert_close(found, noise + scale * mitigating_gradient(clean, alpha_bar), rtol=1e-4, atol=1e-5)


def test_it_draws_frames_together() -> None:
    clean = torch.randn(1, 2, 6, 3, 3, generator=torch.Generator().manual_seed(0))
    alpha_bar = 0.5
    before = clean.diff(dim=2).square().sum()
    mitigated = clean - ((1 - alpha_bar) / alpha_bar) ** 0.5 * 0.1 * mitigating_gradient(clean, alpha_bar)
    assert mitigated.diff(dim=2).square().sum() < before


def test_a_video_that_stands_still_is_left_alone() -> None:
    still = torch.randn(1, 2, 1, 3, 3).expand(-1, -1, 5, -1, -1)
    assert torch.equal(mitigating_gradient(still, 0.5), torch.zeros_like(still))


def test_a_step_without_signal_is_left_alone() -> None:
    predicted, noisy = torch.randn(2, 1, 2, 5, 3, 3)
    assert torch.equal(mitigate(predicted, noisy, 0.0, "v_prediction", 5.0), predicted)


def test_errors_are_named() -> None:
    with pytest.raises(ValueError, match="at least 3 frames, found 2"):
        mitigating_gradient(torch.zeros(1, 2, 2, 3, 3), 0.5)
    with pytest.raises(ValueError, match="prediction_type is 'sample'"):
        mitigate(torch.zeros(1, 2, 4, 3, 3), torch.zeros(1, 2, 4, 3, 3), 0.5, "sample", 1.0)
