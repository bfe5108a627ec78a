"""The steps that RichSpace's Algorithm 2, each part of it, and simpler choices take on the oracle's mixtures."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.params import Params
from pipeline.prompts.sets import Mixture
from pipeline.richspace.choices import CHOICES, RANDOM, Line
from pipeline.richspace.search import search_mixture
from pipeline.sweeps.steps import context_of, judged

STEPS = ("mixture", "choice", "weight", "step")


def steps(params: Params) -> pd.DataFrame:
    """The step that each choice takes of the oracle's k, of every mixture that the oracle samples.

    No row without an oracle, or where the method whose steps it samples is not evaluated.

    weight: the share of part a, which for the foot may lie beyond the ends; step: the nearest of 0 … k. A random choice
    is not among them: every step of 1 … k stands for it.
    """
    wanted = params.richspace.oracle
    if wanted is None or not params.generate.methods[wanted.method].evaluate:
        return pd.DataFrame(columns=list(STEPS))
    context = context_of(params, wanted)
    rows: list[dict[str, Any]] = []
    for mixture in judged(context):
        found = search_mixture(mixture, context.embeddings, wanted.k)
        line = Line(mixture.id, *found.ends, context.embeddings.of(mixture.guide), found.curves)
        rows += _steps_of(mixture, line)
    return pd.DataFrame(rows, columns=list(STEPS))


def _steps_of(mixture: Mixture, line: Line) -> list[dict[str, Any]]:
    weights = {choice: line.weight(choice) for choice in CHOICES if choice != RANDOM}
    return [
        {
            "mixture": mixture.id,
            "choice": choice,
            "weight": weight,
            "step": int(np.clip(round(weight * line.k), 0, line.k)),
        }
        for choice, weight in weights.items()
    ]
