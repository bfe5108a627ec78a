"""Features -> metrics with counts, intervals and the protocol behind each; and the judge's verdict on each mixture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch

from metrics.distances import fvd as frechet
from metrics.hashing import fingerprint, sha256
from metrics.scoring.summary import DIFFERENCES, difference, few_clips, summarise
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.extrapolation import fvd_by_clips, over_seeds
from metrics.statistics.proportions import mcnemar, wilson
from pipeline.config.params import Comparison
from pipeline.evaluation.attributes import attribute_intervals
from pipeline.evaluation.features import Evaluated, readings_of
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.world import attributes, captions, judge, mixtures, scene
from pipeline.world.mixtures import WorldMixture
from pipeline.world.scene import ATTRIBUTES, Names
from pipeline.world.verdicts import verdict

_VERDICT_COLUMNS = ("method", "mixture", "seed", "clip", "shared", "one_object", "success")
_CURVE_SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
NOTHING = float("nan")


@dataclass(frozen=True)
class MethodValue:
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
    methods: list[Evaluated], reference: Evaluated, verdicts: pd.DataFrame, judged: pd.DataFrame,
    names: Sequence[str], how: Uncertainty,
) -> tuple[list[MethodValue], dict[str, Any]]:  # fmt: skip
    """The named metrics of every method, speed, size, success and attributes, and the protocols by fingerprint."""
    values: list[MethodValue] = []
    protocols: dict[str, Any] = {}

    def add(
        method: Evaluated, metric: str, number: float, protocol: dict[str, Any], flag: str = "",
        interval: tuple[float, float] = (NOTHING, NOTHING),
    ) -> None:  # fmt: skip
        mark = fingerprint(protocol)
        protocols[mark] = protocol
        values.append(MethodValue(method.name, metric, number, *interval, **method.counts, flag=flag, fingerprint=mark))

    for method in methods:
        for found in summarise(names, method.measured, reference.measured, method.protocol, how):
            own = found.interval
            add(method, found.metric, own.value, found.fingerprint.choices, found.flag, (own.low, own.high))
        add(method, "frames_per_second", _speed(method.table), speed_protocol())
        add(method, "parameters", method.parameters or NOTHING, {"name": "parameters", "of": "denoiser"})
        own = verdicts[verdicts.method == method.name]
        if len(own):
            rate = wilson(int(own.success.sum()), len(own), how.confidence)
            protocol = judge_protocol(how.confidence)
            add(method, "success_rate", rate.value, protocol, interval=(rate.low, rate.high))
        own = judged[judged.method == method.name]
        if len(own):
            for name, found in attribute_intervals(own, how).items():
                protocol = attribute_protocol(name, how)
                add(method, name, found.value, protocol, interval=(found.low, found.high))
    return values, protocols


def differences(
    methods: list[Evaluated], reference: Evaluated, comparisons: Sequence[Comparison], names: Sequence[str],
    how: Uncertainty,
) -> pd.DataFrame:  # fmt: skip
    """candidate - baseline of each comparison and metric on the clips that both scored, by a paired bootstrap."""
    by_name = {method.name: method for method in methods}
    rows = []
    for pair, name in product(comparisons, (name for name in names if name in DIFFERENCES)):
        candidate, baseline = pair.candidate, pair.baseline
        sides = by_name[candidate].measured, by_name[baseline].measured
        found, pairs = difference(name, *sides, reference.measured, by_name[candidate].protocol, how)
        if pairs > 1:
            flag = few_clips(pairs, reference.measured.scored) if name == "fvd" else ""
            rows.append({"metric": name, "candidate": candidate, "baseline": baseline, "pairs": pairs,
                         "difference": found.value, "low": found.low, "high": found.high, "flag": flag})  # fmt: skip
    return pd.DataFrame(rows, columns=["metric", "candidate", "baseline", "pairs", "difference", "low", "high", "flag"])


def fvd_by_seed(methods: list[Evaluated], reference: Evaluated) -> pd.DataFrame:
    """FVD of each seed's clips: mean, standard deviation, and the minimum over the first three seeds (ETC, E.3)."""
    rows = []
    for method in methods:
        table, logits = method.measured.table, method.measured.logits
        seeds = [seed for seed in sorted(table.seed.unique()) if (table.seed == seed).sum() > 1]
        real, ddof = reference.measured.logits, method.protocol.ddof
        if not seeds or len(real) < 2:
            continue
        found = [frechet.fvd(logits[(table.seed == seed).to_numpy()], real, ddof) for seed in seeds]
        clips = int(min((table.seed == seed).sum() for seed in seeds))
        summary = over_seeds(found)
        rows.append({"method": method.name, "clips": clips, "seeds": summary.n, "mean": summary.mean, "sd": summary.sd,
                     "minimum_of_3": over_seeds(found[:3]).minimum if len(found) >= 3 else NOTHING,
                     "flag": few_clips(clips, len(real))})  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "clips", "seeds", "mean", "sd", "minimum_of_3", "flag"])


def fvd_curves(methods: list[Evaluated], reference: Evaluated, seeds: int) -> pd.DataFrame:
    """FVD of each method against the number of its clips (ETC, Figure 17), for subsets drawn with several seeds."""
    parts = []
    for method in methods:
        gen, real = method.measured.logits, reference.measured.logits
        if min(len(gen), len(real)) < 2:
            continue
        sizes = [*(size for size in _CURVE_SIZES if size <= 0.8 * len(gen)), len(gen)]
        curve = fvd_by_clips(gen, real, sizes, range(seeds), method.protocol.ddof)
        parts.append(curve.assign(method=method.name, flag=[few_clips(n, len(real)) for n in curve.n]))
    columns = ["method", "n", "seed", "fvd", "flag"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def judge_protocol(confidence: float) -> dict[str, Any]:
    """What is behind a success rate: the code of the judge and of its verdicts is the protocol."""
    interval = f"Wilson {confidence:g}"
    return {"name": "judge", **_hashes(judge, mixtures, scene), "interval": interval, "denominator": "requested"}


def attribute_protocol(name: str, how: Uncertainty) -> dict[str, Any]:
    """What is behind a share of clips with an attribute, or their average."""
    bootstrap = f"bootstrap {how.confidence:g}, {how.resamples} resamples, seed {how.seed}"
    interval = bootstrap if name == attributes.AVERAGE else f"Wilson {how.confidence:g}"
    code = _hashes(judge, attributes, captions, scene)
    return {"name": f"attribute: {name}", **code, "interval": interval, "denominator": "requested"}


def _hashes(*modules: ModuleType) -> dict[str, str]:
    return {module.__name__: sha256(Path(str(module.__file__))) for module in modules}


def speed_protocol() -> dict[str, Any]:
    """What is behind a speed: sampling and decoding, in batches, on this machine."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} threads"
    return {"name": "speed", "clock": "sampling and decoding of whole batches", "device": device}


def _speed(table: pd.DataFrame) -> float:
    """Frames made per second of sampling and decoding, over the scored clips; NaN for clips that were brought."""
    scored = table[table.scored & (table.frames > 0)]
    seconds = scored.seconds.sum()
    return float(scored.frames.sum() / seconds) if seconds > 0 else NOTHING


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
    """McNemar's exact test of two methods' successes on the same mixtures and seeds; None if they share none."""
    if not len(verdicts):
        return None
    table = verdicts.pivot_table(index=["mixture", "seed"], columns="method", values="success", aggfunc="first")
    pairs = table.reindex(columns=[candidate, baseline]).dropna().astype(bool)
    if not len(pairs):
        return None
    result = mcnemar(pairs[candidate].to_numpy(), pairs[baseline].to_numpy())
    return {
        "candidate": candidate,
        "baseline": baseline,
        "pairs": len(pairs),
        "only_candidate": result.only_first,
        "only_baseline": result.only_second,
        "p": result.p,
    }
