"""↑F, the frame interpolation network: frames between others, before the first and after the last (Section 2.6).

It is D_t with four more input channels: the frames that are known, zeros elsewhere, and a mask of ones where they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler

from pipeline.make_a_video.diffusion import denoise, guided
from pipeline.make_a_video.video_unet import PseudoVideoUNet

FURTHER = 4  # input channels: RGB and the mask


def observed(frames: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """What is told of videos (B, 3, T, h, w), of which frames `known` (B, T) are: (B, 4, T, h, w)."""
    mask = known[:, None, :, None, None].to(frames.dtype).expand(-1, 1, -1, *frames.shape[-2:])
    return torch.cat([frames * mask, mask], dim=1)


@dataclass(frozen=True)
class Interpolator:
    """↑F, ready to use. steps: of DDIM. guidance: towards the image embedding; 1 is none. window: frames at once."""

    unet: PseudoVideoUNet
    scheduler: DDIMScheduler
    steps: int
    guidance: float
    window: int

    def interpolate(
        self, video: torch.Tensor, factor: int, image: torch.Tensor, fps: float, noise: torch.Tensor
    ) -> torch.Tensor:
        """`factor` - 1 new frames between any two of a video (B, 3, F, h, w); its own are returned unchanged.

        Longer videos are made window by window, each from the known frame that ends the one before.

        Args:
            image: image embeddings (B, d). fps: frames a second of what comes out. noise: (B, 3, (F - 1) factor + 1,
                h, w).

        Returns:
            (B, 3, (F - 1) factor + 1, h, w), about [-1, 1].

        Raises:
            ValueError: if the factor is below 1, or no window holds two known frames.
        """
        if not 1 <= factor < self.window:
            raise ValueError(
                f"factor: found {factor}, expected 1 to {self.window - 1}, to fit windows of {self.window}"
            )
        if factor == 1:
            return video
        placed, known = spaced(video, factor)
        for part in windows(placed.shape[2], factor, self.window):
            placed[:, :, part] = self.fill(placed[:, :, part], known[part], image, fps, noise[:, :, part])
        return placed

    def extrapolate(
        self, video: torch.Tensor, before: int, after: int, image: torch.Tensor, fps: float, noise: torch.Tensor
    ) -> torch.Tensor:
        """So many new frames before a video (B, 3, F, h, w) and after it; its own are returned unchanged.

        Args:
            noise: (B, 3, before + F + after, h, w). The others: see `interpolate`.

        Raises:
            ValueError: if a window does not hold the new frames of one side and a known one.
        """
        if max(before, after) >= self.window or min(before, after) < 0:
            raise ValueError(f"found {before} before and {after} after, expected 0 to {self.window - 1} of each")
        batch, channels, frames, *size = video.shape
        total = before + frames + after
        placed = video.new_zeros(batch, channels, total, *size)
        placed[:, :, before : before + frames] = video
        known = torch.zeros(total, dtype=torch.bool, device=video.device)
        known[before : before + frames] = True
        first = slice(0, min(self.window, before + frames))
        for wanted, part in ((before, first), (after, slice(max(total - self.window, 0), total))):
            if wanted:
                placed[:, :, part] = self.fill(placed[:, :, part], known[part], image, fps, noise[:, :, part])
                known[part] = True
        return placed

    def fill(
        self, video: torch.Tensor, known: torch.Tensor, image: torch.Tensor, fps: float, noise: torch.Tensor
    ) -> torch.Tensor:
        """The frames of a video (B, 3, T, h, w) that are not `known` (T,), from noise of its shape."""
        told, rate = observed(video, known.expand(len(video), -1)), torch.full((1,), float(fps), device=video.device)

        def predict(noisy: torch.Tensor, timestep: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
            twice = told.repeat(len(noisy) // len(told), 1, 1, 1, 1)
            return self.unet(torch.cat([noisy, twice], dim=1), timestep, towards, rate)

        made = denoise(guided(predict, image, self.guidance), self.scheduler, noise, self.steps)
        return torch.where(known[:, None, None], video, made)


def spaced(video: torch.Tensor, factor: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A video (B, C, F, h, w) with zeros between its frames, (B, C, (F - 1) factor + 1, h, w), and which are known."""
    batch, channels, frames, *size = video.shape
    total = (frames - 1) * factor + 1
    placed = video.new_zeros(batch, channels, total, *size)
    placed[:, :, ::factor] = video
    return placed, torch.arange(total, device=video.device) % factor == 0


def windows(total: int, factor: int, window: int) -> Iterator[slice]:
    """Parts of `total` frames that begin and end with a known one, every `factor`-th, of at most `window` frames."""
    span = (window - 1) // factor * factor
    for start in range(0, total - 1, span):
        yield slice(start, min(start + span, total - 1) + 1)


def blended(video: torch.Tensor, factor: int) -> torch.Tensor:
    """The baseline: every new frame is a weighted mean of the two known ones around it."""
    _, _, frames, *size = video.shape
    flat = video.flatten(3)
    wanted = ((frames - 1) * factor + 1, flat.shape[-1])
    return torch.nn.functional.interpolate(flat, wanted, mode="bilinear", align_corners=True).unflatten(3, tuple(size))
