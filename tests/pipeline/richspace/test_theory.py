"""RichSpace's bounds against every point of small worlds, where a hole can be looked for, and counterexamples."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytest import approx
from scipy.spatial.distance import cdist, pdist

from pipeline.richspace.theory import (
    between_nearest,
    bi_lipschitz,
    covering_bound,
    insufficiency_bound,
    integer_bound,
    interval_bound,
    log_interpolated,
    log_sentences,
    nearest_words,
    separation_bound,
)

NUMBERS = st.floats(-10, 10, allow_subnormal=False)
POINTS = st.integers(2, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=NUMBERS))
SPHERE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 360)), np.sin(np.linspace(0, 2 * np.pi, 360))], axis=1)


def answers(weights: np.ndarray, vocabulary: int) -> np.ndarray:
    """f(x) = W x of every sentence x in [V]^n: (V^n, d) for weights (d, n)."""
    sentences = np.array(list(itertools.product(range(1, vocabulary + 1), repeat=weights.shape[1])))
    return sentences @ weights.T


def hole(points: np.ndarray, candidates: np.ndarray) -> float:
    """How far the candidate that is farthest from all points is from the nearest of them."""
    return float(cdist(candidates, points).min(axis=1).max())


def shell(points: np.ndarray, rings: int = 40) -> np.ndarray:
    """Candidates in the plane between the smallest and the largest norm of points."""
    norms = np.linalg.norm(points, axis=1)
    return np.concatenate([radius * SPHERE for radius in np.linspace(norms.min(), norms.max(), rings)])


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=3).filter(any), st.integers(2, 4))
def test_between_integers_there_is_room_for_a_half(weights: list[int], vocabulary: int) -> None:
    """Lemma A.1, for every f that is not constant."""
    values = answers(np.array([weights]), vocabulary)
    y = values.min() + 0.5
    assert y <= values.max()
    assert np.abs(values - y).min() >= integer_bound(1)


@given(
    arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 3)), elements=st.integers(-3, 3)), st.integers(2, 3)
)
def test_half_in_every_entry_is_far_from_all_integers(weights: np.ndarray, vocabulary: int) -> None:
    """Lemma A.2 for a y of any norm."""
    values = answers(weights, vocabulary)
    y = values[np.linalg.norm(values, axis=1).argmin()] + 0.5
    assert np.linalg.norm(values - y, axis=1).min() >= integer_bound(len(weights)) - 1e-12


def test_within_the_norms_the_integer_lemmas_have_counterexamples() -> None:
    """A constant f leaves y = f(x) alone; and where all answers are short, no y of their norms is far enough."""
    constant = answers(np.array([[0, 0]]), 3)
    assert np.ptp(constant) == 0 < integer_bound(1)
    d = 100
    short = answers(np.eye(1, d).T.astype(int), 2)  # (1, 0 …) and (2, 0 …)
    longest = np.linalg.norm(short, axis=1).max()
    farthest = longest + np.linalg.norm(short, axis=1).min()  # of a y with |y| ≤ M from the nearer answer
    assert farthest < integer_bound(d)


@given(arrays(np.float64, st.integers(1, 20), elements=NUMBERS))
def test_any_finite_set_of_numbers_leaves_a_gap(values: np.ndarray) -> None:
    """Lemma A.3; the largest gap is between two neighbours."""
    ordered = np.sort(values)
    widest = np.diff(ordered).max() / 2 if len(values) > 1 else 0.0
    assert widest >= interval_bound(ordered[-1], ordered[0], math.log(len(values))) - 1e-12


@given(POINTS)
def test_balls_of_the_covering_bound_leave_a_hole_in_the_plane(points: np.ndarray) -> None:
    """Theorem A.4 for d = 2, with a hole that is really there."""
    norms = np.linalg.norm(points, axis=1)
    bound = covering_bound(norms.max(), norms.min(), math.log(len(points)), 2)
    spacing = norms.max() * 2 * np.pi / len(SPHERE) + np.ptp(norms) / 39
    assert hole(points, shell(points)) >= bound - spacing


@given(arrays(np.float64, st.integers(1, 12), elements=NUMBERS))
def test_balls_of_the_covering_bound_leave_a_hole_on_the_line(values: np.ndarray) -> None:
    """Theorem A.4 for d = 1: the shell is two intervals; a hole is at an end of one, or between two neighbours."""
    norms = np.abs(values)
    low, high = norms.min(), norms.max()
    ordered = np.sort(values)
    candidates = np.concatenate([[-high, -low, low, high], (ordered[1:] + ordered[:-1]) / 2])
    kept = candidates[(np.abs(candidates) >= low - 1e-12) & (np.abs(candidates) <= high + 1e-12)]
    assert hole(values[:, None], kept[:, None]) >= covering_bound(high, low, math.log(len(values)), 1) - 1e-9


@given(POINTS)
def test_the_middle_of_the_nearest_two_is_far_from_all(points: np.ndarray) -> None:
    """Theorem A.6's other half: at least half the smallest distance."""
    smallest = pdist(points).min()
    assert cdist(between_nearest(points)[None], points).min() >= smallest / 2 - 1e-6


@given(POINTS)
def test_within_the_norms_of_the_plane_something_is_as_far(points: np.ndarray) -> None:
    """Theorem A.6 as printed, m ≤ |y| ≤ M, for d = 2; the grid may miss the hole's middle by its spacing."""
    norms = np.linalg.norm(points, axis=1)
    spacing = norms.max() * 2 * np.pi / len(SPHERE) + np.ptp(norms) / 39
    assert hole(points, shell(points)) >= pdist(points).min() / 2 - spacing


def test_middle_of_any_two_may_be_an_answer_itself() -> None:
    """Why the nearest two: the proof of Theorem A.6 takes any."""
    points = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    assert cdist([(points[0] + points[2]) / 2], points).min() == 0 < separation_bound(1.0, 1.0)


def test_bi_lipschitz_theorem_has_a_counterexample_on_the_line() -> None:
    """Words -1 and 1, f the identity: |y| must be 1, and both such y are answers."""
    words = np.array([[-1.0], [1.0]])
    assert bi_lipschitz(torch.from_numpy(words), torch.from_numpy(words)) == 1
    assert separation_bound(nearest_words(torch.from_numpy(words)).distance, 1.0) == 1
    assert hole(words, np.array([[-1.0], [1.0]])) == 0
    with pytest.raises(ValueError, match="d = 1"):
        insufficiency_bound(1.0, 1.0, math.log(2), 1, 2.0, 1.0)


@given(st.integers(2, 40))
def test_in_the_plane_the_theorem_holds_where_all_answers_have_one_norm(count: int) -> None:
    """M = m leaves a circle alone; its points in equal steps are the hardest case."""
    angles = 2 * np.pi * np.arange(count) / count
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    halfway = np.stack([np.cos(angles + np.pi / count), np.sin(angles + np.pi / count)], axis=1)
    bound = insufficiency_bound(1.0, 1.0, math.log(count), 2, float(pdist(points).min()), 1.0)
    assert hole(points, halfway) >= bound - 1e-9


@given(st.floats(0.01, 10), st.floats(0, 0.99), st.integers(1, 40), st.integers(1, 6))
def test_covering_bound_is_its_formula_where_floats_hold_it(m_max: float, share: float, points: int, d: int) -> None:
    m_min = share * m_max
    direct = ((m_max**d - m_min**d) / points) ** (1 / d)
    assert covering_bound(m_max, m_min, math.log(points), d) == approx(direct, rel=1e-9, abs=1e-9)


def test_covering_bound_of_real_sizes_is_a_number() -> None:
    """226 words of T5 for 49 frames of 480 x 720: V^n has a thousand digits, and the bound is all but M."""
    points, d = log_sentences(32_128, 226), 49 * 480 * 720 * 3
    assert covering_bound(5000.0, 1.0, points, d) == approx(5000 * math.exp(-226 * math.log(32_128) / d))
    assert covering_bound(5000.0, 1.0, points, d) > covering_bound(5000.0, 1.0, log_interpolated(points, 30), d) > 4999


def test_interpolations_count_pairs_and_steps() -> None:
    assert math.exp(log_interpolated(log_sentences(3, 2), 5)) == approx(9 * 9 * 5)


@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_nearest_words_are_those_of_the_double_loop(count: int, seed: int) -> None:
    words = np.random.default_rng(seed).normal(size=(count, 7))
    distances = cdist(words, words) + np.diag(np.full(count, np.inf))
    found = nearest_words(torch.from_numpy(words))
    assert found.distance == approx(distances.min())
    assert distances[found.rows] == approx(distances.min())


@given(st.integers(2, 20), st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_a_scaled_rotation_has_its_scale_as_constant(count: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    turned, points = np.linalg.qr(rng.normal(size=(4, 4)))[0], rng.normal(size=(count, 4))
    found = bi_lipschitz(torch.from_numpy(points), torch.from_numpy(scale * points @ turned))
    assert found == approx(max(scale, 1 / scale))


def test_one_output_of_two_inputs_has_no_constant() -> None:
    assert bi_lipschitz(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [3.0]])) == math.inf


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: log_sentences(0, 3), "V = 0"),
        (lambda: log_interpolated(1.0, 0), "found 0"),
        (lambda: integer_bound(0), "found 0"),
        (lambda: interval_bound(1.0, 2.0, 0.0), "m = 2.0 and M = 1.0"),
        (lambda: covering_bound(1.0, 2.0, 0.0, 3), "m = 2.0, M = 1.0"),
        (lambda: separation_bound(1.0, 0.5), "L = 0.5"),
        (lambda: nearest_words(torch.zeros(1, 3)), r"\(1, 3\)"),
        (lambda: bi_lipschitz(torch.zeros(2, 1), torch.zeros(2, 1)), "unlike"),
    ],
)
def test_what_cannot_be_is_refused(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
