"""Make-A-Video's shipped networks, run on scenes and prompts that no training saw; docs/make_a_video.md has the shares
of 200."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.config.params import Params
from pipeline.make_a_video.interpolation import Interpolator, blended
from pipeline.make_a_video.loading import load_images, load_videos
from pipeline.make_a_video.pyramid import clips_of, embeddings_of, joint_space, psnr, scaled, shrunk
from pipeline.make_a_video.upscaling import enlarged_videos, upscaled_frames, upscaled_videos
from pipeline.methods.context import Context
from pipeline.samplers.cascade import CascadeSampler
from pipeline.training.latents import CaptionEncoder, training_captions
from pipeline.training.validation import judged, noise_of_seeds, unseen_prompts
from pipeline.world.rates import at_rates
from pipeline.world.scene import SHADING, draw

UNSEEN = 123_456  # a seed of scenes that no training draws
CLIPS = 6


def test_the_whole_cascade_shows_what_prompts_name(
    params: Params, root: Path, monkeypatch: pytest.MonkeyPatch, minilm: Path
) -> None:
    """Contents, and more often than not the motion, which no network learnt with words."""
    monkeypatch.chdir(root)
    assert minilm.is_dir()
    sampler = Context.of(params, "make_a_video").sampler()
    assert isinstance(sampler, CascadeSampler)
    known = frozenset(training_captions(params.train["prior"].spec.scenes, 0))
    names, texts = unseen_prompts(CLIPS, known)
    encoder = CaptionEncoder.of(params.train["prior"].spec.text, params.embed)
    tokens, row = encoder.embed(texts)
    sampler.prepare(*tokens.shape[1:])
    noise = noise_of_seeds(CLIPS, sampler.noise_shape)
    clips = sampler.sample(encoder.scaled(tokens[row]), noise, None).numpy()
    assert clips.shape == (CLIPS, 16, 32, 32, 3)
    shares = judged(names, clips, ("colour", "shape", "motion"))
    assert shares["judge_colour"] >= 0.8, shares
    assert shares["judge_shape"] >= 0.6, shares
    assert shares["judge_motion"] >= 0.5, shares


@pytest.mark.parametrize(("factor", "rate"), [(2, 4), (4, 4), (5, 4), (5, 8)])
def test_interpolation_beats_blending_where_objects_move(
    models: Path, params: Params, minilm: Path, factor: int, rate: int
) -> None:
    """Three to seven pixels of the toy world between known frames."""
    spec = params.train["interpolation"].spec
    unet, scheduler = load_videos(models / "interpolation")
    _, scenes = draw(CLIPS, UNSEEN)
    slow = at_rates(scenes, rate)
    true = scaled(clips_of(slow, SHADING, 64, spec.size)).movedim(2, 1)
    image = embeddings_of(slow, SHADING, 64, joint_space(str(models / "clip"), str(minilm)), (6,))[:, 0]
    ready = Interpolator(unet, scheduler, spec.sampling_steps, spec.guidance, spec.frames)
    noise = noise_of_seeds(CLIPS, true.shape[1:])
    frames = (16 - 1) // factor * factor + 1
    true, noise = true[:, :, :frames], noise[:, :, :frames]
    known, new = true[:, :, ::factor], torch.arange(frames) % factor != 0
    made = ready.interpolate(known, factor, image, float(rate), noise)
    assert psnr(made[:, :, new], true[:, :, new]) > psnr(blended(known, factor)[:, :, new], true[:, :, new])
    assert torch.equal(made[:, :, ::factor], known)


@pytest.mark.parametrize(("name", "low", "size"), [("video_upscaler", 16, 32), ("upscaler_high", 32, 64)])
def test_super_resolution_beats_bicubic(models: Path, params: Params, name: str, low: int, size: int) -> None:
    _, scenes = draw(CLIPS, UNSEEN)
    true = scaled(clips_of(scenes, SHADING, 64, size)).movedim(2, 1)[:, :, ::4]
    small = shrunk(true.movedim(2, 1), low).movedim(1, 2)
    steps = params.train[name].spec.sampling_steps
    if name == "video_upscaler":
        unet, scheduler = load_videos(models / name)
        made = upscaled_videos(unet, scheduler, small, noise_of_seeds(CLIPS, true.shape[1:]), steps)
    else:
        images, scheduler = load_images(models / name)
        made = upscaled_frames(images, scheduler, small, noise_of_seeds(CLIPS, (3, size, size)), steps)
    assert psnr(made, true) > psnr(enlarged_videos(small, size), true)
    assert np.isfinite(made.numpy()).all()
