"""How wide intervals are, and how often they hold what they are for: `python -m benchmarks.intervals`.

Every row draws that many data sets. Width is the mean width of their 95 % intervals over the 95 % range of the values,
coverage the share of intervals that hold the truth: the mean of the values, where an interval is for this number of
clips, or what the distribution says. Ten minutes on one core.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import kendalltau, norm, pearsonr, spearmanr

from metrics.statistics.agreement import CORRELATIONS, agreement
from metrics.statistics.bootstrap import (
    Interval,
    Uncertainty,
    distance_interval,
    fvd_distance,
    kvd_distance,
    mean_interval,
    paired_distance_difference,
)
from metrics.statistics.extrapolation import fvd_infinity
from metrics.statistics.sides import Features

DISTANCES = {"FVD": fvd_distance(1), "KVD": kvd_distance}
WIDTH, SPECTRUM = 400, (3, 0.1)  # features, and the standard deviations of the first and the last
ALIKE, APART = 0.05, 0.3  # shifts, in standard deviations: distances that are mostly bias, and that are not
OF_DRAW = Uncertainty(1000)
Row = tuple[str, str, float, float]
Draw = Callable[[np.random.Generator], Interval]


def measured(draw: Draw, draws: int, truth: float | None = None) -> tuple[float, float]:
    """Width and coverage; truth: None for the mean of the values."""
    found = [draw(np.random.default_rng(seed)) for seed in range(draws)]
    values = np.array([one.value for one in found])
    held = np.mean(values) if truth is None else truth
    needed = np.quantile(values, 0.975) - np.quantile(values, 0.025)
    width = np.nanmean([one.high - one.low for one in found]) / needed
    return float(width), float(np.mean([one.low <= held <= one.high for one in found]))


def gaussians(rng: np.random.Generator, n: int, shift: float, d: int = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """Two sides (n, d) whose means are apart by `shift` standard deviations in every direction."""
    scale = np.geomspace(*SPECTRUM, d)
    return rng.normal(shift, 1, size=(n, d)) * scale, rng.normal(size=(n, d)) * scale


def few(draws: int) -> Iterator[Row]:
    """FVD and KVD of 8 features."""
    for n in (40, 75, 256):
        yield from _distances(draws, n, 8)


def many(draws: int) -> Iterator[Row]:
    """FVD and KVD of as many features as I3D's, and fewer clips."""
    for n in (75, 128, 256):
        yield from _distances(draws, n, WIDTH)


def most(draws: int) -> Iterator[Row]:
    """FVD and KVD of as many features as I3D's, and more clips."""
    yield from _distances(draws, 512, WIDTH)


def _distances(draws: int, n: int, d: int) -> Iterator[Row]:
    for shift in (ALIKE, APART):
        for name, distance in DISTANCES.items():

            def draw(rng: np.random.Generator, distance=distance, shift=shift) -> Interval:
                return distance_interval(distance, *map(Features.of, gaussians(rng, n, shift, d)), OF_DRAW)

            yield name, f"{n} clips, {d} features, shift {shift}", *measured(draw, draws)


def differences(draws: int, n: int = 128) -> Iterator[Row]:
    """Two methods on the same prompts: half of the variance of their features is the prompt's."""
    for name, distance in DISTANCES.items():

        def draw(rng: np.random.Generator, distance=distance) -> Interval:
            prompts, real = gaussians(rng, n, 0)
            methods = [(prompts + gaussians(rng, n, shift)[0]) / np.sqrt(2) for shift in (APART, ALIKE)]
            return paired_distance_difference(distance, *map(Features.of, (*methods, real)), OF_DRAW)

        yield f"{name}, paired difference", f"{n} clips, {WIDTH} features", *measured(draw, draws)


def clustered(draws: int, prompts: int = 40, each: int = 4) -> Iterator[Row]:
    """Clips of which several share a prompt, which brings half of the variance."""
    prompt = np.repeat(np.arange(prompts), each)
    for name, distance in DISTANCES.items():
        for clusters in (prompt, None):

            def draw(rng: np.random.Generator, distance=distance, clusters=clusters) -> Interval:
                gen, real = gaussians(rng, len(prompt), APART, 16)
                gen = (gen + gaussians(rng, prompts, APART, 16)[0][prompt]) / np.sqrt(2)
                return distance_interval(
                    distance, Features(gen, np.arange(len(gen)), clusters), Features.of(real), OF_DRAW
                )

            by = "by prompt" if clusters is not None else "by clip"
            yield f"{name}, {by}", f"{prompts} prompts of {each} clips, 16 features", *measured(draw, draws)


def limits(draws: int) -> Iterator[Row]:
    """FVD∞ against the distance of the Gaussians; the smallest subset is 1.25 times as many clips as features."""
    for d, n, shift in ((16, 40, 0), (16, 40, 0.3), (16, 80, 0), (16, 80, 0.3), (16, 160, 0.3), (64, 160, 0.2)):
        truth = shift**2 * (np.geomspace(*SPECTRUM, d) ** 2).sum()

        def draw(rng: np.random.Generator, d=d, n=n, shift=shift) -> Interval:
            found = fvd_infinity(*map(Features.of, gaussians(rng, n, shift, d)), OF_DRAW, smallest=5 * d // 4)
            assert found is not None
            return found

        yield "FVD∞", f"{n} clips, {d} features, shift {shift}", *measured(draw, draws, truth)


def means(draws: int) -> Iterator[Row]:
    """Means of 1 to 5 clips of each prompt, half of whose variance is the prompt's."""
    for prompts in (10, 20, 50):
        for clustered in (True, False):

            def draw(rng: np.random.Generator, prompts=prompts, clustered=clustered) -> Interval:
                prompt = np.repeat(np.arange(prompts), rng.integers(1, 6, size=prompts))
                values = rng.normal(size=prompts)[prompt] + rng.normal(size=len(prompt))
                return mean_interval(values, OF_DRAW, clusters=prompt if clustered else None)

            yield f"mean, {'by prompt' if clustered else 'by clip'}", f"{prompts} prompts", *measured(draw, draws, 0.0)


def rated(rng: np.random.Generator, n: int, rho: float, ratings: bool) -> tuple[np.ndarray, np.ndarray]:
    """A metric and what people say (n,), normal with a correlation of rho; ratings: from 1 to 5, not a number."""
    metric, human = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n).T
    return metric, np.digitize(human, norm.ppf([0.12, 0.35, 0.65, 0.88])) + 1.0 if ratings else human


def correlations(draws: int, rho: float = 0.5) -> Iterator[Row]:
    """Of independent items, against those of a million."""
    for ratings in (False, True):
        many = rated(np.random.default_rng(10**6), 10**6, rho, ratings)
        tau_b = float(kendalltau(*(column[:200_000] for column in many)).statistic)
        tied = float((np.unique(many[1], return_counts=True)[1] ** 2).sum() / 10**12) if ratings else 0.0
        tau_c = tau_b * np.sqrt(1 - tied) * (5 / 4 if ratings else 1)  # 2 S m / (n² (m - 1)) of m = 5 ratings
        truths = dict(zip(CORRELATIONS, (pearsonr(*many)[0], spearmanr(*many)[0], tau_b, tau_c), strict=True))
        for n in (10, 20, 50):
            drawn = [rated(np.random.default_rng(seed), n, rho, ratings) for seed in range(draws)]
            yield from _correlated(drawn, None, truths, f"{n} items, {'ratings 1 to 5' if ratings else 'no ties'}")


def clustered_correlations(draws: int, rho: float = 0.5, each: int = 4) -> Iterator[Row]:
    """Of items of which several share a prompt, that brings half of either variance."""
    truths = {"pearson": rho, "spearman": 6 / np.pi * np.arcsin(rho / 2), "kendall_b": 2 / np.pi * np.arcsin(rho)}
    for prompts in (10, 20, 50):
        prompt, drawn = np.repeat(np.arange(prompts), each), []
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            shared, own = (np.array(rated(rng, n, rho, False)) for n in (prompts, len(prompt)))
            drawn.append(tuple(shared[:, prompt] + own))
        for clusters, by in ((prompt, "by prompt"), (None, "by item")):
            yield from _correlated(drawn, clusters, truths, f"{prompts} prompts of {each}, {by}")


def _correlated(
    drawn: list[tuple[np.ndarray, np.ndarray]], clusters: np.ndarray | None, truths: dict[str, float], setting: str
) -> Iterator[Row]:
    """A row for each correlation; its width is left out, which the curvature of z gives no meaning."""
    held: dict[str, list[bool]] = {name: [] for name in truths}
    for metric, human in drawn:
        if np.ptp(human):
            table = pd.DataFrame(
                {"metric": metric, "human": human} | ({} if clusters is None else {"prompt": clusters})
            )
            found = agreement(table, "metric", "human", cluster=None if clusters is None else "prompt")
            own = found.set_index("correlation")
            for name, truth in truths.items():
                held[name].append(own.low[name] <= truth <= own.high[name])
    for name, hits in held.items():
        yield name, setting, float("nan"), float(np.mean(hits))


SECTIONS = {
    rows.__name__: rows
    for rows in (means, correlations, clustered_correlations, limits, clustered, differences, few, many, most)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    wanted = parser.parse_args()
    console = Console(width=120)
    for rows in (SECTIONS[name] for name in wanted.only):
        table = Table("interval of", "data", "width", "coverage", title=(rows.__doc__ or "").partition("\n")[0])
        for name, setting, width, coverage in rows(wanted.draws):
            table.add_row(name, setting, "" if np.isnan(width) else f"{width:.2f}", f"{coverage:.1%}")
        console.print(table)


if __name__ == "__main__":
    main()
