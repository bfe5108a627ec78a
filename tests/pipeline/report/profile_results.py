"""Results as the run of a profile leaves them: a public checkpoint, nothing of the toy world, nobody who judges."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.clips import ledger
from pipeline.config import params, profiles
from pipeline.config.params import Params
from pipeline.report.results import Results
from tests.pipeline.report.conftest import INTERVAL, metric_row

PROFILE = "cogvideox-2b"
MEASURED = ("clipsim", "frame_consistency", "frames_per_second", "parameters")
SIZE = 1_693_800_000.0


def of_profile(results: Results, root: Path, *settings: str) -> Results:
    """A small run's results with a profile's parameters and metrics in their place; its ledgers go into the working
    folder, which must be an empty one."""
    wanted = _params(root, settings)
    methods = wanted.generate.evaluated
    rows = [metric_row(method, "mixtures", metric) for method in methods for metric in MEASURED]
    metrics = pd.DataFrame(rows)
    metrics.loc[metrics.metric == "parameters", "value"] = SIZE
    generated = [mixture for mixture in results.mixtures if mixture.set == wanted.generate.set][:2]
    for method in methods:
        for mixture in generated:
            entry = ledger.Entry(f"{mixture.name}-s0", method, mixture.id, 0, "", "p", "c", "w", "f", 0.5, ledger.OK)
            ledger.append(wanted.generate.folder(method), entry)
    own = replace(results, params=wanted, generated=generated, metrics=metrics, verdicts=results.verdicts.iloc[:0])
    tests = {"success_tests": [], "attribute_tests": []}
    evaluation, compared = results.evaluation | tests, _comparisons(results, wanted)
    return replace(own, evaluation=evaluation, comparisons=compared, **_nothing_came(results))


def _params(root: Path, settings: tuple[str, ...]) -> Params:
    with chdir(root):
        values = profiles.with_settings(profiles.with_profile(params.read(), PROFILE), settings)
        return params.checked(values, "the parameters with the profile")


def _comparisons(results: Results, wanted: Params) -> dict[str, pd.DataFrame]:
    """The differences of both metrics, the later one first; nothing else."""
    shown = {"difference": 0.125, "low": 0.0625, "high": 0.25, "p": 0.01, "p_holm": 0.02, "flag": ""}
    differences = [
        {"metric": metric, **pair.model_dump(), "pairs": 2, "clusters": 2, **shown}
        for pair in wanted.evaluate.comparisons
        for metric in ("frame_consistency", "clipsim")
    ]
    columns = results.comparisons["differences"].columns
    empty = {name: table.iloc[:0] for name, table in results.comparisons.items()}
    return empty | {"differences": pd.DataFrame(differences, columns=columns)}


def _nothing_came(results: Results) -> dict[str, Any]:
    tables = ("sweeps", "trials", "trial_values", "training_seeds", "etc", "etc_larger", "make_a_video", "oracle")
    empty = {name: getattr(results, name).iloc[:0] for name in (*tables, "oracle_steps", "choices", "reproduced")}
    alone = ("interpolation", "extrapolation", "consistency", "passed_on", "normality", "mapping_effect")
    further = ("token_attention", "attention_maps", "attention", "attention_sweep", "bounds", "studies", "full_size")
    return empty | dict.fromkeys((*alone, *further)) | {"manifests": []}


def labelled(results: Results) -> Results:
    """The same with labels of clips: the candidates show every mixture, the baselines none."""
    rows = [metric_row(method, "mixtures", "success_rate") for method in results.params.generate.evaluated]
    verdicts = [
        {"method": row["method"], "mixture": mixture.id, "seed": 0, "success": row["method"] == "richspace"}
        for row in rows
        for mixture in results.generated
    ]
    return replace(results, metrics=pd.concat([results.metrics, pd.DataFrame(rows)]), verdicts=pd.DataFrame(verdicts))


def measured(results: Results, *metrics: str) -> Results:
    """The same with further metrics of its methods."""
    rows = [metric_row(method, "mixtures", name) for method in results.params.generate.evaluated for name in metrics]
    return replace(results, metrics=pd.concat([results.metrics, pd.DataFrame(rows).assign(**INTERVAL)]))
