"""train_cogvideox: a small `CogVideoXTransformer3DModel` on the codec's latents of the world's clips.

The layout is CogVideoX 1.5's: rotary positions and patches over several frames. v-prediction on the scaled-linear
schedule rescaled to zero terminal SNR; captions are dropped in a share of the steps (zeros as the empty prompt).
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXPipeline, CogVideoXTransformer3DModel
from torch import nn

from metrics.progress import each
from pipeline.codec.loading import Codec, load_codec
from pipeline.config import paths
from pipeline.config.embed import Embed
from pipeline.config.specs import VideoSpec
from pipeline.samplers.cogvideox import CogVideoXModel, CogVideoXSampling, assemble, initial_noise, sample
from pipeline.training.denoising import Noising, NoisingSource, denoising_loss, uniform, whole_clips
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.pixels import strips
from pipeline.training.task import Losses
from pipeline.training.validation import QUICK, judged, of_unseen
from pipeline.world.scene import ATTRIBUTES, FRAMES, HEIGHT


def build(spec: VideoSpec, latent_channels: int, text_length: int, text_width: int) -> CogVideoXTransformer3DModel:
    """An untrained denoiser of latents (B, 16, latent_channels, 8, 8)."""
    return CogVideoXTransformer3DModel(
        num_attention_heads=spec.heads,
        attention_head_dim=spec.head_dim,
        in_channels=latent_channels,
        out_channels=latent_channels,
        time_embed_dim=spec.time_dim,
        text_embed_dim=text_width,
        num_layers=spec.layers,
        sample_width=8,
        sample_height=8,
        sample_frames=FRAMES,
        patch_size=2,
        patch_size_t=spec.patch_frames,
        temporal_compression_ratio=1,
        max_text_seq_length=text_length,
        use_rotary_positional_embeddings=True,
    )


def noise_schedule() -> CogVideoXDDIMScheduler:
    """v-prediction, scaled-linear betas rescaled to zero terminal SNR, trailing timesteps."""
    return CogVideoXDDIMScheduler(
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        snr_shift_scale=1.0,
        clip_sample=False,
    )


class VideoTask:
    """Predict v from noisy latents and the caption's token embeddings."""

    def __init__(
        self, spec: VideoSpec, codec: Codec, encoder: CaptionEncoder, seed: int, device: torch.device | str
    ) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        self.codec = codec.to(device).eval().requires_grad_(False)
        self.data = CaptionedLatents.of_world(spec.scenes, seed, self.codec, encoder, device, shading=spec.shading)
        self.model = build(spec, codec.config.latent_channels, *self.data.texts.shape[-2:]).to(device)
        self.scheduler = noise_schedule()
        self.source = NoisingSource(self.data, seed, spec.batch, whole_clips, uniform(self.scheduler), spec.drop)
        self.video = self._video()
        self.rotary = self.video.pipeline._prepare_rotary_positional_embeddings(HEIGHT, HEIGHT, FRAMES, device)

    def _video(self) -> CogVideoXModel:
        pipe = CogVideoXPipeline(
            tokenizer=None, text_encoder=None, vae=None, transformer=self.model, scheduler=self.scheduler
        )
        return assemble(pipe, self.codec)

    def loss(self, model: nn.Module, batch: Noising) -> Losses:
        def predict(noisy: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
            return model(noisy, text, timestep, image_rotary_emb=self.rotary, return_dict=False)[0]

        return Losses(denoising_loss(self.scheduler, batch, predict))

    def validate(self, final: bool) -> dict[str, float]:
        """Shares of unseen in-distribution prompts whose clip shows what the prompt names, by the judge."""
        names, self._clips = of_unseen(self.spec.validation_prompts if final else QUICK, self.data, self._sample)
        return judged(names, self._clips, ATTRIBUTES)

    def _sample(self, text: torch.Tensor, batch: int = 20) -> np.ndarray:
        sampling = CogVideoXSampling(self.spec.sampling_steps, self.spec.guidance, FRAMES, HEIGHT, HEIGHT)
        noise = initial_noise(self.video, sampling, list(range(len(text))))
        clips = [
            sample(self.video, text[i : i + batch], noise[i : i + batch], sampling)
            for i in each(range(0, len(text), batch), "sampling", "batches", keep=False)
        ]
        return torch.cat(clips).numpy()

    def picture(self) -> np.ndarray:
        """Ten validation clips, one a row, every second frame."""
        return strips(self._clips)


def build_task(spec: VideoSpec, embed: Embed, seed: int, device: str) -> VideoTask:
    """The task of params.yaml's train.cogvideox.spec, on the trained codec."""
    codec = load_codec(paths.world_model("codec"))
    return VideoTask(spec, codec, CaptionEncoder.of(spec.text, embed), seed, device)


def export(task: VideoTask, folder: Path) -> None:
    """Write transformer and scheduler as a diffusers pipeline folder, float16."""
    task.model.half()
    task.video.pipeline.save_pretrained(folder)
