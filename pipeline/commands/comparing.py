"""The command `compare`: two sides -> paired differences on the terminal and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from metrics.reading.sources import find
from metrics.scoring import compared
from metrics.scoring.catalogue import METRICS
from metrics.scoring.clusters import PROMPT
from metrics.scoring.compared import CompareResult, Difference
from metrics.scoring.comparing import TABLES, CompareError, Side, check_shared, compare_sides, of_file, of_videos
from metrics.scoring.measured import Measured
from metrics.scoring.metric import Metric
from metrics.scoring.scorer import Scorer
from pipeline.commands.scoring import Setup, check_inputs, default_metrics, print_errors
from pipeline.report.formatting import p_value

_SHOWN = 5  # names of clips that only one side has


@dataclass(frozen=True)
class Inputs:
    """What both sides are measured with; see `reelbench score`."""

    real: Path | None = None
    stats: Path | None = None
    captions: Path | None = None
    cluster: str = PROMPT

    @property
    def given(self) -> list[str]:
        """The options that only videos have use for."""
        options = {"--real": self.real, "--real-stats": self.stats, "--captions": self.captions}
        return [option for option, value in options.items() if value]


def compare(
    setup: Setup, names: Sequence[str], places: Sequence[Path], inputs: Inputs, out: Path | None = None
) -> CompareResult:
    """Measure or read both sides, compare them, write the result if a file is named, and print the table.

    Raises:
        ValueError: before anything is decoded, if options do not fit; or if there is nothing to compare.
    """
    a, b = _sides(setup, names, places, inputs)
    found = compared.result_of(compare_sides(a, b, names), a, b, inputs.cluster)
    if out:
        compared.write(found, out)
    show(found, out)
    return found


def _sides(setup: Setup, names: Sequence[str], places: Sequence[Path], inputs: Inputs) -> list[Side]:
    """Files are read first, because they are quick to fail."""
    files = {
        place: of_file(place, inputs.cluster, setup.chosen, setup.uncertainty)
        for place in places
        if place.suffix.lower() in (".json", *TABLES)
    }
    if set(files) == set(places):
        if inputs.given:
            raise CompareError(f"{', '.join(inputs.given)}: both sides are files of values, which use none")
        return [files[place] for place in places]
    wanted = names or _default(inputs)
    check_inputs(wanted, inputs.real, inputs.stats, inputs.captions)
    named = {place: [*files[place].sample.gen.table["clip"]] for place in files}
    check_shared({str(p): named[p] if p in named else [source.id for source in find(p)] for p in places})
    if files:  # which keep no features: I3D would run for nothing
        wanted = [name for name in wanted if METRICS[name].needs != "real"]
    return list(_measured(setup.scorer(wanted), wanted, places, inputs, files))


def _default(inputs: Inputs) -> list[str]:
    usual = default_metrics(bool(inputs.real or inputs.stats), bool(inputs.captions))
    return [name for name in usual if METRICS[name].comparable]


def _measured(
    scorer: Scorer, names: Sequence[str], places: Sequence[Path], inputs: Inputs, files: dict[Path, Side]
) -> list[Side]:
    """Both sides; the real clips are measured once."""
    real: Measured | None = None
    sides = []
    for place in places:
        if place in files:
            sides.append(files[place])
            continue
        given = inputs.real, inputs.stats, inputs.captions, inputs.cluster
        sample = scorer.sample(names, place, *given, real_side=real)
        real = sample.real
        sides.append(of_videos(str(place), sample, names))
    return sides


def show(found: CompareResult, out: Path | None = None) -> None:
    """The differences as a table, with what is not compared and why, and clips that only one side has."""
    console = Console()
    console.print(_table(found))
    alone = all(one.clusters == one.pairs for one in found.differences)  # as where there are no captions
    drawn = "clips" if alone else f"clusters ({found.cluster})"
    for line in (
        f"p: signs of whole {drawn} flipped; of a distance by its interval. Corrected by Holm for {found.family}.",
        *(f"not compared: {name}: {why}" for name, why in found.missing.items()),
        *(_alone(side.name, side.alone) for side in (found.a, found.b) if side.alone),
    ):
        console.print(line, style="dim", markup=False, highlight=False)
    print_errors(console, [(side.name, *error) for side in (found.a, found.b) for error in side.errors])
    if out:
        console.print(f"written: {out}", markup=False, highlight=False)


def _alone(name: str, clips: Sequence[str]) -> str:
    more = f" and {len(clips) - _SHOWN} more" if len(clips) > _SHOWN else ""
    return f"only in {name}, not compared: {', '.join(clips[:_SHOWN])}{more}"


def _table(found: CompareResult) -> Table:
    """A row for each metric; pairs and flags only where they tell metrics apart, so that 80 columns are enough."""
    pairs = {one.metric: _pairs(one) for one in found.differences}
    alike = len({*pairs.values()}) == 1
    title = "\n".join([f"A: {found.a.name}", f"B: {found.b.name}", *(pairs[found.differences[0].metric],) * alike])
    columns = ["A", "B", "A − B", f"{found.confidence:.0%} interval", "p", "p (Holm)"]
    table = Table("metric", *(Column(name, no_wrap=True) for name in columns), title=escape(title), box=SIMPLE_HEAD)
    further = {"pairs": not alike, "flag": any(one.flag for one in found.differences)}
    for name in (name for name, shown in further.items() if shown):
        table.add_column(name)
    for one in found.differences:
        texts = {"pairs": pairs[one.metric], "flag": f"[yellow]{escape(one.flag)}[/]" if one.flag else ""}
        table.add_row(*_cells(one), *(texts[name] for name, shown in further.items() if shown))
    return table


def _cells(one: Difference) -> list[str]:
    metric = _metric(one)
    values = [metric.number(value) for value in (one.a, one.b, one.difference)]
    tests = [p_value(math.nan if p is None else p).removeprefix("p ").removeprefix("= ") for p in (one.p, one.p_holm)]
    return [escape(metric.title), *values, metric.range(one.low, one.high), *tests]


def _pairs(one: Difference) -> str:
    return f"{one.pairs} pairs" + (f" of {one.clusters} clusters" if one.clusters < one.pairs else "")


def _metric(one: Difference) -> Metric:
    """How a value is printed; a column of the user's own as `comparing` takes it."""
    digits = 1 if one.unit == "%" else 4
    return METRICS.get(one.metric) or Metric(one.metric, one.metric, None, digits, one.unit)
