"""Which raters are left out: those who failed more than a stated share of their attention checks, by default one half.

A check is failed if one of its answers is wrong. One slip of an attentive rater must not cost all their votes, so a
failure among several checks is allowed; whoever answers at random passes a check only as often as all of its answers
happen to be right, and fails most of them. The rule looks at checks alone, never at what the rater preferred.
"""

import pandas as pd

from metrics.user_study.votes import ATTENTION

HALF = 0.5
_RATER = ["study", "rater"]


def raters(votes: pd.DataFrame, most_failed: float = HALF) -> pd.DataFrame:
    """Every rater, and whether they are left out.

    Args:
        most_failed: the share of failed checks that is still allowed, in [0, 1]; 1 leaves nobody out.

    Returns:
        Columns study, rater, profession, years, votes (of real trials), checks, failed, excluded. A rater who met no
        check is kept.
    """
    counted = votes.assign(_real=votes.check == "").groupby(_RATER, sort=False)
    found = counted.agg(profession=("profession", "first"), years=("years", "first"), votes=("_real", "sum"))
    asked = votes[votes.check.isin(ATTENTION) & votes.passed.notna()]
    failed = asked.assign(failed=~asked.passed.astype(bool)).groupby([*_RATER, "trial"]).failed.any()
    checks = failed.groupby(_RATER).agg(checks="size", failed="sum").reindex(found.index, fill_value=0)
    found = found.join(checks)
    return found.assign(excluded=found.failed > most_failed * found.checks).reset_index()


def kept(votes: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    """The votes of the raters that `raters` did not leave out."""
    out = of[of.excluded]
    left = set(zip(out.study, out.rater, strict=True))
    stays = [pair not in left for pair in zip(votes.study, votes.rater, strict=True)]
    return votes[stays].reset_index(drop=True)


def sentence(of: pd.DataFrame, most_failed: float = HALF) -> str:
    """The rule and whom it hit, for the remarks of a table."""
    out = of[of.excluded]
    rule = f"Raters who failed more than {100 * most_failed:g} % of their attention checks are left out"
    if not of.checks.any():
        return f"{rule}; this study has none, so nobody was."
    named = ", ".join(f"{one.rater} ({one.failed} of {one.checks})" for one in out.itertuples())
    return f"{rule}: {len(out)} of {len(of)}{f', failed: {named}' if named else ''}."
