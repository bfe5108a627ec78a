"""P, the prior: token and text embedding -> image embedding (Section 2.1), by diffusion with a transformer.

diffusers' `PriorTransformer` is unCLIP's. It wants tokens as wide as image embeddings; ours are of another encoder, so
their projection is one from that width.
"""

import torch
from diffusers import ConfigMixin, DDIMScheduler, ModelMixin, PriorTransformer
from diffusers.configuration_utils import register_to_config
from torch import nn

from pipeline.make_a_video.diffusion import denoise

_LEAST = 1e-6  # deviation: a dimension in which all embeddings are alike stays finite


class Prior(ModelMixin, ConfigMixin):
    """Predicts the clean image embedding, standardised by the mean and the standard deviation of those of training.

    Args:
        embedding: width of image and text embeddings. tokens, token_width: of a text's token embeddings. text_scale:
            the factor that these come with. heads, head_dim, layers: of the transformer.
    """

    @register_to_config
    def __init__(
        self, embedding: int, tokens: int, token_width: int, text_scale: float, heads: int, head_dim: int, layers: int
    ) -> None:
        super().__init__()
        self.transformer = PriorTransformer(heads, head_dim, layers, embedding_dim=embedding, num_embeddings=tokens)
        self.transformer.encoder_hidden_states_proj = nn.Linear(token_width, heads * head_dim)
        for fixed in (self.transformer.clip_mean, self.transformer.clip_std):
            fixed.requires_grad_(False)

    @torch.no_grad()
    def fit_scale(self, image: torch.Tensor) -> None:
        """Take mean and standard deviation from image embeddings (N, d).

        Raises:
            ValueError: if there are fewer than two.
        """
        if len(image) < 2:
            raise ValueError(f"found {len(image)} image embedding, expected at least 2, to tell how they are spread")
        self.transformer.clip_mean.copy_(image.mean(dim=0, keepdim=True))
        self.transformer.clip_std.copy_(image.std(dim=0, keepdim=True).clamp(min=_LEAST))

    def standardised(self, image: torch.Tensor) -> torch.Tensor:
        """Image embeddings (B, d) as it predicts them."""
        return (image - self.transformer.clip_mean) / self.transformer.clip_std

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, tokens: torch.Tensor
    ) -> torch.Tensor:
        """The clean standardised embedding (B, d) of a noisy one (B, d).

        Args:
            timestep: (B,) or one for all. text: (B, d), the text embedding. tokens: (B, n, token_width), zeros as
                padding, which is not attended to.
        """
        own = (tokens.abs().amax(dim=-1) > 0).to(noisy.dtype)
        return self.transformer(noisy, timestep, text, tokens, own).predicted_image_embedding


def image_embeddings(
    prior: Prior,
    scheduler: DDIMScheduler,
    text: torch.Tensor,
    tokens: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: float = 1.0,
) -> torch.Tensor:
    """P: text embeddings (B, d), tokens (B, n, token_width), noise (B, d) -> image embeddings (B, d).

    Args:
        guidance: away from no text, which is zeros; 1 is none.
    """

    def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        towards = prior(noisy, timestep, text, tokens).float()
        if guidance == 1:
            return towards
        without = prior(noisy, timestep, torch.zeros_like(text), torch.zeros_like(tokens)).float()
        return without + guidance * (towards - without)

    return prior.transformer.post_process_latents(denoise(predict, scheduler, noise, steps))
