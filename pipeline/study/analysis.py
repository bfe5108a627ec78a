"""Votes of several studies -> one table for each question that can be asked of them, with the study in a column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study import (
    agreement,
    attributes,
    exclusion,
    planning,
    preferences,
    ratings,
    reliability,
    shares,
    strength,
)
from metrics.user_study.votes import CHOICES, real, split

OVERALL = "overall"
SHARES = ("group", "key", "years", *shares.COLUMNS)
STUDIES = ("study", "design", "simulated", "raters", "excluded", "votes", "prompts", "methods", "seconds", "rule")
_COLUMNS: Mapping[str, Sequence[str]] = {
    "shares": SHARES,
    "preferences": preferences.COLUMNS,
    "attributes": attributes.COLUMNS,
    "mixture": attributes.COLUMNS,
    "ratings": ratings.COLUMNS,
    "strengths": strength.COLUMNS,
    "reliability": reliability.COLUMNS,
    "agreement": agreement.COLUMNS,
    "planning": planning.COLUMNS,
}


@dataclass(frozen=True)
class Measurements:
    """What metrics say of clips: a row for each method and clip, a column for each metric; which of them are better
    where they are higher."""

    table: pd.DataFrame
    higher_is_better: Mapping[str, bool]


NOTHING_MEASURED = Measurements(pd.DataFrame(columns=agreement.KEY), {})


def tables(
    votes: pd.DataFrame,
    measured: Measurements,
    simulated: bool,
    uncertainty: Uncertainty,
    most_failed: float = exclusion.HALF,
) -> dict[str, pd.DataFrame]:
    """Every table by its name: studies, raters, and those of `metrics.user_study`; all have a column study, and
    simulated, whether nobody voted.

    Args:
        votes: as `metrics.user_study.votes.read` returns them, of any number of studies. most_failed: the share of
            failed attention checks beyond which a rater is left out.
    """
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in ("studies", "raters", *_COLUMNS)}
    for study, own in votes.groupby("study", sort=False):
        everybody = exclusion.raters(own, most_failed)
        counted = real(exclusion.kept(own, everybody))
        about = {"study": study, "simulated": simulated}
        found["raters"].append(everybody.assign(simulated=simulated))
        rule = exclusion.sentence(everybody, most_failed)
        found["studies"].append(pd.DataFrame([about | _described(own, counted, everybody, rule)]))
        for name, table in _of_one(counted, measured, uncertainty).items() if len(counted) else ():
            found[name].append(table.assign(**about))
    return {name: _together(name, parts) for name, parts in found.items()}


def _of_one(votes: pd.DataFrame, measured: Measurements, uncertainty: Uncertainty) -> dict[str, pd.DataFrame]:
    """The tables of one study; those of its own design first."""
    design = votes.design.iloc[0]
    own: dict[str, pd.DataFrame] = {}
    if design in CHOICES:
        own |= {"strengths": strength.strengths(votes, uncertainty), "planning": planning.planning(votes, uncertainty)}
    if design == "best_of":
        own["shares"] = _shares(votes, uncertainty)
    elif design == "pairwise":
        own["preferences"] = preferences.preferences(votes, uncertainty)
    elif design == "attributes":
        own["attributes"] = attributes.attributes(votes, uncertainty)
    elif design == "mixture":
        own["mixture"] = attributes.mixture(votes, uncertainty)
    else:
        own["ratings"] = ratings.ratings(votes, uncertainty)
    return own | {
        "reliability": reliability.reliability(votes, uncertainty),
        "agreement": agreement.agreement(votes, measured.table, measured.higher_is_better, uncertainty),
    }


def _shares(votes: pd.DataFrame, uncertainty: Uncertainty) -> pd.DataFrame:
    """Overall, by profession where it was asked for, and by rater: group says which, key whose."""
    parts = [shares.overall(votes, uncertainty).assign(group=OVERALL, key="", years=np.nan)]
    if (votes.profession != "").any():
        by = shares.by(votes, "profession", uncertainty).rename(columns={"profession": "key"})
        parts.append(by.assign(group="profession", years=np.nan))
    alone = Uncertainty(0, uncertainty.confidence, uncertainty.seed)  # of one rater there is nothing to draw
    by = shares.by(votes, "rater", alone).rename(columns={"rater": "key"})
    parts.append(by.assign(group="rater", years=by.key.map(votes.groupby("rater").years.first())))
    return pd.concat(parts, ignore_index=True)[list(SHARES)]


def _described(votes: pd.DataFrame, counted: pd.DataFrame, raters: pd.DataFrame, rule: str) -> dict[str, object]:
    trials = votes[votes.check == ""].drop_duplicates(["rater", "trial"])
    return {
        "design": votes.design.iloc[0],
        "raters": len(raters),
        "excluded": int(raters.excluded.sum()),
        "votes": len(counted),
        "prompts": counted.prompt.nunique(),
        "methods": " ".join(sorted({name for shown in trials.shown for name in split(shown)})),
        "seconds": float(trials.seconds.median()),
        "rule": rule,
    }


def _together(name: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    columns = ["study", "simulated", *_COLUMNS[name]] if name in _COLUMNS else None
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=columns or (list(STUDIES) if name == "studies" else ["study", "simulated"]))
    table = pd.concat(filled, ignore_index=True)
    first = ["study", "simulated"]
    return table[columns] if columns else table[[*first, *(column for column in table if column not in first)]]
