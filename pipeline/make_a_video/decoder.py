"""D and D_t: image embedding -> an image, or the frames of a video (Sections 2.1 to 2.5)."""

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from pipeline.make_a_video.diffusion import denoise, guided
from pipeline.make_a_video.video_unet import PseudoVideoUNet


def build(size: int, channels: list[int], heads: int, text_width: int, embedding: int) -> UNet2DConditionModel:
    """D, untrained: a denoiser of RGB images (B, 3, size, size), attention below the first resolution only.

    The embedding, of width `embedding`, conditions it as in unCLIP's decoder: added to the timestep's, and as tokens of
    width `text_width` that the image attends to.
    """
    deeper = len(channels) - 1
    return UNet2DConditionModel(
        sample_size=size,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=tuple(channels),
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * deeper),
        up_block_types=(*["CrossAttnUpBlock2D"] * deeper, "UpBlock2D"),
        cross_attention_dim=text_width,
        encoder_hid_dim_type="image_proj",
        encoder_hid_dim=embedding,
        addition_embed_type="image",
        attention_head_dim=heads,
        norm_num_groups=16,
    )


def predict_image(
    unet: UNet2DConditionModel, noisy: torch.Tensor, timestep: torch.Tensor, image: torch.Tensor
) -> torch.Tensor:
    """What D predicts of noisy images (B, 3, h, w), of image embeddings (B, d)."""
    return unet(noisy, timestep, None, added_cond_kwargs={"image_embeds": image}).sample


def images(
    unet: UNet2DConditionModel,
    scheduler: DDIMScheduler,
    image: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: float,
) -> torch.Tensor:
    """D: image embeddings (B, d), noise (B, 3, h, w) -> images (B, 3, h, w), about [-1, 1]."""

    def predict(noisy: torch.Tensor, timestep: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
        return predict_image(unet, noisy, timestep, towards)

    return denoise(guided(predict, image, guidance), scheduler, noise, steps)


def videos(
    unet: PseudoVideoUNet,
    scheduler: DDIMScheduler,
    image: torch.Tensor,
    noise: torch.Tensor,
    fps: float,
    steps: int,
    guidance: float,
) -> torch.Tensor:
    """D_t: image embeddings (B, d), noise (B, 3, F, h, w) -> F frames at `fps` a second, about [-1, 1], as noise."""
    rate = torch.full((1,), fps, device=noise.device)

    def predict(noisy: torch.Tensor, timestep: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
        return unet(noisy, timestep, towards, rate)

    return denoise(guided(predict, image, guidance), scheduler, noise, steps)
