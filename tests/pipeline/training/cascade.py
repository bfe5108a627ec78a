"""Make-A-Video's trainings made small."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.config.cascade import (
    DecoderSpec,
    InterpolationSpec,
    PriorSpec,
    UpscalerSpec,
    VideoDecoderSpec,
    VideoUpscalerSpec,
)
from pipeline.config.embed import Embed
from pipeline.training import decoder, interpolation, prior, upscaler, video_decoder, video_upscaler
from pipeline.training.task import Batch, Task
from tests.pipeline.make_a_video.small import MOST_FRAMES, SCALE, SIZE, TOKENS
from tests.pipeline.training.small import TEXT, embed_by

Place = dict[str, str]  # folders: of the cascade's networks by part, of the dual encoder (clip) and its text_tower
UNCAPTIONED = ("decoder", "video_decoder", "interpolation", "upscaler", "video_upscaler")
TRAININGS = ("prior", *UNCAPTIONED)
_PIXELS: dict[str, Any] = {"shading": 0.35, "rendered": 32, "sampling_steps": 2, "scenes": 5, "validation_scenes": 2}
_MODULES = {
    "prior": prior,
    "decoder": decoder,
    "video_decoder": video_decoder,
    "interpolation": interpolation,
    "upscaler": upscaler,
    "video_upscaler": video_upscaler,
}


def spec_of(name: str, place: Place, **own: Any) -> Any:
    """The specification of a training, with some values changed."""
    towers = {"clip": place["clip"], "text_tower": place["text_tower"]}
    embedded = _PIXELS | towers | {"size": SIZE, "drop": 0.5, "guidance": 2.0}
    enlarging = _PIXELS | {"size": 2 * SIZE, "low": SIZE, "low_noise": 0.1}
    kinds: dict[str, tuple[type, dict[str, Any]]] = {
        "prior": (
            PriorSpec,
            towers
            | {"text": TEXT, "rendered": 32, "shading": 0.35, "scenes": 6, "batch": 4, "drop": 0.5}
            | {"sampling_steps": 2, "guidance": 2.0, "validation_prompts": 4}
            | {"layers": 1, "heads": 2, "head_dim": 8},
        ),
        "decoder": (DecoderSpec, embedded | {"batch": 4, "channels": [32, 32], "heads": 2, "token_width": 8}),
        "video_decoder": (
            VideoDecoderSpec,
            embedded
            | {"batch": 2, "checkpoint": place["decoder"], "heads": 2, "most_frames": MOST_FRAMES}
            | {"frames": 3, "skips": [1, 2], "layers": "temporal", "timestep_power": 0.5},
        ),
        "interpolation": (
            InterpolationSpec,
            embedded
            | {"batch": 2, "checkpoint": place["video"], "frames": 7, "rates": [4, 8, 16]}
            | {"factors": [2, 3], "extrapolated": 0.5},
        ),
        "upscaler": (UpscalerSpec, enlarging | {"batch": 4, "channels": [16, 16], "crop": 8}),
        "video_upscaler": (
            VideoUpscalerSpec,
            enlarging | {"batch": 2, "checkpoint": place["upscaler"], "frames": MOST_FRAMES, "learnt": 3},
        ),
    }
    kind, values = kinds[name]
    return kind(**(values | own))


def embed_of(place: Place) -> Embed:
    """Captions as params.yaml embeds them, by the small sentence encoder."""
    return embed_by("minilm", Path(place["text_tower"]), TOKENS, zero_padding=True, scale=SCALE)


def task_of(name: str, place: Place, seed: int = 0, **own: Any) -> Task[Batch]:
    """The task of a training, as `reelbench` builds it."""
    return _MODULES[name].build_task(spec_of(name, place, **own), embed_of(place), seed, "cpu")


def export_of(name: str) -> Callable[[Any, Path], None]:
    """What writes a trained network."""
    return _MODULES[name].export
