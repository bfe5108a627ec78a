"""What `score` and `distances` found, on the terminal: values, the choices behind them, and what was not scored."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from metrics.digests import shortened
from metrics.scoring.catalogue import METRICS
from metrics.scoring.result import Scored, ScoreResult

ERRORS_SHOWN = 20


def show(scored: ScoreResult, out: Path | None = None) -> None:
    """The result as a table, with counts, flags, fingerprints and errors."""
    console = Console()
    console.print(_table(scored) if scored.values else _counts(scored), highlight=False)
    for line in left_out(scored.missing, "not scored"):
        console.print(line, markup=False, highlight=False)
    for name, choice in _shared(scored).items():
        console.print(f"{name}: {shortened(choice)}", style="dim", markup=False, highlight=False)
    print_errors(console, [(error.side, error.clip, error.reason) for error in scored.errors])
    if out:
        console.print(f"written: {out} and {scored.per_clip}", markup=False, highlight=False)


def left_out(missing: Mapping[str, str], label: str) -> Iterator[str]:
    """A line for each reason why metrics are not there, by metric."""
    for why in dict.fromkeys(missing.values()):
        yield f"{label}: {', '.join(name for name, own in missing.items() if own == why)}: {why}"


def _table(scored: ScoreResult) -> Table:
    """A row for each value; the numbers of clips are in the title."""
    columns = ("metric", "value", f"{scored.confidence:.0%} interval", "n", "fingerprint", "flag")
    table = Table(*columns, title=_counts(scored))
    for value in scored.values:
        table.add_row(*_cells(value))
    return table


def _counts(scored: ScoreResult) -> str:
    """Clips asked for and scored, and what intervals draw."""
    sides = {"generated": scored.gen, "real": scored.real}
    counts = ", ".join(f"{n.scored} of {n.requested} {side} clips scored" for side, n in sides.items() if n)
    if scored.clusters is not None:
        counts += f"; intervals draw {scored.clusters} clusters ({scored.cluster})"
    return escape(f"protocol {scored.protocol}: {counts}")


def _cells(value: Scored) -> list[str]:
    metric = METRICS[value.metric]
    name = f"{metric.title} ({metric.unit})" if metric.unit else metric.title
    n = f"{value.n_gen}" + (f" / {value.n_real}" if value.n_real is not None else "")
    number = metric.number(value.value, value.low, value.high)
    interval, mark = metric.range(value.low, value.high, value.value), shortened(value.fingerprint)
    return [name, number, interval, n, mark, f"[yellow]{escape(value.flag)}[/]" if value.flag else ""]


def _shared(scored: ScoreResult) -> dict[str, str]:
    """The choices behind the fingerprints: one line for each, with the metrics they hold for where they differ."""
    lines: dict[str, dict[str, list[str]]] = {}
    for choices in scored.fingerprints.values():
        for name, choice in choices.items():
            if name not in ("metric", "n_gen", "n_real"):  # the table has them
                alike = " / ".join(dict.fromkeys(str(choice).split(" / ")))  # of both sides the same
                lines.setdefault(name, {}).setdefault(alike, []).append(str(choices["metric"]))
    return {name: "; ".join(_for_whom(kinds)) for name, kinds in lines.items()}


def _for_whom(kinds: dict[str, list[str]]) -> list[str]:
    return [text + (f" ({', '.join(metrics)})" if len(kinds) > 1 else "") for text, metrics in kinds.items()]


def print_errors(console: Console, errors: Sequence[tuple[str, str, str]]) -> None:
    """Clips that were not scored, by side, with the reason; the first of many."""
    for side, clip, reason in errors[:ERRORS_SHOWN]:
        console.print(f"{side} {clip}: {reason}", style="yellow", markup=False, highlight=False)
    if len(errors) > ERRORS_SHOWN:
        console.print(f"… and {len(errors) - ERRORS_SHOWN} more (all are in --out)", style="yellow")
