"""Features -> metrics with counts, intervals and the protocol behind each; and the judge's verdict on each mixture."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from metrics import fvd, i3d
from metrics.clipsim import clipsim
from metrics.proportions import mcnemar, wilson
from metrics.protocol import Protocol, fingerprint
from pipeline.checkpoints import sha256
from pipeline.features import readings_of
from pipeline.ledger import OK
from pipeline.prompts import Mixture, Prompt
from pipeline.world import judge, mixtures, scene
from pipeline.world.mixtures import WorldMixture, verdict
from pipeline.world.scene import ATTRIBUTES, Names

_VERDICT_COLUMNS = ("method", "mixture", "seed", "clip", "shared", "one_object", "success")


@dataclass(frozen=True)
class Evaluated:
    """One method's features: the table of all requested clips, the arrays of the scored ones, and what made them."""

    name: str
    table: pd.DataFrame
    tensors: Mapping[str, np.ndarray]
    description: Mapping[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """Clips requested, generated and scored: a failed clip stays in the first."""
        generated = int((self.table.outcome == OK).sum())
        return {"requested": len(self.table), "generated": generated, "scored": int(self.table.scored.sum())}


@dataclass(frozen=True)
class Value:
    """One value of one metric, with everything that is needed to quote it. low, high: NaN without an interval."""

    method: str
    metric: str
    value: float
    low: float
    high: float
    requested: int
    generated: int
    scored: int
    flag: str
    fingerprint: str


def evaluate(
    methods: list[Evaluated], reference: Evaluated, verdicts: pd.DataFrame, confidence: float
) -> tuple[list[Value], dict[str, Any]]:
    """Every metric of every method, and the protocols by fingerprint."""
    real = fvd.moments(reference.tensors["i3d"])
    values: list[Value] = []
    protocols: dict[str, Any] = {}

    def add(
        method: Evaluated, metric: str, number: float, protocol: dict[str, Any], flag: str = "",
        interval: tuple[float, float] = (float("nan"), float("nan")),
    ) -> None:  # fmt: skip
        mark = fingerprint(protocol)
        protocols[mark] = protocol
        counts = method.counts
        values.append(Value(method.name, metric, number, *interval, **counts, flag=flag, fingerprint=mark))

    for method in methods:
        distance, flag = _fvd(method, real)
        add(method, "fvd", distance, asdict(fvd_protocol(method, reference)), flag)
        add(method, "clipsim", _clipsim(method), clipsim_protocol(method))
        add(method, "frames_per_second", _speed(method.table), speed_protocol())
        add(method, "parameters", int(method.description["parameters"]), {"name": "parameters", "of": "denoiser"})
        own = verdicts[verdicts.method == method.name]
        if len(own):
            rate = wilson(int(own.success.sum()), len(own), confidence)
            protocol = judge_protocol(confidence)
            add(method, "success_rate", rate.value, protocol, interval=(rate.low, rate.high))
    return values, protocols


def fvd_protocol(method: Evaluated, reference: Evaluated) -> Protocol:
    """The protocol `reelbench` (the default) for a method against the reference."""
    frames = method.table.frames.dropna()
    return Protocol(
        name="reelbench",
        network="i3d-kinetics-400 logits (TF-Hub)",
        weights=method.description["i3d"],
        frames=int(frames.iloc[0]) if len(frames) else 0,
        stride=1,
        resize=f"squash to {i3d.SIZE}x{i3d.SIZE}, bilinear, no antialias",
        value_range="[-1, 1]",
        real=fingerprint(list(reference.table.fingerprint)),
        n_real=reference.counts["scored"],
        n_gen=method.counts["scored"],
        ddof=1,
        decoder=method.description["decoder"],
    )


def clipsim_protocol(method: Evaluated) -> dict[str, Any]:
    """What is behind a CLIPSIM."""
    return {
        "name": "clipsim",
        "weights": method.description["clip"],
        "text_tower": method.description["text_tower"],
        "frames": "all",
        "resize": "bicubic, antialiased, to the tower's square; none at its own size",
        "caption": "guide prompt",
        "decoder": method.description["decoder"],
    }


def judge_protocol(confidence: float) -> dict[str, Any]:
    """What is behind a success rate: the code of the judge and of its verdicts is the protocol."""
    code = {module.__name__: sha256(Path(str(module.__file__))) for module in (judge, mixtures, scene)}
    return {"name": "judge", **code, "interval": f"Wilson {confidence:g}", "denominator": "requested"}


def speed_protocol() -> dict[str, Any]:
    """What is behind a speed: sampling and decoding, in batches, on this machine."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} threads"
    return {"name": "speed", "clock": "sampling and decoding of whole batches", "device": device}


def _fvd(method: Evaluated, real: fvd.Moments) -> tuple[float, str]:
    """FVD, and a flag where it rests on too few clips."""
    n = method.counts["scored"]
    if n < 2:
        return float("nan"), "fewer than 2 clips"
    distance = fvd.frechet_distance(fvd.moments(method.tensors["i3d"]), real)
    return distance, f"n = {n} < {fvd.MIN_CLIPS}" if n < fvd.MIN_CLIPS else ""


def _clipsim(method: Evaluated) -> float:
    """Mean over the scored clips."""
    if not method.counts["scored"]:
        return float("nan")
    frames, text = (torch.from_numpy(method.tensors[name]) for name in ("clip_frames", "clip_text"))
    return float(clipsim(frames, text).mean())


def _speed(table: pd.DataFrame) -> float:
    """Frames sampled per second of sampling and decoding, over the scored clips."""
    scored = table[table.scored]
    seconds = scored.seconds.sum()
    return float(scored.frames.sum() / seconds) if seconds > 0 else float("nan")


def world_mixture(mixture: Mixture, prompts: Mapping[str, Prompt]) -> WorldMixture:
    """The mixture with its parts' names, from the columns of the world's prompt file.

    Raises:
        ValueError: if a part lacks a name, as prompts of other sets do.
    """
    parts = []
    for part in mixture.parts:
        extra = prompts[part].extra
        missing = [attribute for attribute in ATTRIBUTES if attribute not in extra]
        if missing:
            raise ValueError(f"prompt {part}: no column {', '.join(missing)}: the judge knows the world's prompts only")
        parts.append(Names(**{attribute: extra[attribute] for attribute in ATTRIBUTES}))
    return WorldMixture(mixture.name, tuple(parts), tuple(mixture.extra["attributes"].split()))


def judge_mixtures(methods: list[Evaluated], judged: list[Mixture], prompts: Mapping[str, Prompt]) -> pd.DataFrame:
    """The verdict on every requested clip of every mixture; a clip that was not scored is no success."""
    rows = []
    for method in methods:
        for mixture in judged:
            own = method.table[method.table.mixture == mixture.id]
            if not len(own):
                continue
            found = verdict(world_mixture(mixture, prompts), readings_of(own))
            scored = own.scored.to_numpy(bool)
            for i, (_, clip) in enumerate(own.iterrows()):
                row = {"method": method.name, "mixture": mixture.id, "seed": clip.seed, "clip": clip["clip"]}
                for part, (share, present) in enumerate(zip(found.shares[i], found.present[i], strict=True)):
                    row |= {f"share_{'abc'[part]}": share, f"present_{'abc'[part]}": bool(present and scored[i])}
                row |= {
                    name: bool(getattr(found, name)[i] and scored[i]) for name in ("shared", "one_object", "success")
                }
                rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else list(_VERDICT_COLUMNS))


def compare(verdicts: pd.DataFrame, candidate: str, baseline: str) -> dict[str, Any] | None:
    """McNemar's exact test of two methods' successes on the same mixtures and seeds; None if nothing was judged."""
    if not len(verdicts):
        return None
    table = verdicts.pivot_table(index=["mixture", "seed"], columns="method", values="success", aggfunc="first")
    pairs = table[[candidate, baseline]].dropna().astype(bool)
    result = mcnemar(pairs[candidate].to_numpy(), pairs[baseline].to_numpy())
    return {
        "candidate": candidate,
        "baseline": baseline,
        "pairs": len(pairs),
        "only_candidate": result.only_first,
        "only_baseline": result.only_second,
        "p": result.p,
    }
