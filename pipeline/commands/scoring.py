"""The commands `score`, `stats` and `agreement`: options -> metrics -> files and tables on the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from metrics.networks.features import Network, load_clip, load_i3d
from metrics.reading.rule import ClipRule
from metrics.scoring import result
from metrics.scoring.cache import FeatureCache
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.measured import write_stats
from metrics.scoring.protocol import Protocol, named
from metrics.scoring.result import ScoreResult
from metrics.scoring.scorer import Scorer
from metrics.statistics.agreement import agreement, read_ratings
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config import paths

FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Setup:
    """How to score; None takes the default: the protocol's rule for clips, the weights of this checkout."""

    protocol: str = "reelbench"
    frames: int | None = None
    start: int | None = None
    stride: int | None = None
    windows: int | None = None
    i3d: Path | None = None
    clip: Path | None = None
    clip_text_tower: Path | None = None
    device: str = "cpu"
    precision: str = "float32"
    decoder: str | None = None
    cache: Path | None = None
    batch: int = 2
    workers: int = 2
    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    @property
    def chosen(self) -> Protocol:
        """The protocol with the rule for clips that was asked for."""
        base = named(self.protocol)
        asked = {key: getattr(self, key) for key in vars(base.clips) if getattr(self, key) is not None}
        return base.with_clips(ClipRule(**(vars(base.clips) | asked)))

    def networks(self, names: Sequence[str]) -> list[Network]:
        """The networks that the named metrics need, on the wanted device.

        Raises:
            ValueError: if device or precision is none that is here.
        """
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"--device {self.device}: torch {torch.__version__} sees no GPU here, expected cpu")
        dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        if self.precision not in dtypes:
            raise ValueError(f"--precision is {self.precision!r}, expected one of {', '.join(dtypes)}")
        wanted, protocol = {METRICS[name].network for name in names}, self.chosen
        networks: list[Network] = []
        if "i3d" in wanted:
            networks.append(load_i3d(self.i3d, protocol.i3d_resize, self.device, dtypes[self.precision]))
        if "clip" in wanted:
            folder = self.clip or paths.ROOT / paths.world_model("clip")
            tower = self.clip_text_tower or paths.ROOT / paths.MINILM
            networks.append(load_clip(folder, tower, protocol.clip_resize, self.device))
        return networks

    def scorer(self, names: Sequence[str]) -> Scorer:
        """What scores the named metrics."""
        how = Uncertainty(self.resamples, self.confidence, self.seed)
        return Scorer(
            self.networks(checked(names)), self.chosen, FeatureCache(self.cache), how, self.decoder, self.batch,
            self.workers,
        )  # fmt: skip


def default_metrics(real: bool, captions: bool) -> list[str]:
    """Every metric that needs no more than what is given; those on pairs of clips are asked for by name."""
    given = {"", *(["real"] if real else []), *(["captions"] if captions else [])}
    return [name for name, metric in METRICS.items() if metric.needs in given]


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
    setup: Setup, names: Sequence[str], gen: Path, real: Path | None, stats: Path | None, captions: Path | None,
    out: Path | None,
) -> ScoreResult:  # fmt: skip
    """Score, write the result if a file is named, and print the table."""
    names = names or default_metrics(bool(real or stats), bool(captions))
    check_inputs(names, real, stats, captions)
    found, clips = setup.scorer(names).score(names, gen, real, stats, captions)
    if out:
        found = result.write(found, clips, out)
    show(found, out)
    if not found.gen.scored:
        raise ValueError(f"{gen}: no clip could be scored, see the reasons above")
    return found


def write_reference(setup: Setup, real: Path, out: Path) -> None:
    """Reference statistics of a folder of real videos."""
    scorer = setup.scorer(["fvd"])
    measured = scorer.real(real)
    write_stats(measured, setup.chosen, scorer.networks[0].identity, out)
    console = Console()
    console.print(f"{measured.scored} of {measured.requested} videos, {len(measured.table)} clips -> {out}")
    _print_faults(console, [("real", clip, reason) for clip, reason in measured.faults])


def show_agreement(
    ratings: Path, metric: str, human: str, group: str | None, how: Uncertainty, out: Path | None
) -> pd.DataFrame:
    """Correlations of a metric with human ratings, printed, and written as CSV if a file is named."""
    table = read_ratings(ratings)
    try:
        found = agreement(table, metric, human, group, how)
    except ValueError as error:
        raise ValueError(f"{ratings}, {error}") from error
    shown = Table("group", "n", "correlation", "value", f"{how.confidence:.0%} interval", title=f"{metric} and {human}")
    for row in found.itertuples():
        shown.add_row(
            escape(row.group), str(row.n), row.correlation, _number(row.value, 3), _interval(row.low, row.high, 3)
        )
    Console().print(shown)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        found.to_csv(out, index=False)
    return found


def show(found: ScoreResult, out: Path | None = None) -> None:
    """The result as a table, with counts, flags, fingerprints and faults."""
    console = Console()
    sides = [f"{side.scored} of {side.requested} {name} clips scored"
             for name, side in (("generated", found.gen), ("real", found.real)) if side]  # fmt: skip
    table = Table("metric", "value", f"{found.confidence:.0%} interval", "n", "fingerprint", "flag",
                  title=f"protocol {found.protocol}: {', '.join(sides)}")  # fmt: skip
    for value in found.values:
        metric = METRICS[value.metric]
        n = f"{value.n_gen}" + (f" / {value.n_real}" if value.n_real is not None else "")
        table.add_row(metric.title, _number(value.value, metric.digits),
                      _interval(value.low, value.high, metric.digits), n, value.fingerprint,
                      f"[yellow]{value.flag}[/]" if value.flag else "")  # fmt: skip
    console.print(table)
    for name, choice in _shared(found).items():
        console.print(f"{name}: {choice}", style="dim", markup=False, highlight=False)
    _print_faults(console, [(fault.side, fault.clip, fault.reason) for fault in found.faults])
    if out:
        console.print(f"written: {out} and {found.per_clip}", markup=False, highlight=False)


def _shared(found: ScoreResult) -> dict[str, str]:
    """The choices behind the fingerprints: one line for each, with the metrics they hold for where they differ."""
    lines: dict[str, dict[str, list[str]]] = {}
    for choices in found.fingerprints.values():
        for name, choice in choices.items():
            if name not in ("metric", "n_gen", "n_real"):  # the table has them
                lines.setdefault(name, {}).setdefault(str(choice), []).append(str(choices["metric"]))
    return {name: "; ".join(_for_whom(kinds)) for name, kinds in lines.items()}


def _for_whom(kinds: dict[str, list[str]]) -> list[str]:
    return [text + (f" ({', '.join(metrics)})" if len(kinds) > 1 else "") for text, metrics in kinds.items()]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def _interval(low: float | None, high: float | None, digits: int) -> str:
    return "–" if low is None or low != low else f"{_number(low, digits)} … {_number(high, digits)}"


def _print_faults(console: Console, faults: Sequence[tuple[str, str, str]]) -> None:
    for side, clip, reason in faults[:FAULTS_SHOWN]:
        console.print(f"{side} {clip}: {reason}", style="yellow", markup=False, highlight=False)
    if len(faults) > FAULTS_SHOWN:
        console.print(f"… and {len(faults) - FAULTS_SHOWN} more (all are in --out)", style="yellow")
