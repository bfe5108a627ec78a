"""The commands `score`, `stats` and `agreement`: options -> metrics -> files and tables on the terminal.

Everything that can be wrong with options and places is said before torch is loaded, which takes seconds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from metrics.scoring.clusters import PROMPT, column_of
from metrics.scoring.metric import Metric
from pipeline.commands.inputs import Inputs, prepare_out, videos, wanted
from pipeline.commands.setup import Setup

if TYPE_CHECKING:
    import pandas as pd

    from metrics.scoring.result import ScoreResult
    from metrics.statistics.bootstrap import Uncertainty


def score(setup: Setup, names: Sequence[str], gen: Path, inputs: Inputs, out: Path | None = None) -> "ScoreResult":
    """Score, write the result if a file is named, and print the table.

    Raises:
        ValueError, FileNotFoundError: before anything is decoded, if options or places do not fit; after it if no clip
            could be scored.
    """
    setup.check(names)
    inputs.check([gen], names)
    metrics = wanted(names, inputs, setup)
    prepare_out(out, suffix=".json")
    from metrics.scoring import result
    from pipeline.commands.showing import show

    run = result.this_run(setup.device, {"gen": gen, **inputs.given, **setup.weights})
    given = inputs.real, inputs.stats, inputs.captions, inputs.cluster
    scored, clips = setup.scorer(metrics.names).score(metrics.names, gen, *given)
    scored = scored.without_empty(metrics.asked, metrics.missing).model_copy(update={"run": run})
    if out:
        scored = result.write(scored, clips, out)
    show(scored, out)
    if not scored.gen.scored:
        raise ValueError(f"{gen}: no clip could be scored, see the reasons above")
    return scored


def write_reference(setup: Setup, real: Path, out: Path) -> None:
    """Reference statistics of a folder of real videos.

    Raises:
        ValueError, FileNotFoundError: as `score`.
    """
    setup.check(["fvd"])
    videos(real)
    prepare_out(out)
    from metrics.scoring.measured import write_stats
    from pipeline.commands.showing import print_errors

    scorer = setup.scorer(["fvd"])
    measured = scorer.real(real)
    write_stats(measured, setup.chosen, scorer.networks[0].recipe, out)
    console = Console()
    console.print(f"{measured.scored} of {measured.requested} videos, {len(measured.table)} clips -> {out}")
    print_errors(console, [("real", clip, reason) for clip, reason in measured.errors])


def show_agreement(
    ratings: Path,
    metric: str,
    human: str,
    group: str | None,
    uncertainty: "Uncertainty",
    out: Path | None,
    cluster: str = PROMPT,
) -> "pd.DataFrame":
    """Correlations of a metric with human ratings, printed, and written as CSV if a file is named.

    cluster: "prompt", rows of one caption, prompt or text where there is such a column, or "none", or a column.
    """
    from metrics.statistics.agreement import agreement, read_ratings

    table = read_ratings(ratings)
    column = column_of(cluster, table)
    prepare_out(out)
    try:
        correlations = agreement(table, metric, human, group, uncertainty, column)
    except ValueError as error:
        raise ValueError(f"{ratings}, {error}") from error
    title = f"{metric} and {human}" + (f", rows of one {column} as one cluster" if column else "")
    shown = Table("group", "n", "correlation", "value", f"{uncertainty.confidence:.0%} interval", title=escape(title))
    for row in correlations.itertuples():
        correlation = Metric(row.correlation, row.correlation, None, digits=3)
        interval = correlation.range(row.low, row.high, row.value)
        number = correlation.number(row.value, row.low, row.high)
        shown.add_row(escape(row.group), str(row.n), row.correlation, number, interval)
    Console().print(shown)
    if out:
        correlations.to_csv(out, index=False)
    return correlations
