"""What every training on top of a frozen text-to-image model is told."""

from dataclasses import dataclass

from pipeline.samplers import stable_diffusion
from pipeline.samplers.stable_diffusion import ImageModel
from pipeline.text.encoders import TextEncoder
from pipeline.training.latents import Captions


@dataclass(frozen=True)
class OnImages:
    """What every spec of a training on top of a frozen text-to-image model states.

    checkpoint, codec: the model and, where it has no vae/ of its own, the codec of its latents. encoder,
    encoder_checkpoint: the text encoder (encoders.TextEncoder). text_tokens, embedding_scale, zeros: see Captions.
    scenes: how many are drawn. The rest as in training.t2i.
    """

    checkpoint: str
    codec: str | None
    encoder: str
    encoder_checkpoint: str
    text_tokens: int
    embedding_scale: float
    zeros: bool
    batch: int
    scenes: int
    sampling_steps: int
    guidance: float
    validation_prompts: int

    def images(self) -> ImageModel:
        """The text-to-image model."""
        return stable_diffusion.load(self.checkpoint, self.codec, self.embedding_scale)

    def captions(self) -> Captions:
        """Its text encoder, and how embeddings are brought to it."""
        encoder = TextEncoder(self.encoder, self.encoder_checkpoint)
        return Captions(encoder, self.text_tokens, self.embedding_scale, self.zeros)
