"""How far some video stays from every sentence's: the bounds of RichSpace's Section 4.1 and Appendix A.

A sentence is n words of a vocabulary of V, so a model f can answer with V^n videos at most. Where videos are vectors of
R^d and M, m are the largest and smallest norm of an answer, each statement below names a distance ε that some y with
m ≤ |y| ≤ M keeps from all of them. V^n exceeds any float: counts of points are natural logarithms here (`log_points`).

As printed, three of the statements want more than they say; tests hold counterexamples, docs/richspace.md the reasons.
Lemmas A.1 and A.2 fail for a constant f, A.2 also where the proof's y is longer than every answer, and Theorem A.6 on a
line (d = 1), where nothing lies between the norms. Lemma A.3 and Theorem A.4 (4.1) hold as they stand.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_ROWS = 2048  # of the distances between words held at once


def log_sentences(vocabulary: int, length: int) -> float:
    """ln V^n, of how many sentences of n words there are.

    Raises:
        ValueError: if there is no word or no place for one.
    """
    if vocabulary < 1 or length < 1:
        raise ValueError(f"expected at least one word and one place for it, found V = {vocabulary}, n = {length}")
    return length * math.log(vocabulary)


def log_interpolated(log_points: float, steps: int) -> float:
    """ln of how many videos there are at most once each pair of sentences has k interpolations (Definition 3.1).

    Step k is the first of the pair itself, so (V^n)² · k counts every sentence too.
    """
    if steps < 1:
        raise ValueError(f"expected at least one step, found {steps}")
    return 2 * log_points + math.log(steps)


def integer_bound(dimension: int) -> float:
    """ε = 0.5 √d for a linear f with integer weights (Lemma A.1 for d = 1, Lemma A.2).

    Holds for a y that may have any norm; within m ≤ |y| ≤ M only if the proof's own y, an answer plus one half in every
    entry, lies there.
    """
    if dimension < 1:
        raise ValueError(f"expected at least one dimension, found {dimension}")
    return 0.5 * math.sqrt(dimension)


def interval_bound(largest: float, smallest: float, log_points: float) -> float:
    """ε = (M - m) / (2 V^n) for any f to the numbers, M and m its largest and smallest value (Lemma A.3)."""
    if not smallest <= largest:
        raise ValueError(f"expected m ≤ M, found m = {smallest} and M = {largest}")
    return (largest - smallest) / 2 * math.exp(-log_points)


def covering_bound(largest: float, smallest: float, log_points: float, dimension: int) -> float:
    """ε = ((M^d - m^d) / V^n)^(1/d) for any f (Theorem 4.1, which is A.4): smaller balls cannot cover the shell.

    Args:
        largest, smallest: M and m, norms of answers. log_points: ln of how many answers. dimension: d.
    """
    _check_shell(largest, smallest, dimension)
    if largest == smallest:
        return 0.0
    # (1 - (m/M)^d)^(1/d), whose powers leave the range of floats
    thickness = -math.expm1(dimension * math.log(smallest / largest)) if smallest else 1.0
    return largest * math.exp((math.log(thickness) - log_points) / dimension)


def separation_bound(minimum_distance: float, lipschitz: float) -> float:
    """ε = δ_min / (2L) for an L-bi-Lipschitz f (Theorem A.6): answers stay δ_min / L apart, so there is room between
    the two that are nearest to each other."""
    if minimum_distance < 0 or lipschitz < 1:
        raise ValueError(f"expected δ_min ≥ 0 and L ≥ 1, found δ_min = {minimum_distance} and L = {lipschitz}")
    return minimum_distance / (2 * lipschitz)


def insufficiency_bound(
    largest: float, smallest: float, log_points: float, dimension: int, minimum_distance: float, lipschitz: float
) -> float:
    """ε = max of `separation_bound` and `covering_bound` (Theorem A.6). Wants d ≥ 2."""
    _check_shell(largest, smallest, dimension)
    if dimension < 2:
        raise ValueError("Theorem A.6 fails for d = 1: between the norms of two answers there may be no number at all")
    return max(separation_bound(minimum_distance, lipschitz), covering_bound(largest, smallest, log_points, dimension))


def _check_shell(largest: float, smallest: float, dimension: int) -> None:
    if not 0 <= smallest <= largest or dimension < 1:
        raise ValueError(f"expected 0 ≤ m ≤ M and d ≥ 1, found m = {smallest}, M = {largest}, d = {dimension}")


@dataclass(frozen=True)
class NearestWords:
    """δ_min, the smallest Euclidean distance between the embeddings of two words, and the rows of these two."""

    distance: float
    rows: tuple[int, int]


def nearest_words(words: Tensor) -> NearestWords:
    """The two words whose embeddings are nearest to each other.

    Args:
        words: (V, k), an embedding for each word. Nearest words are found in float32, their distance in float64.

    Raises:
        ValueError: if there are fewer than two words, or a value is not finite.
    """
    if words.ndim != 2 or len(words) < 2 or not torch.isfinite(words).all():
        raise ValueError(f"expected finite embeddings (V, k) of two words at least, found shape {tuple(words.shape)}")
    exact, rough = words.double(), words.float() - words.float().mean(dim=0)
    nearest = torch.cat([_nearest_of(rough, first) for first in range(0, len(words), _ROWS)])
    distances = (exact - exact[nearest]).norm(dim=1)
    row = int(distances.argmin())
    return NearestWords(float(distances[row]), (row, int(nearest[row])))


def _nearest_of(words: Tensor, first: int) -> Tensor:
    """The other word that is nearest to each of the _ROWS words from `first` on."""
    block = words[first : first + _ROWS]
    squared = words.square().sum(dim=1) - 2 * block @ words.T  # less the block's own squares, which order nothing
    rows = torch.arange(len(block))
    squared[rows, first + rows] = torch.inf
    return squared.argmin(dim=1)


def bi_lipschitz(inputs: Tensor, outputs: Tensor) -> float:
    """The smallest L with |x - y| / L ≤ |f(x) - f(y)| ≤ L |x - y| on every pair of these points (Definition A.5).

    Of points that were tried this is a lower bound on f's own L; infinite where two unlike inputs have one output.

    Args:
        inputs (N, …), outputs (N, …): x and f(x), at least two unlike.
    """
    apart, answered = (torch.pdist(points.double().flatten(1)) for points in (inputs, outputs))
    unlike = apart > 0
    if len(inputs) != len(outputs) or not unlike.any():
        raise ValueError(f"expected as many outputs as inputs, two of them unlike: {len(inputs)} and {len(outputs)}")
    ratio = answered[unlike] / apart[unlike]
    return float(torch.maximum(ratio, 1 / ratio).max())


def between_nearest(points: np.ndarray) -> np.ndarray:
    """The middle of the two nearest of some points (N, d): Theorem A.6's y, before its norm is looked at.

    The proof takes the middle of any two words' embeddings, y = ½ (u_i + u_j). Read as videos it may be the video of a
    third sentence; the middle of the nearest two is none's, and stays half their distance from all.
    """
    tensor = torch.from_numpy(np.asarray(points, np.float64))
    i, j = nearest_words(tensor).rows
    return (points[i] + points[j]) / 2
