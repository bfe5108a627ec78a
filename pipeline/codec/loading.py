"""Loading a codec: the toy world's, or the `AutoencoderKL` of a public checkpoint."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL

from pipeline.codec.network import ColourCodec

Codec = ColourCodec | AutoencoderKL


def load_codec(folder: str | Path) -> Codec:
    """The codec of a folder in diffusers' layout, float32; its config.json names the class.

    Raises:
        OSError: if the folder has no codec.
    """
    kind = ColourCodec if ColourCodec.load_config(folder).get("_class_name") == "ColourCodec" else AutoencoderKL
    return kind.from_pretrained(folder, dtype=torch.float32)
