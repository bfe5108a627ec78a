import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harivo.noise import correlate, video_noise


@given(st.floats(0, 4))
def test_mixed_noise_has_unit_variance_and_pyocos_correlation(weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    own = torch.randn(4, 2, 10_000, generator=generator)
    noise = correlate(own, torch.randn(4, 1, 10_000, generator=generator), weight)
    assert float(noise.var()) == pytest.approx(1, abs=0.05)
    correlation = float(torch.corrcoef(noise.movedim(1, 0).flatten(1))[0, 1])
    assert correlation == pytest.approx(weight**2 / (1 + weight**2), abs=0.03)


def test_noise_depends_on_the_seed_alone() -> None:
    shape = (2, 3, 4, 4)
    for kind in ("iid", "mixed"):
        assert torch.equal(video_noise(shape, 5, kind), video_noise(shape, 5, kind))
        assert not torch.equal(video_noise(shape, 5, kind), video_noise(shape, 6, kind))
    assert torch.equal(video_noise(shape, 5, "mixed", 0.0), video_noise(shape, 5, "iid"))
