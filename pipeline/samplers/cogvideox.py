"""CogVideoX through diffusers: text embeddings + initial noise -> clips.

The same two functions serve the world's small model (a folder with a transformer and a scheduler, whose latents the
project's codec decodes) and a public checkpoint (a folder or hub id with its own `AutoencoderKLCogVideoX`).
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import CogVideoXPipeline
from diffusers.utils import logging as diffusers_logging

from pipeline.codec.loading import Codec, load_codec
from pipeline.config.generate import Memory, Model
from pipeline.config.section import Section
from pipeline.samplers.decoding import decode, to_clips
from pipeline.samplers.guidance import Guidance, with_negative
from pipeline.weights.checkpoints import CheckpointError, resolve, weights_of


@dataclass(frozen=True)
class CogVideoXSampling:
    """How a clip is sampled. `frames`, `height`, `width` of None are the checkpoint's own; sizes in pixels. The
    denoiser computes in `precision`."""

    steps: int = 50
    guidance: float = 6.0
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "bfloat16"


@dataclass(frozen=True)
class CogVideoXModel:
    """A CogVideoX pipeline and, where the pipeline has no decoder of its own, the codec of its latents."""

    pipeline: CogVideoXPipeline
    codec: Codec | None

    @property
    def device(self) -> torch.device:
        """Where it computes, which is not where offloaded weights wait."""
        return torch.device(self.pipeline._execution_device)

    @property
    def text_length(self) -> int:
        """Number of text tokens that the transformer wants."""
        return self.pipeline.transformer.config.max_text_seq_length

    @property
    def text_width(self) -> int:
        """Width of the text embeddings that the transformer wants."""
        return self.pipeline.transformer.config.text_embed_dim

    @property
    def parameters(self) -> int:
        """Number of parameters of the denoiser."""
        return sum(p.numel() for p in self.pipeline.transformer.parameters())


@lru_cache(maxsize=1)
def shared(checkpoint: str, codec: str | None, memory: Memory) -> CogVideoXModel:
    """`load`, once for all methods of a model that one process serves."""
    quiet()
    return load(checkpoint, codec, memory)


def load(checkpoint: str | Path, codec: str | Path | None, memory: Memory | None = None) -> CogVideoXModel:
    """Load a checkpoint (folder or hub id) without its text encoder; on a GPU where there is one.

    Args:
        memory: how a checkpoint with a decoder of its own is made to fit; None: float32, whole.

    Raises:
        CheckpointError: if it has neither a decoder of its own nor `codec` names one, or weights are to be offloaded
            and there is no GPU.
    """
    memory = memory or Memory()
    if memory.offload != "none" and not torch.cuda.is_available():
        raise CheckpointError(f"{checkpoint}: memory.offload is {memory.offload}, which wants a GPU; expected none")
    folder = resolve(checkpoint)
    left_out: dict[str, None] = {"text_encoder": None, "tokenizer": None}
    if not (folder / "vae").is_dir():
        left_out["vae"] = None
    pipe = CogVideoXPipeline.from_pretrained(folder, **left_out, dtype=getattr(torch, memory.dtype))
    decoder = None if codec is None else load_codec(resolve(codec))
    if decoder is None and pipe.vae is None:
        raise CheckpointError(f"{checkpoint} has no vae/ of its own; name the codec of its latents in params.yaml")
    return assemble(pipe, decoder, memory)


def assemble(pipe: CogVideoXPipeline, codec: Codec | None, memory: Memory | None = None) -> CogVideoXModel:
    """Put a pipeline and the codec of its latents together, on the device that there is; see `load`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    _place(pipe, device, memory or Memory())
    pipe.set_progress_bar_config(disable=True)
    if codec is not None:
        codec.to(device).eval()
        # the pipeline derives its sizes from its own vae; without one it must be told those of the codec
        pipe.vae_scale_factor_spatial = 2 ** (len(codec.config.block_out_channels) - 1)
        pipe.vae_scale_factor_temporal = 1
    return CogVideoXModel(pipe, codec)


def _place(pipe: CogVideoXPipeline, device: str, memory: Memory) -> None:
    """Bring a pipeline to the device by diffusers' own ways to save memory."""
    if memory.tiling:
        pipe.vae.enable_tiling()
    if memory.slicing:
        pipe.vae.enable_slicing()
    if memory.offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif memory.offload == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    else:
        pipe.to(device)


def quiet() -> None:
    """Silence diffusers' notices about components that are left out on purpose, and its loading bars."""
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()


def noise_shape(model: CogVideoXModel, sampling: CogVideoXSampling) -> tuple[int, int, int, int]:
    """(F, C, h, w) of one clip's noise."""
    pipe, config = model.pipeline, model.pipeline.transformer.config
    spatial, temporal = pipe.vae_scale_factor_spatial, pipe.vae_scale_factor_temporal
    pixels = sampling.frames or config.sample_frames
    frames = (pixels - 1) // temporal + 1
    frames += -frames % (config.patch_size_t or 1)
    height = sampling.height // spatial if sampling.height else config.sample_height
    width = sampling.width // spatial if sampling.width else config.sample_width
    return frames, config.in_channels, height, width


def initial_noise(model: CogVideoXModel, sampling: CogVideoXSampling, seeds: list[int]) -> torch.Tensor:
    """Noise (B, F, C, h, w) of given seeds: the same seed is the same noise, whatever the batch or the device."""
    shape = noise_shape(model, sampling)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def check_embeddings(model: CogVideoXModel, found: tuple[int, int]) -> None:
    """Refuse embeddings whose n and d are not the transformer's.

    Raises:
        ValueError: naming both sizes.
    """
    wanted = (model.text_length, model.text_width)
    if found != wanted:
        raise ValueError(
            f"embeddings are {found}, the transformer wants {wanted} (tokens, width): "
            "the length of a set is in params.yaml, embed.encoders"
        )


def check_size(model: CogVideoXModel, sampling: CogVideoXSampling) -> None:
    """Refuse sizes in pixels that are no whole number of the transformer's patches.

    Raises:
        ValueError: naming the side and the number that must divide it.
    """
    least = model.pipeline.vae_scale_factor_spatial * model.pipeline.transformer.config.patch_size
    for side in ("height", "width"):
        size = getattr(sampling, side)
        if size and size % least:
            raise ValueError(f"sampling.{side} is {size}, expected a multiple of {least}")


@torch.inference_mode()
def sample(
    model: CogVideoXModel,
    embeddings: torch.Tensor,
    noise: torch.Tensor,
    sampling: CogVideoXSampling,
    unconditional: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample clips.

    Args:
        embeddings: (B, n, d) float32, n and d those of the transformer.
        unconditional: (n, d), what guidance steers away from: the empty prompt's embedding for public checkpoints;
            None is zeros, as the world's model was trained.
        noise: (B, F, C, h, w), from `initial_noise`.

    Returns:
        uint8 clips (B, T, H, W, 3) on the CPU.

    Raises:
        ValueError: if the embeddings' size is not the transformer's.
    """
    check_embeddings(model, (embeddings.shape[1], embeddings.shape[2]))
    pipe = model.pipeline
    prompt, negative = with_negative(embeddings, unconditional, model.device)
    narrow, dtype = sampling.precision != "float32", getattr(torch, sampling.precision)
    with torch.autocast(model.device.type, dtype if narrow else torch.bfloat16, enabled=narrow):
        output = pipe(
            prompt_embeds=prompt,
            negative_prompt_embeds=negative,
            latents=noise.to(model.device),
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            num_frames=sampling.frames,
            height=sampling.height,
            width=sampling.width,
            max_sequence_length=model.text_length,
            output_type="latent" if model.codec else "pt",
        ).frames
    video = output.float() if model.codec is None else decode(model.codec, output.float())
    return to_clips(video)


@dataclass(frozen=True)
class CogVideoXSampler:
    """Samples a CogVideoX checkpoint; see samplers.base."""

    wanted: Model
    guidance: float
    frame_axis = 0

    @property
    def origin(self) -> str:
        return self.wanted.checkpoint

    @property
    def weights(self) -> str:
        return weights_of(self.wanted, ("transformer", "scheduler", "vae"))

    @property
    def settings(self) -> dict[str, Any]:
        return asdict(self.sampling) | self.wanted.memory.settings

    @property
    def sampling(self) -> CogVideoXSampling:
        """How clips are sampled."""
        wanted = self.wanted.sampling
        size = (wanted.frames, wanted.height, wanted.width)
        return CogVideoXSampling(wanted.steps, self.guidance, *size, wanted.precision)

    @property
    def model(self) -> CogVideoXModel:
        """The checkpoint, loaded when it is first asked for."""
        return shared(self.wanted.checkpoint, self.wanted.codec, self.wanted.memory)

    @property
    def parameters(self) -> int:
        return self.model.parameters

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return noise_shape(self.model, self.sampling)

    def prepare(self, length: int, width: int) -> None:
        check_embeddings(self.model, (length, width))
        check_size(self.model, self.sampling)

    def sample(self, embeddings: torch.Tensor, noise: torch.Tensor, unconditional: torch.Tensor | None) -> torch.Tensor:
        return sample(self.model, embeddings, noise, self.sampling, unconditional)


def build(model: Model, guidance: Guidance, _options: Section) -> CogVideoXSampler:
    """The sampler of an entry of generate.models.

    Raises:
        ValueError: if guidance is more than one number, which CogVideoX's pipeline cannot follow.
    """
    if guidance.early is not None or guidance.mg_scale:
        raise ValueError("CogVideoX takes one number as guidance, and no mitigating gradient")
    return CogVideoXSampler(model, guidance.late)
