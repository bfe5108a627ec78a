"""Choices of steps against loops over verdicts that are made up."""

import itertools

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from metrics.statistics.bootstrap import Uncertainty
from pipeline.evaluation import choices
from pipeline.evaluation.oracle import FEWEST
from pipeline.sweeps.choices import STEPS

K, SEEDS = 4, 3
MIXTURES = {f"colour-{i}": "colour" for i in range(FEWEST + 1)} | {"shape-0": "shape"}
TAKEN = {"optimum": 1, "full": 1, "truncated": 3, "midpoint": 2, "foot": 0}
UNCERTAINTY = Uncertainty(200, 0.9, 1)


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    """Step 2 shows more than the others; a guide's clip has no step."""
    rng, rows = np.random.default_rng(3), []
    for (mixture, attribute), seed, step in itertools.product(MIXTURES.items(), range(SEEDS), [*range(K + 1), None]):
        success = rng.random() < (0.9 if step == 2 else 0.3)
        about = {"mixture": mixture, "attribute": attribute, "k": K, "optimum": 1, "seed": seed}
        rows.append(about | {"step": step, "success": success})
    return pd.DataFrame(rows).astype({"step": "Int64"})


@pytest.fixture(scope="module")
def chosen() -> pd.DataFrame:
    return pd.DataFrame(
        [(mixture, choice, step / K, step) for mixture in MIXTURES for choice, step in TAKEN.items()],
        columns=list(STEPS),
    )


def shown(verdicts: pd.DataFrame, mixture: str, seed: int, step: int) -> float:
    own = verdicts[(verdicts.mixture == mixture) & (verdicts.seed == seed) & (verdicts.step == step)]
    return float(own.success.item())


def test_rates_and_differences_are_those_of_loops(verdicts: pd.DataFrame, chosen: pd.DataFrame) -> None:
    table = choices.table(verdicts, chosen, UNCERTAINTY).set_index(["attribute", "choice"])
    for attribute in ("colour", "shape", "all"):
        own = [name for name, kind in MIXTURES.items() if attribute in (kind, "all")]
        pairs = list(itertools.product(own, range(SEEDS)))
        rates = {name: np.mean([shown(verdicts, *pair, step) for pair in pairs]) for name, step in TAKEN.items()}
        rates["random"] = np.mean([shown(verdicts, *pair, step) for pair in pairs for step in range(1, K + 1)])
        assert set(table.loc[attribute].index) == set(rates)
        for name, rate in rates.items():
            row = table.loc[(attribute, name)]
            assert row.value == approx(100 * rate, abs=0.006)
            assert row.n == len(pairs) and row.mixtures == len(own)
            if name != "optimum":
                assert row.difference == approx(100 * (rates["optimum"] - rate), abs=0.006)


def test_mixtures_are_what_is_flipped(verdicts: pd.DataFrame, chosen: pd.DataFrame) -> None:
    """Every flip of the six colours' sums, by hand."""
    row = choices.table(verdicts, chosen, UNCERTAINTY).set_index(["attribute", "choice"]).loc[("colour", "midpoint")]
    colours = [name for name, kind in MIXTURES.items() if kind == "colour"]
    sums = np.array(
        [sum(shown(verdicts, name, s, 1) - shown(verdicts, name, s, 2) for s in range(SEEDS)) for name in colours]
    )
    flips = np.array(list(itertools.product((-1, 1), repeat=len(sums)))) @ sums
    assert row.p == approx(np.mean(np.abs(flips) >= abs(sums.sum()) - 1e-9))
    assert (row.better, row.worse) == ((sums > 0).sum(), (sums < 0).sum())
    assert row.p <= row.p_holm <= 1


def test_what_cannot_be_told_apart_has_no_test(verdicts: pd.DataFrame, chosen: pd.DataFrame) -> None:
    """The full curve takes the optimum's steps; shape has one mixture."""
    table = choices.table(verdicts, chosen, UNCERTAINTY).set_index(["attribute", "choice"])
    for row in (table.loc[("all", "full")], table.loc[("shape", "midpoint")]):
        assert np.isnan([row.p, row.p_holm, row.difference_low]).all()
    assert not np.isnan(table.loc[("all", "midpoint")].p)


def test_without_an_oracle_there_is_no_row(chosen: pd.DataFrame) -> None:
    assert choices.table(pd.DataFrame(), chosen, UNCERTAINTY).empty
