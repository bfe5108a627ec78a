"""What the oracle says of RichSpace: how often any step of the interpolation shows a mixture, and what RichSpace's step
has of that."""

from typing import Any

import pandas as pd

from pipeline.evaluation.oracle import ALL, FEWEST, RATES
from pipeline.report.formatting import fixed, interval
from pipeline.report.results import Results
from pipeline.report.table import Column, Table, row
from pipeline.world.scene import ATTRIBUTES

# Percent of pairs that some step must show: with less, the interpolation is judged by a model that cannot mix. Pairs
# are stricter than mixtures, of which any seed would do: what reaches the goal in pairs reaches it in mixtures.
GOAL, GOALS = 80, {"shape": 50}
_WORDS = {
    "oracle": "any step",
    "midpoint": "the midpoint",
    "richspace": "RichSpace's step",
    "guide": "the guide prompt",
}
_COLUMNS = (
    "Share: RichSpace's successes of those of any step. Between: any step but the ends. Shown: of the mixtures, by any "
    "step with any seed."
)
_TRIES = "Any step has as many tries as there are steps, each of the others has one."
_INTERVALS = (
    "Intervals: mixtures resampled; Wilson's, with a mixture as one observation, where all mixtures are alike; none "
    f"for fewer than {FEWEST} mixtures."
)


def tables(results: Results) -> list[Table]:
    """The rates by attribute, and the successes by step; none in a run without an oracle."""
    return [_rates(results.oracle), _steps(results.oracle_steps)] if len(results.oracle) else []


def summary(results: Results) -> dict[str, Any] | None:
    """What the page says in words: rates of all pairs, RichSpace's share, and the attributes below their goals."""
    if not len(results.oracle):
        return None
    rates = results.oracle.set_index("attribute")
    every = rates.loc[ALL]
    alone = results.oracle_steps[results.oracle_steps.attribute == ALL].sort_values("step")
    below = [name for name in rates.index if name != ALL and rates.oracle[name] < GOALS.get(name, GOAL)]
    return {
        "n": int(every.n),
        "mixtures": int(every.mixtures),
        "k": int(alone.step.max()),
        "alone": [f"part {part}: {fixed(alone.success.iloc[end], 1)} %" for part, end in (("b", 0), ("a", -1))],
        "rates": {_WORDS[name]: _percent(every, name) for name in RATES},
        "share": _percent(every, "share") if every.oracle else "",
        "goal": f"{GOAL} %",
        "other_goals": ", ".join(f"{name}: {goal} %" for name, goal in GOALS.items()),
        "below": ", ".join(_below(name, rates.loc[name]) for name in below),
        "unasked": ", ".join(name for name in ATTRIBUTES if name not in rates.index),
    }


def _below(name: str, own: pd.Series) -> str:
    """`colour (75.0 % of pairs, 87.5 % of mixtures)`."""
    return f"{name} ({fixed(own.oracle, 1)} % of pairs, {fixed(own.mixtures_shown, 1)} % of mixtures)"


def _title(rate: str) -> str:
    """A rate's words as the head of a column: `Midpoint`."""
    words = _WORDS[rate].removeprefix("the ")
    return words[0].upper() + words[1:]


def _percent(own: pd.Series, name: str) -> str:
    """`71.4 % (60.0–80.1)`."""
    bounds = interval(own[name], own[f"{name}_low"], own[f"{name}_high"], 1)
    value, _, between = bounds.partition(" ")
    return f"{value} % {between}".strip()


def _rates(rates: pd.DataFrame) -> Table:
    columns = [
        Column("What is mixed", numeric=False),
        Column("Pairs"),
        *(Column(_title(name), "%") for name in RATES),
        Column("Share", "%"),
        Column("Between", "%"),
        Column("Mixtures"),
        Column("Shown", "%"),
    ]
    rows = [
        row(
            own.attribute,
            str(own.n),
            *(_cell(own, name) for name in (*RATES, "share")),
            fixed(own.between, 1),
            str(own.mixtures),
            fixed(own.mixtures_shown, 1),
        )
        for own in rates.itertuples()
    ]
    caption = "How often a step of the interpolation shows the mixture, of pairs of mixture and initial noise"
    return Table("richspace_oracle", caption, columns, rows, rates, [_COLUMNS, _TRIES, _INTERVALS])


def _cell(own: Any, name: str) -> str:
    return interval(*(getattr(own, key) for key in (name, f"{name}_low", f"{name}_high")), 1)


def _steps(steps: pd.DataFrame) -> Table:
    """A row for each attribute, a column for each step."""
    shown = steps.pivot(index="attribute", columns="step", values="success")
    columns = [Column("What is mixed", numeric=False), *(Column(str(step)) for step in shown.columns)]
    rows = [row(name, *(fixed(value, 1) for value in shown.loc[name])) for name in dict.fromkeys(steps.attribute)]
    k = int(steps.step.max())
    remarks = [f"Step i weighs part a by i / {k}: step 0 is part b alone, step {k} part a."]
    return Table(
        "richspace_oracle_steps", "Clips that show the mixture by step, in percent", columns, rows, steps, remarks
    )
