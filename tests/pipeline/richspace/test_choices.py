"""The points of a line that are sampled, against Algorithm 2's own curves and the foot itself."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from pipeline.richspace.choices import CHOICES, Line
from pipeline.richspace.interpolation import blend, find_optimal, interpolate, perpendicular_foot, similarity_curve

K = 30


def line(seed: int = 0, name: str = "world/one") -> Line:
    a, b, c = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(seed))
    found = find_optimal(a, b, c, [2, 3, 4], K)
    curves = {name: getattr(found, name).numpy() for name in ("full", "truncated", "total")}
    return Line(name, a, b, c, curves)


@given(st.integers(0, 10_000))
def test_each_curve_has_its_own_largest_step(seed: int) -> None:
    own = line(seed)
    a, b, c = own.a, own.b, own.guide
    assert own.weight("full") == (int(similarity_curve(a, b, c, K).argmax()) + 1) / K
    assert own.weight("truncated") == (int(similarity_curve(a[:4], b[:4], c[:4], K).argmax()) + 1) / K
    assert own.weight("optimum") == find_optimal(a, b, c, [2, 3, 4], K).weight


@given(st.integers(0, 10_000))
def test_foot_and_midpoint_are_the_points_of_that_name(seed: int) -> None:
    own = line(seed)
    foot = blend(own.a, own.b, own.weight("foot"))
    assert torch.allclose(foot, perpendicular_foot(own.a, own.b, own.guide), atol=1e-5)
    assert torch.equal(blend(own.a, own.b, own.weight("midpoint")), interpolate(own.a, own.b, 1, 2))


@given(st.integers(0, 10_000))
def test_the_full_curve_is_largest_beside_its_foot(seed: int) -> None:
    """Away from a point of a line the angle to it only grows, in every row: the search is a projection."""
    own = line(seed)
    foot = K * own.weight("foot")
    if 1 <= foot <= K:
        assert abs(K * own.weight("full") - foot) < 1


def test_random_steps_are_of_their_mixture_and_even() -> None:
    """Each step of 30 about 100 times in 3,000 mixtures: a chi-squared of 29 degrees below its 99.99 % quantile."""
    own = line()
    steps = [round(Line(f"set/{i}", own.a, own.b, own.guide, own.curves).weight("random") * K) for i in range(3000)]
    counts = np.bincount(steps, minlength=K + 1)
    assert counts[0] == 0 and len(counts) == K + 1
    assert ((counts[1:] - 100) ** 2 / 100).sum() < 64
    assert line(0).weight("random") == line(1).weight("random")  # the mixture's name alone


def test_every_choice_has_a_weight() -> None:
    weights = {choice: line().weight(choice) for choice in CHOICES}
    assert set(weights) == {"optimum", "full", "truncated", "midpoint", "random", "foot"}
    assert all(0 < weight <= 1 for choice, weight in weights.items() if choice != "foot")
    assert weights["midpoint"] == approx(0.5)


def test_a_blend_of_unlike_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        blend(torch.zeros(2, 3), torch.zeros(3, 2), 0.5)
