"""Token embeddings of prompt sets on disk: one safetensors file a set, each distinct text once, and a small index."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pipeline.config.embed import EmbeddedSet
from pipeline.prompts.sets import Prompt

if TYPE_CHECKING:  # who reads embeddings needs no transformers
    from pipeline.text.encoders import TextEncoder


class EmbeddingError(ValueError):
    """Embeddings that are missing or do not fit; the message says which and what to do."""


def embed_set(encoder: "TextEncoder", prompts: list[Prompt], embedded: EmbeddedSet, path: Path) -> None:
    """Embed the prompts of one set into `path` (.safetensors) and index them beside it (.csv).

    The file holds `tokens` (N, length, d) float32 and `counts` (N,) of the N distinct texts, and `empty` (length, d),
    the empty prompt, embeddings with the set's factor; its metadata the encoder's kind and weight hash. The index has a
    row for every prompt: id, row in the tensors, tokens, truncated.
    """
    if not prompts:
        raise EmbeddingError(f"no prompts for {path.stem}: is the set named in params.yaml, prompts.sets?")
    texts = sorted({prompt.text for prompt in prompts})
    encoded, empty = (encoder.encode(some, embedded.length, embedded.zero_padding) for some in (texts, [""]))
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"kind": encoder.kind, "weights": encoder.weight_hash, **{k: json.dumps(v) for k, v in embedded}}
    scale = embedded.scale
    tensors = {"tokens": scale * encoded.tokens, "counts": encoded.counts, "empty": scale * empty.tokens[0]}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    row = {text: i for i, text in enumerate(texts)}
    index = [
        {
            "id": prompt.id,
            "row": row[prompt.text],
            "tokens": int(encoded.counts[row[prompt.text]]),
            "truncated": bool(encoded.truncated[row[prompt.text]]),
        }
        for prompt in prompts
    ]
    pd.DataFrame(index).to_csv(path.with_suffix(".csv"), index=False)


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of one set: tokens (N, length, d), counts (N,), the empty prompt's (length, d), the row of each
    prompt id, and metadata."""

    tokens: torch.Tensor
    counts: torch.Tensor
    empty: torch.Tensor
    rows: dict[str, int]
    metadata: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Embeddings":
        """Read what `embed_set` wrote.

        Raises:
            EmbeddingError: if there is nothing at `path`.
        """
        if not path.is_file():
            raise EmbeddingError(f"{path} not found: name the set under embed.encoders.*.sets and run the embed stage")
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in ("tokens", "counts", "empty")}
            metadata = dict(file.metadata())
        index = pd.read_csv(path.with_suffix(".csv"))
        return cls(**tensors, rows=dict(zip(index["id"], index["row"], strict=True)), metadata=metadata)

    def of(self, prompt_id: str) -> torch.Tensor:
        """(length, d) embedding of a prompt."""
        return self.tokens[self._row(prompt_id)]

    def count(self, prompt_id: str) -> int:
        """Number of tokens of a prompt, padding not counted."""
        return int(self.counts[self._row(prompt_id)])

    def _row(self, prompt_id: str) -> int:
        if prompt_id not in self.rows:
            raise EmbeddingError(f"no embedding of prompt {prompt_id!r} (have {len(self.rows)} prompts)")
        return int(self.rows[prompt_id])
