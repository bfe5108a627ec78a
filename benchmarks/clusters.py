"""What intervals and tests that count prompts rest on: `python -m benchmarks.clusters`, two minutes on one core.

Clips of one prompt share what makes them succeed or fail: beta-binomial prompts with an intraclass correlation of 0.54,
as mixtures of the toy world have, and with none. 95 % intervals hold the truth in 95 % of draws if they are right, and
tests at 5 % find a difference in 5 % of draws of two methods that are alike.
"""

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from metrics.statistics.clusters import clustered_rate, effective_number, paired_rate_difference, sign_flip
from metrics.statistics.proportions import wilson

DRAWS, CORRELATION, NONE = 1000, 0.54, 0.01
SIZES = ((20, 3), (33, 2), (22, 6), (60, 3))  # prompts, clips of each
SHARES = (0.1, 0.3, 0.5)


def outcomes(
    rng: np.random.Generator, size: tuple[int, int], share: float, correlation: float, methods: int = 1
) -> list[np.ndarray]:
    """(prompts * clips,) yes or no of each method; prompts are as hard for one method as they happen to be."""
    spread = (1 - correlation) / correlation
    found = []
    for _ in range(methods):
        chances = rng.beta(share * spread, (1 - share) * spread, size[0])
        found.append((rng.random(size) < chances[:, None]).ravel())
    return found


def rows() -> Iterator[tuple[str, ...]]:
    """Of every setting: the effective number of clips, coverage by prompt and by clip, of a share and of a difference,
    and how often a test finds what is not there."""
    for size in SIZES:
        by_prompt, by_clip = np.repeat(np.arange(size[0]), size[1]), np.arange(size[0] * size[1])
        for correlation in (NONE, CORRELATION):
            for share in SHARES:
                rng, held, numbers = np.random.default_rng(0), [], []
                for _ in range(DRAWS):
                    first, second = outcomes(rng, size, share, correlation, methods=2)
                    numbers.append(effective_number(first, by_prompt))
                    rates = clustered_rate(first, by_prompt), wilson(int(first.sum()), len(first))
                    both = [paired_rate_difference(first, second, codes) for codes in (by_prompt, by_clip)]
                    p = [sign_flip(first.astype(float) - second, codes) for codes in (by_prompt, by_clip)]
                    held.append(
                        [
                            *(rate.low <= share <= rate.high for rate in rates),
                            *(one.low <= 0 <= one.high for one in both),
                            *(one <= 0.05 for one in p),
                        ]
                    )
                setting = f"{size[0]} × {size[1]}", f"{correlation:g}", f"{share:g}", f"{np.median(numbers):.0f}"
                yield (*setting, *(f"{100 * value:.1f}" for value in np.mean(held, axis=0)))


def main() -> None:
    """Print the table."""
    columns = ("prompts × clips", "correlation", "share", "worth clips")
    measured = ("share: by prompt", "Wilson", "difference: by prompt", "by clip", "test: by prompt", "McNemar")
    table = Table(*columns, *measured, title=f"Per cent of {DRAWS} draws")
    for row in rows():
        table.add_row(*row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
