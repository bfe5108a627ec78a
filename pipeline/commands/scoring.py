"""The commands `score`, `stats` and `agreement`: options -> metrics -> files and tables on the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from metrics.digests import shortened
from metrics.networks.environment import device_name
from metrics.networks.features import Network, load_clip, load_i3d
from metrics.networks.own import load_own
from metrics.networks.spec import read_spec
from metrics.reading.rule import ClipRule
from metrics.scoring import result
from metrics.scoring.cache import FeatureCache
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.clusters import PROMPT, column_of
from metrics.scoring.measured import write_stats
from metrics.scoring.metric import Metric
from metrics.scoring.protocol import Protocol, named
from metrics.scoring.readings import FlickerReadings, load_flow
from metrics.scoring.result import ScoreResult
from metrics.scoring.scorer import Scorer
from metrics.statistics.agreement import agreement, read_ratings
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config import paths

ERRORS_SHOWN = 20


@dataclass(frozen=True)
class Setup:
    """How to score; None takes the default: the protocol's rule for clips, the weights of this checkout."""

    protocol: str = "reelbench"
    frames: int | None = None
    start: int | None = None
    stride: int | None = None
    windows: int | None = None
    i3d: Path | None = None
    network: Path | None = None
    clip: Path | None = None
    clip_text_tower: Path | None = None
    flow: Path | None = None
    device: str = "cpu"
    precision: str = "float32"
    decoder: str | None = None
    cache: Path | None = None
    batch: int = 2
    workers: int | None = None
    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    @property
    def chosen(self) -> Protocol:
        """The protocol with the rule for clips that was asked for."""
        base = named(self.protocol)
        asked = {key: getattr(self, key) for key in vars(base.clips) if getattr(self, key) is not None}
        return base.with_clips(ClipRule(**(vars(base.clips) | self._of_network | asked)))

    @cached_property
    def _of_network(self) -> dict[str, int]:
        """The number of frames that a network of the user's takes, if it says so."""
        frames = read_spec(self.network).frames if self.network else None
        return {"frames": frames} if frames else {}

    @property
    def uncertainty(self) -> Uncertainty:
        """How intervals are made."""
        return Uncertainty(self.resamples, self.confidence, self.seed)

    def networks(self, names: Sequence[str]) -> list[Network]:
        """The networks that the named metrics need, on the wanted device.

        Raises:
            ValueError: if device or precision is none that is here.
        """
        device_name(self.device)
        dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        if self.precision not in dtypes:
            raise ValueError(f"--precision is {self.precision!r}, expected one of {', '.join(dtypes)}")
        if self.network and (self.i3d or self.precision != "float32"):
            raise ValueError("--network takes I3D's place: --i3d and --precision say nothing then")
        wanted, protocol = {METRICS[name].network for name in names}, self.chosen
        networks: list[Network] = []
        if "i3d" in wanted and self.network:
            networks.append(load_own(self.network, protocol.clips.frames, self.device))
        elif "i3d" in wanted:
            networks.append(load_i3d(self.i3d, protocol.i3d_resize, self.device, dtypes[self.precision]))
        if "clip" in wanted:
            folder = self.clip or paths.ROOT / paths.world_model("clip")
            tower = self.clip_text_tower or paths.ROOT / paths.MINILM
            networks.append(load_clip(folder, tower, protocol.clip_resize, self.device))
        if "pixels" in wanted:
            networks.append(FlickerReadings())
        if "flow" in wanted:
            networks.append(load_flow(self.flow, self.device))
        return networks

    def scorer(self, names: Sequence[str]) -> Scorer:
        """What scores the named metrics."""
        return Scorer(
            self.networks(checked(names)),
            self.chosen,
            FeatureCache(self.cache),
            self.uncertainty,
            self.decoder,
            self.batch,
            self.workers,
        )


def default_metrics(real: bool, captions: bool) -> list[str]:
    """Every metric that needs no more than what is given, beside those that are asked for by name."""
    given = {"": True, "real": real, "captions": captions}
    return [name for name, metric in METRICS.items() if not metric.by_name and given[metric.needs]]


def check_inputs(names: Sequence[str], real: Path | None, stats: Path | None, captions: Path | None) -> None:
    """Refuse what cannot be computed before anything is loaded.

    Raises:
        ValueError: naming the metric and the option that it lacks.
    """
    if real and stats:
        raise ValueError("--real and --real-stats both say what is real: give one")
    for name in checked(names):
        needs = METRICS[name].needs
        lacks = {
            "real": not (real or stats) and "--real DIR or --real-stats FILE",
            "captions": not captions and "--captions FILE",
            "pairs": not real and "--real DIR",
        }.get(needs)
        if lacks:
            raise ValueError(f"{name} needs {lacks}")


def score(
    setup: Setup,
    names: Sequence[str],
    gen: Path,
    real: Path | None,
    stats: Path | None,
    captions: Path | None,
    out: Path | None,
    cluster: str = PROMPT,
) -> ScoreResult:
    """Score, write the result if a file is named, and print the table."""
    names = names or default_metrics(bool(real or stats), bool(captions))
    check_inputs(names, real, stats, captions)
    scored, clips = setup.scorer(names).score(names, gen, real, stats, captions, cluster)
    if out:
        scored = result.write(scored, clips, out)
    show(scored, out)
    if not scored.gen.scored:
        raise ValueError(f"{gen}: no clip could be scored, see the reasons above")
    return scored


def write_reference(setup: Setup, real: Path, out: Path) -> None:
    """Reference statistics of a folder of real videos."""
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
    uncertainty: Uncertainty,
    out: Path | None,
    cluster: str = PROMPT,
) -> pd.DataFrame:
    """Correlations of a metric with human ratings, printed, and written as CSV if a file is named.

    cluster: "prompt", rows of one caption, prompt or text where there is such a column, or "none", or a column.
    """
    table = read_ratings(ratings)
    column = column_of(cluster, table)
    try:
        correlations = agreement(table, metric, human, group, uncertainty, column)
    except ValueError as error:
        raise ValueError(f"{ratings}, {error}") from error
    title = f"{metric} and {human}" + (f", rows of one {column} as one cluster" if column else "")
    shown = Table("group", "n", "correlation", "value", f"{uncertainty.confidence:.0%} interval", title=escape(title))
    for row in correlations.itertuples():
        correlation = Metric(row.correlation, row.correlation, None, digits=3)
        interval = correlation.range(row.low, row.high)
        shown.add_row(escape(row.group), str(row.n), row.correlation, correlation.number(row.value), interval)
    Console().print(shown)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        correlations.to_csv(out, index=False)
    return correlations


def show(scored: ScoreResult, out: Path | None = None) -> None:
    """The result as a table, with counts, flags, fingerprints and errors."""
    console = Console()
    console.print(_table(scored))
    for name, choice in _shared(scored).items():
        console.print(f"{name}: {shortened(choice)}", style="dim", markup=False, highlight=False)
    print_errors(console, [(error.side, error.clip, error.reason) for error in scored.errors])
    if out:
        console.print(f"written: {out} and {scored.per_clip}", markup=False, highlight=False)


def _table(scored: ScoreResult) -> Table:
    """A row for each value; the numbers of clips are in the title."""
    sides = {"generated": scored.gen, "real": scored.real}
    counts = ", ".join(f"{n.scored} of {n.requested} {side} clips scored" for side, n in sides.items() if n)
    if scored.clusters is not None:
        counts += f"; intervals draw {scored.clusters} clusters ({scored.cluster})"
    columns = ("metric", "value", f"{scored.confidence:.0%} interval", "n", "fingerprint", "flag")
    table = Table(*columns, title=f"protocol {scored.protocol}: {counts}")
    for value in scored.values:
        metric = METRICS[value.metric]
        name = f"{metric.title} ({metric.unit})" if metric.unit else metric.title
        n = f"{value.n_gen}" + (f" / {value.n_real}" if value.n_real is not None else "")
        flag = f"[yellow]{value.flag}[/]" if value.flag else ""
        interval, mark = metric.range(value.low, value.high), shortened(value.fingerprint)
        table.add_row(name, metric.number(value.value), interval, n, mark, flag)
    return table


def _shared(scored: ScoreResult) -> dict[str, str]:
    """The choices behind the fingerprints: one line for each, with the metrics they hold for where they differ."""
    lines: dict[str, dict[str, list[str]]] = {}
    for choices in scored.fingerprints.values():
        for name, choice in choices.items():
            if name not in ("metric", "n_gen", "n_real"):  # the table has them
                lines.setdefault(name, {}).setdefault(str(choice), []).append(str(choices["metric"]))
    return {name: "; ".join(_for_whom(kinds)) for name, kinds in lines.items()}


def _for_whom(kinds: dict[str, list[str]]) -> list[str]:
    return [text + (f" ({', '.join(metrics)})" if len(kinds) > 1 else "") for text, metrics in kinds.items()]


def print_errors(console: Console, errors: Sequence[tuple[str, str, str]]) -> None:
    """Clips that were not scored, by side, with the reason; the first of many."""
    for side, clip, reason in errors[:ERRORS_SHOWN]:
        console.print(f"{side} {clip}: {reason}", style="yellow", markup=False, highlight=False)
    if len(errors) > ERRORS_SHOWN:
        console.print(f"… and {len(errors) - ERRORS_SHOWN} more (all are in --out)", style="yellow")
