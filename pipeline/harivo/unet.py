"""The video model: a frozen text-to-image UNet, temporal attention between its layers, and HARIVO's two networks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D, UNetMotionOutput
from torch import nn

from pipeline.harivo.mapping import MappingNetwork, zeroed
from pipeline.harivo.tokens import FrameTokens

MAPPING, TOKENS = "mapping", "tokens"  # folders of a checkpoint, beside the motion adapter


class VideoUNet(UNetMotionModel):
    """AnimateDiff's inflated UNet with, where they are set, a mapping network before it and frame-wise tokens.

    `from_unet2d(unet, motion_adapter)` and then `equip` make one; the text-to-image weights are copied and stay as
    they are.
    """

    mapping: MappingNetwork | None
    tokens: FrameTokens | None

    def equip(self, mapping: MappingNetwork | None, tokens: FrameTokens | None) -> "VideoUNet":
        """Set HARIVO's networks; None leaves one out."""
        self.register_module(MAPPING, mapping)
        self.register_module(TOKENS, tokens)
        return self

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float | int,
        encoder_hidden_states: torch.Tensor,
        *others: Any,
        **named: Any,
    ) -> UNetMotionOutput | tuple[torch.Tensor]:
        """Predict from noisy latents (B, C, F, h, w), timesteps (B,) or one for all, and text tokens (B F, M, D); the
        other arguments are `UNetMotionModel`'s, among them those of a ControlNet."""
        if self.mapping is not None:
            sample = self.mapping(sample)
        if self.tokens is not None:
            encoder_hidden_states = self.tokens.extend(encoder_hidden_states, frames=sample.shape[2])
        return super().forward(sample, timestep, encoder_hidden_states, *others, **named)

    @contextmanager
    def spatial_only(self) -> Iterator[None]:
        """The text-to-image model behind the mapping network: no temporal layers, no frame-wise tokens. Every frame is
        denoised by itself during the block (f with l_M and φ in HARIVO's Eq. 2)."""
        blocks = [block for block in self._blocks() if _has_motion(block)]
        motion, tokens = [block.motion_modules for block in blocks], self.tokens
        for block, modules in zip(blocks, motion, strict=True):
            block.motion_modules = nn.ModuleList(_Bypass() for _ in modules)
        self.tokens = None
        try:
            yield
        finally:
            for block, modules in zip(blocks, motion, strict=True):
                block.motion_modules = modules
            self.tokens = tokens

    def _blocks(self) -> list[nn.Module]:
        return [*self.down_blocks, self.mid_block, *self.up_blocks]

    def trainable(self) -> nn.ModuleDict:
        """What is trained: temporal layers, mapping network, token generator. Their parameters ask for gradients, the
        text-to-image model's do not."""
        self.requires_grad_(False)
        parts = {f"block{i}": block.motion_modules for i, block in enumerate(self._blocks()) if _has_motion(block)}
        parts |= {name: part for name, part in ((MAPPING, self.mapping), (TOKENS, self.tokens)) if part is not None}
        return nn.ModuleDict(parts).requires_grad_(True)

    def save_motion(self, folder: Path) -> None:
        """Write everything that is trained, float16: a motion adapter as diffusers knows it, mapping/ and tokens/."""
        self.save_motion_modules(str(folder))
        MotionAdapter.from_pretrained(folder, dtype=torch.float16).save_pretrained(folder)
        for name, part in ((MAPPING, self.mapping), (TOKENS, self.tokens)):
            shutil.rmtree(folder / name, ignore_errors=True)  # an older variant's would be loaded with these layers
            if part is not None:
                deepcopy(part).half().save_pretrained(folder / name)


def _has_motion(block: nn.Module) -> bool:
    return getattr(block, "motion_modules", None) is not None


class _Bypass(nn.Module):
    """Stands in for a temporal layer and does nothing."""

    def forward(self, hidden_states: torch.Tensor, *_: object, num_frames: int = 1) -> torch.Tensor:
        return hidden_states


def inflate(unet: UNet2DConditionModel, frames: int, heads: int) -> VideoUNet:
    """An untrained video model of `frames` frames: its temporal layers end in zeros, so that it is the text-to-image
    model at first, as AnimateDiff's is."""
    adapter = MotionAdapter(
        block_out_channels=tuple(unet.config.block_out_channels),
        motion_layers_per_block=unet.config.layers_per_block,
        motion_num_attention_heads=heads,
        motion_norm_num_groups=unet.config.norm_num_groups,
        motion_max_seq_length=frames,
        use_motion_mid_block=True,
    )
    for module in adapter.modules():
        if isinstance(module, AnimateDiffTransformer3D):
            zeroed(module.proj_out)
    return VideoUNet.from_unet2d(unet, adapter).equip(None, None).to(unet.device)


def load_video_unet(unet: UNet2DConditionModel, motion: Path) -> VideoUNet:
    """Put a folder of `save_motion`, or a public AnimateDiff adapter, on a text-to-image UNet."""
    adapter = MotionAdapter.from_pretrained(motion, dtype=torch.float32)
    parts = {
        name: kind.from_pretrained(motion / name, dtype=torch.float32).to(unet.device)
        for name, kind in ((MAPPING, MappingNetwork), (TOKENS, FrameTokens))
        if (motion / name).is_dir()
    }
    return VideoUNet.from_unet2d(unet, adapter).equip(parts.get(MAPPING), parts.get(TOKENS)).to(unet.device).eval()
