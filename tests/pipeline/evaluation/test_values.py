"""From features to numbers: counts, intervals, seeds, differences, verdicts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.digests import digest
from metrics.distances import fvd as frechet
from metrics.scoring.measuring import Measurer
from metrics.statistics.bootstrap import Uncertainty
from pipeline.evaluation.comparisons import differences
from pipeline.evaluation.curves import fvd_curve
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.mixtures import compare, judge_mixtures, success_test
from pipeline.evaluation.naming import world_mixture
from pipeline.evaluation.sample import MethodSample, prompts_of
from pipeline.evaluation.seeds import by_seed, summary
from pipeline.evaluation.values import COLUMNS, Value, evaluate
from pipeline.prompts.sets import Mixture, Prompt, read_sets
from pipeline.world.render import render
from pipeline.world.scene import realise
from tests.pipeline.evaluation.conftest import features_of, fill

FEW = Uncertainty(resamples=20)
NAMES = ["fvd", "kvd", "clipsim", "frame_consistency"]
NONE = pd.DataFrame()


def sample_of(
    method: Evaluated, reference: Evaluated, verdicts: pd.DataFrame = NONE, judged: pd.DataFrame = NONE
) -> MethodSample:
    return MethodSample(method.measured, reference.measured, method.protocol, FEW, method, verdicts, judged)


def values_of(method: Evaluated, reference: Evaluated) -> dict[str, Value]:
    return {v.metric: v for v in evaluate(sample_of(method, reference), NAMES)}


def test_a_method_of_which_nothing_could_be_scored_is_still_reported(
    measurer: Measurer, method: Evaluated, tmp_path: Path
) -> None:
    fill(tmp_path / "clips", [None, None])
    failed = features_of(tmp_path / "clips", measurer, tmp_path / "features")
    assert failed.counts == {"requested": 2, "generated": 0, "scored": 0}
    values = values_of(failed, method)
    assert np.isnan(values["fvd"].interval.value)
    assert values["fvd"].flag == "fewer than 2 clips"
    assert values["clipsim"].flag == "no clip has it"
    assert fvd_curve(failed, method.measured, 2) == []
    assert by_seed(sample_of(failed, method), NAMES) == summary([]) == []


def test_failed_clips_stay_in_the_denominators(method: Evaluated) -> None:
    values = values_of(method, method)
    assert values["fvd"].interval.value == pytest.approx(0, abs=1e-3)
    assert values["fvd"].flag == "n = 4 < 401; on both sides: 4 clips"
    assert values["parameters"].interval.value == 123
    assert values["frames_per_second"].interval.value == pytest.approx(16 / 0.5)
    assert values["frames_per_second"].protocol["device"] == "cpu"
    assert values["clipsim"].interval.value == pytest.approx(method.table.clipsim.mean())
    assert values["fvd"].protocol["n_gen"] == 4
    row = values["fvd"].row(method)
    assert list(row) == list(COLUMNS)
    assert (row["requested"], row["generated"], row["scored"], row["asked"]) == (6, 5, 4, "prompts")
    assert row["fingerprint"] == digest(values["fvd"].protocol)


def test_videos_of_others_have_no_speed_and_no_size(method: Evaluated) -> None:
    imported = replace(method, table=method.table.assign(frames=0), parameters=0)
    values = values_of(imported, method)
    assert np.isnan([values[name].interval.value for name in ("frames_per_second", "parameters")]).all()


def test_seeds_and_curves_are_those_of_the_functions(method: Evaluated) -> None:
    measured = method.measured
    seeded = replace(measured, table=measured.table.assign(seed=[0, 1, 0, 1]))
    halves = replace(method, table=seeded.table, measured=seeded)
    verdicts = pd.DataFrame({"mixture": list("aabb"), "seed": [0, 1, 0, 1], "success": [True, True, False, True]})
    rows = by_seed(sample_of(halves, method, verdicts), ["fvd", "clipsim"])
    assert [(row["metric"], row["seed"]) for row in rows] == [
        *(("fvd", 0), ("clipsim", 0), ("success_rate", 0), ("fvd", 1), ("clipsim", 1), ("success_rate", 1)),
    ]
    found = {row["metric"]: row for row in summary(rows)}
    parts = [frechet.fvd(measured.logits[rows], measured.logits) for rows in ([0, 2], [1, 3])]
    fvd = found["fvd"]
    assert (fvd["clips"], fvd["seeds"], fvd["best_of"]) == (2, 2, 2)
    assert (fvd["mean"], fvd["sd"]) == pytest.approx((np.mean(parts), np.std(parts, ddof=1)))
    assert fvd["best_value"] == pytest.approx(min(parts))
    assert fvd["flag"] == "n = 2 < 401; on both sides: 2 clips"
    assert (found["success_rate"]["mean"], found["success_rate"]["best_value"]) == (0.75, 1.0)  # higher is better
    curve = pd.DataFrame(fvd_curve(method, measured, seeds=2))
    assert curve[["n", "seed"]].to_numpy().tolist() == [[4, 0], [4, 1]]
    assert curve.fvd.tolist() == pytest.approx([0, 0], abs=1e-3)


def test_the_best_is_of_the_first_three_seeds_and_of_what_has_a_direction() -> None:
    about = {"method": "m", "clips": 9, "flag": ""}
    values = {"clipsim": [0.2, 0.1, 0.3, 0.9], "kvd": [2.0, 1.0, 3.0, 0.5], "object_speed": [1.0, 2.0, 3.0, 4.0]}
    rows = [about | {"metric": m, "seed": i, "value": v} for m, own in values.items() for i, v in enumerate(own)]
    found = pd.DataFrame(summary(rows)).set_index("metric")
    assert found.best_value.tolist() == pytest.approx([0.3, 1.0, np.nan], nan_ok=True)
    assert (found.best_of == 3).all() and (found.seeds == 4).all()
    assert found["mean"].tolist() == pytest.approx([0.375, 1.625, 2.5])
    assert np.isnan(summary(rows[:1])[0]["sd"])


def test_clips_are_drawn_by_what_they_were_asked_for() -> None:
    columns = {"mixture": ["m", "m", "", "", "", ""], "prompt_id": ["p", "q", "q", "q", "", ""]}
    table = pd.DataFrame({**columns, "caption": [*"aabb", "c", np.nan], "clip": list("123456")})
    assert prompts_of(table).tolist() == ["mixture m"] * 2 + ["prompt_id q"] * 2 + ["caption c", "clip 6"]


def test_differences_pair_the_clips_that_both_scored(method: Evaluated) -> None:
    measured = method.measured
    lower = replace(measured, table=measured.table.assign(clipsim=measured.table.clipsim - 0.1))
    other = replace(method, name="n", measured=lower)
    table = pd.DataFrame(differences(sample_of(method, method), sample_of(other, method), NAMES))
    assert table.metric.tolist() == NAMES
    assert table.pairs.tolist() == [4] * 4
    assert table.difference.tolist() == pytest.approx([0, 0, 0.1, 0], abs=1e-6)


def test_verdicts_count_clips_that_were_not_scored_as_failures(root: Path, tmp_path: Path, measurer: Measurer) -> None:
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    by_id = {prompt.id: prompt for prompt in prompts}
    mixture = next(m for m in mixtures if m.extra["attributes"] == "colour")
    part = world_mixture(mixture, by_id).parts[0]
    clip = render(realise([part], np.random.default_rng(0)))[0]
    fill(tmp_path / "clips", [clip, None], mixture.id)
    own = features_of(tmp_path / "clips", measurer, tmp_path / "features")
    verdicts = pd.DataFrame(judge_mixtures(own, mixtures, by_id))
    assert verdicts["clip"].tolist() == ["c0", "c1"]
    assert verdicts.present_a.tolist() == [True, False]
    assert verdicts.present_b.tolist() == [False, False]
    assert verdicts.one_object.tolist() == [True, False]
    assert not verdicts.success.any()


def test_methods_are_compared_on_pairs(method: Evaluated) -> None:
    """The second method lacks the last clip of two mixtures, and the first alone succeeds: 6 pairs, but 2 mixtures."""
    tables = {
        name: pd.DataFrame({"mixture": list("xxxyyyy")[:clips], "seed": range(clips), "success": name == "rich"})
        for name, clips in (("rich", 7), ("base", 6))
    }
    rich, base = (sample_of(replace(method, name=name), method, table) for name, table in tables.items())
    result = success_test(rich, base)
    assert result is not None
    assert (result["pairs"], result["only_candidate"], result["only_baseline"]) == (6, 6, 0)
    assert (result["clusters"], result["clusters_better"], result["clusters_worse"]) == (2, 2, 0)
    assert result["p"] == pytest.approx(2 * 0.5**2)
    found = compare(*(replace(one, by_prompt=False) for one in (base, rich)))
    assert found is not None
    assert (found.difference.value, found.pairs, found.p) == (-1, 6, pytest.approx(2 * 0.5**6))  # McNemar's
    nothing = sample_of(method, method)
    assert success_test(rich, nothing) is compare(nothing, rich) is None


def test_other_prompts_cannot_be_judged() -> None:
    mixture = Mixture("s/m", "s", ("s/a", "s/b"), "s/g", {"attributes": "colour"})
    prompts = {f"s/{x}": Prompt(f"s/{x}", "s", "", x) for x in "abg"}
    with pytest.raises(ValueError, match="no column colour, shape"):
        world_mixture(mixture, prompts)
