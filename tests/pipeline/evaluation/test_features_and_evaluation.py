"""From clips to numbers, with the real networks, on a few clips: counts, order, continuation, verdicts."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from metrics.distances import fvd as frechet
from metrics.distances.clipsim import clipsim
from metrics.networks import i3d
from metrics.networks.features import load_clip, load_i3d
from metrics.scoring.cache import FeatureCache
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty
from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.config.params import Comparison
from pipeline.evaluation import features
from pipeline.evaluation.attributes import judge_prompts
from pipeline.evaluation.features import JudgeReadings, extract
from pipeline.evaluation.values import (
    compare,
    differences,
    evaluate,
    fvd_by_seed,
    fvd_curves,
    judge_mixtures,
    world_mixture,
)
from pipeline.prompts.sets import Prompt, read_sets
from pipeline.world.judge import Readings, judge
from pipeline.world.render import render
from pipeline.world.scene import draw

FEW = Uncertainty(resamples=20)
NAMES = ["fvd", "kvd", "clipsim", "frame_consistency"]


@pytest.fixture(scope="module")
def scorer(i3d_weights: Path, minilm: Path) -> Scorer:
    protocol = named("reelbench")
    networks = [
        load_i3d(i3d_weights, protocol.i3d_resize),
        load_clip(i3d_weights.parents[1] / "world/clip", minilm, protocol.clip_resize),
        JudgeReadings(),
    ]
    return Scorer(networks, protocol, FeatureCache(None), FEW, batch=2, workers=0)


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return render(draw(6, 0)[1])


def entry(i: int, outcome: str = ledger.OK, mixture: str = "") -> ledger.Entry:
    return ledger.Entry(
        f"c{i}", "m", mixture, i, "", "p", f"A red circle number {i}.", "w", "f", 0.5, outcome, frames=16
    )


def fill(folder: Path, clips: np.ndarray) -> None:
    """Six requested clips: the third failed, the fifth is damaged on disk."""
    for i, clip in enumerate(clips):
        ledger.append(folder, entry(i, "RuntimeError: no" if i == 2 else ledger.OK))
        if i != 2:
            write_clip(folder / f"c{i}.mkv", clip, 8)
    (folder / "c4.mkv").write_bytes(b"damaged")
    (folder / ledger.ABOUT).write_text('{"parameters": 123}')


@pytest.fixture(scope="module")
def extracted(scorer: Scorer, clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    fill(folder / "clips", clips)
    extract(folder / "clips", scorer, folder / "out")
    return folder


def test_every_requested_clip_has_a_row(extracted: Path) -> None:
    table = features.read(extracted / "out").table
    assert table["clip"].tolist() == [f"c{i}" for i in range(6)]
    assert table.scored.tolist() == [True, True, False, True, False, True]
    assert table.outcome[2] == "RuntimeError: no"
    assert table.outcome[4] == ledger.OK  # it was generated
    assert "cannot be decoded" in table.fault[4]


def test_features_are_those_of_each_clip_alone(extracted: Path, scorer: Scorer, clips: np.ndarray) -> None:
    found = features.read(extracted / "out")
    network, encoder = scorer.networks[0].network, scorer.networks[1].encoder
    for row, i in enumerate((0, 1, 3, 5)):
        alone = i3d.extract(network, i3d.prepare(torch.from_numpy(clips[i : i + 1])))[0]
        assert found.measured.logits[row] == pytest.approx(alone.numpy(), abs=2e-3)
        frames = encoder.frame_features(torch.from_numpy(clips[i]).movedim(-1, 1) / 255)
        text = encoder.text_features([f"A red circle number {i}."])
        assert found.table.clipsim[i] == pytest.approx(float(clipsim(frames[None], text)[0]), abs=1e-5)
        assert found.measured.table.clipsim[row] == found.table.clipsim[i]


def test_the_judges_readings_survive_the_table(extracted: Path, clips: np.ndarray) -> None:
    expected, found = judge(clips), features.read(extracted / "out")
    readings = features.readings_of(found.table)
    for i in (0, 1, 3, 5):
        for field in fields(Readings):
            assert getattr(readings, field.name)[i] == pytest.approx(getattr(expected, field.name)[i], nan_ok=True)
        assert found.table.named_colour[i] == expected.names()[i].colour
    assert readings.one_object.tolist() == [*expected.one_object[:2], False, expected.one_object[3], False,
                                            expected.one_object[5]]  # fmt: skip


def test_clips_of_another_size_are_scored_and_not_judged(scorer: Scorer, tmp_path: Path) -> None:
    """As a public checkpoint makes them: more frames, wide frames."""
    for i in range(3):
        ledger.append(tmp_path / "clips", entry(i))
        write_clip(
            tmp_path / f"clips/c{i}.mkv", np.random.default_rng(i).integers(0, 256, (20, 48, 72, 3)).astype(np.uint8), 8
        )
    (tmp_path / "clips" / ledger.ABOUT).write_text('{"parameters": 1}')
    extract(tmp_path / "clips", scorer, tmp_path / "out")
    found = features.read(tmp_path / "out")
    assert found.measured.logits.shape == (3, 400)
    assert found.table.hue.isna().all()
    assert "named_colour" not in found.table
    values, _ = evaluate([found], found, judge_mixtures([found], [], {}), judge_prompts([found], {}), NAMES, FEW)
    assert values[0].value == pytest.approx(0, abs=1e-3)


def test_a_method_of_which_nothing_could_be_scored_is_still_reported(
    scorer: Scorer, extracted: Path, tmp_path: Path
) -> None:
    for i in range(2):
        ledger.append(tmp_path / "clips", entry(i, "RuntimeError: no"))
    (tmp_path / "clips" / ledger.ABOUT).write_text('{"parameters": 1}')
    extract(tmp_path / "clips", scorer, tmp_path / "out")
    method, reference = features.read(tmp_path / "out"), features.read(extracted / "out")
    values, _ = evaluate([method], reference, judge_mixtures([method], [], {}), judge_prompts([method], {}), NAMES, FEW)
    by_metric = {value.metric: value for value in values}
    assert {(v.requested, v.generated, v.scored) for v in values} == {(2, 0, 0)}
    assert np.isnan(by_metric["fvd"].value)
    assert by_metric["fvd"].flag == "fewer than 2 clips"
    assert by_metric["clipsim"].flag == "no clip has it"
    assert len(fvd_by_seed([method], reference)) == len(fvd_curves([method], reference, 2)) == 0


def test_no_clip_at_all_is_an_error(scorer: Scorer, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run the generate stage"):
        extract(tmp_path, scorer, tmp_path / "out")


def test_failed_clips_stay_in_the_denominators(extracted: Path) -> None:
    method = features.read(extracted / "out")
    values, protocols = evaluate(
        [method], method, judge_mixtures([method], [], {}), judge_prompts([method], {}), NAMES, FEW
    )
    by_metric = {value.metric: value for value in values}
    assert {(v.requested, v.generated, v.scored) for v in values} == {(6, 5, 4)}
    assert by_metric["fvd"].value == pytest.approx(0, abs=1e-3)
    assert by_metric["fvd"].flag == "n = 4 < 400"
    assert by_metric["parameters"].value == 123
    assert by_metric["frames_per_second"].value == pytest.approx(16 / 0.5)
    assert by_metric["clipsim"].value == pytest.approx(method.table.clipsim.mean())
    assert {value.fingerprint for value in values} == set(protocols)
    assert protocols[by_metric["fvd"].fingerprint]["n_gen"] == 4


def test_seeds_and_curves_are_those_of_the_functions(extracted: Path) -> None:
    method = features.read(extracted / "out")
    measured = method.measured
    halves = replace(method, measured=replace(measured, table=measured.table.assign(seed=[0, 1, 0, 1])))
    (row,) = fvd_by_seed([halves], method).to_dict("records")
    parts = [frechet.fvd(measured.logits[rows], measured.logits) for rows in ([0, 2], [1, 3])]
    assert (row["clips"], row["seeds"]) == (2, 2)
    assert (row["mean"], row["sd"]) == pytest.approx((np.mean(parts), np.std(parts, ddof=1)))
    assert np.isnan(row["minimum_of_3"])
    curve = fvd_curves([method], method, seeds=2)
    assert curve[["n", "seed"]].to_numpy().tolist() == [[4, 0], [4, 1]]
    assert curve.fvd.tolist() == pytest.approx([0, 0], abs=1e-3)


def test_differences_pair_the_clips_that_both_scored(extracted: Path) -> None:
    method = features.read(extracted / "out")
    measured = method.measured
    other = replace(
        method, name="n", measured=replace(measured, table=measured.table.assign(clipsim=measured.table.clipsim - 0.1))
    )
    table = differences([method, other], method, [Comparison(candidate=method.name, baseline="n")], NAMES, FEW)
    assert table.metric.tolist() == NAMES
    assert table.pairs.tolist() == [4] * 4
    assert table.difference.tolist() == pytest.approx([0, 0, 0.1, 0], abs=1e-6)


def test_verdicts_count_clips_that_were_not_scored_as_failures(root: Path, tmp_path: Path, scorer: Scorer) -> None:
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    by_id = {prompt.id: prompt for prompt in prompts}
    mixture = next(m for m in mixtures if m.extra["attributes"] == "colour")
    part = world_mixture(mixture, by_id).parts[0]
    from pipeline.world.scene import realise

    clip = render(realise([part], np.random.default_rng(0)))[0]
    for i in range(2):
        ledger.append(tmp_path / "clips", entry(i, "ok" if i == 0 else "RuntimeError: no", mixture.id))
    write_clip(tmp_path / "clips/c0.mkv", clip, 8)
    (tmp_path / "clips" / ledger.ABOUT).write_text('{"parameters": 123}')
    extract(tmp_path / "clips", scorer, tmp_path / "out")
    verdicts = judge_mixtures([features.read(tmp_path / "out")], mixtures, by_id)
    assert verdicts["clip"].tolist() == ["c0", "c1"]
    assert verdicts.present_a.tolist() == [True, False]
    assert verdicts.present_b.tolist() == [False, False]
    assert verdicts.one_object.tolist() == [True, False]
    assert not verdicts.success.any()


def test_methods_are_compared_on_pairs() -> None:
    rows = [("x", m, s, m == "rich") for m in ("rich", "base") for s in range(6)]
    verdicts = pd.DataFrame(rows, columns=["mixture", "method", "seed", "success"])
    result = compare(verdicts, "rich", "base")
    assert (result["pairs"], result["only_candidate"], result["only_baseline"]) == (6, 6, 0)
    assert result["p"] == pytest.approx(2 * 0.5**6)
    assert compare(judge_mixtures([], [], {}), "rich", "base") is None


def test_other_prompts_cannot_be_judged() -> None:
    from pipeline.prompts.sets import Mixture

    mixture = Mixture("s/m", "s", ("s/a", "s/b"), "s/g", {"attributes": "colour"})
    prompts = {f"s/{x}": Prompt(f"s/{x}", "s", "", x) for x in "abg"}
    with pytest.raises(ValueError, match="no column colour, shape"):
        world_mixture(mixture, prompts)
