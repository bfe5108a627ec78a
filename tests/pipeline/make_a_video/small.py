"""The networks of the cascade made small, their layers over time no longer at their initialisation."""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from pipeline.make_a_video import decoder, upscaling
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.interpolation import FURTHER
from pipeline.make_a_video.loading import save
from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from tests.pipeline.tiny import EMBEDDING, SENTENCE_WIDTH

SIZE, HEADS, MOST_FRAMES = 8, 2, 16  # pixels of a side of what the decoders make
TOKENS, SCALE = 20, 4.0  # of a text's embedding


def image_decoder(seed: int = 0) -> UNet2DConditionModel:
    """D, of two resolutions, the second with attention."""
    torch.manual_seed(seed)
    return decoder.build(SIZE, [32, 32], HEADS, 8, EMBEDDING).eval()


def stirred(model: PseudoVideoUNet, by: float = 0.1) -> PseudoVideoUNet:
    """With layers over time, and an embedding of the frame rate, that were moved."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.temporal.parameters():
            parameter += by * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def video_decoder(by: float = 0.1) -> PseudoVideoUNet:
    """D_t."""
    return stirred(PseudoVideoUNet.of(image_decoder(), HEADS, MOST_FRAMES, rated=True), by)


def interpolation() -> PseudoVideoUNet:
    """↑F, whose further channels no longer do nothing."""
    model = video_decoder().widened(FURTHER)
    torch.manual_seed(2)
    with torch.no_grad():
        model.unet.conv_in.spatial.weight += 0.1 * torch.randn_like(model.unet.conv_in.spatial.weight)
    return model.eval()


def upscaler(size: int, seed: int = 3) -> UNet2DConditionModel:
    """SR_h, or what SR_t starts from."""
    torch.manual_seed(seed)
    return upscaling.build(size, [16, 16]).eval()


def video_upscaler(size: int) -> PseudoVideoUNet:
    """SR_t."""
    return stirred(PseudoVideoUNet.of(upscaler(size), 1, MOST_FRAMES, rated=False))


def prior(tokens: int = TOKENS, token_width: int = SENTENCE_WIDTH, embedding: int = EMBEDDING) -> Prior:
    """P, whose positions and special token no longer are zeros, in the units of some embeddings."""
    torch.manual_seed(4)
    model = Prior(embedding, tokens, token_width, SCALE, heads=2, head_dim=8, layers=2)
    with torch.no_grad():
        for parameter in (model.transformer.positional_embedding, model.transformer.prd_embedding):
            parameter += torch.randn_like(parameter)
    model.fit_scale(1 + 2 * torch.randn(50, embedding))
    return model.eval()


def write_cascade(folder: Path) -> dict[str, str]:
    """Folders of all parts, by name: 8 pixels of D_t become 16 and 32."""
    parts = {
        "decoder": image_decoder(),
        "video": video_decoder(),
        "interpolation": interpolation(),
        "sr_t": video_upscaler(2 * SIZE),
        "sr_h": upscaler(4 * SIZE, seed=5),
    }
    for name, network in parts.items():
        save(folder / name, network, noise_schedule())
    save(folder / "prior", prior(), noise_schedule("sample"))
    return {name: str(folder / name) for name in (*parts, "prior")}
