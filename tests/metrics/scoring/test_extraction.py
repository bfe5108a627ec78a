"""Extraction with a network that can be counted: order, cache, errors, pairs, worker processes, a stop midway."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from metrics.distances.pairs import PAIR
from metrics.reading import pixels, video
from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import find
from metrics.scoring import extraction
from metrics.scoring.cache import FeatureCache
from metrics.scoring.extraction import Extracted, Extractor, VideoInput


@dataclass
class MeanColour:
    """A network of three numbers that counts the clips it saw, and can be told to die at one."""

    name: str = "mean"
    identity: str = "1"
    device: str = "cpu"
    dies_at: int | None = None
    refuses: int | None = None
    seen: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(clip).float()

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        rows = []
        self.batches.append(len(prepared))
        for clip in prepared:
            value = int(clip.max())
            if value == self.dies_at:
                raise KeyboardInterrupt
            if value == self.refuses:
                raise VideoError(f"no clip of {value}")
            self.seen.append(value)
            rows.append({"colour": clip.mean(dim=(0, 1, 2)).numpy(), "top": np.float64(value)})
        return rows


def clips(folder: Path, n: int, frames: int = 6) -> Path:
    """Clip i is of colour i + 1; there are several windows of two frames in each."""
    folder.mkdir()
    for i in range(n):
        np.save(folder / f"c{i}.npy", np.full((frames, 12, 12, 3), i + 1, np.uint8))
    return folder


def run(network: MeanColour, folder: Path, cache: Path | None, workers: int | None = 0, **options: object) -> list:
    rule = ClipRule(frames=2, windows=2)
    extractor = Extractor([network], rule, FeatureCache(cache), batch=2, workers=workers, **options)  # type: ignore[arg-type]
    return [own for own, _ in extractor.extract([VideoInput(source) for source in find(folder)], "test")]


@pytest.mark.parametrize("workers", [0, 2])
def test_arrays_come_in_the_order_of_the_videos(tmp_path: Path, workers: int) -> None:
    found = run(MeanColour(), clips(tmp_path / "v", 7), None, workers)
    assert [own.source.id for own in found] == [f"c{i}" for i in range(7)]
    assert [own.windows for own in found] == [2] * 7
    for i, own in enumerate(found):
        assert own.features["mean"]["colour"].tolist() == [[i + 1.0] * 3] * 2
        assert own.features["mean"]["top"].tolist() == [i + 1.0] * 2


def test_workers_do_what_follows_the_first_video(tmp_path: Path) -> None:
    """Networks have then been loaded, and workers share them."""
    network = MeanColour()
    found = run(network, clips(tmp_path / "v", 5), tmp_path / "cache", workers=2)
    assert network.seen == [1, 1]
    assert len(found) == 5
    again = MeanColour()
    assert len(run(again, tmp_path / "v", tmp_path / "cache", workers=2)) == 5  # cached by the workers
    assert again.seen == []


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_filled_across_videos(tmp_path: Path, workers: int) -> None:
    """Of a network that computes elsewhere: what cannot be read and what is cached leaves no batch half empty."""
    folder, rule, cache = clips(tmp_path / "v", 9), ClipRule(frames=2), FeatureCache(tmp_path / "cache")
    known = [VideoInput(source) for source in find(folder)[3:4]]
    list(Extractor([MeanColour()], rule, cache, workers=0).extract(known, "test"))
    (folder / "c1.npy").write_bytes(b"")
    network = MeanColour(device="elsewhere")
    inputs = [VideoInput(source) for source in find(folder)]
    found = [own for own, _ in Extractor([network], rule, cache, batch=3, workers=workers).extract(inputs, "test")]
    assert [own.source.id for own in found] == [f"c{i}" for i in range(9)]
    assert [own.error for own in found] == ["the file is empty" if i == 1 else "" for i in range(9)]
    assert [own.features["mean"]["top"][0] for own in found if not own.error] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert network.batches == [3, 3, 1]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_network_that_refuses_a_clip_says_so_in_its_own_words(tmp_path: Path, workers: int) -> None:
    """Also from a worker, whose loader would tell where it was raised in place of why."""
    with pytest.raises(VideoError) as caught:
        run(MeanColour(refuses=3), clips(tmp_path / "v", 4), None, workers)
    assert str(caught.value) == "no clip of 3"
    assert not workers or "in features" in caught.value.__notes__[0]


def test_there_is_a_worker_for_each_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(extraction, "DataLoader", lambda videos, num_workers, **_: asked.append(num_workers) or [])
    folder = clips(tmp_path / "v", 9)
    monkeypatch.setattr(extraction, "cores", lambda: 3)
    for workers in (None, 1, 20):
        run(MeanColour(), folder, None, workers)
    assert asked == [3, 1, 8]


@pytest.mark.parametrize("wanted", ["pairs", "partners"])
def test_workers_read_what_only_originals_or_pairs_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    """No network has to see the generated clips, and yet every video is decoded."""
    gen, real, cache = clips(tmp_path / "gen", 4), clips(tmp_path / "real", 4), FeatureCache(tmp_path / "cache")
    networks = [MeanColour()] if wanted == "partners" else []
    run(MeanColour(), gen, tmp_path / "cache")
    handed: list[int] = []
    monkeypatch.setattr(extraction, "DataLoader", lambda videos, **_: handed.append(len(videos)) or [])
    inputs = [VideoInput(*pair) for pair in zip(find(gen), find(real), strict=True)]
    extractor = Extractor(networks, ClipRule(frames=2, windows=2), cache, workers=2, for_partners=("mean",))
    assert len(list(extractor.extract(inputs, "test"))) == 1
    assert handed == [3]


def test_what_was_done_once_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = clips(tmp_path / "v", 5)
    first, again = MeanColour(), MeanColour()
    expected = run(first, folder, tmp_path / "cache")
    assert len(first.seen) == 10
    monkeypatch.setattr(video, "read", None)  # nothing may be decoded
    found = run(again, folder, tmp_path / "cache")
    assert again.seen == []
    for own, before in zip(found, expected, strict=True):
        assert own.features["mean"]["colour"].tolist() == before.features["mean"]["colour"].tolist()
        assert (own.codec, own.windows) == (before.codec, before.windows)


def test_a_copy_under_another_name_costs_nothing(tmp_path: Path) -> None:
    folder = clips(tmp_path / "v", 2)
    run(MeanColour(), folder, tmp_path / "cache")
    (folder / "copy.npy").write_bytes((folder / "c0.npy").read_bytes())
    again = MeanColour()
    run(again, folder, tmp_path / "cache")
    assert again.seen == []


@pytest.mark.parametrize("change", ["network", "rule", "content"])
def test_another_network_rule_or_content_is_extracted_anew(tmp_path: Path, change: str) -> None:
    folder = clips(tmp_path / "v", 2)
    run(MeanColour(), folder, tmp_path / "cache")
    again = MeanColour(identity="2" if change == "network" else "1")
    if change == "content":
        np.save(folder / "c0.npy", np.full((6, 12, 12, 3), 9, np.uint8))
    rule = ClipRule(frames=2, windows=1 if change == "rule" else 2)
    extractor = Extractor([again], rule, FeatureCache(tmp_path / "cache"), workers=0)
    list(extractor.extract([VideoInput(source) for source in find(folder)], "test"))
    assert len(again.seen) == {"network": 4, "rule": 2, "content": 2}[change]


def test_a_run_that_was_stopped_continues(tmp_path: Path) -> None:
    folder = clips(tmp_path / "v", 6)
    with pytest.raises(KeyboardInterrupt):
        run(MeanColour(dies_at=5), folder, tmp_path / "cache")
    rest = MeanColour()
    found = run(rest, folder, tmp_path / "cache")
    assert sorted(set(rest.seen)) == [5, 6]
    assert [own.features["mean"]["top"][0] for own in found] == [1, 2, 3, 4, 5, 6]
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_damaged_entry_of_the_cache_is_made_anew(tmp_path: Path) -> None:
    folder = clips(tmp_path / "v", 1)
    run(MeanColour(), folder, tmp_path / "cache")
    (entry,) = (tmp_path / "cache").rglob("*.safetensors")
    entry.write_bytes(entry.read_bytes()[:20])
    again = MeanColour()
    assert run(again, folder, tmp_path / "cache")[0].error == ""
    assert len(again.seen) == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_are_carried_and_take_nobody_along(tmp_path: Path, workers: int) -> None:
    folder = clips(tmp_path / "v", 3)
    (folder / "c1.npy").write_bytes(b"")
    np.save(folder / "c2.npy", np.zeros((1, 12, 12, 3), np.uint8))
    found = run(MeanColour(), folder, tmp_path / "cache", workers)
    assert [own.error for own in found] == ["", "the file is empty", "too short: 1 frames, expected 2 frames"]
    assert found[1].features == {}


def test_pairs_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gen, real = clips(tmp_path / "gen", 3), clips(tmp_path / "real", 3)
    np.save(real / "c1.npy", np.full((6, 12, 12, 3), 100, np.uint8))
    np.save(real / "c2.npy", np.full((6, 16, 12, 3), 100, np.uint8))
    inputs = [VideoInput(a, b) for a, b in zip(find(gen), find(real), strict=True)]
    network = MeanColour()
    extractor = Extractor([network], ClipRule(frames=2), FeatureCache(tmp_path / "cache"), workers=0)
    found = [own for own, _ in extractor.extract(inputs, "test")]
    assert found[0].features[PAIR]["psnr"].tolist() == [100]
    assert found[1].features[PAIR]["psnr"][0] < 20
    assert "12x12 cannot be compared with an original of 2 frames of 12x16" in found[2].unpaired
    assert found[2].error == ""  # it is still scored by itself
    assert found[2].features["mean"]["top"].tolist() == [3]
    monkeypatch.setattr("metrics.scoring.extraction.compare", None)
    monkeypatch.setattr(video, "read", None)
    again = [own for own, _ in extractor.extract(inputs[:2], "test")]
    assert again[1].features[PAIR]["psnr"].tolist() == found[1].features[PAIR]["psnr"].tolist()


def test_of_a_pair_only_what_is_wanted_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PSNR without SSIM, which takes thirty times as long and wants larger frames; what is cached stays."""
    gen, real = clips(tmp_path / "gen", 1), clips(tmp_path / "real", 1)
    for folder in (gen, real):
        np.save(folder / "small.npy", np.zeros((4, 8, 8, 3), np.uint8))
    extractor = Extractor([], ClipRule(frames=2), FeatureCache(tmp_path / "cache"), workers=0)

    def measured(*names: str) -> list[Extracted]:
        inputs = [VideoInput(a, b, names) for a, b in zip(find(gen), find(real), strict=True)]
        return [own for own, _ in extractor.extract(inputs, "test")]

    first = measured("psnr")
    assert [list(own.features[PAIR]) for own in first] == [["psnr"], ["psnr"]]
    both = measured("ssim", "psnr")
    assert set(both[0].features[PAIR]) == {"psnr", "ssim"}
    assert "8x8 pixels, SSIM wants at least 11x11" in both[1].unpaired
    assert PAIR not in both[1].features  # whatever is cached of it
    monkeypatch.setattr(video, "read", None)
    assert set(measured("ssim")[0].features[PAIR]) == {"ssim"}


def test_pairs_alone_are_scored_from_the_cache_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network says how many windows there are."""
    inputs = [VideoInput(find(clips(tmp_path / "gen", 1))[0], find(clips(tmp_path / "real", 1))[0])]
    extractor = Extractor([], ClipRule(frames=2, windows=2), FeatureCache(tmp_path / "cache"), workers=0)
    first, again = (next(extractor.extract(inputs, "test"))[0] for _ in range(2))
    for own in (first, again):
        assert (own.windows, own.size, own.codec) == (2, "12x12", "npy")
        assert own.features[PAIR]["ssim"].shape == (2,)


def test_cached_features_are_named_by_a_whole_digest(tmp_path: Path) -> None:
    run(MeanColour(), clips(tmp_path / "v", 2), tmp_path / "cache")
    assert [len(path.stem) for path in (tmp_path / "cache").rglob("*.safetensors")] == [64, 64]


def test_features_of_another_decoder_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, again = clips(tmp_path / "v", 2), MeanColour()
    run(MeanColour(), folder, tmp_path / "cache")
    monkeypatch.setattr(pixels, "RULE", "as it is stored")
    run(again, folder, tmp_path / "cache")
    assert len(again.seen) == 4


def test_pictures_of_another_pillow_are_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "v/frames").mkdir(parents=True)
    for i in range(4):
        Image.new("RGB", (12, 12), (i, i, i)).save(tmp_path / f"v/frames/{i}.png")
    for expected, number in ((2, "1.0"), (0, "1.0"), (2, "2.0")):
        monkeypatch.setattr(extraction, "version", lambda _, number=number: number)
        network = MeanColour()
        run(network, tmp_path / "v", tmp_path / "cache")
        assert len(network.seen) == expected


def test_what_is_cached_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    """A cache may be a group's; safetensors' own writer takes that away."""
    known = os.umask(0o027)
    try:
        FeatureCache(tmp_path).put("ab", {"x": np.zeros(2)}, {"codec": "npy"})
    finally:
        os.umask(known)
    (path,) = tmp_path.rglob("*.safetensors")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert FeatureCache(tmp_path).get("ab")[1] == {"codec": "npy"}  # type: ignore[index]
