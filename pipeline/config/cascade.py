"""What is trained for Make-A-Video: the specifications of its networks in the section `train` of params.yaml."""

from math import lcm
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.section import Above, Positive, Section, Share, Weight
from pipeline.config.specs import Conditioned, ImageFolder

FRAMES = 16  # of the toy world's clips, as pipeline.world.scene has them


class OwnClips(Section):
    """Videos below a folder, or images, each a clip of one frame; captions beside them are not read.

    frames: of each the first so many, every stride-th; 1: images. The short side is scaled to the network's size and
    the middle kept. unseen: the last so many, in the order of their names, which validations measure the loss of.
    """

    folder: str
    frames: Positive
    stride: Positive = 1
    unseen: Positive = 8


class Pixels(Section):
    """What every network of Make-A-Video's cascade learns from, in pixels of the toy world; captions are no part of it.

    scenes: how many are drawn. shading: see Conditioned. rendered: pixels of a side that the toy world is rendered at,
    of which every smaller size is the box average. size: of what the network makes. sampling_steps, validation_scenes:
    of validations. own: a folder to learn from instead of the toy world.
    """

    batch: Positive
    scenes: Positive
    shading: Share
    rendered: Positive
    size: Positive
    sampling_steps: Positive
    validation_scenes: Positive
    own: OwnClips | None = None

    @model_validator(mode="after")
    def _is_an_average(self) -> "Pixels":
        if self.rendered % self.size:
            raise ValueError(f"size is {self.size}, expected a divisor of rendered, which is {self.rendered}")
        return self


class Embedded(Pixels):
    """What is conditioned on image embeddings. clip, text_tower: folders of the dual encoder. drop: the share of
    embeddings that zeros replace. guidance: of validations."""

    clip: str
    text_tower: str
    drop: Share
    guidance: Weight


class DecoderSpec(Embedded):
    """D, the decoder of images: channels of its resolutions, heads of its attention, width of the tokens that it makes
    of an image embedding."""

    channels: Annotated[list[Annotated[Positive, Field(multiple_of=16)]], Field(min_length=1)]
    heads: Positive
    token_width: Positive


class PriorSpec(Conditioned):
    """P: a transformer from a caption to the image embedding of a frame. clip, text_tower: folders of the dual encoder.
    rendered: see Pixels. drop: the share of captions that zeros replace. images: captioned images to learn from instead
    of the toy world; unseen: of them, kept for validation."""

    clip: str
    text_tower: str
    rendered: Positive
    layers: Positive
    heads: Positive
    head_dim: Positive
    drop: Share
    batch: Positive
    images: ImageFolder | None = None
    unseen: Positive = 8


class OnNetwork(Section):
    """What is trained on top of a network of the cascade. checkpoint: its folder."""

    checkpoint: str


class VideoDecoderSpec(Embedded, OnNetwork):
    """D_t: the decoder `checkpoint`, D, on unlabelled videos.

    heads: of the temporal attention, which tells apart `most_frames`. frames: of a clip that is learnt, each `skip`-th
    of the toy world's, for one of the skips, from 1. layers: which are trained, those over time or all.
    timestep_power: see MotionSpec.
    """

    heads: Positive
    most_frames: Positive
    frames: Annotated[Positive, Field(ge=2)]
    skips: Annotated[list[Positive], Field(min_length=1)]
    layers: Literal["temporal", "all"]
    timestep_power: Above

    @model_validator(mode="after")
    def _clips_are_long_enough(self) -> "VideoDecoderSpec":
        needed, have = (self.frames - 1) * max(self.skips) + 1, self.own.frames if self.own else FRAMES
        if needed > have:
            said = f"{self.frames} frames at a skip of {max(self.skips)} need clips of {needed}"
            raise ValueError(f"{said}, found {have} ({'own.frames' if self.own else 'the toy world'})")
        if self.frames > self.most_frames:
            raise ValueError(f"frames: found {self.frames}, expected at most most_frames, which is {self.most_frames}")
        return self


class InterpolationSpec(Embedded, OnNetwork):
    """↑F: all layers of the video decoder `checkpoint`, D_t, on videos of which some frames are known.

    frames: at once, at most. rates: frames a second of clips of the toy world. factors: every so many-th frame is
    known. extrapolated: the share of batches of which the first or the last frames are known instead.
    """

    frames: Annotated[Positive, Field(ge=2)]
    rates: Annotated[list[Above], Field(min_length=1)]
    factors: Annotated[list[Annotated[Positive, Field(ge=2)]], Field(min_length=1)]
    extrapolated: Share

    @model_validator(mode="after")
    def _factors_fit(self) -> "InterpolationSpec":
        if (most := max(self.factors)) >= self.frames:
            raise ValueError(f"factors: found {most}, expected less than frames, which is {self.frames}")
        if self.frames > (have := self.own.frames if self.own else FRAMES):
            raise ValueError(f"frames: found {self.frames}, expected at most those of a clip, {have}")
        return self


class Enlarging(Pixels):
    """A super-resolution network. low: pixels of a side of the frames that it enlarges; low_noise: standard deviation
    of the noise on them in training, at most, so that it forgives what made them."""

    low: Positive
    low_noise: Weight

    @model_validator(mode="after")
    def _enlarges(self) -> "Enlarging":
        if self.size % self.low or self.low == self.size:
            raise ValueError(f"low is {self.low}, expected a divisor of size, which is {self.size}, below it")
        return self


class UpscalerSpec(Enlarging):
    """SR_h, and what SR_t starts from: a network of images. channels: of its resolutions. crop: pixels of a side of the
    large frames' part that is learnt at once; null: the whole."""

    channels: Annotated[list[Annotated[Positive, Field(multiple_of=8)]], Field(min_length=1)]
    crop: Positive | None = None

    @model_validator(mode="after")
    def _crops_fit(self) -> "UpscalerSpec":
        crop = self.size if self.crop is None else self.crop
        least = lcm(self.size // self.low, 2 ** (len(self.channels) - 1))
        if crop > self.size or crop % least:
            raise ValueError(f"crop is {crop}, expected a multiple of {least}, at most size, which is {self.size}")
        return self


class VideoUpscalerSpec(Enlarging, OnNetwork):
    """SR_t: the layers over time of the network of images `checkpoint`, on unlabelled videos. frames: at most, of
    a video that is enlarged; learnt: of those that are learnt, in a row."""

    frames: Annotated[Positive, Field(ge=2)]
    learnt: Annotated[Positive, Field(ge=2)]

    @model_validator(mode="after")
    def _clips_are_long_enough(self) -> "VideoUpscalerSpec":
        most = min(self.frames, self.own.frames if self.own else FRAMES)
        if self.learnt > most:
            raise ValueError(f"learnt: found {self.learnt}, expected at most the frames of a clip, {most}")
        return self
