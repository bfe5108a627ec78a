"""Video models with a frame rate, on a text-to-image UNet of which every layer is trained: ETC's on the grid of a
video's frames, and the baseline with temporal attention between them (W-TA in Section 3, W/O-TA being ETC)."""

import json
from pathlib import Path
from typing import ClassVar

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from torch import nn

from pipeline.etc.embedding import mixed_embedding
from pipeline.etc.fps import FpsEmbedding, added_behind, check_fps
from pipeline.etc.grid import from_grid, side, to_grid
from pipeline.harivo.unet import VideoUNet

UNET, FPS, ARRANGEMENT = "unet", "fps", "arrangement.json"  # folders and file of a checkpoint


class RatedUNet(nn.Module):
    """A UNet and its FPS embedding, in one checkpoint: unet/ as diffusers writes it, fps/, and how frames are arranged.

    The FPS embedding starts at zero: untrained, it changes nothing.
    """

    loads: ClassVar[type[UNet2DConditionModel] | type[VideoUNet]]

    def __init__(self, unet: UNet2DConditionModel | VideoUNet, fps: FpsEmbedding) -> None:
        super().__init__()
        self.unet, self.fps = unet, fps

    @property
    def arrangement(self) -> dict[str, str | bool]:
        """What `load` must know of it."""
        raise NotImplementedError

    def check_frames(self, frames: int) -> None:
        """Refuse a number of frames that it cannot take.

        Raises:
            ValueError: naming it and what is expected.
        """
        raise NotImplementedError

    def rate(self, fps: torch.Tensor, batch: int) -> torch.Tensor:
        """The embedding (B, channels) of frame rates (B,), or one for all.

        Raises:
            ValueError: if one is outside of 0 … 120.
        """
        check_fps(fps)
        sinusoids = self.unet.time_proj(fps.expand(batch))
        return self.fps(sinusoids.to(next(self.fps.parameters()).dtype))

    def save(self, folder: Path) -> None:
        """Write everything, float16; the model is of that type afterwards."""
        self.unet.half().save_pretrained(folder / UNET)
        self.fps.half().save_pretrained(folder / FPS)
        (folder / ARRANGEMENT).write_text(json.dumps(self.arrangement) + "\n")


class GridUNet(RatedUNet):
    """A UNet of images that predicts videos: their frames are one grid to it, and its layers stay what they are.

    mixed: whether the mixed embedding is added to the noise (Section 4.1.2). Without it an untrained model is the
    text-to-image model on a larger image.
    """

    loads = UNet2DConditionModel

    def __init__(self, unet: UNet2DConditionModel, fps: FpsEmbedding, mixed: bool) -> None:
        super().__init__(unet, fps)
        self.mixed = mixed

    @classmethod
    def of(cls, unet: UNet2DConditionModel, mixed: bool) -> "GridUNet":
        """An untrained one on a text-to-image UNet, which is trained with it."""
        return cls(unet, _untrained_fps(unet), mixed)

    @property
    def arrangement(self) -> dict[str, str | bool]:
        return {"frames": "grid", "mixed": self.mixed}

    def check_frames(self, frames: int) -> None:
        side(frames)

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor | int, text: torch.Tensor, fps: torch.Tensor
    ) -> UNet2DConditionOutput:
        """Predict from noisy latents.

        Args:
            noisy: (B, C, T, h, w), T a square number. timestep: (B,) or one for all. text: (B, n, d), one prompt for
                the whole grid. fps: (B,) or one for all, the frame rates, 0 … 120.

        Returns:
            sample: (B, C, T, h, w).

        Raises:
            ValueError: if T is no square, or a frame rate is outside of 0 … 120.
        """
        grid = to_grid(noisy)
        batch, channels, frames, height, width = noisy.shape
        if self.mixed:
            grid = grid + mixed_embedding(channels, frames, height, width).to(grid)
        with added_behind(self.unet.conv_in, self.rate(fps, batch)):
            predicted = self.unet(grid, timestep, text).sample
        return UNet2DConditionOutput(sample=from_grid(predicted, frames))


class TemporalUNet(RatedUNet):
    """The baseline: frames stay images, and temporal attention from scratch stands between the layers, which are
    trained too. `VideoUNet` is the project's UNet with such layers; HARIVO's own parts are left out."""

    loads = VideoUNet

    @classmethod
    def of(cls, unet: VideoUNet) -> "TemporalUNet":
        """An untrained one."""
        return cls(unet.requires_grad_(True), _untrained_fps(unet))

    @property
    def arrangement(self) -> dict[str, str | bool]:
        return {"frames": "temporal"}

    def check_frames(self, frames: int) -> None:
        most = self.unet.config.motion_max_seq_length
        if frames > most:
            raise ValueError(f"frames: found {frames}, expected at most {most}")

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor | int, text: torch.Tensor, fps: torch.Tensor
    ) -> UNet2DConditionOutput:
        """As `GridUNet`'s, for any number of frames that the temporal layers are made for."""
        batch, frames = noisy.shape[0], noisy.shape[2]
        rate = self.rate(fps, batch).repeat_interleave(frames, dim=0)
        with added_behind(self.unet.conv_in, rate):
            predicted = self.unet(noisy, timestep, text.repeat_interleave(frames, dim=0)).sample
        return UNet2DConditionOutput(sample=predicted)


def load_rated(folder: Path) -> GridUNet | TemporalUNet:
    """What `save` wrote, float32.

    Raises:
        ValueError: if the folder holds no such model.
    """
    if not (folder / ARRANGEMENT).is_file():
        raise ValueError(f"{folder} has no {ARRANGEMENT}: expected the folder of a training with module: etc")
    arrangement = json.loads((folder / ARRANGEMENT).read_text())
    kind = GridUNet if arrangement["frames"] == "grid" else TemporalUNet
    unet = kind.loads.from_pretrained(folder, subfolder=UNET, dtype=torch.float32)
    fps = FpsEmbedding.from_pretrained(folder, subfolder=FPS, dtype=torch.float32)
    if kind is GridUNet:
        return GridUNet(unet, fps, arrangement["mixed"]).eval()
    return TemporalUNet(unet.equip(None, None), fps).eval()


def _untrained_fps(unet: UNet2DConditionModel | VideoUNet) -> FpsEmbedding:
    return FpsEmbedding(unet.config.block_out_channels[0]).to(unet.device)
