"""HARIVO's part of the report: its tables beside the paper's, its sweeps, and clips side by side."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.harivo import sweeps
from pipeline.report import plots
from pipeline.report.strips import write_picture
from pipeline.world.attributes import ATTRIBUTES, AVERAGE

SHOWN = (*ATTRIBUTES, AVERAGE)
COLUMNS = (*SHOWN, "fvd", "kvd", "clipsim", "frame_consistency", "frames_per_second", "parameters")
SWEPT = {"mg_scale": "α", "lambda_trs": "λ_TRS", "lambda_reg": "λ_reg", "lambda_dc": "λ_DC"}
NOTHING = float("nan")
_CARDS = 6  # prompts whose clips are shown


@cache
def published() -> dict[str, Any]:
    """The paper's own values."""
    return yaml.safe_load(Path(__file__).with_name("harivo.yaml").read_text(encoding="utf-8"))


def table_1(metrics: pd.DataFrame, ablation: Mapping[str, str]) -> pd.DataFrame:
    """FVD and KVD of every variant with intervals, where they were measured, beside the paper's FVD."""
    rows = []
    for variant, method in ablation.items():
        own = metrics[metrics.method == method].set_index("metric")
        row = {"variant": variant, "method": method, "clips": int(own.scored.iloc[0])}
        for metric in own.index.intersection(["fvd", "kvd"]):
            row |= _with_interval(own, metric)
        flag = own.flag.get("fvd", "")
        rows.append(row | {"flag": flag, "paper_fvd": published()["table_1"].get(variant, NOTHING)})
    return pd.DataFrame(rows)


def table_a2(metrics: pd.DataFrame, ablation: Mapping[str, str]) -> pd.DataFrame:
    """Table A2's attributes of every variant in per cent, with intervals, beside the paper's."""
    rows = []
    for variant, method in ablation.items():
        own = metrics[metrics.method == method].set_index("metric")
        row = {"variant": variant, "method": method}
        theirs = published()["table_a2"].get(variant, [NOTHING] * len(SHOWN))
        for name, paper in zip(SHOWN, theirs, strict=True):
            row |= _with_interval(own, name, 100) | {f"paper_{name}": paper}
        rows.append(row)
    return pd.DataFrame(rows).round(2)


def table_a1(normality: pd.DataFrame) -> pd.DataFrame:
    """The share of noises that pass, in per cent, beside the paper's where frames and weight are its own."""
    share = normality.assign(**{name: 100 * normality[name] for name in ("share", "low", "high")})
    own = share.weight.isin([0, 1]) & (share.frames == 24)
    return share.assign(paper=share.noise.map(published()["table_a1"]).where(own)).round(2)


def _with_interval(own: pd.DataFrame, metric: str, factor: float = 1) -> dict[str, float]:
    found = own.loc[metric]
    values = {metric: found.value, f"{metric}_low": found.low, f"{metric}_high": found.high}
    return {name: factor * value for name, value in values.items()}


def prompted(metrics: pd.DataFrame) -> list[str]:
    """The methods that were asked for prompts."""
    return list(dict.fromkeys(metrics[metrics.asked == "prompts"].method))


def judged(metrics: pd.DataFrame) -> set[str]:
    """The methods whose clips the judge could read."""
    return set(metrics[metrics.metric == AVERAGE].method)


def tables(params: Params, metrics: pd.DataFrame, points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Everything that is written as a table; without the ablation's methods only what needs none."""
    found = {"harivo_table_a1": table_a1(pd.read_csv(paths.NORMALITY))}
    if params.harivo.ablation and set(params.harivo.ablation.values()) <= judged(metrics):
        found["harivo_table1"] = table_1(metrics, params.harivo.ablation)
        found["harivo_table_a2"] = table_a2(metrics, params.harivo.ablation)
    if len(points):
        base = {key: params.train[params.harivo.sweep.model].spec[key] for key in sweeps.LAMBDAS}
        found |= {f"harivo_sweep_{name}": own for name, own in sweeps.sweeps(points, base).items() if len(own)}
    return found


def section(
    params: Params, metrics: pd.DataFrame, found: Mapping[str, pd.DataFrame], curves: pd.DataFrame, folder: Path
) -> dict[str, Any]:
    """What the page shows of HARIVO."""
    methods = prompted(metrics)
    swept = {key: found[f"harivo_sweep_{key}"] for key in SWEPT if f"harivo_sweep_{key}" in found}
    ablation = [found[name].to_dict("records") for name in ("harivo_table1", "harivo_table_a2") if name in found]
    return {
        "methods": methods,
        "shown": SHOWN,
        "columns": [name for name in COLUMNS if name in set(metrics[metrics.method.isin(methods)].metric)],
        "ablation": list(zip(*ablation, strict=True)),
        "counts": {row.method: row for row in metrics.itertuples()},
        "values": {(row.method, row.metric): row for row in metrics.itertuples()},
        "sweeps": [{"name": SWEPT[key], "key": key, "plot": plots.sweep(own, key)} for key, own in swept.items()],
        "fvd": plots.fvd_by_clips(curves[curves.method.isin(methods)]),
        "mapping": plots.mapping_effect(pd.read_csv(paths.MAPPING_EFFECT)),
        "grid": found["harivo_sweep_lambda_grid"].to_dict("records") if "harivo_sweep_lambda_grid" in found else [],
        "points": params.harivo.sweep,
        "cards": _cards(params, methods, folder),
        "unmapped": _cards(params, ["harivo", "harivo_unmapped", "frames", "frames_mapped"], folder),
        "personalised": _cards(params, ["harivo", "personalised"], folder),
    }


def _cards(params: Params, methods: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Clips of the same prompt and noise by those methods that were asked for them, the first prompts of the first."""
    generate = params.generate
    ledgers = {name: ledger.read(generate.folder(name)) for name in methods if name in generate.methods}
    first = list(next(iter(ledgers.values()), {}))
    return [_card(params, clip, ledgers, folder) for clip in first[:_CARDS]]


def _card(params: Params, clip: str, ledgers: Mapping[str, Mapping[str, ledger.Entry]], folder: Path) -> dict[str, Any]:
    clips = []
    own = {method: entries[clip] for method, entries in ledgers.items() if clip in entries}
    for method, entry in own.items():
        target = Path("clips") / f"{method}-{clip}.webp"
        made = entry.outcome == ledger.OK
        if made:
            model = params.generate.models[params.generate.methods[method].model]
            write_picture(read_all(params.generate.folder(method) / entry.file), folder / target, model.fps)
        clips.append({"label": method, "src": target.as_posix() if made else None})
    return {"prompt": next(iter(own.values())).prompt, "clips": clips}
