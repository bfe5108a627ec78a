"""What the metrics of a run are computed from: a method, what was measured of it, and what the judge says."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.scoring.metric import Sample
from pipeline.evaluation.evaluated import Evaluated

_ASKED = ("mixture", "prompt_id", "caption")


def prompts_of(table: pd.DataFrame) -> pd.Series:
    """What each row's clip was asked for: its mixture, else its prompt, else its caption; the clip itself if nothing is
    known."""
    asked = pd.Series("", index=table.index)
    for kind in (name for name in (*_ASKED, "clip") if name in table):
        named = table[kind].fillna("").astype(str)
        asked = asked.where((asked != "") | (named == ""), kind + " " + named)
    return asked


@dataclass(frozen=True)
class MethodSample(Sample):
    """One method.

    verdicts: on its clips of mixtures, see `mixtures.judge_mixtures`. judged: its clips of prompts, see
    `attributes.judge_prompts`. Both may be empty. by_prompt: whether prompts are drawn, with all their clips, or clips
    as if they were independent.
    """

    method: Evaluated
    verdicts: pd.DataFrame
    judged: pd.DataFrame
    by_prompt: bool = True

    @property
    def bootstrap(self) -> str:
        """How intervals of means are made, in words."""
        own = self.uncertainty
        return f"bootstrap {own.confidence:g} {self._unit}, {own.resamples} resamples, seed {own.seed}"

    @property
    def wilson(self) -> str:
        """How intervals of shares are made, in words."""
        return f"Wilson {self.uncertainty.confidence:g} {self._unit}"

    @property
    def _unit(self) -> str:
        return "by prompt" if self.by_prompt else "by clip"

    def clusters(self, table: pd.DataFrame) -> np.ndarray:
        """(rows,) what is drawn and flipped: whole numbers, equal for clips of one prompt or mixture."""
        return pd.factorize(prompts_of(table))[0] if self.by_prompt else np.arange(len(table))
