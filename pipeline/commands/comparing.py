"""The command `compare`: two sides -> paired differences on the terminal and as JSON.

As `score`, it says before torch is loaded what is wrong with options and places.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from metrics.scoring.catalogue import METRICS
from metrics.scoring.metric import Metric
from pipeline.commands.inputs import Inputs, Wanted, prepare_out, videos, wanted
from pipeline.commands.setup import Setup

if TYPE_CHECKING:
    from metrics.scoring.compared import CompareResult, Difference
    from metrics.scoring.comparing import Side

_FILES = (".json", ".csv", ".parquet")  # of values: what `score --out` wrote, and tables
_SHOWN = 5  # names of clips that only one side has


def compare(
    setup: Setup, names: Sequence[str], places: Sequence[Path], inputs: Inputs, out: Path | None = None
) -> "CompareResult":
    """Measure or read both sides, compare them, write the result if a file is named, and print the table.

    Raises:
        ValueError, FileNotFoundError: before anything is decoded, if options or places do not fit; or if there is
            nothing to compare.
    """
    metrics = _checked(setup, names, places, inputs)
    prepare_out(out, suffix=".json")
    from metrics.scoring import compared
    from metrics.scoring.comparing import compare_sides
    from metrics.scoring.result import this_run

    given = {"a": places[0], "b": places[1], **inputs.given, **setup.weights}
    run = this_run(setup.device, given)
    a, b = _sides(setup, metrics, places, inputs)
    found = compared.result_of(compare_sides(a, b, names), a, b, inputs.cluster)
    found = found.model_copy(update={"run": run, "missing": {**found.missing, **metrics.missing}})
    if out:
        compared.write(found, out)
    show(found, out)
    return found


def _checked(setup: Setup, names: Sequence[str], places: Sequence[Path], inputs: Inputs) -> Wanted:
    """The metrics to compute of videos: none where both sides are files of values."""
    folders = [place for place in places if not _is_file(place)]
    for place in places:
        if _is_file(place) and not place.is_file():
            raise ValueError(f"{place}: no such file")
    if not folders:
        if inputs.given:
            options = ", ".join(f"--{option.replace('_', '-')}" for option in inputs.given)
            raise ValueError(f"{options}: both sides are files of values, which use none")
        return Wanted([], names, {})
    setup.check(names)
    inputs.check(folders, names)
    metrics = wanted(names, inputs, setup)
    if len(folders) < len(places):  # files keep no features: I3D would run for nothing
        metrics = metrics.only(lambda metric: metric.needs != "real")
    elif not names:
        metrics = metrics.only(lambda metric: metric.comparable)
    return metrics


def _is_file(place: Path) -> bool:
    return place.suffix.lower() in _FILES


def _sides(setup: Setup, metrics: Wanted, places: Sequence[Path], inputs: Inputs) -> list["Side"]:
    """Both sides; files are read first, because they are quick to fail, and the real clips are measured once."""
    from metrics.scoring.comparing import check_shared, of_file, of_videos

    sides = {
        place: of_file(place, inputs.cluster, setup.chosen, setup.uncertainty) for place in places if _is_file(place)
    }
    if set(sides) == set(places):
        return [sides[place] for place in places]
    named = {place: [*side.sample.gen.table["clip"]] for place, side in sides.items()}
    check_shared({str(p): named[p] if p in named else [source.id for source in videos(p)] for p in places})
    scorer, real = setup.scorer(metrics.names), None
    for place in dict.fromkeys(place for place in places if place not in sides):
        given = inputs.real, inputs.stats, inputs.captions, inputs.cluster
        sample = scorer.sample(metrics.names, place, *given, real_side=real)
        real = sample.real
        sides[place] = of_videos(str(place), sample, metrics.names)
    return [sides[place] for place in places]


def show(found: "CompareResult", out: Path | None = None) -> None:
    """The differences as a table, with what is not compared and why, and clips that only one side has."""
    from pipeline.commands.showing import left_out, print_errors

    console = Console()
    console.print(_table(found))
    alone = all(one.clusters == one.pairs for one in found.differences)  # as where there are no captions
    drawn = "clips" if alone else f"clusters ({found.cluster})"
    for line in (
        f"p: signs of whole {drawn} flipped; of a distance by its interval. Corrected by Holm for {found.family}.",
        *left_out(found.missing, "not compared"),
        *(_alone(side.name, side.alone) for side in (found.a, found.b) if side.alone),
    ):
        console.print(line, style="dim", markup=False, highlight=False)
    print_errors(console, [(side.name, *error) for side in (found.a, found.b) for error in side.errors])
    if out:
        console.print(f"written: {out}", markup=False, highlight=False)


def _alone(name: str, clips: Sequence[str]) -> str:
    more = f" and {len(clips) - _SHOWN} more" if len(clips) > _SHOWN else ""
    return f"only in {name}, not compared: {', '.join(clips[:_SHOWN])}{more}"


def _table(found: "CompareResult") -> Table:
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


def _cells(one: "Difference") -> list[str]:
    from pipeline.report.formatting import p_value

    metric = _metric(one)
    values = [metric.number(value, one.a, one.b) for value in (one.a, one.b, one.difference)]
    tests = [p_value(math.nan if p is None else p).removeprefix("p ").removeprefix("= ") for p in (one.p, one.p_holm)]
    return [escape(metric.title), *values, metric.range(one.low, one.high, one.a, one.b), *tests]


def _pairs(one: "Difference") -> str:
    return f"{one.pairs} pairs" + (f" of {one.clusters} clusters" if one.clusters < one.pairs else "")


def _metric(one: "Difference") -> Metric:
    """How a value is printed; a column of the user's own as `comparing` takes it."""
    digits = 1 if one.unit == "%" else 4
    return METRICS.get(one.metric) or Metric(one.metric, one.metric, None, digits, one.unit)
