"""A run beside published clips: which are compared, what is said, and that the values are those of the same clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.distances.fvd import fvd
from metrics.scoring.measured import Measured, Provenance
from metrics.scoring.protocol import named
from pipeline.config import params
from pipeline.evaluation.cache import ResultCache
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.files import Reference
from pipeline.evaluation.readings import COLUMNS as READINGS
from pipeline.evaluation.results import Evaluation
from pipeline.published.reproduced import COLUMNS, DIFFERS, OTHER_WEIGHTS, OTHERWISE, REPRODUCED, compared, only

WIDTH = 6
PROTOCOL = named("reelbench")
MADE = Provenance({"i3d": "a" * 64}, {"i3d": "I3D"})


def method(clips: range, shift: float = 0.0, weights: str = "w") -> Evaluated:
    """A method with a clip of each prompt; equal clips have equal features but for the shift."""
    logits = np.stack([np.random.default_rng(i).normal(shift, 1, WIDTH) for i in clips])
    names = [f"c{i}" for i in clips]
    table = pd.DataFrame({"clip": names, "prompt_id": "", "mixture": "", "caption": names, "weights": weights})
    table = table.assign(window=0, content=[f"{name} {shift}" for name in names], codec="", decoder="", outcome="ok")
    table = table.assign(clipsim=logits[:, 0], scored=True, frames=0, seconds=1.0, seed=0)
    table = table.assign(**dict.fromkeys(READINGS, np.nan))  # of no world that the judge knows
    measured = Measured(table, logits, len(table), [], MADE)
    return Evaluated("m", table, measured, PROTOCOL, 7, "prompts", content=f"{clips} {shift}")


@pytest.fixture(scope="module")
def evaluation(root: Path) -> Evaluation:
    wanted = params.load(root / "params.yaml").evaluate
    own = wanted.model_copy(update={"comparisons": [], "metrics": ["fvd", "clipsim"], "resamples": 200})
    real = method(range(5000, 5200)).measured
    return Evaluation(Reference(real, PROTOCOL, "r"), {}, [], own, ResultCache(None))


def test_both_sides_are_measured_on_the_clips_that_both_have(evaluation: Evaluation) -> None:
    run, whole = method(range(30, 90)), method(range(70))
    table = compared(evaluation, [run], [whole]).set_index("metric")
    assert list(table.reset_index()[list(COLUMNS)]) == list(COLUMNS)
    common = whole.measured.logits[30:]
    for metric, value in (
        ("fvd", fvd(common, evaluation.reference.measured.logits)),
        ("clipsim", common[:, 0].mean()),
    ):
        own = table.loc[metric]
        assert (own.clips, own.same, own.verdict) == (40, 40, REPRODUCED)
        assert own.value == own.published == pytest.approx(value)
    assert not {"frames_per_second", "parameters"} & set(table.index)


@pytest.mark.parametrize(("shift", "said"), [(0.05, REPRODUCED), (1.0, DIFFERS)])
def test_a_value_outside_of_the_interval_differs(evaluation: Evaluation, shift: float, said: str) -> None:
    """40 clips of standard deviation 1: their mean is known to 0.31, and no clip is the same."""
    table = compared(evaluation, [method(range(40), shift)], [method(range(40))]).set_index("metric")
    own = table.loc["clipsim"]
    assert (own.verdict, own.same) == (said, 0)
    assert own.value == pytest.approx(own.published + shift) and own.low < own.published < own.high
    assert own.high - own.low == pytest.approx(2 * 1.96 / np.sqrt(40), rel=0.25)
    assert table.verdict.fvd == said and table.flag.fvd == "n = 40 < 401"


def test_other_weights_and_measurements_are_not_compared(evaluation: Evaluation) -> None:
    run = method(range(40))
    otherwise = [
        replace(run, protocol=named("styleganv")),
        replace(run, measured=replace(run.measured, provenance=Provenance({"i3d": "b" * 64}, MADE.networks))),
        replace(run, measured=replace(run.measured, provenance=Provenance(MADE.weights, {"i3d": "else"}))),
    ]
    for one, said in ((method(range(40), weights="v"), OTHER_WEIGHTS), *((one, OTHERWISE) for one in otherwise)):
        table = compared(evaluation, [one], [run])
        assert table[["method", "metric", "clips", "verdict"]].to_numpy().tolist() == [["m", "", 40, said]]
        assert table[["value", "published", "low", "high"]].isna().all(axis=None)


def test_clips_of_one_name_that_show_something_else_are_not_compared(evaluation: Evaluation) -> None:
    run = method(range(40))
    for column, other in (("caption", "something else"), ("prompt_id", "p"), ("mixture", "m"), ("seed", 7)):
        table = run.measured.table.copy()
        table.loc[:9, column] = other
        found = compared(evaluation, [replace(run, measured=replace(run.measured, table=table))], [run])
        assert set(found.clips) == {30}, column


def test_nothing_is_said_of_other_clips_and_methods(evaluation: Evaluation) -> None:
    run = method(range(40))
    nothing = replace(run, table=run.table.assign(scored=False, outcome="error"), measured=only(run, set()).measured)
    for one in (replace(run, name="mine"), method(range(100, 140)), nothing):
        table = compared(evaluation, [one], [run])
        assert table.empty and list(table) == list(COLUMNS)


def test_what_is_known_of_some_clips_stays_in_order() -> None:
    """A clip that was not scored stays among the requested, with its error."""
    own = method(range(6))
    kept = own.measured.table.index != 2
    scored = replace(
        own.measured, table=own.measured.table[kept], logits=own.measured.logits[kept], errors=[("c2", "no")]
    )
    own = replace(own, measured=scored, table=own.table.assign(outcome=["ok", "ok", "no", "ok", "ok", "ok"]))
    few = only(own, {"c4", "c2", "c1"})
    assert few.table["clip"].tolist() == ["c1", "c2", "c4"] and few.measured.table["clip"].tolist() == ["c1", "c4"]
    np.testing.assert_array_equal(few.measured.logits, own.measured.logits[[1, 3]])
    assert few.measured.errors == [("c2", "no")] and few.counts == {"requested": 3, "generated": 2, "scored": 2}
    assert few.content != own.content
