"""From clips to numbers, with the real networks, on a few clips: counts, order, continuation, verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from metrics import fvd, i3d
from metrics.clip import DualEncoder
from metrics.clipsim import clipsim
from pipeline import evaluation, features, ledger
from pipeline.clips import write_clip
from pipeline.evaluation import Evaluated, compare, evaluate, judge_mixtures, world_mixture
from pipeline.features import Networks, extract, read_table, read_tensors
from pipeline.prompts import Prompt, read_sets
from pipeline.world.render import render
from pipeline.world.scene import draw

HASHES = {"i3d": "a", "clip": "b", "text_tower": "c"}
DESCRIPTION = HASHES | {"decoder": "d", "parameters": "123"}


@pytest.fixture(scope="module")
def networks(i3d_weights: Path, minilm: Path) -> Networks:
    clip = DualEncoder(i3d_weights.parents[1] / "world/clip", minilm)
    return Networks(i3d.I3D.from_pretrained(i3d_weights), clip, HASHES)


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return render(draw(6, 0)[1])


def entry(i: int, outcome: str = ledger.OK, mixture: str = "") -> ledger.Entry:
    return ledger.Entry(f"c{i}", "m", mixture, i, "", "p", f"A red circle number {i}.", "w", "f", 0.5, outcome)


def fill(folder: Path, clips: np.ndarray) -> None:
    """Six requested clips: the third failed, the fifth is damaged on disk."""
    for i, clip in enumerate(clips):
        ledger.append(folder, entry(i, "RuntimeError: no" if i == 2 else ledger.OK))
        if i != 2:
            write_clip(folder / f"c{i}.mkv", clip, 8)
    (folder / "c4.mkv").write_bytes(b"damaged")
    (folder / ledger.ABOUT).write_text('{"parameters": 123}')


@pytest.fixture(scope="module")
def extracted(networks: Networks, clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    fill(folder / "clips", clips)
    extract(folder / "clips", networks, 2, folder / "scratch", folder / "out")
    return folder


def test_every_requested_clip_has_a_row(extracted: Path) -> None:
    table = read_table(extracted / "out")
    assert table["clip"].tolist() == [f"c{i}" for i in range(6)]
    assert table.scored.tolist() == [True, True, False, True, False, True]
    assert table.outcome[2] == "RuntimeError: no"
    assert table.outcome[4] == ledger.OK  # it was generated
    assert "cannot be decoded" in table.fault[4]


def test_features_are_those_of_each_clip_alone(extracted: Path, networks: Networks, clips: np.ndarray) -> None:
    tensors = read_tensors(extracted / "out")
    for row, i in enumerate((0, 1, 3, 5)):
        alone = i3d.extract(networks.i3d, i3d.prepare(torch.from_numpy(clips[i : i + 1])))[0]
        assert tensors["i3d"][row] == pytest.approx(alone.numpy(), abs=2e-3)
        frames = networks.clip.frame_features(torch.from_numpy(clips[i]).movedim(-1, 1) / 255)
        assert tensors["clip_frames"][row] == pytest.approx(frames.numpy(), abs=1e-5)
        assert tensors["clip_text"][row] == pytest.approx(
            networks.clip.text_features([f"A red circle number {i}."])[0].numpy(), abs=1e-5
        )


def test_a_killed_extraction_continues(
    networks: Networks, clips: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extracted: Path
) -> None:
    fill(tmp_path / "clips", clips)
    monkeypatch.setattr(features, "SHARD", 2)
    done: list[int] = []
    original = features._features

    def counting(stacked: list, *rest: object) -> dict[str, np.ndarray]:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(stacked))
        return original(stacked, *rest)

    monkeypatch.setattr(features, "_features", counting)
    with pytest.raises(KeyboardInterrupt):
        extract(tmp_path / "clips", networks, 2, tmp_path / "scratch", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    done.clear()
    extract(tmp_path / "clips", networks, 2, tmp_path / "scratch", tmp_path / "out")
    assert done == [1]  # the last shard alone
    here, there = (read_table(folder).drop(columns="fault") for folder in (tmp_path / "out", extracted / "out"))
    pd.testing.assert_frame_equal(here, there, check_like=True)  # faults name their own folder
    for name, value in read_tensors(extracted / "out").items():
        assert read_tensors(tmp_path / "out")[name] == pytest.approx(value, abs=2e-3)


def test_no_clip_at_all_is_an_error(networks: Networks, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run the generate stage"):
        extract(tmp_path, networks, 2, tmp_path / "s", tmp_path / "out")


def evaluated(name: str, folder: Path) -> Evaluated:
    return Evaluated(name, read_table(folder), read_tensors(folder), DESCRIPTION)


def test_failed_clips_stay_in_the_denominators(extracted: Path) -> None:
    method = evaluated("m", extracted / "out")
    values, protocols = evaluate([method], method, judge_mixtures([method], [], {}), 0.95)
    by_metric = {value.metric: value for value in values}
    assert {(v.requested, v.generated, v.scored) for v in values} == {(6, 5, 4)}
    assert by_metric["fvd"].value == pytest.approx(0, abs=1e-3)
    assert by_metric["fvd"].flag == "n = 4 < 400"
    assert by_metric["parameters"].value == 123
    assert by_metric["frames_per_second"].value == pytest.approx(16 / 0.5)
    tensors = read_tensors(extracted / "out")
    own = clipsim(torch.from_numpy(tensors["clip_frames"]), torch.from_numpy(tensors["clip_text"]))
    assert by_metric["clipsim"].value == pytest.approx(float(own.mean()))
    assert {value.fingerprint for value in values} == set(protocols)
    assert protocols[by_metric["fvd"].fingerprint]["n_gen"] == 4


def test_the_fingerprint_follows_the_choices(extracted: Path) -> None:
    method = evaluated("m", extracted / "out")
    other = Evaluated("m", method.table, method.tensors, DESCRIPTION | {"i3d": "other"})
    assert evaluation.fvd_protocol(method, method).fingerprint != evaluation.fvd_protocol(other, method).fingerprint


def test_verdicts_count_clips_that_were_not_scored_as_failures(root: Path, tmp_path: Path, networks: Networks) -> None:
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
    extract(tmp_path / "clips", networks, 2, tmp_path / "scratch", tmp_path / "out")
    verdicts = judge_mixtures([evaluated("m", tmp_path / "out")], mixtures, by_id)
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
    from pipeline.prompts import Mixture

    mixture = Mixture("s/m", "s", ("s/a", "s/b"), "s/g", {"attributes": "colour"})
    prompts = {f"s/{x}": Prompt(f"s/{x}", "s", "", x) for x in "abg"}
    with pytest.raises(ValueError, match="no column colour, shape"):
        world_mixture(mixture, prompts)


def test_fvd_of_too_few_clips_is_no_number() -> None:
    table = pd.DataFrame({"outcome": ["ok"], "scored": [True], "frames": [16], "seconds": [0.1], "mixture": [""]})
    one = Evaluated("m", table, {"i3d": np.zeros((1, 400)), "clip_frames": np.ones((1, 1, 2), np.float32),
                                 "clip_text": np.ones((1, 2), np.float32)}, DESCRIPTION)  # fmt: skip
    real = fvd.moments(np.random.default_rng(0).normal(size=(10, 400)))
    value, flag = evaluation._fvd(one, real)
    assert np.isnan(value)
    assert flag == "fewer than 2 clips"
