"""Which raters are left out: those who failed more than a stated share of the answers that attention checks asked for.

The default is one half. One slip of an attentive rater must not cost all their votes, so a single failure among several
checks is allowed; whoever answers at random passes a check about as often as one of its answers is the right one, half
the time at most, and fails most of them. The rule looks at checks alone, never at what the rater preferred.
"""

import pandas as pd

from metrics.user_study.votes import ATTENTION

HALF = 0.5


def raters(votes: pd.DataFrame, most_failed: float = HALF) -> pd.DataFrame:
    """Every rater, and whether they are left out.

    Args:
        most_failed: the share of failed answers that is still allowed, in [0, 1]; 1 leaves nobody out.

    Returns:
        Columns study, rater, profession, years, votes (of real trials), checks (answers to attention checks), failed,
        excluded. A rater who met no check is kept.
    """
    asked = votes.check.isin(ATTENTION) & votes.passed.notna()
    failed = asked & (votes.passed == False)  # noqa: E712  None is neither
    counted = votes.assign(_real=votes.check == "", _asked=asked, _failed=failed)
    found = counted.groupby(["study", "rater"], sort=False).agg(
        profession=("profession", "first"),
        years=("years", "first"),
        votes=("_real", "sum"),
        checks=("_asked", "sum"),
        failed=("_failed", "sum"),
    )
    return found.assign(excluded=found.failed > most_failed * found.checks).reset_index()


def kept(votes: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    """The votes of the raters that `raters` did not leave out."""
    out = of[of.excluded]
    left = set(zip(out.study, out.rater, strict=True))
    stays = [pair not in left for pair in zip(votes.study, votes.rater, strict=True)]
    return votes[stays].reset_index(drop=True)


def sentence(of: pd.DataFrame, most_failed: float = HALF) -> str:
    """The rule and whom it hit, for the remarks of a table."""
    out, checks = int(of.excluded.sum()), int(of.checks.max()) if len(of) else 0
    rule = f"Raters who failed more than {100 * most_failed:g} % of the answers to attention checks are left out"
    if not checks:
        return f"{rule}; this study has no attention check, so nobody was."
    named = ", ".join(f"{one.rater} ({one.failed} of {one.checks})" for one in of[of.excluded].itertuples())
    return f"{rule}: {out} of {len(of)}{f', failed: {named}' if out else ''}."
