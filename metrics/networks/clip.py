"""Dual encoders: frames and captions -> unit vectors in one space.

`DualEncoder` is the interface that CLIPSIM needs. Two kinds of folder are understood: a transformers `CLIPModel`, and
`WorldClip`, the small encoder that Reelbench trains on its own world (its text tower is a frozen MiniLM).
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    AutoModel,
    AutoTokenizer,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    PretrainedConfig,
    PreTrainedModel,
)

from metrics.networks.rules import WORLD_ENCODER

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class WorldClipConfig(PretrainedConfig):
    """Sizes of the vision tower and of the head on the text tower's mean-pooled tokens."""

    model_type = WORLD_ENCODER

    def __init__(
        self,
        image_size: int = 32,
        patch_size: int = 4,
        hidden_size: int = 128,
        layers: int = 4,
        heads: int = 4,
        projection_dim: int = 128,
        text_width: int = 384,
        text_hidden: int = 256,
        **common: object,  # transformers hands its own keys through here
    ) -> None:
        self.image_size, self.patch_size = image_size, patch_size
        self.hidden_size, self.layers, self.heads = hidden_size, layers, heads
        self.projection_dim, self.text_width, self.text_hidden = projection_dim, text_width, text_hidden
        super().__init__(**common)


class WorldClip(PreTrainedModel):
    """Vision tower (a CLIP vision transformer) and text head; the text tower itself stays outside, frozen."""

    config_class = WorldClipConfig

    def __init__(self, config: WorldClipConfig) -> None:
        super().__init__(config)
        self.vision = CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=config.hidden_size,
                intermediate_size=4 * config.hidden_size,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                image_size=config.image_size,
                patch_size=config.patch_size,
                projection_dim=config.projection_dim,
            )
        )
        self.text_head = nn.Sequential(
            nn.Linear(config.text_width, config.text_hidden),
            nn.GELU(),
            nn.Linear(config.text_hidden, config.projection_dim),
        )
        self.logit_scale = nn.Parameter(torch.tensor(2.6))  # log of CLIP's initial inverse temperature, 1 / 0.07
        self.post_init()

    def embed_frames(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames (B, 3, 32, 32) in [0, 1] -> unit vectors (B, projection_dim)."""
        return F.normalize(self.vision(pixel_values=frames * 2 - 1).image_embeds, dim=-1)

    def embed_pooled_text(self, pooled: torch.Tensor) -> torch.Tensor:
        """Mean-pooled text-tower tokens (B, text_width) -> unit vectors (B, projection_dim)."""
        return F.normalize(self.text_head(pooled), dim=-1)


class TextTower:
    """A frozen BERT-like sentence encoder: texts -> mean of its token vectors."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)

    @torch.inference_mode()
    def pooled(self, texts: list[str], batch: int = 128) -> torch.Tensor:
        """(N, d) mean over each text's own tokens."""
        parts = []
        for i in range(0, len(texts), batch):
            tokens = self.tokenizer(texts[i : i + batch], padding=True, truncation=True, return_tensors="pt")
            tokens = tokens.to(self.model.device)
            hidden = self.model(**tokens).last_hidden_state
            mask = tokens.attention_mask[..., None].float()
            parts.append((hidden * mask).sum(1) / mask.sum(1))
        return torch.cat(parts).clone()


class DualEncoder:
    """Frames and captions -> unit vectors.

    Args:
        folder: a transformers CLIP checkpoint, or a WorldClip (its config.json says which).
        text_tower: folder of the sentence encoder that a WorldClip was trained on; unused for CLIP.
        device: where both towers compute; features come back on the CPU.

    Raises:
        ValueError: if the folder is a WorldClip and no text tower is given.
    """

    def __init__(self, folder: Path, text_tower: Path | None = None, device: str = "cpu") -> None:
        kind = json.loads((Path(folder) / "config.json").read_text())["model_type"]
        self.is_world = kind == WorldClipConfig.model_type
        if self.is_world and text_tower is None:
            raise ValueError(f"{folder} is a {kind}: it needs the folder of its text tower")
        model_class = WorldClip if self.is_world else CLIPModel
        self.model = model_class.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)
        self.model.to(device)
        self.tower = TextTower(text_tower) if self.is_world else None
        if self.tower is not None:
            self.tower.model.to(device)
        self.tokenizer = None if self.is_world else AutoTokenizer.from_pretrained(folder)

    @property
    def image_size(self) -> int:
        """Side in pixels of the frames that the vision tower wants."""
        config = self.model.config
        return config.image_size if self.is_world else config.vision_config.image_size

    @torch.inference_mode()
    def frame_features(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames (B, 3, S, S) in [0, 1], S the side that `image_size` names -> unit vectors (B, d).

        Raises:
            ValueError: if the frames are of another size; `metrics.networks.resize` makes them fit.
        """
        size = self.image_size
        if frames.ndim != 4 or tuple(frames.shape[1:]) != (3, size, size):
            raise ValueError(f"the vision tower wants frames (B, 3, {size}, {size}), found {tuple(frames.shape)}")
        frames = frames.to(self.model.device)
        if self.is_world:
            return self.model.embed_frames(frames).cpu()
        mean, std = (torch.tensor(x, device=frames.device)[:, None, None] for x in (_CLIP_MEAN, _CLIP_STD))
        return F.normalize(_tensor(self.model.get_image_features(pixel_values=(frames - mean) / std)), dim=-1).cpu()

    @torch.inference_mode()
    def text_features(self, texts: list[str]) -> torch.Tensor:
        """Captions -> unit vectors (N, d); text beyond the tower's length is cut."""
        if self.tower is not None:
            return self.model.embed_pooled_text(self.tower.pooled(texts)).cpu()
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.model.device)
        return F.normalize(_tensor(self.model.get_text_features(**tokens)), dim=-1).cpu()


def _tensor(output: object) -> torch.Tensor:
    """transformers 5 returns an output object where transformers 4 returned the tensor."""
    return output if isinstance(output, torch.Tensor) else output.pooler_output
