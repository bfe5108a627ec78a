"""Off-the-shelf parts of a text-to-image model in the frozen part of a video model: a LoRA, a ControlNet, an IP-Adapter
(HARIVO, Section 4.3 and Figure 7). Nothing is retrained; all are loaded by diffusers' own code.
"""

import logging
from pathlib import Path

import torch
from diffusers import AnimateDiffPipeline, ControlNetModel
from PIL import Image
from torch import nn
from torch.nn import functional as F
from transformers import CLIPImageProcessor

from metrics.reading.errors import VideoError
from metrics.reading.rule import ClipRule
from metrics.reading.sources import Source
from metrics.reading.video import read, read_image, reason
from pipeline.config.methods import Controlled, ImagePrompt
from pipeline.harivo.unet import VideoUNet
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.weights.checkpoints import CheckpointError, resolve

log = logging.getLogger(__name__)


def with_lora(images: ImageModel, unet: VideoUNet, lora: str | Path) -> VideoUNet:
    """Load a LoRA of the text-to-image model into a video UNet.

    Layers for the text encoder, which many public LoRAs have, are left out: texts are embedded by a stage before.

    Raises:
        CheckpointError: if there is no LoRA of a UNet in it.
    """
    pipe = _pipeline(images, unet)
    layers, alphas, metadata = pipe.lora_state_dict(
        resolve(lora), unet_config=pipe.unet.config, return_lora_metadata=True
    )
    if any(name.startswith("text_encoder") for name in layers):
        log.warning("%s: its layers for the text encoder are left out", lora)
    if not any(name.startswith("unet") for name in layers):
        raise CheckpointError(f"{lora} holds no LoRA of a UNet")
    pipe.load_lora_into_unet(layers, alphas, pipe.unet, metadata=metadata)
    return pipe.unet


class ControlledUNet(nn.Module):
    """A video UNet whose frozen part a ControlNet steers, each frame by its own picture.

    The ControlNet sees what the frozen part sees: the noisy frames behind the mapping network, and the text without
    frame-wise tokens.

    Args:
        pictures: (F, 3, H, W) in [0, 1], of the size of the clips. scale: of the ControlNet's residuals.
    """

    def __init__(self, unet: nn.Module, controlnet: ControlNetModel, pictures: torch.Tensor, scale: float) -> None:
        super().__init__()
        self.unet, self.controlnet, self.pictures, self.scale = unet, controlnet, pictures, scale

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor
    ) -> torch.Tensor:
        """Predict from noisy latents (B, C, F, h, w), a timestep, and text tokens (B F, M, D)."""
        frozen = self.unet.unet if isinstance(self.unet, PromptedUNet) else self.unet
        seen = sample if frozen.mapping is None else frozen.mapping(sample)
        down, mid = self.controlnet(
            seen.movedim(2, 1).flatten(0, 1),
            timestep,
            encoder_hidden_states,
            controlnet_cond=self.pictures.repeat(len(sample), 1, 1, 1),
            conditioning_scale=self.scale,
            return_dict=False,
        )
        return self.unet(
            sample,
            timestep,
            encoder_hidden_states,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
        )


class PromptedUNet(nn.Module):
    """A video UNet whose frozen part an IP-Adapter shows a picture, beside the text.

    Args:
        embeddings: for each adapter (2, 1, …), of what guidance steers away from, then of the picture.
    """

    def __init__(self, unet: VideoUNet, embeddings: list[torch.Tensor]) -> None:
        super().__init__()
        self.unet, self.embeddings = unet, embeddings

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor, **others: torch.Tensor
    ) -> torch.Tensor:
        """Predict from noisy latents (2 B, C, F, h, w), guidance's two halves, a timestep and text tokens."""
        each = [own.repeat_interleave(len(sample) // 2, dim=0) for own in self.embeddings]
        return self.unet(sample, timestep, encoder_hidden_states, added_cond_kwargs={"image_embeds": each}, **others)


def prompted(images: ImageModel, unet: VideoUNet, wanted: ImagePrompt) -> PromptedUNet:
    """Load an IP-Adapter with its image encoder, and show it its picture.

    Raises:
        CheckpointError: if the folder lacks a part, or the picture cannot be read.
    """
    pipe, folder = _pipeline(images, unet), resolve(wanted.folder)
    try:
        pipe.load_ip_adapter(folder, wanted.subfolder, wanted.weights)
        pipe.set_ip_adapter_scale(wanted.scale)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{wanted.folder}: no IP-Adapter {wanted.subfolder}/{wanted.weights}: {error}") from error
    side = pipe.image_encoder.config.image_size
    pipe.register_modules(feature_extractor=CLIPImageProcessor(size=side, crop_size=side))
    try:
        picture = Image.fromarray(read_image(Path(wanted.image)))
    except (OSError, VideoError) as error:
        raise CheckpointError(f"{wanted.image} cannot be read as a picture: {error}") from error
    with torch.inference_mode():
        embeddings = pipe.prepare_ip_adapter_image_embeds(picture, None, unet.device, 1, True)
    return PromptedUNet(pipe.unet, embeddings)


def controlled(
    unet: nn.Module, device: torch.device, wanted: Controlled, shape: tuple[int, int, int]
) -> ControlledUNet:
    """Load a ControlNet, and the frames of its video in the size of the clips.

    Args:
        shape: frames, height and width of a clip, in pixels.

    Raises:
        CheckpointError: if there is no ControlNet, or the video cannot be read or is too short.
    """
    try:
        network = ControlNetModel.from_pretrained(resolve(wanted.folder), dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{wanted.folder} holds no ControlNet: {error}") from error
    return ControlledUNet(unet, network.to(device).eval(), pictures(Path(wanted.video), shape).to(device), wanted.scale)


def pictures(video: Path, shape: tuple[int, int, int]) -> torch.Tensor:
    """The first frames of a video or a folder of pictures, (F, 3, H, W) in [0, 1], stretched to the size.

    Raises:
        CheckpointError: if it cannot be read, or has fewer frames.
    """
    frames, height, width = shape
    try:
        clip = read(Source(video.name, video), ClipRule(frames)).clips[0]
    except Exception as error:  # whatever a decoder raises
        raise CheckpointError(f"{video}: {reason(error)}") from error
    shown = torch.from_numpy(clip).movedim(-1, 1).float() / 255
    return F.interpolate(shown, (height, width), mode="bilinear", antialias=True).clamp(0, 1)


def _pipeline(images: ImageModel, unet: VideoUNet) -> AnimateDiffPipeline:
    """diffusers' own, for its loaders alone."""
    left_out: dict[str, None] = dict.fromkeys(("text_encoder", "tokenizer", "motion_adapter"))
    return AnimateDiffPipeline(vae=images.codec, unet=unet, scheduler=images.scheduler, **left_out)
