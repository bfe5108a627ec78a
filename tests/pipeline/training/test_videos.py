"""Training on a folder of captioned videos, with a Stable Diffusion folder made small."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from metrics.reading.captions import CaptionError
from metrics.reading.errors import VideoError
from pipeline.clips.files import write_clip
from pipeline.config.specs import MotionSpec, VideoFolder
from pipeline.config.train import Schedule
from pipeline.samplers.animatediff import AnimateDiffSampling
from pipeline.samplers.guidance import Guidance
from pipeline.training import motion
from pipeline.training.loop import train
from tests.pipeline.training.small import embed_by, motion_spec

FRAMES, SIZE = 5, 32


def write_video(path: Path, shade: int, frames: int = 9) -> None:
    """A bar of this shade that moves over a black ground, 24 x 40 pixels."""
    video = np.zeros((frames, 24, 40, 3), np.uint8)
    for i in range(frames):
        video[i, :, 10 + 2 * i : 14 + 2 * i] = shade
    write_clip(path, video, 8)


@pytest.fixture
def videos(tmp_path: Path) -> VideoFolder:
    """Six videos of which five have a caption."""
    for i in range(6):
        write_video(tmp_path / "clips" / f"v{i}.mkv", 50 * i)
    rows = [f"v{i}.mkv,A bar of shade {i} moves." for i in range(5)]
    (tmp_path / "captions.csv").write_text("\n".join(["file,caption", *rows]) + "\n")
    folder, captions = str(tmp_path / "clips"), str(tmp_path / "captions.csv")
    return VideoFolder(clips=folder, captions=captions, frames=FRAMES, size=SIZE, stride=2, unseen=2)


@pytest.fixture
def spec(stable_diffusion_folder: Path, videos: VideoFolder) -> MotionSpec:
    own = {"scenes": 0, "used": 0, "validation_prompts": 2, "videos": videos}
    return motion_spec(stable_diffusion_folder).model_copy(update=own)


def task_of(spec: MotionSpec) -> motion.MotionTask:
    return motion.build_task(spec, embed_by("clip", Path(spec.checkpoint), 77), 0, "cpu")


def test_captioned_videos_are_trained_on_and_the_last_kept_apart(spec: MotionSpec) -> None:
    task = task_of(spec)
    assert task.data.captions == [f"A bar of shade {i} moves." for i in range(3)]
    assert task.unseen.captions == [f"A bar of shade {i} moves." for i in (3, 4)]
    assert task.data.latents.shape[:2] == (3, FRAMES)
    ground = torch.zeros(FRAMES, 3, SIZE, SIZE) - 1  # nothing but black, however it is resized
    with torch.no_grad():
        encoded = task.images.codec.encode(ground).latent_dist.mean * task.images.codec.config.scaling_factor
    torch.testing.assert_close(task.data.latents[0], encoded.half(), rtol=1e-2, atol=1e-2)
    assert not torch.allclose(task.data.latents[1], encoded.half(), atol=0.1)


def test_it_trains_validates_and_samples_at_the_videos_size(spec: MotionSpec, tmp_path: Path) -> None:
    task, seen = task_of(spec), []
    schedule = Schedule(steps=3, learning_rate=1e-3, checkpoint_every=2, validate_every=2)
    history = train(task, schedule, tmp_path / "x.safetensors", "x", lambda step, metrics, _: seen.append(metrics))
    losses = [row["validation_loss"] for row in history.rows if "validation_loss" in row]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    clips = task.sample(["A bar moves."], AnimateDiffSampling(2, Guidance(2.0)))
    assert clips.shape == (1, FRAMES, SIZE, SIZE, 3)
    assert task.picture().shape == (2 * SIZE, 3 * SIZE, 3)


def test_validation_repeats_itself_and_fills_no_queue(spec: MotionSpec) -> None:
    task = task_of(spec)
    task.model.eval()
    with torch.no_grad():
        first, second = task.validate(False), task.validate(True)
    assert first == second
    assert int(task.model.contrast.filled) == 0


def short(spec: MotionSpec) -> MotionSpec:
    write_video(Path(spec.videos.clips) / "v2.mkv", 9, frames=8)
    return spec


def of_videos(**changes: object) -> Callable[[MotionSpec], MotionSpec]:
    return lambda spec: spec.model_copy(update={"videos": spec.videos.model_copy(update=changes)})


def unnamed(spec: MotionSpec) -> MotionSpec:
    Path(spec.videos.captions).write_text("file,caption\nother.mkv,A dog.\n")
    return spec


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (short, VideoError, r"v2\.mkv: too short: 8 frames"),
        (unnamed, CaptionError, "none of 1 captions matches a file"),
        (of_videos(unseen=5), ValueError, "5 captioned videos in"),
        (of_videos(size=20), ValueError, "size is 20, expected a multiple"),
        (of_videos(clips="nowhere"), VideoError, "nowhere"),
    ],
)
def test_errors_are_named(
    spec: MotionSpec, change: Callable[[MotionSpec], MotionSpec], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        task_of(change(spec))
