"""Parts of Make-A-Video's cascade measured alone, on unseen clips of the toy world whose truth is known."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from metrics.distances.pairs import compare
from metrics.progress import each
from metrics.statistics.bootstrap import Uncertainty, mean_interval
from metrics.statistics.proportions import wilson
from pipeline.config.make_a_video import PartsQuality
from pipeline.config.methods import Cascade, typed
from pipeline.config.params import Params
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.interpolation import FURTHER, Interpolator, blended
from pipeline.make_a_video.loading import RGB, WITH_LOW, load_images, load_videos
from pipeline.make_a_video.pyramid import clips_of, embeddings_of, joint_space, scaled, shrunk
from pipeline.make_a_video.upscaling import enlarged_videos, upscaled_frames
from pipeline.methods.context import Context
from pipeline.samplers.cascade import CascadeSampler
from pipeline.training.pixels import to_frames
from pipeline.weights.checkpoints import resolve
from pipeline.world.judge import judge
from pipeline.world.rates import at_rates
from pipeline.world.scene import FRAMES, SHADING, Scenes, draw

SEED = 6_000_001  # scenes that no training and no validation draws
_BATCH = 20
_NEIGHBOURS = 10  # times as many clips, of which one frame each is embedded
_MIDDLE = (FRAMES // 2,)


def interpolation(params: Params) -> pd.DataFrame:
    """PSNR (dB) and SSIM of new frames against the true ones, of ↑F and of linear blending.

    Returns:
        A row for each way, factor, rate, metric: way, factor, fps, metric, value, low, high, clips. fps: frames a
        second of what comes out.

    Raises:
        ValueError: if the method has no ↑F.
    """
    wanted, own = _wanted(params)
    if own.interpolation is None:
        raise ValueError(f"generate.methods.{params.make_a_video.method}.interpolation is null: nothing to measure")
    unet, scheduler = load_videos(resolve(own.interpolation.folder), RGB + FURTHER)
    part = own.interpolation
    ready = Interpolator(unet, scheduler, part.steps, part.guidance, part.window)
    space, size = joint_space(own.clip, own.text_tower), unet.config.image["sample_size"]
    _, scenes = draw(wanted.clips, SEED)
    rows: list[dict[str, object]] = []
    for fps in each(wanted.rates, "interpolation", "rates"):
        true, image = _clips(at_rates(scenes, fps), space, size)
        for factor in wanted.factors:
            frames = (FRAMES - 1) // factor * factor + 1
            clips, known = true[:, :, :frames], true[:, :, :frames:factor]
            made = {"↑F": _filled(ready, known, factor, image, fps), "linear blending": blended(known, factor)}
            new = torch.arange(frames) % factor != 0
            rows += [
                {"way": way, "factor": factor, "fps": fps, **one}
                for way, video in made.items()
                for one in _compared(video[:, :, new], clips[:, :, new])
            ]
    return pd.DataFrame(rows)


def consistency(params: Params) -> pd.DataFrame:
    """How alike SR_h makes the details of a clip's frames, with one noise for all of them and with one for each, beside
    bicubic interpolation: PSNR (dB) and SSIM against the true frames, and flicker.

    Flicker is the mean absolute difference between what changes from frame to frame and what truly changes, in 255ths.

    Returns:
        A row for each way and metric: way, metric, value, low, high, clips.

    Raises:
        ValueError: if the method has no SR_h.
    """
    wanted, own = _wanted(params)
    if own.sr_h is None:
        raise ValueError(f"generate.methods.{params.make_a_video.method}.sr_h is null: nothing to measure")
    unet, scheduler = load_images(resolve(own.sr_h.folder), WITH_LOW)
    side, steps = unet.config.sample_size, own.sr_h.steps
    _, scenes = draw(wanted.clips, SEED)
    true = scaled(clips_of(scenes, SHADING, side, side)).movedim(2, 1)
    low = shrunk(true.movedim(2, 1), own.sr_h.low).movedim(1, 2)
    shared, independent = _noise((len(true), 3, side, side)), _noise(tuple(true.shape))
    made = {
        "one noise for all frames": _enlarged(unet, scheduler, low, shared, steps),
        "a noise for each frame": _enlarged(unet, scheduler, low, independent, steps),
        "bicubic": enlarged_videos(low, side),
    }
    rows = []
    for way, video in made.items():
        flicker = 127.5 * (video.clamp(-1, 1).diff(dim=2) - true.diff(dim=2)).abs().flatten(1).mean(dim=1)
        rows += [{"way": way, **one} for one in (*_compared(video, true), _row("flicker", flicker.numpy()))]
    return pd.DataFrame(rows)


def passed_on(params: Params) -> pd.DataFrame:
    """What becomes of true frames in ↑F, SR_t and SR_h, which have seen shaded objects alone: does the judge still find
    the true motion, in the toy world and in the control without shading, and does shading appear where there is none?

    Returns:
        A row for each shading and reading, motion and heading: shading, metric, value (a share), low, high, clips.
        Without shading, heading counts clips that show none.
    """
    wanted, _ = _wanted(params)
    name = params.make_a_video.method
    sampler = Context.of(params, name).sampler()
    assert isinstance(sampler, CascadeSampler)  # checked with params.yaml
    names, scenes = draw(wanted.clips, SEED)
    noise, rows = _noise((len(names), *sampler.noise_shape)), []
    for shading in (SHADING, 0.0):
        true, image = _clips(scenes, sampler.model.space, sampler.model.size, shading)
        parts = zip(true.split(_BATCH), image.split(_BATCH), noise.split(_BATCH), strict=True)
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
    wanted, own = _wanted(params)
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


def _wanted(params: Params) -> tuple[PartsQuality, Cascade]:
    """What is measured, and the parts of the method.

    Raises:
        ValueError: if `make_a_video.parts` is null.
    """
    section = params.make_a_video
    if section.parts is None:
        raise ValueError("make_a_video.parts is null: nothing to measure")
    key = f"generate.methods.{section.method}"
    return section.parts, typed(key, Cascade, params.generate.methods[section.method].options)


def _clips(scenes: Scenes, space: JointSpace, size: int, shading: float = SHADING) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips (N, 3, T, size, size) in [-1, 1] and the image embeddings (N, d) of their middle frames."""
    rendered = max(2 * space.encoder.image_size, size)
    image = embeddings_of(scenes, shading, rendered, space, _MIDDLE)[:, 0]
    return scaled(clips_of(scenes, shading, rendered, size)).movedim(2, 1), image


def _filled(ready: Interpolator, known: torch.Tensor, factor: int, image: torch.Tensor, fps: float) -> torch.Tensor:
    device = ready.unet.device
    batch, channels, frames, *sides = known.shape
    noise = _noise((batch, channels, (frames - 1) * factor + 1, *sides))
    parts = zip(known.split(_BATCH), image.split(_BATCH), noise.split(_BATCH), strict=True)
    made = [ready.interpolate(a.to(device), factor, b.to(device), fps, c.to(device)).cpu() for a, b, c in parts]
    return torch.cat(made)


def _enlarged(
    unet: UNet2DConditionModel, scheduler: DDIMScheduler, low: torch.Tensor, noise: torch.Tensor, steps: int
) -> torch.Tensor:
    parts = zip(low.split(_BATCH), noise.split(_BATCH), strict=True)
    made = [upscaled_frames(unet, scheduler, a.to(unet.device), b.to(unet.device), steps).cpu() for a, b in parts]
    return torch.cat(made)


def _noise(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(SEED))


def _compared(made: torch.Tensor, true: torch.Tensor) -> Iterator[dict[str, object]]:
    """PSNR and SSIM of videos (N, 3, T, h, w), means over clips with intervals."""
    values = compare(*(to_frames(video.movedim(2, 1)) for video in (made, true)))
    for metric in ("psnr", "ssim"):
        yield _row(metric, values[metric])


def _row(metric: str, values: np.ndarray) -> dict[str, object]:
    mean = mean_interval(values, Uncertainty())
    return {"metric": metric, "value": mean.value, "low": mean.low, "high": mean.high, "clips": len(values)}
