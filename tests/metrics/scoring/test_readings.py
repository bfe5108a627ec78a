"""What is read off pixels goes the way of every metric: worker, cache, table, fingerprint."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metrics.distances import flow
from metrics.distances.flicker import temporal_flickering
from metrics.reading.rule import ClipRule
from metrics.scoring.cache import FeatureCache
from metrics.scoring.protocol import named
from metrics.scoring.readings import FlickerReadings, FlowReadings, load_flow
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty
from tests.metrics.distances.moving import flickering, translation

NAMES = ["temporal_flickering", "dynamic_degree", "warping_error"]


class TwoRight(torch.nn.Module):
    """A flow network that has seen everything move by two pixels to the right; backwards it is right by half."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        assert first.shape == second.shape and first.shape[2] % 8 == 0 and first.shape[3] % 8 == 0
        flow = torch.zeros_like(first[:, :2])
        flow[:, 0] = 2.0
        return flow if bool((first[0, 0, 20, 2:28] == second[0, 0, 20, 4:30]).all()) else -flow


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    clips = {"a": translation(32, 2, 0, 6), "b": flickering(32, 10, 6), "c": np.zeros((6, 12, 12, 3), np.uint8)}
    for name, clip in clips.items():
        np.save(folder / f"{name}.npy", clip)
    return folder


def scorer(cache: Path, frames: int = 5, workers: int = 0) -> Scorer:
    protocol = named("reelbench").with_clips(ClipRule(frames=frames))
    networks = [FlickerReadings(), FlowReadings()]
    return Scorer(networks, protocol, FeatureCache(cache), Uncertainty(0), workers=workers)


def test_values_are_those_of_the_functions(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, table = scorer(tmp_path / "cache", workers=2).score(NAMES, videos)
    table = table.set_index("clip")
    for name in "ab":
        clip = np.load(videos / f"{name}.npy")[:5]
        there, back = flow.dis_flows(clip)
        expected = [temporal_flickering(clip), flow.dynamic_degree(there), flow.warping_error(clip, there, back)]
        assert table.loc[name, NAMES].tolist() == pytest.approx(expected, abs=1e-12)
    assert table.loc["c", NAMES].tolist() == pytest.approx([1, np.nan, np.nan], nan_ok=True)  # too small for flow
    values = {value.metric: value for value in found.values}
    assert [values[name].n_gen for name in NAMES] == [3, 2, 2]
    assert values["dynamic_degree"].value == 0.5
    marks = [found.fingerprints[values[name].fingerprint] for name in NAMES]
    assert [mark["network"] for mark in marks] == ["pixels", *[flow.DESCRIPTION] * 2]
    monkeypatch.setattr(flow, "dis_flows", None)  # the second time is free
    again, _ = scorer(tmp_path / "cache").score(NAMES, videos)
    assert again.values == found.values


def test_one_frame_has_no_motion(videos: Path, tmp_path: Path) -> None:
    found, _ = scorer(tmp_path / "cache", frames=1).score(NAMES, videos)
    assert [(value.value, value.flag) for value in found.values] == [(None, "no clip has it")] * 3


def test_a_flow_network_of_the_users(videos: Path, tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    torch.jit.script(TwoRight()).save(path)
    np.save(videos / "odd.npy", translation(36, 2, 0, 5)[:, :33])
    (videos / "b.npy").unlink()
    own = replace(scorer(tmp_path / "cache"), networks=[load_flow(path)])
    found, table = own.score(NAMES[1:], videos)
    assert table.dynamic_degree.tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)
    assert table.warping_error.dropna().tolist() == pytest.approx([0, 0], abs=1e-9)
    mark = found.fingerprints[found.values[0].fingerprint]
    assert (mark["network"], mark["value_range"]) == ("optical flow: TorchScript network of the user's", "[0, 255]")
    assert mark["weights"] == load_flow(path).weights
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_flow(tmp_path / "none.pt")
    torch.jit.script(torch.nn.Bilinear(32, 32, 7)).save(path)
    with pytest.raises(ValueError, match=r"makes .* of frames .* expected a flow \(B, 2, H, W\)"):
        own = replace(own, networks=[load_flow(path)], cache=FeatureCache(None))
        (videos / "odd.npy").unlink()
        own.score(NAMES[1:], videos)
