"""What each part of RichSpace's Algorithm 2 is worth, as a table."""

from typing import Any

import pandas as pd

from pipeline.evaluation.oracle import ALL, FEWEST
from pipeline.report.formatting import fixed, interval, p_value
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.richspace.choices import OPTIMUM, RANDOM

NAMES = {
    "optimum": "RichSpace's step",
    "full": "full curve alone",
    "truncated": "truncated curve alone",
    "foot": "foot of the guide",
    "midpoint": "midpoint",
    "random": "random step",
}
_READ = (
    "Percent of pairs of mixture and initial noise whose clip shows the mixture, from the clips that the oracle "
    "sampled. For the foot the nearest step is taken, for a random step the mean over all steps but 0. Difference: "
    "RichSpace's step minus this one, in percentage points; better, worse: mixtures that it shows with more, or fewer, "
    "seeds."
)
_TESTS = (
    "p: two-sided sign-flip test over whole mixtures, corrected by Holm within the attribute; intervals resample "
    f"mixtures. Neither is given for fewer than {FEWEST} mixtures, nor if the steps are RichSpace's for every mixture."
)


def tables(results: Results) -> list[Table]:
    """A row for each attribute and choice; no table without an oracle."""
    found = results.choices
    if not len(found):
        return []
    columns = [
        Column("What is mixed", numeric=False),
        Column("Which step", numeric=False),
        Column("Shown", "%"),
        Column("Difference"),
        Column("Better, worse"),
        Column("p"),
    ]
    ordered = found.assign(order=found.choice.map(list(NAMES).index)).sort_values(["order"], kind="stable")
    rows = [_row(own) for name in dict.fromkeys(found.attribute) for own in _of(ordered, name)]
    caption = "What each part of Algorithm 2 is worth"
    return [Table("richspace_choices", caption, columns, rows, found, [_READ, _TESTS])]


def _of(table: pd.DataFrame, attribute: str) -> list[Any]:
    return list(table[table.attribute == attribute].itertuples())


def _row(own: Any) -> list[Cell]:
    first = own.choice == OPTIMUM
    counts = "–" if first else f"{own.better:.0f}, {own.worse:.0f}"
    return row(
        f"{own.attribute} ({own.mixtures} mixtures, {own.n} pairs)" if first else "",
        NAMES[own.choice],
        interval(own.value, own.low, own.high, 1),
        interval(own.difference, own.difference_low, own.difference_high, 1),
        counts,
        "–" if pd.isna(own.p_holm) else p_value(own.p_holm),
    )


def summary(results: Results) -> dict[str, str] | None:
    """What the page says in words of all attributes together: RichSpace's step beside the midpoint and a random step,
    and the parts of the algorithm that take the same steps."""
    every = results.choices[results.choices.attribute == ALL].set_index("choice")
    if OPTIMUM not in every.index:
        return None
    same = [NAMES[name] for name in ("full", "truncated", "foot") if _alike(every, name)]
    return {
        "optimum": _percent(every.loc[OPTIMUM]),
        "midpoint": _against(every, "midpoint"),
        "random": _against(every, RANDOM),
        "same": ", ".join(same),
    }


def _alike(every: pd.DataFrame, name: str) -> bool:
    own = every.loc[name] if name in every.index else None
    return own is not None and own.better == own.worse == 0


def _percent(own: pd.Series) -> str:
    return f"{fixed(own.value, 1)} %"


def _against(every: pd.DataFrame, name: str) -> str:
    """`66.1 % (RichSpace's step is better for 0 mixtures, worse for 12; p = 0.001)`."""
    own = every.loc[name]
    tested = "" if pd.isna(own.p_holm) else f"; {p_value(own.p_holm)}"
    counts = f"RichSpace's step is better for {own.better:.0f} mixtures, worse for {own.worse:.0f}{tested}"
    return f"{_percent(own)} ({counts})"
