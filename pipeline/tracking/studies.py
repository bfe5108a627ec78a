"""User studies -> runs: a run for each study, with its main values; a simulated one says so in its name and a tag."""

from collections.abc import Sequence

import pandas as pd

from pipeline.config import paths
from pipeline.tracking.store import ChildRun

SIMULATED_TAG = "reelbench.simulated"
_BOUNDS = {"": "value", "_low": "low", "_high": "high"}
_VALUES: dict[str, Sequence[str]] = {  # tables of the stage, and the columns that name a value
    "shares": ("question", "method"),
    "preferences": ("question", "candidate", "opponent"),
    "attributes": ("question", "method"),
    "mixture": ("question", "method"),
    "ratings": ("question", "method"),
    "strengths": ("question", "method"),
    "reliability": ("question",),
    "agreement": ("question", "metric"),
}


def runs() -> list[ChildRun]:
    """One for each study that the stage analysed; none if it has not run."""
    studies = _table("studies")
    tables = {name: _table(name) for name in _VALUES}
    return [
        _run(one, {name: own[own.study == one["study"]] for name, own in tables.items()})
        for one in studies.to_dict("records")
    ]


def _run(about: dict[str, object], tables: dict[str, pd.DataFrame]) -> ChildRun:
    simulated = bool(about["simulated"])
    metrics = {name: float(about[name]) for name in ("raters", "excluded", "votes", "prompts")}
    for name, own in tables.items():
        for row in own.to_dict("records"):
            if row.get("group", "overall") == "overall":
                key = f"{name}/{'/'.join(str(row[column]) for column in _VALUES[name])}"
                metrics |= {f"{key}{end}": float(row[column]) for end, column in _BOUNDS.items()}
    described = {name: about[name] for name in ("design", "methods", "simulated")}
    name = f"{'simulated-' if simulated else ''}user-study-{about['study']}"
    return ChildRun(name, "user-study", described, metrics, tags={SIMULATED_TAG: str(simulated).lower()})


def _table(name: str) -> pd.DataFrame:
    path = paths.STUDY / f"{name}.csv"
    return pd.read_csv(path, dtype={"study": str}) if path.is_file() else pd.DataFrame(columns=["study"])
