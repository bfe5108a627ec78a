"""New frames of Make-A-Video's ↑F, between known ones and around them, against the true ones and simple ways."""

from collections.abc import Callable, Iterator

import pandas as pd
import torch

from metrics.progress import each
from pipeline.config.params import Params
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.interpolation import FURTHER, Interpolator, blended
from pipeline.make_a_video.loading import RGB, load_videos
from pipeline.make_a_video.pyramid import joint_space
from pipeline.sweeps.cascade_parts import BATCH, SEED, compared, noise_of, true_clips, wanted_parts
from pipeline.weights.checkpoints import resolve
from pipeline.world.rates import at_rates
from pipeline.world.scene import FRAMES, draw

Fill = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]  # known frames, image, noise -> all frames


def interpolation(params: Params) -> pd.DataFrame:
    """PSNR (dB) and SSIM of new frames against the true ones, of ↑F and of linear blending.

    Returns:
        A row for each way, factor, rate, metric: way, factor, fps, metric, value, low, high, clips. fps: frames a
        second of what comes out.

    Raises:
        ValueError: if the method has no ↑F.
    """
    wanted, _ = wanted_parts(params)
    ready, space = _interpolator(params)
    device, size = ready.unet.device, ready.unet.config.image["sample_size"]
    _, scenes = draw(wanted.clips, SEED)
    rows: list[dict[str, object]] = []
    for fps in each(wanted.rates, "interpolation", "rates"):
        true, image = true_clips(at_rates(scenes, fps), space, size)
        for factor in wanted.factors:
            frames = (FRAMES - 1) // factor * factor + 1
            clips, known = true[:, :, :frames], true[:, :, :frames:factor]
            filled = _in_parts(
                lambda a, b, c, fps=fps, factor=factor: ready.interpolate(a, factor, b, fps, c),
                device,
                known,
                image,
                clips,
            )
            made = {"↑F": filled, "linear blending": blended(known, factor)}
            new = torch.arange(frames) % factor != 0
            rows += _beside(made, clips, new, {"factor": factor, "fps": fps})
    return pd.DataFrame(rows)


def extrapolation(params: Params) -> pd.DataFrame:
    """PSNR (dB) and SSIM of frames before and after the known ones against the true ones, of ↑F, and of the first and
    the last known frame standing still.

    Returns:
        A row for each way, rate, metric: way, frames (new ones on each side), fps, metric, value, low, high, clips.

    Raises:
        ValueError: if the method has no ↑F.
    """
    wanted, _ = wanted_parts(params)
    ready, space = _interpolator(params)
    device, size = ready.unet.device, ready.unet.config.image["sample_size"]
    _, scenes = draw(wanted.clips, SEED)
    side, rows = wanted.extrapolated, []
    new = torch.ones(FRAMES, dtype=torch.bool)
    new[side:-side] = False
    for fps in each(wanted.rates, "extrapolation", "rates"):
        true, image = true_clips(at_rates(scenes, fps), space, size)
        known = true[:, :, side:-side]
        further = _in_parts(
            lambda a, b, c, fps=fps: ready.extrapolate(a, side, side, b, fps, c), device, known, image, true
        )
        ends = (known[:, :, :1], known[:, :, -1:])
        first, last = (frame.expand(-1, -1, side, -1, -1) for frame in ends)
        made = {"↑F": further, "nearest known frame": torch.cat([first, known, last], dim=2)}
        rows += _beside(made, true, new, {"frames": side, "fps": fps})
    return pd.DataFrame(rows)


def _interpolator(params: Params) -> tuple[Interpolator, JointSpace]:
    """The method's ↑F, and the space of its image embeddings.

    Raises:
        ValueError: if the method has none.
    """
    _, own = wanted_parts(params)
    if (part := own.interpolation) is None:
        raise ValueError(f"generate.methods.{params.make_a_video.method}.interpolation is null: nothing to measure")
    unet, scheduler = load_videos(resolve(part.folder), RGB + FURTHER)
    return Interpolator(unet, scheduler, part.steps, part.guidance, part.window), joint_space(own.clip, own.text_tower)


def _in_parts(
    fill: Fill, device: torch.device, known: torch.Tensor, image: torch.Tensor, true: torch.Tensor
) -> torch.Tensor:
    """What `fill` makes of known frames, image embeddings and noise, a few clips at a time; of the shape of `true`."""
    parts = zip(known.split(BATCH), image.split(BATCH), noise_of(tuple(true.shape)).split(BATCH), strict=True)
    return torch.cat([fill(*(one.to(device) for one in part)).cpu() for part in parts])


def _beside(
    made: dict[str, torch.Tensor], true: torch.Tensor, new: torch.Tensor, about: dict[str, float]
) -> Iterator[dict[str, object]]:
    """The rows of each way's new frames."""
    for way, video in made.items():
        for one in compared(video[:, :, new], true[:, :, new]):
            yield {"way": way, **about, **one}
