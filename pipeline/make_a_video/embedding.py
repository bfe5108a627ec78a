"""The space in which prior and decoder meet: image and text embeddings of a dual encoder (Section 2.1)."""

import torch

from metrics.networks.clip import DualEncoder


class JointSpace:
    """Frames and texts -> embeddings of about unit variance: the dual encoder's unit vectors times √d, as noise has it
    that the prior starts from."""

    def __init__(self, encoder: DualEncoder) -> None:
        self.encoder = encoder

    def images(self, frames: torch.Tensor, batch: int = 128) -> torch.Tensor:
        """Frames (N, 3, S, S) in [0, 1], S the side that the encoder takes -> (N, d)."""
        return torch.cat([_unit_variance(self.encoder.frame_features(part)) for part in frames.split(batch)])

    @torch.inference_mode()
    def texts(self, tokens: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        """C_x(x): token embeddings (B, n, d), padded with zeros and multiplied by `scale` -> (B, d) on their device.

        Of the toy world's encoder the text head on the mean of the tokens; of a CLIP the projection of the last one.
        """
        given, tokens = tokens.device, tokens.to(self.encoder.model.device) / scale
        own = tokens.abs().amax(dim=-1) > 0
        if not self.encoder.is_world:
            last = tokens[torch.arange(len(tokens)), own.sum(dim=1).clamp(min=1) - 1]
            return _unit_variance(_normalised(self.encoder.model.text_projection(last))).to(given)
        counts = own.sum(dim=1, keepdim=True).clamp(min=1)
        pooled = (tokens * own[..., None]).sum(dim=1) / counts
        return _unit_variance(self.encoder.model.embed_pooled_text(pooled)).to(given)


def _normalised(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


def _unit_variance(unit: torch.Tensor) -> torch.Tensor:
    return unit * unit.shape[-1] ** 0.5
