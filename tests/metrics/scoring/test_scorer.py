"""Scoring folders with the real networks, through the library: values, counts, statistics files, the result's file."""

import os
import shutil
import stat
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file, save_file

from metrics.distances import pairs
from metrics.distances.clipsim import clip_score, clipsim, frame_consistency
from metrics.distances.fvd import fvd
from metrics.distances.kvd import kernel_distance
from metrics.networks import environment
from metrics.networks.clip import DualEncoder
from metrics.networks.features import CODE, ClipFeatures, load_clip
from metrics.networks.i3d import I3D, extract, prepare
from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.reading.errors import VideoError
from metrics.reading.matching import paired
from metrics.reading.sources import Source
from metrics.scoring import result
from metrics.scoring.catalogue import METRICS
from metrics.scoring.measured import Measured, StatsError, read_stats, write_stats
from metrics.scoring.metric import Sample
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.scoring.summary import compare, summarise
from metrics.statistics.bootstrap import Uncertainty
from tests.metrics.scoring.conftest import PROTOCOL

PINNED_LOGITS, PINNED_FRAME = [-3.0744, 6.242, 7.6933], [0.00657, 0.02003, 0.06462]
NAMES = ["fvd", "kvd", "clipsim", "clip_score", "frame_consistency"]


def test_values_are_those_of_the_functions(scorer: Scorer, folders: Path, i3d_weights: Path, minilm: Path) -> None:
    """The whole path against the pure functions on clips that are loaded by hand."""
    found, table = scorer.score(NAMES, folders / "gen", folders / "real", captions=folders / "captions.csv")
    values = {value.metric: value.value for value in found.values}
    gen, real = (
        [torch.from_numpy(np.load(folders / f"{side}/c{i}.npy")) for i in range(n)]
        for side, n in (("gen", 3), ("real", 5))
    )
    network = I3D.from_pretrained(i3d_weights)
    logits = [extract(network, prepare(torch.stack(side))).numpy() for side in (gen, real)]
    assert values["fvd"] == pytest.approx(fvd(*logits), rel=1e-4)
    assert values["kvd"] == pytest.approx(kernel_distance(*logits), rel=1e-4)
    encoder = DualEncoder(i3d_weights.parents[1] / "world/clip", minilm)
    squares = [resize(clip, 32, Resize.SQUASH_BICUBIC) / 255 for clip in gen]
    frames = torch.stack([encoder.frame_features(square) for square in squares])
    text = encoder.text_features([f"A red circle number {i}." for i in range(2)])
    assert values["clipsim"] == pytest.approx(float(clipsim(frames[:2], text).mean()), abs=1e-6)
    assert values["clip_score"] == pytest.approx(float(clip_score(frames[:2], text).mean()), abs=1e-6)
    assert values["frame_consistency"] == pytest.approx(float(frame_consistency(frames).mean()), abs=1e-6)
    assert table.clipsim.isna().tolist() == [False, False, True]


def test_nothing_is_dropped_silently(scorer: Scorer, folders: Path) -> None:
    found, _ = scorer.score(NAMES, folders / "gen", folders / "real", captions=folders / "captions.csv")
    assert (found.gen.requested, found.gen.scored) == (5, 3)  # four files, and one caption without a file
    assert {(error.clip, error.reason) for error in found.errors} == {
        ("c7", "has a caption and no file"),
        ("c3", "too short: 3 frames, expected 9 frames"),
        ("c2", "has no caption: not in CLIPSIM and CLIPScore"),
    }
    by_name = {value.metric: value for value in found.values}
    assert (by_name["fvd"].n_gen, by_name["fvd"].n_real, by_name["clipsim"].n_gen) == (3, 5, 2)
    assert by_name["fvd"].flag == "n = 3 < 401"
    assert by_name["clipsim"].flag == "toy world's own encoder"
    assert set(found.fingerprints) == {value.fingerprint for value in found.values}
    choices = found.fingerprints[by_name["fvd"].fingerprint]
    assert (choices["frames"], choices["ddof"], choices["n_gen"], choices["n_real"]) == (9, 1, 3, 5)
    assert choices["codec"] == "npy / npy"


def test_statistics_stand_in_for_the_folder(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    path, recipe = tmp_path / "real.safetensors", scorer.networks[0].recipe  # type: ignore[attr-defined]
    known = os.umask(0o002)
    write_stats(scorer.real(folders / "real"), PROTOCOL, recipe, path)
    os.umask(known)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664  # others of the group score against them
    ours, _ = scorer.score(["fvd", "kvd"], folders / "gen", stats=path)
    theirs, _ = scorer.score(["fvd", "kvd"], folders / "gen", folders / "real")
    assert [value.model_dump() for value in ours.values] == [value.model_dump() for value in theirs.values]
    other = replace(scorer, protocol=named("styleganv").with_clips(PROTOCOL.clips))
    with pytest.raises(StatsError, match="protocol is reelbench, this run's is styleganv: make the statistics again"):
        other.stats(path)
    with pytest.raises(StatsError, match=rf"code is {CODE}, this run's is {CODE + 1}: make the"):
        read_stats(path, PROTOCOL, recipe | {"code": str(CODE + 1)})
    save_file(load_file(path), tmp_path / "old", {"schema": "reelbench.stats/2"})
    with pytest.raises(StatsError, match=r"schema is 'reelbench.stats/2', expected 'reelbench.stats/3': make"):
        scorer.stats(tmp_path / "old")
    (tmp_path / "bad").write_bytes(b"no")
    with pytest.raises(StatsError, match="no file of statistics"):
        scorer.stats(tmp_path / "bad")
    with pytest.raises(StatsError, match="no such file"):
        scorer.stats(tmp_path / "none")


def test_statistics_of_another_machine_serve_and_say_so(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    recipe = scorer.networks[0].recipe  # type: ignore[attr-defined]
    measured = scorer.real(folders / "real")
    gpu = replace(measured.provenance, environment={"i3d": {"code": "0", "torch": "2.12.0", "device": "a GPU"}})
    write_stats(replace(measured, provenance=gpu), PROTOCOL, recipe, tmp_path / "s")
    found, _ = scorer.score(["fvd"], folders / "gen", stats=tmp_path / "s")
    (choices,) = found.fingerprints.values()
    assert (choices["code"], choices["device"]) == (f"{CODE} / 0", "cpu / a GPU")
    assert choices["torch"] == f"{version('torch')} / 2.12.0"
    nowhere = replace(measured, provenance=replace(gpu, environment={}))
    (value,) = summarise(["fvd"], Sample(measured, nowhere, PROTOCOL, Uncertainty(0)))
    assert value.fingerprint.device == "cpu / not recorded"


def test_fingerprints_say_what_computed(scorer: Scorer, folders: Path) -> None:
    """Each metric what its own numbers depend on: I3D's on no transformers, SSIM's on torchmetrics."""
    names = ["fvd", "kvd", "clipsim", "ssim"]
    found, _ = scorer.score(names, folders / "gen", folders / "real", captions=folders / "captions.csv")
    own = {choices["metric"]: choices for choices in found.fingerprints.values()}
    shared = {"torch": version("torch"), "device": "cpu"}
    clip = scorer.networks[1]
    expected = {
        "fvd": shared | {"code": str(CODE)},
        "kvd": shared | {"code": str(CODE)},
        "clipsim": shared | {"code": str(CODE), "files": clip.content, "transformers": version("transformers")},  # type: ignore[attr-defined]
        "ssim": shared | {"code": str(pairs.CODE), "torchmetrics": version("torchmetrics")},
    }
    fields = ("code", "files", "torch", "transformers", "torchmetrics", "device")
    for name, choices in own.items():
        assert {field: choices[field] for field in fields if field in choices} == expected[name]
        assert "libavcodec" not in str(choices["decoder"])  # arrays were read
        assert all(len(str(choices[side])) == 64 for side in ("gen", "real", "captions") if side in choices)
    again, _ = scorer.score(names, folders / "gen", folders / "real", captions=folders / "captions.csv")
    assert again.fingerprints == found.fingerprints


@pytest.mark.parametrize("changed", ["torch", "transformers", "device"])
def test_features_of_another_environment_are_others(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    before = {network.name: replace(network).identity for network in scorer.networks}  # type: ignore[type-var]
    if changed == "device":
        monkeypatch.setattr(environment, "device_name", lambda _: "another")
    else:
        monkeypatch.setattr(environment, "version", lambda name: "9.9" if name == changed else version(name))
    after = {network.name: replace(network).identity for network in scorer.networks}  # type: ignore[type-var]
    differ = {name for name in before if before[name] != after[name]}
    assert differ == ({"clip"} if changed == "transformers" else {"i3d", "clip"})


def test_a_configuration_or_tokenizer_is_part_of_the_encoder(scorer: Scorer, tmp_path: Path) -> None:
    """Weights that are alike with another configuration are another encoder."""
    clip = scorer.networks[1]
    shutil.copytree(clip.folder, tmp_path / "clip")  # type: ignore[attr-defined]

    def loaded() -> ClipFeatures:
        return load_clip(tmp_path / "clip", clip.text_tower, clip.rule)  # type: ignore[attr-defined]

    assert loaded().identity == clip.identity
    config = tmp_path / "clip/config.json"
    config.write_text(config.read_text().rstrip("\n") + "\n\n")
    assert loaded().weights == clip.weights  # type: ignore[attr-defined]
    assert loaded().identity != clip.identity
    assert loaded().environment["files"] != clip.environment["files"]  # type: ignore[attr-defined]


def test_long_frames_that_are_squashed_are_flagged(scorer: Scorer, folders: Path) -> None:
    """Not with the toy world's own encoder, which has a flag already: what is measured is given another's name."""
    _, table = scorer.score(["clipsim"], folders / "gen", captions=folders / "captions.csv")
    assert table["size"].unique().tolist() == ["48x36"]
    provenance = replace(scorer.provenance, networks={"clip": "dual encoder clip"})
    measured = Measured(table, np.empty((len(table), 0)), len(table), [], provenance)

    def flag(sizes: list[str], protocol: str) -> str:
        own = replace(measured, table=table.assign(size=sizes))
        chosen = named(protocol).with_clips(PROTOCOL.clips)
        return summarise(["clipsim"], Sample(own, None, chosen, Uncertainty(0)))[0].flag

    assert flag(["48x36", "36x48", "32x32"], "reelbench") == ""
    for wide in ("1280x720", "720x1280", "49x36"):
        assert flag(["48x36", wide, "48x36"], "reelbench") == "long frames squashed, CLIP's own way crops"
        assert flag(["48x36", wide, "48x36"], "clip-centre") == ""


def test_clips_of_unlike_numbers_of_windows_are_flagged(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    """A distance of sets weighs windows, a mean clips."""
    (tmp_path / "gen").mkdir()
    for i in range(2):
        clip = np.load(folders / f"gen/c{i}.npy")
        np.save(tmp_path / f"gen/c{i}.npy", np.concatenate([clip] * (i + 1)))
    rule = replace(PROTOCOL.clips, windows=2)
    own = replace(scorer, protocol=PROTOCOL.with_clips(rule))
    found, _ = own.score(["fvd", "kvd", "frame_consistency"], tmp_path / "gen", folders / "real")
    flags = {value.metric: value.flag for value in found.values}
    assert flags["fvd"] == "n = 2 < 401; clips weigh by their 1 to 2 windows"
    assert flags["kvd"] == "n = 2 < 16; clips weigh by their 1 to 2 windows"
    assert "windows" not in flags["frame_consistency"]


def test_protocols_change_the_value_and_the_fingerprint(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    for side in ("gen", "real"):  # two clips of each: a distance has a value from there
        (tmp_path / side).mkdir()
        for i in range(2):
            (tmp_path / f"{side}/c{i}.npy").symlink_to(folders / f"{side}/c{i}.npy")
    found = {}
    for name in ("reelbench", "reference", "styleganv", "clip-centre"):
        protocol = named(name).with_clips(PROTOCOL.clips)
        networks = [replace(scorer.networks[0], rule=protocol.i3d_resize)]  # type: ignore[type-var]
        own = replace(scorer, networks=networks, protocol=protocol)
        found[name] = own.score(["fvd"], tmp_path / "gen", tmp_path / "real")[0].values[0]
    assert len({value.fingerprint for value in found.values()}) == 4
    assert len({round(value.value or 0, 6) for value in found.values()}) == 4
    assert found["styleganv"].value < found["reelbench"].value  # a smaller covariance on both sides


def test_clips_that_are_on_both_sides_are_flagged(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    """Whatever they are called: a folder of real clips that lies below that of the generated ones, for example."""
    shutil.copytree(folders / "gen", tmp_path / "gen")
    for i in range(2):
        shutil.copy(folders / f"real/c{i}.npy", tmp_path / f"gen/copy{i}.npy")
    found, _ = scorer.score(["fvd", "kvd", "frame_consistency"], tmp_path / "gen", folders / "real")
    flags = [value.flag for value in found.values]
    assert flags == [*(f"n = 5 < {least}; on both sides: 2 clips" for least in (401, 16)), "toy world's own encoder"]


def test_a_second_metric_costs_nothing(scorer: Scorer, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer.score(NAMES, folders / "gen", folders / "real", captions=folders / "captions.csv")
    monkeypatch.setattr("metrics.networks.i3d.extract", None)
    monkeypatch.setattr(DualEncoder, "frame_features", None)
    monkeypatch.setattr(DualEncoder, "text_features", None)
    found, _ = scorer.score(["fvd", "clipsim"], folders / "gen", folders / "real", captions=folders / "captions.csv")
    assert found.gen.scored == 3


def test_the_result_is_read_back_as_written(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    found, table = scorer.score(["fvd", "frame_consistency"], folders / "gen", folders / "real")
    written = result.write(found, table, tmp_path / "out/r.json")
    assert result.read(tmp_path / "out/r.json") == written
    assert written.schema_ == "reelbench.score/4"
    assert written.run is None  # the command line's
    assert '"schema": "reelbench.score/4"' in (tmp_path / "out/r.json").read_text()
    clips = pd.read_parquet(tmp_path / "out" / str(written.per_clip))
    assert clips["clip"].tolist() == ["c0", "c1", "c2"]
    assert clips.frame_consistency.mean() == pytest.approx(found.values[1].value)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["r.clips.parquet", "r.json"]
    with pytest.raises(ValueError, match="schema"):
        (tmp_path / "old.json").write_text('{"schema": "reelbench.score/0"}')
        result.read(tmp_path / "old.json")


def test_methods_are_compared_on_the_clips_they_share(scorer: Scorer, folders: Path) -> None:
    measured = scorer.real(folders / "real")

    def sample(own: Measured) -> Sample:
        return Sample(own, measured, PROTOCOL, Uncertainty(20))

    fewer = replace(measured, table=measured.table.iloc[1:].reset_index(drop=True), logits=measured.logits[1:])
    same = compare(METRICS["fvd"], sample(measured), sample(fewer))
    assert same is not None
    assert (same.difference.value, same.difference.low, same.difference.high, same.pairs) == (0, 0, 0, 4)
    one = replace(measured, table=measured.table.iloc[:1], logits=measured.logits[:1])
    assert compare(METRICS["fvd"], sample(measured), sample(one)) is None
    assert compare(METRICS["clipsim"], sample(measured), sample(measured)) is None  # neither has captions
    assert compare(METRICS["fvd_inf"], sample(measured), sample(measured)) is None


def test_fingerprints_follow_captions_and_originals(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"c0": "A cat.", "c1": "A dog."}')
    marks = set()
    for captions in (folders / "captions.csv", tmp_path / "other.json"):
        marks.add(scorer.score(["clipsim"], folders / "gen", captions=captions)[0].values[0].fingerprint)
    assert len(marks) == 2
    ssim = [scorer.score(["ssim"], folders / "gen", folders / side)[0].values[0] for side in ("real", "gen")]
    assert ssim[0].fingerprint != ssim[1].fingerprint
    assert ssim[0].value < 0.99 < ssim[1].value <= 1.0001


def test_originals_are_both_sides_at_once(scorer: Scorer, folders: Path) -> None:
    """SSIM and FVD together: originals that have no copy are real clips too, and each counts once."""
    both, _ = scorer.score(["ssim", "fvd"], folders / "gen", folders / "real")
    alone, _ = scorer.score(["fvd"], folders / "gen", folders / "real")
    assert both.real == alone.real
    assert both.values[1] == alone.values[0]


def test_pairs_are_by_path_before_stem() -> None:
    def sources(*names: str) -> list[Source]:
        return [Source(name, Path(name)) for name in names]

    both = sources("cat/1", "dog/1")
    assert {name: source.id for name, source in paired(both, both).items()} == {"cat/1": "cat/1", "dog/1": "dog/1"}
    assert paired(sources("x/2", "y/3"), sources("2", "a/4"))["x/2"].id == "2"
    assert paired(sources("a"), sources("b"))["a"].id == "b"
    with pytest.raises(VideoError, match="no generated clip has an original of its name: 'q/1' is generated"):
        paired(sources("q/1", "q/2"), both)  # two originals are called 1


def test_captions_need_no_dual_encoder_and_statistics_no_i3d(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    write_stats(scorer.real(folders / "real"), PROTOCOL, scorer.networks[0].recipe, tmp_path / "s")
    i3d_only = replace(scorer, networks=scorer.networks[:1])
    assert i3d_only.score(["fvd"], folders / "gen", folders / "real", captions=folders / "captions.csv")[0].values
    clip_only = replace(scorer, networks=scorer.networks[1:])
    found, _ = clip_only.score(["clipsim"], folders / "gen", stats=tmp_path / "s", captions=folders / "captions.csv")
    assert found.real is None


def test_features_are_those_of_this_number_of_the_code(scorer: Scorer) -> None:
    """If this fails, features have changed: raise `features.CODE`, so that none from before is taken for new."""
    clip = (np.arange(9 * 40 * 30 * 3, dtype=np.uint64) * 2654435761 // 2**20 % 256).astype(np.uint8)
    logits, frames = (n.features([n.prepare(clip.reshape(9, 40, 30, 3))])[0] for n in scorer.networks)
    assert CODE == 2
    assert logits["logits"][:3].tolist() == pytest.approx(PINNED_LOGITS, abs=2e-3)
    assert frames["frames"][0, :3].tolist() == pytest.approx(PINNED_FRAME, abs=1e-4)


def test_what_cannot_be_had_is_said(scorer: Scorer, folders: Path) -> None:
    with pytest.raises(ValueError, match="fvd compares with real clips, and there are none"):
        scorer.score(["fvd"], folders / "gen")
    with pytest.raises(ValueError, match="no metric 'fid', expected some of fvd, fvd_inf, kvd"):
        scorer.score(["fid"], folders / "gen")
    short, _ = scorer.score(["fvd_inf"], folders / "gen", folders / "real")
    assert short.values[0].value is None
    assert short.values[0].flag == "needs 1024 clips a side"
