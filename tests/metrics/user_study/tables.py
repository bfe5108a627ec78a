"""Votes to test with: any answers, in a table as an export writes it."""

from collections.abc import Sequence

import pandas as pd

from metrics.user_study.votes import COLUMNS, check

BASE = {
    **dict.fromkeys(COLUMNS, ""),
    "study": "s",
    "design": "best_of",
    "rater": "r-1",
    "trial": "1",
    "prompt": "p1",
    "question": "best",
    "clips": "c1|c2",
    "shown": "a|b",
    "answer": "a",
    "seconds": "2.5",
    "voted": "2026-01-02T03:04:05+00:00",
}


def row(**changes: object) -> dict[str, str]:
    """One vote as text, valid unless `changes` say otherwise."""
    return {**BASE, **{key: str(value) for key, value in changes.items()}}


def table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Checked votes. Trials are counted for each rater unless they are given."""
    counts: dict[object, int] = {}
    filled = []
    for one in rows:
        counts[one.get("rater")] = counts.get(one.get("rater"), 0) + 1
        shown = str(one.get("shown", BASE["shown"]))
        clips = "|".join(f"{one.get('prompt', 'p1')}-{name}" for name in shown.split("|"))
        filled.append(row(**{"trial": counts[one.get("rater")], "clips": clips, **one}))
    return check(pd.DataFrame(filled))
