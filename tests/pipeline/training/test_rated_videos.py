"""ETC on folders, with a Stable Diffusion 2.1 folder made small: what its batches show, and that it is trained."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from torch import nn

from metrics.reading.captions import CaptionError
from metrics.reading.errors import VideoError
from metrics.reading.sources import Source, find
from metrics.reading.video import Timing
from pipeline.clips.files import write_clip
from pipeline.config.generate import Model
from pipeline.config.methods import Rated
from pipeline.config.specs import EtcSpec
from pipeline.config.train import Schedule
from pipeline.etc.fps import VIDEO_FPS
from pipeline.etc.unet import TemporalUNet
from pipeline.samplers import grid
from pipeline.samplers.guidance import Guidance
from pipeline.training import etc, rated_videos
from pipeline.training.loop import silent, train
from pipeline.training.rated_videos import at_drawn_rates, fitting
from tests.pipeline.training.small import embed_by, etc_spec

FRAMES, SIZE = 16, 64
LABELS = {"sea_lion": 3, "goldfish": 2}


def write_video(path: Path, shade: int, frames: int, fps: int) -> None:
    """A bar of this shade that moves over a black ground, 24 x 40 pixels."""
    video = np.zeros((frames, 24, 40, 3), np.uint8)
    for i in range(frames):
        video[i, :, i % 36 : i % 36 + 4] = shade
    write_clip(path, video, fps)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five videos at 30 frames a second, of 0.6 to 2.6 seconds; five captioned images, one more; images of two
    labels."""
    (tmp_path / "clips").mkdir()
    for i in range(5):
        write_video(tmp_path / f"clips/v{i}.mkv", 50 * i + 20, 18 + 15 * i, 30)
    named = [f"v{i}.mkv,A bar of shade {i} moves." for i in range(5)]
    (tmp_path / "captions.csv").write_text("\n".join(["file,caption", *named]) + "\n")
    (tmp_path / "images").mkdir()
    for i in range(6):
        Image.new("RGB", (70, 80), (40 * i, 255, 0)).save(tmp_path / f"images/i{i}.png")
    named = [f"i{i}.png,An image of shade {i}." for i in range(5)]
    (tmp_path / "images.csv").write_text("\n".join(["file,caption", *named]) + "\n")
    for label, count in LABELS.items():
        (tmp_path / "labels" / label).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (70, 80), (0, 40 * i, 255)).save(tmp_path / "labels" / label / f"{i}.jpg")
    return tmp_path


def spec_of(checkpoint: Path, folder: Path, **own: Any) -> EtcSpec:
    videos = {"clips": str(folder / "clips"), "captions": str(folder / "captions.csv"), "unseen": 2}
    values = {
        "videos": {**videos, "frames": FRAMES, "size": SIZE},
        "images": {"folder": str(folder / "images"), "captions": str(folder / "images.csv")},
        "labels": str(folder / "labels"),
        "validation_prompts": 1,
        "batch": 2,
    }
    return etc_spec(checkpoint, **(values | own))


def task_of(spec: EtcSpec) -> etc.EtcTask:
    return etc.build_task(spec, embed_by("clip", Path(spec.checkpoint), 77), 0, "cpu")


@given(st.floats(0.5, 120), st.floats(0.05, 40), st.sampled_from([4, 9, 16]))
def test_rates_fit_where_the_frames_do(rate: float, seconds: float, frames: int) -> None:
    """A rate fits if its last frame is nearest to one that the video has; more time never takes a rate away."""
    found = fitting(Timing(rate, seconds), frames)
    expected = []
    for wanted in VIDEO_FPS:
        last = (frames - 1) / wanted
        if wanted <= 1.01 * rate and last < seconds - 1 / rate + 0.5 / rate:
            expected.append(wanted)
    assert found == expected
    assert set(found) <= set(fitting(Timing(rate, seconds + 1), frames))


def test_ntsc_counts_as_the_round_rate() -> None:
    assert fitting(Timing(30000 / 1001, 20), 16) == [1, 2, 4, 8, 15, 30]
    assert fitting(Timing(60000 / 1001, 20), 16) == [1, 2, 4, 8, 15, 30, 60]
    assert fitting(Timing(24000 / 1001, 3), 16) == [8, 15]


def test_rates_are_drawn_from_the_seed(folder: Path) -> None:
    """Of those that fit, each one; a shorter video draws among fewer and leaves the others' rates alone."""
    sources = [source for source in find(folder / "clips") for _ in range(40)]
    drawn = [at_drawn_rates(sources, FRAMES, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    seen = {source.id: {one.rate for one in drawn[0] if one.source == source} for source in sources}
    assert seen == {"v0": {30}, "v1": {15, 30}, "v2": {15, 30}, "v3": {8, 15, 30}, "v4": {8, 15, 30}}


def test_rows_of_a_batch_show_what_the_folders_hold(
    folder: Path, stable_diffusion_21_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a codec that keeps the mean colour, so that every frame can be read."""

    def mean_colour(frames: np.ndarray, *_: object) -> torch.Tensor:
        mean = torch.from_numpy(frames.mean(axis=(1, 2), dtype=np.float32)).half()
        return torch.cat([mean, torch.zeros(len(mean), 1).half()], dim=1)[None, :, :, None, None]

    monkeypatch.setattr(rated_videos, "encoded", mean_colour)
    task = task_of(spec_of(stable_diffusion_21_folder, folder, batch=120, drop=0.0))
    assert task.data.captions == [f"A bar of shade {i} moves." for i in range(3)]
    assert task.unseen.data.captions == [f"A bar of shade {i} moves." for i in (3, 4)]
    encoder, batch = task.data.encoder, task.source.batch(0)
    rates = dict(zip(task.data.captions, task.source.rates.tolist(), strict=True))

    def said(text: torch.Tensor, texts: list[str]) -> str:
        tokens, row = encoder.embed(texts)
        near = (encoder.scaled(tokens[row]) - text).abs().amax(dim=(1, 2))
        assert near.min() < 1e-3
        return texts[int(near.argmin())]

    seen: set[str] = set()
    for clean, fps, text in zip(batch.clean, batch.fps.tolist(), batch.text, strict=True):
        red, green, blue = clean[:3, :, 0, 0].numpy()
        if fps == 0:
            name = said(text, ["sea lion", "goldfish"])
            assert (blue > 250).all()
            assert green.max() <= (LABELS[name.replace(" ", "_")] - 1) * 40 + 2
        elif fps == 120:
            name = said(text, [f"An image of shade {i}." for i in range(5)])
            assert (np.abs(red - 40 * int(name[-2])) < 1).all()
            assert (green > 250).all()
        else:
            name = said(text, task.data.captions)
            assert fps == rates[name]
            assert np.ptp(red) < 1
        seen.add(name)
    assert len(seen) == 2 + 5 + 3


@pytest.mark.parametrize("kind", ["grid", "temporal"])
def test_stable_diffusion_21_is_trained_written_and_sampled(
    folder: Path, stable_diffusion_21_folder: Path, tmp_path: Path, kind: str
) -> None:
    own = {"frames": kind, "mixed": kind == "grid", "recompute": True}
    task = task_of(spec_of(stable_diffusion_21_folder, folder, **own))
    schedule = Schedule(steps=2, learning_rate=1e-3, warmup=1, validate_every=1, accumulate=2, precision="bf16")
    history = train(task, schedule, tmp_path / "checkpoint.safetensors", "x", silent)
    assert all(np.isfinite([row["loss"], row["validation_loss"]]).all() for row in history.rows if "loss" in row)
    assert task.picture().shape == (SIZE, FRAMES // 2 * SIZE, 3)
    etc.export(task, tmp_path / "out")
    sampling = {"steps": 2, "guidance": 7.0, "frames": FRAMES, "height": SIZE, "width": SIZE}
    model = Model(family="grid", checkpoint=str(stable_diffusion_21_folder), encoder="clip", sampling=sampling, fps=8)
    sampler = grid.build(model, Guidance(7.0), Rated(trained=str(tmp_path / "out"), rate=8))
    encoder = task.data.encoder
    tokens, _ = encoder.embed(["A bar moves."])
    sampler.prepare(77, tokens.shape[-1])
    clips = sampler.sample(encoder.scaled(tokens), torch.randn(1, *sampler.noise_shape), encoder.empty)
    assert clips.shape == (1, FRAMES, SIZE, SIZE, 3)
    assert clips.float().std() > 0


def test_untrained_temporal_layers_leave_stable_diffusion_21_as_it_is(
    folder: Path, stable_diffusion_21_folder: Path
) -> None:
    """Heads by level and linear projections come through the inflation."""
    temporal = task_of(spec_of(stable_diffusion_21_folder, folder, frames="temporal", mixed=False)).model.eval()
    images = etc.images_of(spec_of(stable_diffusion_21_folder, folder)).unet
    assert isinstance(temporal, TemporalUNet)
    noisy, text = torch.randn(1, 4, 3, 8, 8), torch.randn(1, 77, 16)
    with torch.no_grad():
        found = temporal(noisy, torch.tensor([7]), text, torch.tensor([8.0])).sample
        frames = [images(noisy[:, :, i], 7, text).sample for i in range(3)]
    torch.testing.assert_close(found, torch.stack(frames, dim=2), rtol=1e-4, atol=1e-5)


def test_recomputing_changes_no_gradient(folder: Path, stable_diffusion_21_folder: Path) -> None:
    def gradients(recompute: bool) -> tuple[list[torch.Tensor], int]:
        task, calls = task_of(spec_of(stable_diffusion_21_folder, folder, recompute=recompute)), []
        for block in task.model.unet.down_blocks:
            block.resnets[0].register_forward_pre_hook(lambda *_: calls.append(1))
        task.loss(task.model, task.source.batch(0)).total.backward()
        return [parameter.grad for parameter in task.model.parameters()], len(calls)

    (kept, once), (recomputed, twice) = gradients(False), gradients(True)
    assert twice == 2 * once
    for one, other in zip(kept, recomputed, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_validation_repeats_itself(folder: Path, stable_diffusion_21_folder: Path) -> None:
    task = task_of(spec_of(stable_diffusion_21_folder, folder))
    nn.Module.eval(task.model)
    with torch.no_grad():
        assert task.validate(False) == task.validate(True)


def test_without_images_they_are_the_videos_middle_frames(folder: Path, stable_diffusion_21_folder: Path) -> None:
    shares = {"label_images": 0, "videos": 0, "caption_images": 1}
    task = task_of(spec_of(stable_diffusion_21_folder, folder, images=None, labels=None, shares=shares))
    clean = task.source.batch(0).clean
    middles = task.data.latents[:, FRAMES // 2].float()
    for row in clean:
        assert (row == row[:, :1]).all()
        assert any(torch.equal(row[:, 0], middle) for middle in middles)


def short(folder: Path) -> None:
    write_video(folder / "clips/v2.mkv", 9, 14, 30)


def slow(folder: Path) -> None:
    """A frame every two seconds, for a minute."""
    with av.open(str(folder / "clips/v1.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(1, 2))
        stream.width, stream.height, stream.pix_fmt = 40, 24, "bgr0"
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame(40, 24, "bgr0")))
        container.mux(stream.encode())


def still(folder: Path) -> None:
    (folder / "clips/v3.mkv").unlink()
    np.save(folder / "clips/v3.npy", np.zeros((40, 24, 40, 3), np.uint8))


def unlabelled(folder: Path) -> None:
    (folder / "labels/empty").mkdir()


def uncaptioned(folder: Path) -> None:
    (folder / "images.csv").write_text("file,caption\nother.png,A dog.\n")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            short,
            VideoError,
            r"v2\.mkv: too short: 0\.47 s at 30 frames a second, "
            r"expected at least 0\.53 s, 16 frames at 30 a second$",
        ),
        (slow, VideoError, r"v1\.mkv: has 0\.5 frames a second, expected at least 1"),
        (still, VideoError, r"v3\.npy: has no frame rate of its own, expected a video file"),
        (unlabelled, VideoError, "labels/empty: no image found"),
        (uncaptioned, CaptionError, r"images\.csv: none of 1 captions matches a file"),
    ],
)
def test_wrong_folders_are_named_before_anything_is_encoded(
    folder: Path,
    stable_diffusion_21_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    error: type[Exception],
    message: str,
) -> None:
    change(folder)
    monkeypatch.setattr(rated_videos, "encoded", lambda *_: pytest.fail("encodes"))
    with pytest.raises(error, match=message):
        task_of(spec_of(stable_diffusion_21_folder, folder))


def test_what_is_needed_is_enough(folder: Path) -> None:
    """16 frames at 30 a second: as many frames as the message of a shorter video asks for."""
    write_video(folder / "clips/v2.mkv", 9, 16, 30)
    (rated,) = at_drawn_rates([Source("v2", folder / "clips/v2.mkv")], FRAMES, 0)
    assert rated.rate == 30
    write_video(folder / "clips/v2.mkv", 9, 15, 30)
    with pytest.raises(VideoError, match=r"0\.50 s at 30 frames a second, expected at least 0\.53 s"):
        at_drawn_rates([Source("v2", folder / "clips/v2.mkv")], FRAMES, 0)


def test_many_unfit_videos_are_counted(folder: Path) -> None:
    for i in range(5):
        write_video(folder / f"clips/v{i}.mkv", 9, 10, 30)
    with pytest.raises(VideoError, match=r"v0\.mkv: .*v1\.mkv: .*v2\.mkv: .*; and 2 more$"):
        at_drawn_rates(find(folder / "clips"), FRAMES, 0)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"labels": None}, "shares.label_images is 1 without labels, expected their folder, or a share of 0"),
        ({"videos": None}, "images and labels without videos"),
        (
            {"videos": {"clips": "a", "captions": "b", "frames": 12, "size": 64}},
            "videos.frames is 12 with frames: grid",
        ),
        ({"videos": {"clips": "a", "captions": "b", "frames": 16, "size": 64, "stride": 2}}, "no such key: 'stride'"),
    ],
)
def test_specifications_that_make_no_sense_are_refused(tmp_path: Path, own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec_of(tmp_path, tmp_path, **own)


def test_a_size_that_the_unet_cannot_take_is_refused(folder: Path, stable_diffusion_21_folder: Path) -> None:
    videos = {"clips": str(folder / "clips"), "captions": str(folder / "captions.csv"), "frames": 16, "size": 72}
    with pytest.raises(ValueError, match="size is 72, expected a multiple of 64"):
        task_of(spec_of(stable_diffusion_21_folder, folder, videos=videos))
