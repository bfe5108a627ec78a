"""Text encoders: prompts -> token embeddings and token counts.

Three kinds, each from a local folder or a hub id: `minilm` (a sentence-transformers BERT), `t5` (the text encoder of
a CogVideoX checkpoint) and `clip` (that of a Stable Diffusion checkpoint); the latter two are run as their checkpoints
run them: padded, without an attention mask.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, CLIPTextModel, T5EncoderModel

from metrics.hashing import weight_hash
from pipeline.weights.checkpoints import CheckpointError, resolve

log = logging.getLogger(__name__)

_MODELS = {"minilm": AutoModel, "t5": T5EncoderModel, "clip": CLIPTextModel}
KINDS = tuple(_MODELS)


@dataclass(frozen=True)
class Encoded:
    """Token embeddings of N texts.

    tokens: (N, length, d) float32. counts: (N,) int64, tokens of the text itself, special tokens included, padding
    not (the paper's n_ids). truncated: (N,) bool, texts that did not fit into `length`.
    """

    tokens: torch.Tensor
    counts: torch.Tensor
    truncated: torch.Tensor


class TextEncoder:
    """A frozen text encoder.

    Args:
        kind: one of KINDS.
        checkpoint: local folder or hub id; a diffusers layout (text_encoder/, tokenizer/) is understood.
    """

    def __init__(self, kind: str, checkpoint: str | Path) -> None:
        if kind not in _MODELS:
            raise CheckpointError(f"unknown encoder kind {kind!r}, expected one of {', '.join(KINDS)}")
        root = resolve(checkpoint)
        self.kind = kind
        self.folder = root / "text_encoder" if (root / "text_encoder").is_dir() else root
        tokenizer_folder = root / "tokenizer" if (root / "tokenizer").is_dir() else root
        for folder, file in ((self.folder, "config.json"), (tokenizer_folder, "tokenizer_config.json")):
            if not (folder / file).is_file():
                raise CheckpointError(f"{folder} holds no {file}: expected a {kind} text encoder and its tokenizer")
        self.tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
        model = _MODELS[kind].from_pretrained(self.folder, dtype=torch.float32).eval().requires_grad_(False)
        self.model = model.to("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def weight_hash(self) -> str:
        """sha256 of the encoder's weights."""
        return weight_hash(self.folder)

    @torch.inference_mode()
    def encode(self, texts: list[str], length: int, zero_padding: bool, batch: int = 64) -> Encoded:
        """Encode texts, padded or cut to `length` tokens.

        Args:
            zero_padding: True sets the rows of the padding to zero; False keeps what the encoder makes of them,
                as CogVideoX does and as RichSpace's full text embeddings need (Section 4.2).
        """
        parts = [self._encode(texts[i : i + batch], length, zero_padding) for i in range(0, len(texts), batch)]
        encoded = Encoded(*(torch.cat(column) for column in zip(*parts, strict=True)))
        for text, cut in zip(texts, encoded.truncated.tolist(), strict=True):
            if cut:
                log.warning("cut to %d tokens: %r", length, text)
        return encoded

    def _encode(
        self, texts: list[str], length: int, zero_padding: bool
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        padded = self.tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        mask = padded.attention_mask
        # CogVideoX and Stable Diffusion let T5 and CLIP attend to the padding; BERT is run as it was trained.
        attention = mask.to(self.model.device) if self.kind == "minilm" else None
        hidden = self.model(padded.input_ids.to(self.model.device), attention_mask=attention).last_hidden_state
        if zero_padding:
            hidden = hidden * mask[..., None].to(hidden.device)
        whole = torch.tensor([len(ids) for ids in self.tokenizer(texts).input_ids])
        return hidden.float().cpu(), mask.sum(dim=1), whole > length
