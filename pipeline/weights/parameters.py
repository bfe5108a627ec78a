"""How many parameters weights on disk have, without loading them."""

import math
from pathlib import Path

from safetensors import safe_open


def parameters(folder: Path) -> int | None:
    """Number of floating-point values in the safetensors files of a folder, from their headers, the few in buffers
    included (16 of the toy world's codec); a tensor that several files hold (shards beside the whole, two precisions)
    counts once. None if there is no such file."""
    sizes: dict[str, int] = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118, it is no mapping
                tensor = tensors.get_slice(name)
                if "F" in tensor.get_dtype():  # not the positions that BERT keeps among its weights
                    sizes[name] = math.prod(tensor.get_shape())
    return sum(sizes.values()) if sizes else None
