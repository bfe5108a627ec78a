"""JEDi (Luo et al. 2024, "Beyond FVD"): the squared MMD of V-JEPA's features under the kernel (x·y / d)², times 100.

The estimate is theirs, with the pairs of a vector and itself, and so biased upwards by what falls as 1/n.
"""

import numpy as np

SCALE = 100.0


def jedi(gen: np.ndarray, real: np.ndarray) -> float:
    """100 times the squared MMD of feature vectors (n, d) and (m, d), at least 0.

    The mean of (x·y)² over all pairs of two sets is the inner product of their second moments, so the sum of the three
    means is |Σ x xᵀ / n - Σ y yᵀ / m|² / d²: linear in the number of vectors, and never negative by rounding.

    Raises:
        ValueError: if a side is empty, or the widths differ.
    """
    gen, real = np.asarray(gen, np.float64), np.asarray(real, np.float64)
    if gen.ndim != 2 or real.ndim != 2 or gen.shape[1] != real.shape[1] or not min(len(gen), len(real)):
        raise ValueError(f"JEDi wants (n, d) and (m, d), found {gen.shape} and {real.shape}")
    difference = gen.T @ gen / len(gen) - real.T @ real / len(real)
    return SCALE * float((difference**2).sum()) / gen.shape[1] ** 2
