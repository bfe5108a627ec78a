"""What the statistics of user studies rest on: `python -m benchmarks.study`, a minute on one core.

1. Coverage of 95 % intervals for the share of yes among all raters and prompts, where votes of a rater, and on a
   prompt, are alike (a probit model with a normal effect of each): the bootstrap over both against Wilson's.
2. Power of studies that are as large as `metrics.user_study.power` plans them, for 80 %: how often the exact binomial
   test, and the test of that bootstrap, tell a preference of 65 % from one half; and how often they find one where
   there is none, at a level of 5 %.
"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest, norm

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.proportions import wilson
from metrics.user_study.clusters import Clusters
from metrics.user_study.power import Correlations, correlations, raters_needed, votes_needed

STUDIES, RESAMPLES = 300, 400
SIZES = ((20, 16), (50, 16), (10, 30), (50, 100))  # raters, prompts
SPREADS = ((0.0, 0.0), (0.3, 0.3), (0.7, 0.7), (0.0, 0.7))  # standard deviations of raters and prompts; a vote's is 1
PROMPTS, SHARE = 40, 0.65


def votes(rng: np.random.Generator, size: tuple[int, int], spread: tuple[float, float], share: float) -> np.ndarray:
    """(raters, prompts) of 0 and 1, with mean `share` over all raters and prompts there could be."""
    effects = rng.normal(0, spread[0], size[0])[:, None] + rng.normal(0, spread[1], size[1])
    mean = norm.ppf(share) * np.sqrt(1 + spread[0] ** 2 + spread[1] ** 2)
    return (rng.random(size) < norm.cdf(mean + effects)).astype(float)


def studies(size: tuple[int, int], spread: tuple[float, float], share: float) -> Iterator[tuple[np.ndarray, Clusters]]:
    """Votes (raters * prompts,) of many studies, and their clusters."""
    rng = np.random.default_rng(0)
    rater, prompt = np.divmod(np.arange(size[0] * size[1]), size[1])
    for seed in range(STUDIES):
        yield votes(rng, size, spread, share).ravel(), Clusters(rater, prompt, Uncertainty(RESAMPLES, seed=seed))


def coverage(size: tuple[int, int], spread: tuple[float, float], share: float = 0.6) -> np.ndarray:
    """Shares of studies whose interval holds the truth, and mean widths: of the bootstrap, then of Wilson's."""
    found = []
    for own, clusters in studies(size, spread, share):
        both = clusters.ratio(own).interval(clusters.uncertainty), wilson(int(own.sum()), len(own))
        found.append([*(one.low <= share <= one.high for one in both), *(one.high - one.low for one in both)])
    return np.mean(found, axis=0)


def rejected(size: tuple[int, int], spread: tuple[float, float], share: float) -> np.ndarray:
    """Shares of studies that reject one half at 5 %: by the bootstrap, and by the exact binomial test."""
    found = [
        (clusters.ratio(own).p(0.5) <= 0.05, binomtest(int(own.sum()), len(own)).pvalue <= 0.05)
        for own, clusters in studies(size, spread, share)
    ]
    return np.mean(found, axis=0)


def planned(spread: tuple[float, float]) -> int | None:
    """Raters that a study of SHARE needs, every one on PROMPTS prompts, by the correlations of a large one."""
    rng, size = np.random.default_rng(1), (400, 400)
    rater, prompt = np.divmod(np.arange(size[0] * size[1]), size[1])
    rho = correlations(votes(rng, size, spread, SHARE).ravel(), Clusters(rater, prompt, Uncertainty()))
    print(f"  rho of raters {rho.raters:.3f}, of prompts {rho.prompts:.3f}", end="")
    return raters_needed(votes_needed(SHARE), PROMPTS, PROMPTS, rho if max(spread) else Correlations(0, 0))


def main() -> None:
    print("raters x prompts, spread of each: coverage by clusters, by Wilson; widths")
    for size in SIZES:
        for spread in SPREADS:
            clustered, binomial, *widths = coverage(size, spread)
            print(f"  {size[0]:3} x {size[1]:3}, {spread[0]}, {spread[1]}: {clustered:.3f}, {binomial:.3f}", end="; ")
            print(", ".join(f"{width:.3f}" for width in widths))
    print(f"power at {SHARE}, {PROMPTS} prompts, raters as planned for 0.8; and where there is no preference")
    for spread in ((0.0, 0.0), (0.3, 0.3), (0.6, 0.0), (0.3, 0.5)):
        raters = planned(spread)
        if raters is None or raters < 2:
            print(f", spread {spread}: {raters} raters, not run")
            continue
        found, nothing = (rejected((raters, PROMPTS), spread, share) for share in (SHARE, 0.5))
        print(f", spread {spread}: {raters} raters, power {found[0]:.2f} by clusters, {found[1]:.2f} exact; ", end="")
        print(f"false {nothing[0]:.2f}, {nothing[1]:.2f}")


if __name__ == "__main__":
    main()
