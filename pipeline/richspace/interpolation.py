"""RichSpace (Cao et al. 2025): the optimal interpolation between two text embeddings, guided by a third.

Interpolations are E(i) = i/k · a + (k-i)/k · b (Definition 3.1): step k is a, step 0 would be b. Algorithm 2 projects
the guide c onto the line through a and b (the perpendicular foot), measures the mean row cosine between every E(i) and
the foot (Algorithm 3), once over all n rows and once over the first n_ids, adds both curves and takes the largest.

Two misprints of the paper are read as what the algorithm needs: Algorithm 2, line 28, prints E_tc where the
interpolation runs between a and b (E_ta), and Algorithm 3's comment prints E_tb - E_tb for E_tb - E_ta.

Everything on that line has rows w·a + (1-w)·b, so an inner product of two of its points follows from the rows' a·a,
a·b and b·b: `similarity_curve` never forms an n x d tensor per step and costs O(nd + nk) instead of O(ndk).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor


@dataclass(frozen=True)
class Optimum:
    """What Algorithm 2 finds.

    step: i_opt in 1 … k. weight: i_opt / k, the share of a. embedding: E(i_opt), (n, d), in a's dtype.
    full, truncated, total: the similarity curves over all rows, over the first n_ids rows, and their sum, each (k,)
    float64; entry i - 1 belongs to step i. continuous_weight: where the sum is largest for k → ∞, in [0, 1].
    """

    step: int
    weight: float
    embedding: Tensor
    full: Tensor
    truncated: Tensor
    total: Tensor
    continuous_weight: float


@dataclass(frozen=True)
class _Line:
    """Row-wise inner products (n,) of a and b, and the foot's position: foot = a + position · (b - a)."""

    aa: Tensor
    ab: Tensor
    bb: Tensor
    position: Tensor

    def similarity(self, weight: Tensor) -> Tensor:
        """Mean row cosine (k,) between w·a + (1-w)·b and the foot, for weights (k,)."""
        w = weight[:, None]
        foot = 1 - self.position
        dot = _dot(w, foot, self.aa, self.ab, self.bb)
        norms = _dot(w, w, self.aa, self.ab, self.bb) * _dot(foot, foot, self.aa, self.ab, self.bb)
        # Rounding can leave a squared norm below zero; such a row, like a row of zeros, contributes 0.
        floor = torch.finfo(torch.float64).eps ** 2 * (self.aa.abs() + self.bb.abs()) ** 2
        cosine = torch.where(norms > floor, dot / norms.clamp_min(torch.finfo(torch.float64).tiny).sqrt(), 0.0)
        return cosine.mean(dim=1)


def _dot(u: Tensor, v: Tensor, aa: Tensor, ab: Tensor, bb: Tensor) -> Tensor:
    """Inner product of u·a + (1-u)·b and v·a + (1-v)·b, row by row."""
    return u * v * aa + (u * (1 - v) + v * (1 - u)) * ab + (1 - u) * (1 - v) * bb


def interpolate(a: Tensor, b: Tensor, step: int, k: int) -> Tensor:
    """The step-th of k interpolations, step/k · a + (k-step)/k · b (Definition 3.1).

    Args:
        a, b: tensors of one shape. step: 0 … k (the paper uses 1 … k; 0 is b). k: number of steps, at least 1.

    Returns:
        Tensor of that shape, in a's dtype, computed in float64.

    Raises:
        ValueError: if the shapes differ, k < 1, step is outside 0 … k, or a value is NaN.
    """
    _check({"a": a, "b": b}, k)
    if not 0 <= step <= k:
        raise ValueError(f"step must be in 0 … k = {k}, found {step}")
    return blend(a, b, step / k)


def blend(a: Tensor, b: Tensor, weight: float) -> Tensor:
    """weight · a + (1 - weight) · b, in a's dtype, computed in float64; beyond the two for a weight outside [0, 1].

    Raises:
        ValueError: if the shapes differ or are not (n, d), or a value is NaN.
    """
    _check({"a": a, "b": b})
    return (weight * a.double() + (1 - weight) * b.double()).to(a.dtype)


def cosine_similarity(x: Tensor, y: Tensor) -> Tensor:
    """Mean over rows of the cosine between rows of x and y (Definition 3.2); a zero row contributes 0.

    Args:
        x, y: (n, d).

    Returns:
        float64 scalar in [-1, 1].

    Raises:
        ValueError: if the shapes differ, are not (n, d), or a value is NaN.
    """
    _check({"x": x, "y": y})
    x, y = x.double(), y.double()
    norms = x.norm(dim=1) * y.norm(dim=1)
    dots = (x * y).sum(dim=1)
    return torch.where(norms > 0, dots / norms.clamp_min(torch.finfo(torch.float64).tiny), 0.0).mean()


def perpendicular_foot(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The point of the line through a and b that is nearest to c, as one vector of n·d numbers (Algorithm 3).

    Args:
        a, b, c: tensors of one shape.

    Returns:
        Tensor of that shape, in a's dtype, computed in float64.

    Raises:
        ValueError: if the shapes differ, a value is NaN, or a equals b (no line).
    """
    _check({"a": a, "b": b, "c": c})
    position = _foot_position(a.double(), b.double(), c.double())
    return (a.double() + position * (b.double() - a.double())).to(a.dtype)


def foot_weight(a: Tensor, b: Tensor, c: Tensor) -> float:
    """The share of a in `perpendicular_foot`; outside [0, 1] where c projects beyond the end points. Raises as that."""
    _check({"a": a, "b": b, "c": c})
    return 1 - float(_foot_position(a.double(), b.double(), c.double()))


def similarity_curve(a: Tensor, b: Tensor, c: Tensor, k: int) -> Tensor:
    """Cosine similarity (Definition 3.2) of every interpolation with the foot of c, by Algorithm 3 in closed form.

    Args:
        a, b, c: (n, d). k: number of steps.

    Returns:
        (k,) float64; entry i - 1 is step i.

    Raises:
        ValueError: if the shapes differ or are not (n, d), k < 1, a value is NaN, or a equals b.
    """
    _check({"a": a, "b": b, "c": c}, k)
    return _line(a, b, c).similarity(_weights(k))


def find_optimal(a: Tensor, b: Tensor, c: Tensor, lengths: Sequence[int], k: int) -> Optimum:
    """Algorithm 2: the interpolation of a and b that is most similar to the foot of c, with and without padding.

    Args:
        a, b, c: (n, d) padded text embeddings of the two prompts and of the guide.
        lengths: their token counts without padding, each in 1 … n; the longest, n_ids, truncates all three.
        k: number of interpolation steps.

    Raises:
        ValueError: if the shapes differ or are not (n, d), a length is outside 1 … n, k < 1, a value is NaN, or a
            equals b, also within the first n_ids rows.
    """
    _check({"a": a, "b": b, "c": c}, k)
    if len(lengths) != 3 or not all(1 <= length <= len(a) for length in lengths):
        raise ValueError(f"lengths must be three token counts in 1 … n = {len(a)}, found {tuple(lengths)}")
    n_ids = max(lengths)
    lines = (_line(a, b, c), _line(a[:n_ids], b[:n_ids], c[:n_ids]))
    full, truncated = (line.similarity(_weights(k)) for line in lines)
    total = full + truncated
    step = int(total.argmax()) + 1
    return Optimum(
        step=step,
        weight=step / k,
        embedding=interpolate(a, b, step, k),
        full=full,
        truncated=truncated,
        total=total,
        continuous_weight=_continuous_optimum(lines),
    )


def _continuous_optimum(lines: tuple[_Line, _Line], grid: int = 1000) -> float:
    """The weight in [0, 1] of the largest sum of both curves: best of a fine grid, then Brent within its cell."""

    def total(weights: Tensor) -> Tensor:
        return lines[0].similarity(weights) + lines[1].similarity(weights)

    best = int(total(torch.arange(grid + 1, dtype=torch.float64) / grid).argmax()) / grid
    cell = (max(best - 1 / grid, 0.0), min(best + 1 / grid, 1.0))

    def negative(weight: float) -> float:
        return -float(total(torch.tensor([weight], dtype=torch.float64)))

    minimum = minimize_scalar(negative, bounds=cell, method="bounded", options={"xatol": 1e-10})
    return float(minimum.x)


def _weights(k: int) -> Tensor:
    return torch.arange(1, k + 1, dtype=torch.float64) / k


def _line(a: Tensor, b: Tensor, c: Tensor) -> _Line:
    a, b, c = a.double(), b.double(), c.double()
    return _Line((a * a).sum(1), (a * b).sum(1), (b * b).sum(1), _foot_position(a, b, c))


def _foot_position(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """⟨b-a, c-a⟩ / ⟨b-a, b-a⟩: 0 at a, 1 at b; outside [0, 1] where c projects beyond the end points."""
    direction = b - a
    length = (direction * direction).sum()
    if length == 0:
        raise ValueError("a and b are equal: there is no line between them to project on")
    return (direction * (c - a)).sum() / length


def _check(tensors: dict[str, Tensor], k: int = 1) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    first = next(iter(shapes.values()))
    if any(shape != first for shape in shapes.values()):
        raise ValueError("shapes differ: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items()))
    if len(first) != 2 or 0 in first:
        raise ValueError(f"expected non-empty (n, d) tensors, found shape {first}")
    if k < 1:
        raise ValueError(f"k must be at least 1, found {k}")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} contains NaN or infinity")
