"""Methods -> runs: their values with intervals, and what their clips were made with."""

from typing import Any

import pandas as pd

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.generate import External, GuidanceParams, Method
from pipeline.config.methods import FAMILIES, own_options, typed
from pipeline.config.params import Params
from pipeline.tracking.shapes import flat
from pipeline.tracking.store import ChildRun, Series


def runs(params: Params) -> list[ChildRun]:
    """One for each method of the table of metrics, in its order."""
    metrics = pd.read_csv(paths.RESULTS / "metrics.csv", dtype={"method": str})
    return [_run(params, str(name), own) for name, own in metrics.groupby("method", sort=False)]


def _run(params: Params, name: str, own: pd.DataFrame) -> ChildRun:
    values = {row.metric: row.value for row in own.itertuples()}
    values |= {f"{row.metric}_low": row.low for row in own.itertuples() if pd.notna(row.low)}
    values |= {f"{row.metric}_high": row.high for row in own.itertuples() if pd.notna(row.high)}
    values |= {f"clips_{count}": int(own.iloc[0][count]) for count in ("requested", "generated", "scored")}
    tags = {f"fingerprint.{row.metric}": row.fingerprint for row in own.itertuples()}
    tags |= {f"flag.{row.metric}": row.flag for row in own.itertuples() if pd.notna(row.flag)}
    described = described_of(params, name, own.iloc[0].asked)
    return ChildRun(name, "method", described, values, _curves(name), tags=tags)


def described_of(params: Params, name: str, asked: str) -> dict[str, Any]:
    """What a method's clips were made with: its own and its sampler's options, model, prompt set and seeds, sampling,
    k and α where it has them. asked: for prompts, mixtures or videos."""
    entry, made = params.generate.everything[name], ledger.about(params.generate.folder(name))
    known = {"asked": asked, "weights": made.get("weights") or None}
    if isinstance(entry, External):
        return flat(entry.model_dump(exclude={"evaluate"}) | known)
    options, sampling = _options(name, entry, params), made.get("made_by", {}).get("sampling", {})
    k = params.search.default_k if "point" in options else None  # of RichSpace's search
    known |= {"k": k, "mg_scale": sampling.get("mg_scale"), "checkpoint": made.get("origin")}
    return flat(options | _asked(params, entry, asked) | _sampled(params, entry) | known)


def _options(name: str, entry: Method, params: Params) -> dict[str, Any]:
    """Those that are the method's own and its sampler's, with their defaults."""
    key, family = f"generate.methods.{name}", params.generate.models[entry.model].family
    kinds = (own_options(f"{key}.module", entry.module), FAMILIES[family])
    own, of_sampler = (typed(key, kind, entry.options).model_dump() for kind in kinds)
    return of_sampler | {key: value for key, value in own.items() if key != "ask"}  # `asked` says it


def _asked(params: Params, entry: Method, asked: str) -> dict[str, Any]:
    """The prompt set, how much of it, and clips of each prompt or mixture."""
    section = params.generate.mixtures if asked == "mixtures" else params.generate.prompts
    limit = params.generate.limit_of(entry, asked)
    return {"set": params.generate.set_of(entry), "limit": limit or "all", "seeds": entry.seeds or section.seeds}


def _sampled(params: Params, entry: Method) -> dict[str, Any]:
    """The model, and how it is sampled."""
    model = params.generate.models[entry.model]
    about = {"module": entry.module, "model": entry.model, "family": model.family, "encoder": model.encoder}
    sampling = model.sampling.model_dump(exclude={"guidance"})
    return about | sampling | _guidance(model.sampling.guidance) | {"fps": model.fps}


def _guidance(guidance: GuidanceParams) -> dict[str, float]:
    early = {} if guidance.early is None else {"guidance_early": guidance.early, "guidance_until": guidance.until}
    return {"guidance": guidance.late, **early}


def _curves(method: str) -> list[Series]:
    """FVD against the number of clips, the mean over draws."""
    curves = pd.read_csv(paths.RESULTS / "fvd_by_clips.csv", dtype={"method": str})
    points = curves[curves.method == method].groupby("n").fvd.mean()
    return [Series("fvd_by_clips", [(int(n), float(value)) for n, value in points.items()])] if len(points) else []
