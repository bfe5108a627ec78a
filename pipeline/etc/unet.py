"""The video model of ETC: a text-to-image UNet on the grid of a video's frames, all of it trained."""

from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from torch import nn

from pipeline.etc.embedding import mixed_embedding
from pipeline.etc.fps import STILL, FpsEmbedding
from pipeline.etc.grid import from_grid, to_grid

UNET, FPS = "unet", "fps"  # folders of a checkpoint


class GridUNet(nn.Module):
    """A UNet of images that predicts videos: their frames are one grid to it, and its layers stay what they are.

    mixed: whether the mixed embedding is added to the noise (Section 4.1.2). The FPS embedding starts at zero, so that
    without the mixed embedding an untrained model is the text-to-image model on a larger image.
    """

    def __init__(self, unet: UNet2DConditionModel, fps: FpsEmbedding, mixed: bool) -> None:
        super().__init__()
        self.unet, self.fps, self.mixed = unet, fps, mixed

    @classmethod
    def of(cls, unet: UNet2DConditionModel, mixed: bool) -> "GridUNet":
        """An untrained one on a text-to-image UNet, which is trained with it."""
        return cls(unet, FpsEmbedding(unet.config.block_out_channels[0]).to(unet.device), mixed)

    @classmethod
    def load(cls, folder: Path, mixed: bool) -> "GridUNet":
        """What `save` wrote, float32."""
        parts = (
            kind.from_pretrained(folder, subfolder=name, dtype=torch.float32)
            for kind, name in ((UNet2DConditionModel, UNET), (FpsEmbedding, FPS))
        )
        return cls(*parts, mixed).eval()

    def save(self, folder: Path) -> None:
        """Write UNet and FPS embedding, float16; the model is of that type afterwards."""
        self.unet.half().save_pretrained(folder / UNET)
        self.fps.half().save_pretrained(folder / FPS)

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor | int, text: torch.Tensor, fps: torch.Tensor
    ) -> UNet2DConditionOutput:
        """Predict from noisy latents.

        Args:
            noisy: (B, C, T, h, w), T a square number. timestep: (B,) or one for all. text: (B, n, d), one prompt for
                the whole grid. fps: (B,), the frame rates, 0 … 120.

        Returns:
            sample: (B, C, T, h, w).

        Raises:
            ValueError: if T is no square, or a frame rate is outside of 0 … 120.
        """
        grid = to_grid(noisy)
        if not (fps.min() >= 0 and fps.max() <= STILL):
            raise ValueError(f"fps: found {fps.min():g} to {fps.max():g}, expected 0 to {STILL}")
        batch, channels, frames, height, width = noisy.shape
        if self.mixed:
            grid = grid + mixed_embedding(channels, frames, height, width).to(grid)
        sinusoids = self.unet.time_proj(fps.expand(batch)).to(grid.dtype)
        rate = self.fps(sinusoids)[:, :, None, None]
        hook = self.unet.conv_in.register_forward_hook(_adding(rate))
        try:
            predicted = self.unet(grid, timestep, text).sample
        finally:
            hook.remove()
        return UNet2DConditionOutput(sample=from_grid(predicted, frames))


def _adding(rate: torch.Tensor) -> Any:
    def add(_module: nn.Module, _inputs: Any, made: torch.Tensor) -> torch.Tensor:
        return made + rate

    return add
