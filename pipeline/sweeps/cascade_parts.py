"""Parts of Make-A-Video's cascade alone, on unseen clips of the toy world whose truth is known: its
super-resolutions, and what an image embedding tells. Its new frames: see `new_frames`."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from metrics.distances.pairs import compare
from metrics.statistics.bootstrap import Uncertainty, mean_interval
from metrics.statistics.proportions import wilson
from pipeline.config.make_a_video import PartsQuality
from pipeline.config.methods import Cascade, typed
from pipeline.config.params import Params
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.loading import WITH_LOW, load_images
from pipeline.make_a_video.pyramid import clips_of, embeddings_of, joint_space, scaled, shrunk
from pipeline.make_a_video.upscaling import enlarged_videos, upscaled_frames
from pipeline.methods.context import Context
from pipeline.samplers.cascade import CascadeSampler
from pipeline.training.pixels import to_frames
from pipeline.weights.checkpoints import resolve
from pipeline.world.judge import judge
from pipeline.world.scene import FRAMES, SHADING, Scenes, draw

SEED = 6_000_001  # scenes that no training and no validation draws
BATCH = 20
_NEIGHBOURS = 10  # times as many clips, of which one frame each is embedded
_MIDDLE = (FRAMES // 2,)


def consistency(params: Params) -> pd.DataFrame:
    """How alike SR_h makes the details of a clip's frames, with one noise for all of them and with one for each, beside
    bicubic interpolation: PSNR (dB) and SSIM against the true frames, and flicker.

    Flicker is the mean absolute difference between what changes from frame to frame and what truly changes, in 255ths.

    Returns:
        A row for each way and metric: way, metric, value, low, high, clips.

    Raises:
        ValueError: if the method has no SR_h.
    """
    wanted, own = wanted_parts(params)
    if own.sr_h is None:
        raise ValueError(f"generate.methods.{params.make_a_video.method}.sr_h is null: nothing to measure")
    unet, scheduler = load_images(resolve(own.sr_h.folder), WITH_LOW)
    side, steps = unet.config.sample_size, own.sr_h.steps
    _, scenes = draw(wanted.clips, SEED)
    true = scaled(clips_of(scenes, SHADING, side, side)).movedim(2, 1)
    low = shrunk(true.movedim(2, 1), own.sr_h.low).movedim(1, 2)
    shared, independent = noise_of((len(true), 3, side, side)), noise_of(tuple(true.shape))
    made = {
        "one noise for all frames": _enlarged(unet, scheduler, low, shared, steps),
        "a noise for each frame": _enlarged(unet, scheduler, low, independent, steps),
        "bicubic": enlarged_videos(low, side),
    }
    rows = []
    for way, video in made.items():
        flicker = 127.5 * (video.clamp(-1, 1).diff(dim=2) - true.diff(dim=2)).abs().flatten(1).mean(dim=1)
        rows += [{"way": way, **one} for one in (*compared(video, true), _row("flicker", flicker.numpy()))]
    return pd.DataFrame(rows)


def passed_on(params: Params) -> pd.DataFrame:
    """What becomes of true frames in ↑F, SR_t and SR_h, which have seen shaded objects alone: does the judge still find
    the true motion, in the toy world and in the control without shading, and does shading appear where there is none?

    Returns:
        A row for each shading and reading, motion and heading: shading, metric, value (a share), low, high, clips.
        Without shading, heading counts clips that show none.
    """
    wanted, _ = wanted_parts(params)
    name = params.make_a_video.method
    sampler = Context.of(params, name).sampler()
    assert isinstance(sampler, CascadeSampler)  # checked with params.yaml
    names, scenes = draw(wanted.clips, SEED)
    noise, rows = noise_of((len(names), *sampler.noise_shape)), []
    for shading in (SHADING, 0.0):
        true, image = true_clips(scenes, sampler.model.space, sampler.model.size, shading)
        parts = zip(true.split(BATCH), image.split(BATCH), noise.split(BATCH), strict=True)
        factor, device = sampler.options.factor, sampler.model.video[0].device
        with torch.inference_mode():
            made = [
                sampler.finished(a[:, :, ::factor].to(device), b.to(device), sampler.drawn(c.to(device)))
                for a, b, c in parts
            ]
        readings = judge(torch.cat(made).numpy())
        right = {
            "motion": [one.motion == seen.motion for one, seen in zip(names, readings.names(), strict=True)],
            "heading": [
                seen == (one.motion if shading else "none")
                for one, seen in zip(names, readings.headings(), strict=True)
            ],
        }
        for metric, hits in right.items():
            share = wilson(sum(hits), len(hits))
            found = {"metric": metric, "value": share.value, "low": share.low, "high": share.high}
            rows.append({"shading": shading, **found, "clips": len(hits)})
    return pd.DataFrame(rows)


def told(params: Params) -> pd.DataFrame:
    """What an image embedding alone tells of the motion: how often the frame with the nearest embedding, of other
    clips, is of one that moves the same way. Without shading it is more than one in four, because an object stays in
    the picture: where it is says a little of where it may go.

    Returns:
        A row for each shading: shading, metric ("neighbour"), value (a share), low, high, clips.
    """
    wanted, own = wanted_parts(params)
    space, rows = joint_space(own.clip, own.text_tower), []
    names, scenes = draw(_NEIGHBOURS * wanted.clips, SEED)
    for shading in (SHADING, 0.0):
        image = embeddings_of(scenes, shading, 2 * space.encoder.image_size, space, _MIDDLE)[:, 0]
        similar = torch.nn.functional.normalize(image, dim=-1)
        similar = (similar @ similar.T).fill_diagonal_(-1).argmax(dim=1)
        hits = sum(names[i].motion == names[j].motion for i, j in enumerate(similar.tolist()))
        share = wilson(hits, len(names))
        found = {"metric": "neighbour", "value": share.value, "low": share.low, "high": share.high}
        rows.append({"shading": shading, **found, "clips": len(names)})
    return pd.DataFrame(rows)


def wanted_parts(params: Params) -> tuple[PartsQuality, Cascade]:
    """What is measured, and the parts of the method.

    Raises:
        ValueError: if `make_a_video.parts` is null.
    """
    section = params.make_a_video
    if section.parts is None:
        raise ValueError("make_a_video.parts is null: nothing to measure")
    key = f"generate.methods.{section.method}"
    return section.parts, typed(key, Cascade, params.generate.methods[section.method].options)


def true_clips(
    scenes: Scenes, space: JointSpace, size: int, shading: float = SHADING
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips (N, 3, T, size, size) in [-1, 1] and the image embeddings (N, d) of their middle frames."""
    rendered = max(2 * space.encoder.image_size, size)
    image = embeddings_of(scenes, shading, rendered, space, _MIDDLE)[:, 0]
    return scaled(clips_of(scenes, shading, rendered, size)).movedim(2, 1), image


def _enlarged(
    unet: UNet2DConditionModel, scheduler: DDIMScheduler, low: torch.Tensor, noise: torch.Tensor, steps: int
) -> torch.Tensor:
    parts = zip(low.split(BATCH), noise.split(BATCH), strict=True)
    made = [upscaled_frames(unet, scheduler, a.to(unet.device), b.to(unet.device), steps).cpu() for a, b in parts]
    return torch.cat(made)


def noise_of(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(SEED))


def compared(made: torch.Tensor, true: torch.Tensor) -> Iterator[dict[str, object]]:
    """PSNR and SSIM of videos (N, 3, T, h, w), means over clips with intervals."""
    values = compare(*(to_frames(video.movedim(2, 1)) for video in (made, true)))
    for metric in ("psnr", "ssim"):
        yield _row(metric, values[metric])


def _row(metric: str, values: np.ndarray) -> dict[str, object]:
    mean = mean_interval(values, Uncertainty())
    return {"metric": metric, "value": mean.value, "low": mean.low, "high": mean.high, "clips": len(values)}
