"""Networks of the user's in I3D's place: TorchScript files and transformers folders, of videos or of single images.

Content-debiased FVD is FVD on VideoMAE's features (Ge et al. 2024), JEDi an MMD on V-JEPA's (Luo et al. 2024), and FID
over frames FVD on those of an image network. A transformers folder's own code is never run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from metrics.digests import digest
from metrics.hashing import content_hash, weight_hash
from metrics.networks.environment import device_name, environment
from metrics.networks.float32 import full_float32
from metrics.networks.spec import Spec, SpecError, read_spec

CODE = 1  # raise it when the same specification makes other features: it names cached features and statistics


@dataclass(frozen=True)
class OwnFeatures:
    """A network's features of a clip: `features` (d,), or (T, d) of a network of images.

    weights: sha256 of the file, or of the folder's weights. content: hash of all that the network is made of. name: of
    the network whose place it takes.
    """

    spec: Spec
    weights: str
    content: str
    device: str = "cpu"
    name: str = "i3d"

    @cached_property
    def network(self) -> nn.Module:
        """The network, loaded when it is first used.

        Raises:
            SpecError: if it cannot be loaded, or some of its weights are missing.
        """
        try:
            load = _torchscript if self.spec.kind == "torchscript" else _transformers
            return load(self.spec, self.device).eval()
        except SpecError:
            raise
        except Exception as error:  # whatever torch and transformers make of a damaged file
            raise SpecError(f"network: {self.spec.path} cannot be loaded: {_first_line(error)}") from error

    @property
    def description(self) -> str:
        """What fingerprints call it."""
        spec = self.spec
        parts = [f"own {spec.kind} network, {spec.layout}"]
        parts += [f"output {spec.output}"] if spec.output is not None else []
        parts += [f"mean over {spec.pool}" if spec.pool != "first" else "first token"] if spec.pool else []
        parts += [f"{key}={value}" for key, value in sorted(spec.arguments.items())]
        return f"{', '.join(parts)}, float32"

    @property
    def preparation(self) -> tuple[str, str]:
        """How frames are resized, and the range of their values."""
        return self.spec.resize_rule, self.spec.value_range

    @property
    def recipe(self) -> dict[str, str]:
        """What is computed, wherever: two machines' features of one recipe may be compared."""
        resize, value_range = self.preparation
        own = {"network": self.description, "weights": self.weights, "files": self.content}
        return own | {"resize": resize, "value_range": value_range, "code": str(CODE)}

    @cached_property
    def environment(self) -> dict[str, str]:
        """The number of the code, the digest of all files, libraries and device."""
        libraries = ["transformers"] if self.spec.kind == "transformers" else []
        return {"code": str(CODE), "files": self.content} | environment(self.device, *libraries)

    @cached_property
    def identity(self) -> str:
        """Digest of weights, configuration, specification, code, libraries and device."""
        return digest([self.recipe, self.environment])

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The clip uint8 (T, H, W, 3) as the network wants it, without the batch: (3, T, h, w) or (T, 3, h, w)."""
        frames = fitted(torch.from_numpy(clip), self.spec)
        low, high = self.spec.range
        mean, std = (torch.tensor(x)[:, None, None] for x in (self.spec.mean, self.spec.std))
        frames = (frames * ((high - low) / 255) + low - mean) / std
        return frames.movedim(1, 0) if self.spec.layout == "BCTHW" else frames

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """One forward pass for all clips that are of one size.

        Raises:
            SpecError: if the network refuses the clips, or gives no vector of each.
        """
        if len({clip.shape for clip in prepared}) > 1:  # frames are left as they are
            return [one for clip in prepared for one in self.features([clip])]
        clips = torch.stack(list(prepared))
        given = clips.flatten(0, 1) if self.spec.per_frame else clips
        try:
            vectors = self._forward(given.to(self.device))
        except (torch.jit.Error, RuntimeError, TypeError, ValueError, KeyError, IndexError) as error:
            shape = f"({', '.join(self.spec.layout)}) = {tuple(given.shape)}"
            raise SpecError(f"network: {self.spec.path} does not take {shape}: {_first_line(error)}") from error
        if vectors.ndim != 2 or len(vectors) != len(given):
            found = f"{tuple(vectors.shape)} of {len(given)}"
            raise SpecError(
                f"network: {self.spec.path} makes {found}, expected (B, d): say `output`, and `pool` for the mean over "
                "tokens or space"
            )
        rows = vectors.unflatten(0, clips.shape[:2]) if self.spec.per_frame else vectors
        return [{"features": row} for row in rows.float().cpu().numpy()]

    @torch.inference_mode()
    def _forward(self, given: torch.Tensor) -> torch.Tensor:
        with full_float32():
            return _pooled(_chosen(self.network(given, **self.spec.arguments), self.spec), self.spec)


def load_own(place: Path, frames: int, device: str = "cpu") -> OwnFeatures:
    """The network of a specification or of a transformers folder; its weights are read when a clip wants them.

    Args:
        frames: of a clip.

    Raises:
        SpecError: if the specification is wrong, or the network takes another number of frames.
        ValueError: if the device is a GPU and there is none.
    """
    device_name(device)  # now: workers cannot ask
    spec = read_spec(place)
    if spec.frames not in (None, frames):
        raise SpecError(f"network: {place} takes {spec.frames} frames, and clips have {frames}: --frames {spec.frames}")
    content = content_hash(spec.path) if spec.path.is_dir() else weight_hash(spec.path)
    return OwnFeatures(spec, weight_hash(spec.path), content, device)


def fitted(frames: torch.Tensor, spec: Spec) -> torch.Tensor:
    """Frames uint8 (T, H, W, 3) -> (T, 3, h, w), float32 in [0, 255], by the specification's rule.

    With antialias in 8 bits, as PIL and transformers' processors compute.
    """
    frames = frames.movedim(-1, 1)
    if spec.size is None:
        return frames.float()
    height, width = frames.shape[-2:]
    target = list(spec.size)
    if spec.short is not None:
        target = [int(spec.short * n / min(height, width)) for n in (height, width)]
    if target != [height, width]:
        frames = _resized(frames, target, spec)
    top, left = ((n - wanted) // 2 for n, wanted in zip(frames.shape[-2:], spec.size, strict=True))
    return frames[..., top : top + spec.size[0], left : left + spec.size[1]].float()


def _resized(frames: torch.Tensor, target: list[int], spec: Spec) -> torch.Tensor:
    if spec.interpolation == "nearest":
        return F.interpolate(frames, target, mode="nearest-exact")
    if spec.antialias:
        return F.interpolate(frames, target, mode=spec.interpolation, antialias=True)
    return torch.cat([F.interpolate(frame[None].float(), target, mode=spec.interpolation) for frame in frames])


def _torchscript(spec: Spec, device: str) -> nn.Module:
    return torch.jit.load(spec.path, map_location=device)


class _Checkpoint(nn.Module):
    """A transformers network whose first argument, whatever it is called, is the pixels."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.pixels = model, model.main_input_name
        known = signature(model.forward).parameters
        self.always = {"skip_predictor": True} if "skip_predictor" in known else {}  # of V-JEPA, slow and not used here

    def forward(self, pixels: torch.Tensor, **arguments: Any) -> Any:
        return self.model(**{self.pixels: pixels}, **self.always, **arguments)


def _transformers(spec: Spec, device: str) -> nn.Module:
    import transformers

    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # it lists the weights of heads that are left out
    transformers.logging.disable_progress_bar()
    classifies = spec.output in ("logits", "penultimate")
    of_frames, of_videos = transformers.AutoModelForImageClassification, transformers.AutoModelForVideoClassification
    loader = (of_frames if spec.per_frame else of_videos) if classifies else transformers.AutoModel
    try:
        model, report = loader.from_pretrained(
            spec.path, dtype=torch.float32, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    finally:
        transformers.logging.set_verbosity(verbosity)
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise SpecError(
            f"network: {spec.path} lacks {len(missing)} weights of {type(model).__name__}, such as {missing[0]}"
        )
    if spec.output == "penultimate":
        if not isinstance(getattr(model, "classifier", None), nn.Module):
            raise SpecError(f"network: {spec.path}: {type(model).__name__} has no classifier, so no penultimate output")
        model.classifier = nn.Identity()
    return _Checkpoint(model.to(device))


def _chosen(output: Any, spec: Spec) -> torch.Tensor:
    """The tensor that the specification names."""
    name = "logits" if spec.output == "penultimate" else spec.output
    if name is None:
        if not isinstance(output, torch.Tensor):
            raise TypeError(f"its output is a {type(output).__name__}: say which part is the feature in `output`")
        return output
    return output[name]


def _pooled(output: torch.Tensor, spec: Spec) -> torch.Tensor:
    """(B, d) of an output with further axes, by the specification's rule."""
    if output.ndim == 2 or spec.pool is None:
        return output
    if spec.pool == "space":
        return output.flatten(2).mean(dim=2)
    return output[:, 0] if spec.pool == "first" else output.mean(dim=1)


def _first_line(error: Exception) -> str:
    """What went wrong in one line; TorchScript says it last, below a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1 if "TorchScript" in lines[0] else 0]
