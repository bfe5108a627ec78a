"""User studies of a run: a few simulated votes of every design, analysed."""

import numpy as np
import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.votes import check
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.study.analysis import Measurements, tables
from pipeline.study.collected import VOTES, Collected, write
from pipeline.study.simulated import simulate
from tests.pipeline.study.small import items, study

METHODS = {
    "best_of": ["etc", "animatediff", "cogvideox_prompts"],
    "pairwise": ["harivo", "animatediff", "frames"],
    "mixture": ["richspace", "cogvideox"],
    "rating": ["etc", "make_a_video"],
}
FINDINGS = ("content", "action", "smooth", "not_weird", "present_a", "present_b", "one_object")


def write_studies(params: Params) -> None:
    """Into the folder of the stage: a study of each design."""
    votes = pd.concat([_votes(params, design) for design in ("best_of", "pairwise", "attributes", "mixture", "rating")])
    shown = sorted({name for names in votes.shown for name in names.split("|")})
    measured = pd.DataFrame([(name, item.id) for name in shown for item in items(6)], columns=["method", "clip"])
    measured["clipsim"] = np.random.default_rng(0).random(len(measured))
    found = tables(votes, Measurements(measured, {"clipsim": True}), True, Uncertainty(resamples=40))
    write(Collected({VOTES: votes, **found}, True), paths.STUDY)


def _votes(params: Params, design: str) -> pd.DataFrame:
    methods = METHODS.get(design, list(params.harivo.ablation.values()))
    pairs = {"pairs": {"candidate": "harivo", "against": methods[1:]}} if design == "pairwise" else {}
    own = study(design, clips={"methods": methods}, raters={"expected": 6, "trials": 6}, **pairs)
    of, random = items(6, parts=design == "mixture"), np.random.default_rng(1)
    seen = {(name, item.id): dict.fromkeys(FINDINGS, float(random.integers(2))) for name in methods for item in of}
    return check(simulate(own, of, seen, params.study.simulated))
