"""The oracle's tables against a second implementation, in loops, on verdicts that are made up."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.proportions import wilson
from pipeline.evaluation import oracle

K, SEEDS = 4, 3
COUNTS = {"colour": oracle.FEWEST, "shape": 2, "motion": oracle.FEWEST}  # mixtures
KINDS = {f"{kind}-{i}": kind for kind, count in COUNTS.items() for i in range(count)}
OPTIMA = {mixture: 1 + i % K for i, mixture in enumerate(KINDS)}
UNCERTAINTY = Uncertainty(200, 0.9, 1)


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for (mixture, attribute), seed, step in itertools.product(KINDS.items(), range(SEEDS), [*range(K + 1), None]):
        conditions = dict(zip(("present_a", "present_b", "shared", "one_object"), rng.random(4) < 0.8, strict=True))
        success = all(conditions.values()) and attribute != "motion"  # nothing shows a mixture of motions
        about = {"mixture": mixture, "attribute": attribute, "k": K, "optimum": OPTIMA[mixture], "seed": seed}
        rows.append(about | {"step": step} | conditions | {"success": success, "position": rng.random()})
    return pd.DataFrame(rows).astype({"step": "Int64"})


def naive(verdicts: pd.DataFrame, attribute: str) -> dict[str, float]:
    """The same rates by asking every pair."""
    success = {
        (row.mixture, row.seed, None if pd.isna(row.step) else int(row.step)): row.success
        for row in verdicts.itertuples()
    }
    own = [name for name, kind in KINDS.items() if attribute in (kind, "all")]
    counts = dict.fromkeys(("n", "oracle", "midpoint", "richspace", "guide", "between"), 0)
    for mixture, seed in itertools.product(own, range(SEEDS)):
        counts["n"] += 1
        counts["oracle"] += any(success[mixture, seed, step] for step in range(K + 1))
        counts["between"] += any(success[mixture, seed, step] for step in range(1, K))
        counts["midpoint"] += success[mixture, seed, K // 2]
        counts["richspace"] += success[mixture, seed, OPTIMA[mixture]]
        counts["guide"] += success[mixture, seed, None]
    shown = [any(success[m, seed, step] for seed in range(SEEDS) for step in range(K + 1)) for m in own]
    percent = {key: 100 * value / counts["n"] for key, value in counts.items() if key != "n"}
    share = 100 * counts["richspace"] / counts["oracle"] if counts["oracle"] else float("nan")
    return percent | {"n": counts["n"], "mixtures": len(own), "mixtures_shown": 100 * np.mean(shown), "share": share}


def test_rates_are_those_of_loops(verdicts: pd.DataFrame) -> None:
    table = oracle.table(verdicts, UNCERTAINTY).set_index("attribute")
    assert list(table.index) == ["colour", "shape", "motion", "all"]
    for attribute in table.index:
        for name, value in naive(verdicts, attribute).items():
            assert table.loc[attribute, name] == pytest.approx(value, abs=0.005, nan_ok=True), (attribute, name)
    assert (table.oracle >= table.between).all() and (table.oracle >= table.richspace).all()
    assert 0 < table.richspace["all"] < table.oracle["all"] < 100  # else the above shows little


def test_the_columns_stand_as_the_issue_has_them(verdicts: pd.DataFrame) -> None:
    table = oracle.table(verdicts, UNCERTAINTY)
    assert list(table)[:6] == ["attribute", "n", "oracle", "midpoint", "richspace", "guide"]


def test_intervals_hold_the_rates_and_mixtures_are_what_is_drawn(verdicts: pd.DataFrame) -> None:
    table = oracle.table(verdicts, UNCERTAINTY).set_index("attribute")
    for name in oracle.RATES:
        low, high = table[f"{name}_low"], table[f"{name}_high"]
        low, high, value = low.drop("shape"), high.drop("shape"), table[name].drop("shape")
        assert (low <= value).all() and (value <= high).all() and (low < high).all()
    none = wilson(0, COUNTS["motion"], UNCERTAINTY.confidence)  # so many mixtures of motion, though thrice the pairs
    assert table.oracle_high["motion"] == pytest.approx(100 * none.high, abs=0.01)
    repeated = pd.concat([verdicts, verdicts.assign(seed=verdicts.seed + SEEDS)])  # the same clips once more
    again = oracle.table(repeated, UNCERTAINTY).set_index("attribute")
    assert again.n["all"] == 2 * table.n["all"]
    for name in ("oracle", "oracle_low", "oracle_high", "share_low", "share_high"):
        assert again.loc["all", name] == pytest.approx(table.loc["all", name])


def test_a_few_mixtures_have_no_interval(verdicts: pd.DataFrame) -> None:
    table = oracle.table(verdicts, UNCERTAINTY).set_index("attribute")
    bounds = [f"{name}_{end}" for name in (*oracle.RATES, "share") for end in ("low", "high")]
    assert table.loc["shape", bounds].isna().all() and table.loc["colour", bounds].notna().all()
    fewer = verdicts[verdicts.mixture != "colour-0"]
    assert oracle.table(fewer, UNCERTAINTY).set_index("attribute").loc["colour", bounds].isna().all()


def test_what_shows_so_many_pairs_shows_as_many_mixtures(verdicts: pd.DataFrame) -> None:
    """So a goal in pairs is the stricter one."""
    table = oracle.table(verdicts, UNCERTAINTY)
    assert (table.oracle <= table.mixtures_shown).all() and (table.oracle < table.mixtures_shown).any()


def test_where_no_step_shows_a_mixture_there_is_no_share(verdicts: pd.DataFrame) -> None:
    motion = oracle.table(verdicts, UNCERTAINTY).set_index("attribute").loc["motion"]
    assert motion.oracle == 0 and motion[["share", "share_low", "share_high"]].isna().all()


def test_steps_are_counted_one_by_one(verdicts: pd.DataFrame) -> None:
    steps = oracle.by_step(verdicts)
    assert list(steps) == list(oracle.STEP_COLUMNS)
    assert steps.groupby("attribute").step.agg(list).tolist() == [list(range(K + 1))] * 4
    assert steps.weight.tolist() == [0, 0.25, 0.5, 0.75, 1] * 4
    (found,) = steps[(steps.attribute == "colour") & (steps.step == 3)].to_dict("records")
    own = [
        row for row in verdicts.itertuples() if row.attribute == "colour" and not pd.isna(row.step) and row.step == 3
    ]
    assert found["n"] == len(own) == COUNTS["colour"] * SEEDS
    assert found["success"] == pytest.approx(100 * sum(row.success for row in own) / len(own), abs=0.005)
    assert found["present"] == pytest.approx(
        100 * sum(row.present_a and row.present_b for row in own) / len(own), abs=0.005
    )
    assert found["position"] == pytest.approx(np.median([row.position for row in own]), abs=0.005)


def test_without_verdicts_the_tables_are_empty(tmp_path: Path) -> None:
    (tmp_path / "verdicts.csv").write_text("mixture,attribute,k,optimum,seed,step,success\n")
    for verdicts in (oracle.read(tmp_path / "none.csv"), oracle.read(tmp_path / "verdicts.csv")):
        assert list(oracle.table(verdicts, UNCERTAINTY)) == list(oracle.COLUMNS)
        assert len(oracle.table(verdicts, UNCERTAINTY)) == len(oracle.by_step(verdicts)) == 0


def test_a_blank_step_is_the_guide_when_it_is_read(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    verdicts.to_csv(tmp_path / "verdicts.csv", index=False)
    pd.testing.assert_frame_equal(
        oracle.table(oracle.read(tmp_path / "verdicts.csv"), UNCERTAINTY), oracle.table(verdicts, UNCERTAINTY)
    )
