"""Nested parameters and tables of curves -> what a run holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.tracking.store import Series


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sections in sections as dotted keys: {"prior": {"steps": 10}} is {"prior.steps": 10}."""
    return pd.json_normalize(dict(values)).to_dict("records")[0] if values else {}


def curves_of(path: Path) -> list[Series]:
    """The curves of a training: each column of its history by step."""
    history = pd.read_csv(path)
    columns = [name for name in history if name != "step"]
    return [Series(name, history[["step", name]].dropna().to_records(index=False).tolist()) for name in columns]
