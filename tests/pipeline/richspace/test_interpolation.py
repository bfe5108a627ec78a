"""The closed form against the paper's algorithms, written out line by line."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.richspace.interpolation import (
    cosine_similarity,
    find_optimal,
    interpolate,
    perpendicular_foot,
    similarity_curve,
)


def literal_foot(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Algorithm 3, lines 9-20."""
    e_ac, e_ab = c - a, b - a
    l_proj = (e_ab * e_ac).sum() / (e_ab * e_ab).sum()
    return a + l_proj * e_ab


def literal_cosine(x: Tensor, y: Tensor) -> float:
    """Definition 3.2, a loop over rows; a zero row contributes 0."""
    total = 0.0
    for row_x, row_y in zip(x, y, strict=True):
        norms = row_x.norm() * row_y.norm()
        total += float(row_x @ row_y / norms) if norms > 0 else 0.0
    return total / len(x)


def literal_curve(a: Tensor, b: Tensor, c: Tensor, k: int) -> Tensor:
    """Algorithm 3, lines 22-34."""
    foot = literal_foot(a, b, c)
    return torch.tensor([literal_cosine(i / k * a + (k - i) / k * b, foot) for i in range(1, k + 1)]).double()


def literal_optimum(a: Tensor, b: Tensor, c: Tensor, lengths: list[int], k: int) -> tuple[int, Tensor]:
    """Algorithm 2, with E_ta where line 28 misprints E_tc."""
    n_ids = max(lengths)
    total = literal_curve(a[:n_ids], b[:n_ids], c[:n_ids], k) + literal_curve(a, b, c, k)
    step = int(total.argmax()) + 1
    return step, step / k * a + (k - step) / k * b


def random_triple(seed: int, n: int, d: int) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(torch.randn(3, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


sizes = st.tuples(st.integers(1, 7), st.integers(1, 9))


@given(seed=st.integers(0, 10**6), size=sizes, k=st.integers(1, 40))
def test_curve_equals_the_literal_algorithm(seed: int, size: tuple[int, int], k: int) -> None:
    a, b, c = random_triple(seed, *size)
    assert torch.allclose(similarity_curve(a, b, c, k), literal_curve(a, b, c, k), atol=1e-9)


@given(seed=st.integers(0, 10**6), size=sizes, k=st.integers(1, 40), data=st.data())
def test_optimum_equals_the_literal_algorithm(seed: int, size: tuple[int, int], k: int, data: st.DataObject) -> None:
    a, b, c = random_triple(seed, *size)
    lengths = data.draw(st.lists(st.integers(1, size[0]), min_size=3, max_size=3))
    found = find_optimal(a, b, c, lengths, k)
    step, embedding = literal_optimum(a, b, c, lengths, k)
    # two neighbours can be equally good up to rounding: then either is right
    assert found.step == step or abs(found.total[found.step - 1] - found.total[step - 1]) < 1e-9
    if found.step == step:
        assert torch.allclose(found.embedding, embedding)
    assert found.weight == found.step / k


@given(seed=st.integers(0, 10**6), size=sizes)
def test_foot_is_on_the_line_and_perpendicular(seed: int, size: tuple[int, int]) -> None:
    a, b, c = random_triple(seed, *size)
    foot = perpendicular_foot(a, b, c)
    assert torch.allclose(foot, literal_foot(a, b, c))
    assert abs(float(((c - foot) * (b - a)).sum())) < 1e-8 * float((b - a).norm() ** 2 + (c - a).norm() ** 2)


@given(seed=st.integers(0, 10**6), size=sizes, k=st.integers(1, 30))
def test_interpolation_runs_from_b_to_a(seed: int, size: tuple[int, int], k: int) -> None:
    a, b, _ = random_triple(seed, *size)
    assert torch.equal(interpolate(a, b, k, k), a)
    assert torch.equal(interpolate(a, b, 0, k), b)
    for step in range(k + 1):
        assert torch.allclose(interpolate(a, b, step, k), step / k * a + (k - step) / k * b)


@given(seed=st.integers(0, 10**6), size=sizes, position=st.floats(0.05, 0.95))
def test_guide_on_the_line_is_found_in_the_limit(seed: int, size: tuple[int, int], position: float) -> None:
    """A guide that is itself an interpolation has cosine 1 with itself: nothing can be better."""
    a, b, _ = random_triple(seed, size[0], size[1] + 1)
    c = position * a + (1 - position) * b
    found = find_optimal(a, b, c, [size[0]] * 3, 200)
    curve = similarity_curve(a, b, c, 1000)
    assert float(curve.max()) <= 1 + 1e-12
    assert found.continuous_weight == pytest.approx(position, abs=1e-3)
    assert abs(found.weight - position) <= 1 / 200


@pytest.mark.parametrize("seed", range(5))
def test_continuous_optimum_is_the_limit_of_k(seed: int) -> None:
    a, b, c = random_triple(seed, 6, 16)
    k = 20_000
    found = find_optimal(a, b, c, [3, 4, 2], k)
    assert found.continuous_weight == pytest.approx(found.weight, abs=2 / k)


def test_swapping_the_prompts_mirrors_the_curve() -> None:
    a, b, c = random_triple(3, 5, 8)
    forward, backward = similarity_curve(a, b, c, 10), similarity_curve(b, a, c, 10)
    assert torch.allclose(forward[:-1], backward[:-1].flip(0))


def test_zero_rows_contribute_nothing() -> None:
    a, b, c = random_triple(1, 4, 5)
    padded = [torch.cat([x, torch.zeros(4, 5, dtype=x.dtype)]) for x in (a, b, c)]
    assert torch.allclose(similarity_curve(*padded, 12), similarity_curve(a, b, c, 12) / 2)
    assert float(cosine_similarity(torch.zeros(2, 3), torch.ones(2, 3))) == 0.0


def test_rows_that_cancel_contribute_nothing() -> None:
    """Opposite rows vanish at the middle of the line: 0, not a division by zero."""
    a = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    b = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    curve = similarity_curve(a, b, torch.zeros(2, 2), 2)
    assert torch.isfinite(curve).all()
    assert torch.allclose(curve, literal_curve(a.double(), b.double(), torch.zeros(2, 2).double(), 2))


def test_single_precision_input_is_computed_in_double() -> None:
    a, b, c = (x.float() for x in random_triple(0, 226, 64))
    assert similarity_curve(a, b, c, 30).dtype == torch.float64
    assert torch.allclose(
        similarity_curve(a, b, c, 30), literal_curve(a.double(), b.double(), c.double(), 30), atol=1e-9
    )
    assert find_optimal(a, b, c, [5, 6, 9], 30).embedding.dtype == torch.float32


@given(seed=st.integers(0, 10**6), size=sizes)
def test_cosine_similarity_equals_the_definition(seed: int, size: tuple[int, int]) -> None:
    x, y, _ = random_triple(seed, *size)
    assert float(cosine_similarity(x, y)) == pytest.approx(literal_cosine(x, y), abs=1e-12)


A, B, C = random_triple(0, 3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: similarity_curve(A, B[:2], C, 5), r"shapes differ: a \(3, 4\), b \(2, 4\), c \(3, 4\)"),
        (lambda: similarity_curve(A, B, C, 0), "k must be at least 1, found 0"),
        (lambda: similarity_curve(A, A, C, 5), "a and b are equal"),
        (lambda: similarity_curve(A, B, C * float("nan"), 5), "c contains NaN"),
        (lambda: perpendicular_foot(A, A.clone(), C), "a and b are equal"),
        (lambda: interpolate(A, B, 6, 5), "step must be in 0 … k = 5, found 6"),
        (lambda: interpolate(A, B, -1, 5), "found -1"),
        (lambda: cosine_similarity(A, B[:, :2]), "shapes differ"),
        (lambda: cosine_similarity(A[0], B[0]), r"expected non-empty \(n, d\) tensors"),
        (lambda: find_optimal(A, B, C, [1, 2, 4], 5), r"1 … n = 3, found \(1, 2, 4\)"),
        (lambda: find_optimal(A, B, C, [1, 2], 5), "three token counts"),
        (lambda: find_optimal(A, torch.cat([A[:2], B[2:]]), C, [2, 2, 2], 5), "a and b are equal"),
    ],
)
def test_bad_input_is_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
