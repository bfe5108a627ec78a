"""Rows of the database as what they stand for, and back."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from pipeline.study.plan import Item, Trial


def row_of(rater: str, trial: Trial) -> dict[str, Any]:
    """A trial of a rater as it is stored before anybody saw it."""
    values = {"rater": rater, "number": trial.number, "kind": trial.check, "item": asdict(trial.item)}
    return values | {"methods": list(trial.shown), "repeats": trial.repeats, "revision": 0}


def items_of(items: Sequence[Item]) -> list[dict[str, Any]]:
    """What a study asks about, in its order, as it is stored."""
    return [asdict(item) | {"parts": list(item.parts) if item.parts else None} for item in items]


def trial_of(row: Row[Any]) -> Trial:
    """A trial as it was planned."""
    parts = row.item["parts"]
    item = Item(**row.item | {"parts": tuple(parts) if parts else None})
    return Trial(row.number, row.kind, item, tuple(row.methods), row.repeats)


def utc(seconds: float | None) -> datetime | None:
    """A stored time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
