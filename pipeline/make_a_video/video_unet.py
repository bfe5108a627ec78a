"""A UNet of images that has become one of videos, with a frame rate where it is asked for (Sections 2.2 to 2.5)."""

from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from torch import nn

from pipeline.make_a_video.pseudo3d import PseudoAttention3d, PseudoConv3d, inflate, temporal_layers


class PseudoVideoUNet(ModelMixin, ConfigMixin):
    """Pseudo-3D layers in an image model's UNet. Untrained it is that UNet, frame by frame.

    The frame rate is embedded as the timestep is, by sinusoids and two linear layers, and added to the timestep's
    embedding; the second layer starts at zero.

    Args:
        image: the configuration of the UNet of images. heads, most_frames: of the temporal attention. rated: whether
            there is a frame rate.
    """

    @register_to_config
    def __init__(self, image: dict[str, Any], heads: int, most_frames: int, rated: bool) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel.from_config(image | ({"class_embed_type": "timestep"} if rated else {}))
        if rated:
            nn.init.zeros_(self.unet.class_embedding.linear_2.weight)
            nn.init.zeros_(self.unet.class_embedding.linear_2.bias)
        self._count = inflate(self.unet, heads, most_frames)

    @classmethod
    def of(cls, unet: UNet2DConditionModel, heads: int, most_frames: int, rated: bool) -> "PseudoVideoUNet":
        """An untrained one with the weights of a UNet of images, on its device."""
        config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
        model = cls(config, heads, most_frames, rated)
        model._load(unet.state_dict())
        return model.to(unet.device)

    def widened(self, further: int) -> "PseudoVideoUNet":
        """The same with so many more input channels, which change nothing at first (Section 2.6)."""
        config = dict(self.config.image)
        channels = config["in_channels"]
        model = PseudoVideoUNet(
            config | {"in_channels": channels + further},
            self.config.heads,
            self.config.most_frames,
            self.config.rated,
        ).to(self.device)
        state = self.state_dict()
        first = model.unet.conv_in.spatial.weight
        state["unet.conv_in.spatial.weight"] = torch.zeros_like(first)
        state["unet.conv_in.spatial.weight"][:, :channels] = self.unet.conv_in.spatial.weight
        model.load_state_dict(state)
        return model

    def _load(self, images: dict[str, torch.Tensor]) -> None:
        """Weights of the UNet of images, whose layers stand inside of pseudo-3D ones here."""
        inside = [name for name, one in self.unet.named_modules() if isinstance(one, PseudoConv3d | PseudoAttention3d)]
        renamed = {_inside(key, inside): value for key, value in images.items()}
        unexpected = self.unet.load_state_dict(renamed, strict=False).unexpected_keys
        if unexpected:
            raise ValueError(f"the UNet of images has weights that have no place here: {', '.join(unexpected[:3])}")

    @property
    def temporal(self) -> nn.ModuleList:
        """The layers over time, and what embeds the frame rate: what is trained on videos."""
        rate = [self.unet.class_embedding] if self.config.rated else []
        return nn.ModuleList([*temporal_layers(self.unet), *rate])

    def forward(
        self,
        noisy: torch.Tensor,
        timestep: torch.Tensor,
        image: torch.Tensor | None = None,
        fps: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Predict from noisy videos.

        Args:
            noisy: (B, C, F, h, w). timestep: (B,) or one for all. image: image embeddings (B, d), where the UNet is
                conditioned on them. fps: (B,), frames a second, of a rated one.

        Returns:
            (B, C', F, h, w).

        Raises:
            ValueError: if there are more frames than the temporal attention can tell apart.
        """
        batch, frames = noisy.shape[0], noisy.shape[2]
        if frames > self.config.most_frames:
            raise ValueError(f"frames: found {frames}, expected at most {self.config.most_frames}")
        self._count.frames = frames
        rows = noisy.movedim(2, 1).flatten(0, 1)
        times = timestep.expand(batch).repeat_interleave(frames)
        rates = None if fps is None else fps.expand(batch).repeat_interleave(frames)
        added = None if image is None else {"image_embeds": image.repeat_interleave(frames, dim=0)}
        made = self.unet(rows, times, None, class_labels=rates, added_cond_kwargs=added).sample
        return made.unflatten(0, (batch, frames)).movedim(1, 2)


def _inside(key: str, names: list[str]) -> str:
    """The key of an image layer's weight where that layer stands in a pseudo-3D one."""
    for name in names:
        if key.startswith(f"{name}."):
            return f"{name}.spatial.{key.removeprefix(f'{name}.')}"
    return key
