"""The noise schedule by its formula, the sampling loop with predictors that know the answer, and guidance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video.diffusion import denoise, guided, noise_schedule


def test_the_schedule_is_the_cosine_and_ends_in_noise() -> None:
    """Nichol and Dhariwal 2021: ᾱ(t) = cos²((t/T + 0.008) / 1.008 · π/2), no step above 0.999."""
    scheduler = noise_schedule()
    cosine = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
    betas = np.minimum(1 - cosine[1:] / cosine[:-1], 0.999)
    assert scheduler.alphas_cumprod.numpy() == pytest.approx(np.cumprod(1 - betas), rel=1e-3, abs=1e-7)
    assert scheduler.alphas_cumprod[-1] < 1e-6
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


@settings(max_examples=15)
@given(steps=st.integers(1, 30), kind=st.sampled_from(["v_prediction", "sample"]))
def test_whoever_knows_the_clean_sample_gets_it(steps: int, kind: str) -> None:
    """v = √ᾱ ε - √(1-ᾱ) x, of the noise ε that is in what is noisy.

    Where the steps do not divide the schedule, diffusers may end at the first timestep, not before it, and leave
    √(1-ᾱ₀) of noise: less than a grey level.
    """
    scheduler, generator = noise_schedule(kind), torch.Generator().manual_seed(steps)
    clean = 2 * torch.rand(2, 3, 4, generator=generator) - 1

    def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        if kind == "sample":
            return clean
        alpha = scheduler.alphas_cumprod[timestep].double()
        noise = (noisy.double() - alpha.sqrt() * clean) / (1 - alpha).sqrt()
        return (alpha.sqrt() * noise - (1 - alpha).sqrt() * clean).float()

    found = denoise(predict, scheduler, torch.randn(clean.shape, generator=generator), steps)
    left = 0 if 1000 % steps == 0 else 5 * float(1 - scheduler.alphas_cumprod[0]) ** 0.5
    assert torch.allclose(found, clean, atol=1e-3 + left)


def test_pixels_are_clipped_and_embeddings_are_not() -> None:
    far = torch.full((1, 2), 3.0)
    assert torch.equal(denoise(lambda *_: far, noise_schedule("sample"), torch.zeros(1, 2), 3), far)
    found = denoise(lambda noisy, _: -far, noise_schedule(), torch.zeros(1, 2), 1)
    assert torch.equal(found, torch.ones(1, 2))


def linear(noisy: torch.Tensor, timestep: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Something that is worked out by hand: its two parts add."""
    return 2 * noisy + timestep + image.sum(dim=1)[:, None]


@settings(max_examples=20)
@given(scale=st.floats(0, 10))
def test_guidance_goes_on_beyond_the_embedding(scale: float) -> None:
    noisy, image, timestep = torch.randn(3, 5), torch.randn(3, 2), torch.tensor(4)
    found = guided(linear, image, scale)(noisy, timestep)
    wanted = 2 * noisy + 4 + scale * image.sum(dim=1)[:, None]
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(("scale", "rows"), [(1, 3), (1.0, 3), (2.0, 6), (0.0, 6)])
def test_no_guidance_costs_half(scale: float, rows: int) -> None:
    seen = []

    def predict(noisy: torch.Tensor, timestep: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        seen.append((len(noisy), len(image)))
        return linear(noisy, timestep, image)

    guided(predict, torch.randn(3, 2), scale)(torch.randn(3, 5), torch.tensor(4))
    assert seen == [(rows, rows)]
