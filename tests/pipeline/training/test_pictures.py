"""What Make-A-Video's networks read from folders, and that each learns from one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from metrics.reading.errors import VideoError
from pipeline.clips.files import write_clip
from pipeline.config.cascade import (
    DecoderSpec,
    InterpolationSpec,
    OwnClips,
    PriorSpec,
    UpscalerSpec,
    VideoDecoderSpec,
    VideoUpscalerSpec,
)
from pipeline.config.embed import Text
from pipeline.config.specs import ImageFolder
from pipeline.config.train import Schedule
from pipeline.make_a_video.pyramid import joint_space
from pipeline.training import decoder, interpolation, pictures, prior, upscaler, video_decoder, video_upscaler
from pipeline.training.loop import silent, train
from tests.pipeline.training.small import embed_by

VIDEOS, IMAGES, FRAMES, FPS = 4, 5, 7, 12
PIXELS = {
    "scenes": 1,
    "shading": 0,
    "rendered": 64,
    "size": 16,
    "sampling_steps": 1,
    "validation_scenes": 1,
    "batch": 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos of seven frames whose brightness is 20 times the frame's number plus the video's; captioned images."""
    (tmp_path / "videos").mkdir()
    for i in range(VIDEOS):
        shades = (20 * np.arange(FRAMES) + i).astype(np.uint8)
        clip = np.broadcast_to(shades[:, None, None, None], (FRAMES, 24, 40, 3))
        write_clip(tmp_path / f"videos/v{i}.mkv", np.ascontiguousarray(clip), FPS)
    (tmp_path / "images").mkdir()
    for i in range(IMAGES):
        Image.new("RGB", (70, 80), (40 * i, 0, 0)).save(tmp_path / f"images/i{i}.png")
    named = [f"i{i}.png,An image of shade {i}." for i in range(IMAGES - 1)]
    (tmp_path / "images.csv").write_text("\n".join(["file,caption", *named]) + "\n")
    return tmp_path


@pytest.fixture
def embedded(root: Path, minilm: Path) -> dict[str, Any]:
    encoder = {"clip": str(root / "models/world/clip"), "text_tower": str(minilm)}
    return {**PIXELS, **encoder, "drop": 0.1, "guidance": 1.0}


def decoder_spec(embedded: dict[str, Any], folder: Path) -> DecoderSpec:
    own = {"folder": str(folder / "images"), "frames": 1, "unseen": 1}
    return DecoderSpec(**embedded, channels=[16, 16], heads=2, token_width=16, own=own)


def trained(task: Any, module: Any, folder: Path) -> dict[str, float]:
    """What the last validation found of two steps, after which the network is written."""
    schedule = Schedule(steps=2, learning_rate=1e-3, warmup=1)
    history = train(task, schedule, folder / "checkpoint.safetensors", "test", silent)
    module.export(task, folder)
    return history.rows[-1]


def test_frames_and_rates_are_the_videos(folder: Path, embedded: dict[str, Any]) -> None:
    """Every second of the first five frames, in the order of the names; the last video is kept."""
    own = {"folder": str(folder / "videos"), "frames": 3, "stride": 2, "unseen": 1}
    spec = decoder_spec(embedded, folder).model_copy(update={"own": OwnClips(**own)})
    space = joint_space(spec.clip, spec.text_tower)
    seen, unseen = pictures.pictures(spec, 0, space, apart=1)
    assert unseen is not None
    assert seen.pixels.shape == (VIDEOS - 1, 3, 3, 16, 16)
    shades = seen.pixels.float().mean(dim=(2, 3, 4))
    assert torch.equal(shades, torch.tensor([[40.0 * t + i for t in range(3)] for i in range(VIDEOS - 1)]))
    assert torch.equal(seen.fps, torch.full((VIDEOS - 1,), FPS / 2))
    assert float(unseen.pixels[0, 0].float().mean()) == VIDEOS - 1
    assert seen.places == (0, 1, 2)
    expected = space.images(torch.full((1, 3, 32, 32), 41 / 255))
    torch.testing.assert_close(seen.image[1, 1], expected[0], atol=1e-4, rtol=1e-4)


def test_images_are_clips_of_one_frame(folder: Path, embedded: dict[str, Any]) -> None:
    spec = decoder_spec(embedded, folder)
    seen, unseen = pictures.clips(spec, 0)
    assert unseen is not None
    assert (len(seen.pixels), len(unseen.pixels)) == (IMAGES - 1, 1)
    assert seen.pixels[:, 0, 0].float().mean(dim=(1, 2)).tolist() == [40.0 * i for i in range(IMAGES - 1)]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"frames": 3, "unseen": VIDEOS}, f"{VIDEOS} in .*videos, of which {VIDEOS} are kept for validation"),
        ({"frames": FRAMES + 1, "unseen": 1}, r"v0\.mkv.*too short"),
    ],
)
def test_what_cannot_be_read_is_named(folder: Path, embedded: dict[str, Any], own: dict[str, int], said: str) -> None:
    spec = decoder_spec(embedded, folder)
    changed = spec.model_copy(update={"own": OwnClips(folder=str(folder / "videos"), **own)})
    with pytest.raises((ValueError, VideoError), match=said):
        pictures.clips(changed, 0)


def test_what_would_be_enlarged_is_refused(folder: Path, embedded: dict[str, Any]) -> None:
    own = OwnClips(folder=str(folder / "videos"), frames=3)
    spec = decoder_spec(embedded, folder).model_copy(update={"size": 32, "own": own})
    with pytest.raises(VideoError, match=r"v0\.mkv: 40x24 pixels, expected at least 32"):
        pictures.clips(spec, 0)


@pytest.mark.parametrize(("frames", "apart"), [(1, 1), (16, 15), (121, 15), (7, 2)])
def test_every_window_has_an_embedding(frames: int, apart: int) -> None:
    places = pictures.places_of(frames, apart)
    assert (places[0], places[-1]) == (0, frames - 1)
    assert max(np.diff(places), default=0) <= apart


def test_clips_too_short_for_what_is_learnt_are_refused(embedded: dict[str, Any]) -> None:
    layers = {"heads": 2, "most_frames": 8, "layers": "temporal", "timestep_power": 1.0, "checkpoint": "x"}
    own = {"folder": "videos", "frames": 5}
    with pytest.raises(ValueError, match=r"3 frames at a skip of 3 need clips of 7, found 5 \(own\.frames\)"):
        VideoDecoderSpec(**embedded, **layers, frames=3, skips=[1, 3], own=own)
    with pytest.raises(ValueError, match="frames: found 6, expected at most those of a clip, 5"):
        InterpolationSpec(**embedded, checkpoint="x", frames=6, rates=[8], factors=[2], extrapolated=0.5, own=own)


def test_the_cascade_is_trained_on_folders(
    root: Path, folder: Path, embedded: dict[str, Any], minilm: Path, tmp_path: Path
) -> None:
    """Every part in the paper's order, each on what came before."""
    videos = {"folder": str(folder / "videos"), "frames": 5, "unseen": 1}
    made = {name: tmp_path / name for name in ("prior", "d", "dt", "f", "sr", "srt")}
    text = Text(encoder="text", set="captions")
    told = {"images": {"folder": str(folder / "images"), "captions": str(folder / "images.csv")}, "unseen": 1}
    sampled = {"scenes": 1, "shading": 0, "sampling_steps": 1, "guidance": 1.0, "validation_prompts": 1, "drop": 0.1}
    encoder = {name: embedded[name] for name in ("clip", "text_tower", "rendered", "batch")}
    p = PriorSpec(text=text, layers=1, heads=2, head_dim=8, **sampled, **encoder, **told)
    embed = embed_by("minilm", minilm, 20, zero_padding=True)
    found = trained(prior.build_task(p, embed, 0, "cpu"), prior, made["prior"])
    assert -1 <= found["cosine"] <= 1
    found = trained(decoder.build_task(decoder_spec(embedded, folder), None, 0, "cpu"), decoder, made["d"])
    assert found["validation_loss"] > 0
    layers = {"heads": 2, "most_frames": 8, "layers": "temporal", "timestep_power": 1.0, "checkpoint": str(made["d"])}
    d_t = VideoDecoderSpec(**embedded, **layers, frames=2, skips=[1, 2], own=videos)
    assert trained(video_decoder.build_task(d_t, None, 0, "cpu"), video_decoder, made["dt"])["validation_loss"] > 0
    between = {"frames": 5, "rates": [8], "factors": [2], "extrapolated": 0.5, "checkpoint": str(made["dt"])}
    found = trained(
        interpolation.build_task(InterpolationSpec(**embedded, **between, own=videos), None, 0, "cpu"),
        interpolation,
        made["f"],
    )
    assert found["psnr_2"] > 0
    assert found["blended_psnr_2"] > 40  # a video that brightens evenly
    still = UpscalerSpec(
        **PIXELS, low=8, low_noise=0.1, channels=[8, 8], own={**videos, "frames": 1, "folder": str(folder / "images")}
    )
    assert trained(upscaler.build_task(still, None, 0, "cpu"), upscaler, made["sr"])["psnr"] > 0
    s_t = VideoUpscalerSpec(**PIXELS, low=8, low_noise=0.1, frames=5, learnt=3, own=videos, checkpoint=str(made["sr"]))
    assert trained(video_upscaler.build_task(s_t, None, 0, "cpu"), video_upscaler, made["srt"])["psnr"] > 0


def test_a_caption_for_every_image_is_not_needed(folder: Path, embedded: dict[str, Any], minilm: Path) -> None:
    images = {"folder": str(folder / "images"), "captions": str(folder / "images.csv")}
    captions, image = pictures.captioned_images(ImageFolder(**images), joint_space(embedded["clip"], str(minilm)))
    assert captions == [f"An image of shade {i}." for i in range(IMAGES - 1)]
    assert image.shape == (IMAGES - 1, 1, 128)
