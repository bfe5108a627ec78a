"""The metrics inside torchmetrics' own tools: MetricTracker, FeatureShare with real networks that count, reset."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torchmetrics import Metric, MetricTracker
from torchmetrics.wrappers import FeatureShare

import metrics
from metrics.distances.fvd import fvd
from metrics.distances.kvd import kernel_distance
from metrics.networks.clip import DualEncoder
from metrics.networks.rules import Resize

D = 5
DISTANCES: tuple[Callable[..., Metric], ...] = (
    lambda **options: metrics.FrechetVideoDistance(d=D, **options),
    metrics.KernelVideoDistance,
)


class Counting(nn.Module):
    """A small network on clips (B, 3, T, 8, 8), and how often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * 8 * 8, D)
        self.passes = 0

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        return self.linear(clips.mean(dim=2).flatten(1))


def clips_of(seed: int, n: int = 4) -> torch.Tensor:
    return torch.rand(n, 3, 9, 8, 8, generator=torch.Generator().manual_seed(seed))


def features_of(seed: int, shift: float = 0.0, n: int = 12) -> torch.Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed)).double() + shift


def test_a_shared_network_runs_once_for_each_batch() -> None:
    torch.manual_seed(0)
    network, alone = Counting(), Counting()
    alone.load_state_dict(network.state_dict())
    share = FeatureShare([metrics.FrechetVideoDistance(network, d=D), metrics.KernelVideoDistance(network)])
    unshared = {"FrechetVideoDistance": metrics.FrechetVideoDistance(alone, d=D)}
    unshared["KernelVideoDistance"] = metrics.KernelVideoDistance(alone)
    for i in range(6):
        clips = clips_of(i)
        share.update(clips, real=i % 2 == 0)
        for metric in unshared.values():
            metric.update(clips, real=i % 2 == 0)
    assert (network.passes, alone.passes) == (6, 12)
    found = share.compute()
    assert set(found) == set(unshared)
    for name, metric in unshared.items():
        assert float(found[name]) == pytest.approx(float(metric.compute()), rel=1e-9)


def test_a_shared_encoder_sees_the_frames_once(root: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = DualEncoder(root / "models/world/clip", minilm)
    seen: list[int] = []
    frame_features = encoder.frame_features

    def counted(frames: torch.Tensor) -> torch.Tensor:
        seen.append(len(frames))
        return frame_features(frames)

    monkeypatch.setattr(encoder, "frame_features", counted)
    kinds = (metrics.CLIPSIM, metrics.CLIPScore, metrics.FrameConsistency)
    share = FeatureShare([kind(encoder) for kind in kinds])
    clips = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    captions = ["A red circle.", "A blue square."]
    for part in (clips[:1], clips[1:]):
        share.update(clips=part, captions=captions[: len(part)])
    assert seen == [3, 3]
    alone = [kind(encoder) for kind in kinds]
    for part in (clips[:1], clips[1:]):
        for metric in alone:
            metric.update(part, *([captions[: len(part)]] if not isinstance(metric, metrics.FrameConsistency) else []))
    found = share.compute()
    for metric in alone:
        assert float(found[type(metric).__name__]) == pytest.approx(float(metric.compute()), abs=1e-6)


def test_sharing_two_encoders_warns() -> None:
    with pytest.warns(UserWarning, match="different network"):
        FeatureShare([metrics.CLIPSIM(), metrics.CLIPScore(rule=Resize.CENTRE_BICUBIC)])


@pytest.mark.parametrize("kind", DISTANCES)
def test_a_tracker_finds_the_smallest_distance(kind: Callable[..., Metric]) -> None:
    """Without being told the direction."""
    tracker = MetricTracker(kind())
    for epoch, shift in enumerate((2.0, 0.1, 1.0)):
        tracker.increment()
        tracker.update(features_of(epoch, shift), real=False)
        tracker.update(features_of(9), real=True)
    best, step = tracker.best_metric(return_step=True)
    assert step == 1
    assert best == pytest.approx(float(tracker.compute_all().min()))


@pytest.mark.parametrize("kind", [metrics.CLIPSIM, metrics.CLIPScore])
def test_a_tracker_finds_the_best_match(kind: type[Metric]) -> None:
    tracker = MetricTracker(kind())
    for first in (0.1, 0.9, 0.5):
        tracker.increment()
        text = torch.tensor([[1.0, 0.0]])
        tracker.update(torch.tensor([[[first, 1 - first]]]), text)
    assert tracker.best_metric(return_step=True)[1] == 1


def test_a_tracker_finds_the_steadiest() -> None:
    tracker = MetricTracker(metrics.FrameConsistency())
    for change in (0.5, 0.0, 0.9):
        tracker.increment()
        tracker.update(torch.tensor([[[1.0, 0.0], [1.0, change]]]))
    assert tracker.best_metric(return_step=True)[1] == 1


@pytest.mark.parametrize(("kind", "function"), zip(DISTANCES, (fvd, kernel_distance), strict=True))
def test_the_real_side_survives_a_reset_if_it_shall(kind: Callable[..., Metric], function: Callable) -> None:
    real, first, second = features_of(0), features_of(1, 1.0), features_of(2, 0.5)
    for keeps in (True, False):
        metric = kind(reset_real_features=not keeps)
        metric.update(real, real=True)
        metric.update(first, real=False)
        assert float(metric.compute()) == pytest.approx(function(first.numpy(), real.numpy()), rel=1e-6)
        metric.reset()
        metric.update(second, real=False)
        if not keeps:
            with pytest.raises(ValueError, match="at least two"):
                metric.compute()
            continue
        for _ in range(2):  # and twice, with what defaults are for still in place
            assert float(metric.compute()) == pytest.approx(function(second.numpy(), real.numpy()), rel=1e-6)
            metric.reset()
            metric.update(second, real=False)


@pytest.mark.parametrize("kind", DISTANCES)
def test_a_batch_has_no_distance(kind: Callable[..., Metric]) -> None:
    with pytest.raises(ValueError, match="12 clips of one side has no distance: call update, then compute"):
        kind()(features_of(0), real=True)


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("FrechetVideoDistance", False),
        ("KernelVideoDistance", False),
        ("CLIPSIM", True),
        ("CLIPScore", True),
        ("FrameConsistency", True),
    ],
)
def test_every_class_says_what_torchmetrics_asks(name: str, higher: bool) -> None:
    kind = getattr(metrics, name)
    assert kind.higher_is_better is higher
    assert (kind.is_differentiable, kind.full_state_update) == (False, False)
    assert isinstance(getattr(kind(), kind.feature_network), nn.Module | None)
