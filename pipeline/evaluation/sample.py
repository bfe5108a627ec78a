"""What the metrics of a run are computed from: a method, what was measured of it, and what the judge says."""

from dataclasses import dataclass

import pandas as pd

from metrics.scoring.metric import Sample
from pipeline.evaluation.evaluated import Evaluated


@dataclass(frozen=True)
class MethodSample(Sample):
    """One method.

    verdicts: on its clips of mixtures, see `mixtures.judge_mixtures`. judged: its clips of prompts, see
    `attributes.judge_prompts`. Both may be empty.
    """

    method: Evaluated
    verdicts: pd.DataFrame
    judged: pd.DataFrame
