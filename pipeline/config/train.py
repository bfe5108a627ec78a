"""The section `train` of params.yaml: of every trained model its specification, typed by its module, and its schedule.

A module is a file of pipeline/training/; a new one has its training here, and its specification in specs.py.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pipeline.config.cascade import (
    DecoderSpec,
    InterpolationSpec,
    PriorSpec,
    UpscalerSpec,
    VideoDecoderSpec,
    VideoUpscalerSpec,
)
from pipeline.config.section import Above, Count, Positive, Section, Share, Weight
from pipeline.config.specs import (
    AutoencoderSpec,
    ClipSpec,
    CodecSpec,
    EtcSpec,
    ImageSpec,
    LoraSpec,
    MotionSpec,
    VideoSpec,
    VideoUNetSpec,
)


def _no_is_a_word(precision: Any) -> Any:
    """`no` without quotes is false to YAML."""
    return "no" if precision is False else precision


class Schedule(Section):
    """How long and how fast to train. `ema`: decay of the averaged weights; `clip`: limit of the gradient norm;
    `accumulate`: in how many equal parts, one after the other, a process takes its rows of a batch: less memory, and a
    loss in which rows meet one another sees those of one part; `precision`: accelerate's mixed precision; `*_every`:
    in steps, `gradients_every`: from one measurement of the gradient of each loss to the next (a way back through the
    network for each; 0: never)."""

    steps: Positive
    learning_rate: Above
    warmup: Count = 50
    weight_decay: Weight = 0.01
    ema: Share = 0.995
    clip: Above = 1.0
    accumulate: Positive = 1
    seed: Count = 0
    precision: Annotated[Literal["no", "bf16"], BeforeValidator(_no_is_a_word)] = "no"
    log_every: Positive = 20
    gradients_every: Count = 100
    checkpoint_every: Positive = 200
    validate_every: Positive = 500


class CodecTraining(Section):
    module: Literal["codec"]
    spec: CodecSpec
    schedule: Schedule


class ClipTraining(Section):
    module: Literal["clip"]
    spec: ClipSpec
    schedule: Schedule


class CogVideoXTraining(Section):
    module: Literal["cogvideox"]
    spec: VideoSpec
    schedule: Schedule


class ModelScopeTraining(Section):
    module: Literal["modelscope"]
    spec: VideoUNetSpec
    schedule: Schedule


class ImageTraining(Section):
    module: Literal["t2i"]
    spec: ImageSpec
    schedule: Schedule


class LoraTraining(Section):
    module: Literal["lora"]
    spec: LoraSpec
    schedule: Schedule


class MotionTraining(Section):
    module: Literal["motion"]
    spec: MotionSpec
    schedule: Schedule


class EtcTraining(Section):
    module: Literal["etc"]
    spec: EtcSpec
    schedule: Schedule


class AutoencoderTraining(Section):
    module: Literal["autoencoder"]
    spec: AutoencoderSpec
    schedule: Schedule


class DecoderTraining(Section):
    module: Literal["decoder"]
    spec: DecoderSpec
    schedule: Schedule


class PriorTraining(Section):
    module: Literal["prior"]
    spec: PriorSpec
    schedule: Schedule


class VideoDecoderTraining(Section):
    module: Literal["video_decoder"]
    spec: VideoDecoderSpec
    schedule: Schedule


class InterpolationTraining(Section):
    module: Literal["interpolation"]
    spec: InterpolationSpec
    schedule: Schedule


class UpscalerTraining(Section):
    module: Literal["upscaler"]
    spec: UpscalerSpec
    schedule: Schedule


class VideoUpscalerTraining(Section):
    module: Literal["video_upscaler"]
    spec: VideoUpscalerSpec
    schedule: Schedule


Training = Annotated[
    CodecTraining
    | ClipTraining
    | CogVideoXTraining
    | ModelScopeTraining
    | ImageTraining
    | LoraTraining
    | MotionTraining
    | EtcTraining
    | AutoencoderTraining
    | DecoderTraining
    | PriorTraining
    | VideoDecoderTraining
    | InterpolationTraining
    | UpscalerTraining
    | VideoUpscalerTraining,
    Field(discriminator="module"),
]


def _with_modules(trainings: Any) -> Any:
    """A training's module is the one of its own name, unless it names another."""
    if not isinstance(trainings, dict):
        return trainings
    return {k: {"module": k} | entry if isinstance(entry, dict) else entry for k, entry in trainings.items()}


Train = Annotated[dict[str, Training], BeforeValidator(_with_modules)]
