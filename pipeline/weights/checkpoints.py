"""Where a model's files are: a local folder, or a hub's copy of one."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from metrics.hashing import content_hash, fingerprint
from pipeline.config import paths
from pipeline.config.generate import Model

# What a hub's repositories hold beside what is read here: weights for other frameworks and codes, in half precision,
# before averaging, and of the filter that Stable Diffusion's images went through.
NOT_READ = (
    *("*.ckpt", "*.pth", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.onnx_data", "*-pruned.safetensors"),
    *("*-emaonly.safetensors", "*.fp16.*", "*.fp16-*", "*.non_ema.*", "*.non_ema-*", "safety_checker/*"),
)


class CheckpointError(ValueError):
    """A checkpoint that cannot be found or read; the message says where it was looked for and what to do."""


def resolve(checkpoint: str | Path) -> Path:
    """The local folder of a checkpoint given as a folder or as a hub id (what is read of it is downloaded by
    huggingface_hub, and cached).

    Raises:
        CheckpointError: if it is neither a folder here nor a hub id that can be reached.
    """
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder
    text = str(checkpoint)
    if not looks_like_hub_id(text):
        raise CheckpointError(f"checkpoint folder {text!r} does not exist and is no hub id of the form owner/name")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(text, ignore_patterns=list(NOT_READ)))
    except Exception as error:  # the hub client raises a dozen unrelated types for "cannot be had"
        raise CheckpointError(f"hub id {text!r} could not be fetched ({error}); give a local folder instead") from error


def looks_like_hub_id(place: str) -> bool:
    """Whether a place that is not here may be a hub's: owner/name, and not below a folder of ours."""
    return place.count("/") == 1 and not place.startswith(("/", ".", "~", f"{paths.MODELS}/"))


def weights_of(model: Model, parts: Sequence[str], *further: str) -> str:
    """Hash of everything that is loaded for a model: those parts that its checkpoint has, its codec, and further
    folders or hub ids."""
    return fingerprint([_hash_once(folder.absolute()) for folder in _loaded(model, parts, *further)])


@lru_cache
def _hash_once(folder: Path) -> str:
    """A process hashes gigabytes once, however many methods share them."""
    return content_hash(folder)


def _loaded(model: Model, parts: Sequence[str], *further: str) -> list[Path]:
    below = [resolve(model.checkpoint) / part for part in parts]
    others = [resolve(place) for place in (model.codec, *further) if place]
    return [folder for folder in (*below, *others) if folder.is_dir()]
