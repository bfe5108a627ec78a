"""The command `study analyse`: files of votes -> the tables of the report, without a run of the pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.config.entry import one_sentence

Votes = Annotated[list[Path], typer.Argument(metavar="VOTES…", help="what `study export` wrote, CSV or Parquet")]
Share = Annotated[float, typer.Option(min=0, max=1, help="of failed attention checks that a rater may have")]


@one_sentence(OSError)
def analyse(
    votes: Votes,
    out: Annotated[Path, typer.Option(help="folder for the tables as CSV, Markdown and LaTeX")],
    most_failed: Share = 0.5,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.95,
    resamples: Annotated[int, typer.Option(min=0)] = 1000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Make the papers' tables of votes, with intervals: shares, preferences, attributes, strengths, power."""
    from metrics.statistics.bootstrap import Uncertainty
    from metrics.user_study.votes import read
    from pipeline.report import rendering
    from pipeline.report.user_study.sections import sections
    from pipeline.report.user_study.studies import Studies
    from pipeline.study.analysis import NOTHING_MEASURED, tables
    from pipeline.study.simulated import is_simulated

    table = read(votes)
    uncertainty, simulated = Uncertainty(resamples, confidence, seed), is_simulated(table)
    found = tables(table, NOTHING_MEASURED, simulated, uncertainty, most_failed)
    studies = Studies(found, simulated, (), confidence)
    written = [one for group in sections(studies).values() for one in group]
    for one in written:
        rendering.write(one, out)
    print("\n".join([*(f"{out / one.name}.md: {one.caption}" for one in written), *studies.unanswered]))
