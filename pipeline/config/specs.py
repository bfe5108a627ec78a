"""What is trained: the specification of each kind of model in the section `train` of params.yaml, and its data."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.embed import Text
from pipeline.config.section import Above, Count, KeptShare, Positive, Section, Share, Switch, Weight, is_square


class CodecSpec(Section):
    """Architecture and objective of a `ColourCodec`.

    latent_channels: three of colour and the rest, at least one, of structure. width: of both networks, in channels.
    colour_noise, structure_noise: the most noise that is added to each in training, in unscaled values, so that the
    decoder takes what a denoiser leaves. free: weight of the squared difference of the structure of one frame in two
    colours. size: weight of the structure's squares.
    """

    latent_channels: Annotated[Positive, Field(ge=4)]
    width: Annotated[Positive, Field(multiple_of=8)]
    layers: Positive
    colour_noise: Weight
    structure_noise: Weight
    free: Weight
    size: Weight
    batch: Positive
    scenes: Positive
    validation_scenes: Positive


class ClipSpec(Section):
    """Architecture and data. `candidates`: the number of captions that the right one is ranked among."""

    hidden_size: Positive
    layers: Positive
    heads: Positive
    projection_dim: Positive
    batch: Positive
    scenes: Positive
    candidates: Annotated[Positive, Field(ge=2)]
    validation_scenes: Positive


class Conditioned(Section):
    """What every model that is trained on captions states.

    text: what captions are embedded with. scenes: how many are drawn. shading: how much darker the rear of every object
    is, by which a frame shows where it goes; 0 is the control without that cue. The others: of the clips that
    validations sample.
    """

    text: Text
    batch: Positive
    scenes: Positive
    shading: Share
    sampling_steps: Positive
    guidance: Weight
    validation_prompts: Positive


class VideoSpec(Conditioned):
    """A CogVideoX. `drop`: the share of captions replaced by zeros; `patch_frames`: how many frames share a token
    (CogVideoX 1.5 has 2): fewer tokens, more steps in the same time."""

    layers: Positive
    heads: Positive
    head_dim: Positive
    time_dim: Positive
    patch_frames: Positive
    drop: Share


class ImageSpec(Conditioned):
    """A text-to-image UNet; see VideoSpec."""

    channels: Annotated[list[Positive], Field(min_length=1)]
    heads: Positive
    drop: Share


class VideoUNetSpec(Conditioned):
    """A video UNet with temporal convolution and attention (ModelScope's); see VideoSpec. channels: of each resolution,
    normalised in 16 groups, of which one of a single channel would forget the timestep. heads: of all attention.
    timestep_power: see MotionSpec."""

    channels: Annotated[list[Annotated[Positive, Field(multiple_of=16, ge=32)]], Field(min_length=1)]
    heads: Positive
    drop: Share
    timestep_power: Above

    @model_validator(mode="after")
    def _heads_divide(self) -> "VideoUNetSpec":
        if unequal := [channels for channels in self.channels if channels % self.heads]:
            raise ValueError(f"channels has {unequal[0]}, expected a multiple of heads, which is {self.heads}")
        return self


class OnImages(Conditioned):
    """What every training on top of a frozen text-to-image model states: its `checkpoint` and, where that has no vae/
    of its own, the `codec` of its latents."""

    checkpoint: str
    codec: str | None


class LoraSpec(OnImages):
    """Rank and adapted layers (the ends of their names)."""

    rank: Positive
    layers: Annotated[list[str], Field(min_length=1)]


class Videos(Section):
    """Videos below the folder `clips` (metrics.reading.sources) and the file of their `captions`
    (metrics.reading.captions).

    Of each `frames` frames are taken, the short side scaled to `size` pixels and the middle kept. The last `unseen`
    videos, in the order of their names, are kept for validation.
    """

    clips: str
    captions: str
    frames: Positive
    size: Positive
    unseen: Positive = 8


class VideoFolder(Videos):
    """Of each video the first frames, every `stride`-th."""

    stride: Positive = 1


class ImageFolder(Section):
    """Images below a folder and the file of their `captions` (metrics.reading.captions)."""

    folder: str
    captions: str


class MotionSpec(OnImages):
    """Temporal layers on a frozen text-to-image model: architecture, losses and data.

    mapping: whether there is a mapping network. tokens: frame-wise tokens per frame, 0 for none. noise: iid, or PYoCo's
    mixed noise with `noise_weight`. lambda_*: the weights of Eq. 5 of HARIVO; 0 leaves a loss out. queue: negatives of
    L_DC; other_content: whether those that show what a video itself shows are left out (colour and shape in the toy
    world, the caption elsewhere); limit_dc: whether its gradient is limited to the running median of its norm.
    timestep_power: t = T u^power for uniform u; 1 is the paper's uniform t, less trains high noise more often. used:
    how many of the scenes are trained on; scenes_seed: of which draw they are, the text-to-image model's. videos: a
    folder of captioned videos to train on instead of the toy world.
    """

    heads: Positive
    mapping: Switch
    tokens: Count
    noise: Literal["iid", "mixed"]
    noise_weight: Weight
    lambda_trs: Weight
    lambda_reg: Weight
    lambda_dc: Weight
    queue: Positive
    other_content: Switch
    limit_dc: Switch
    drop: Share
    timestep_power: Above
    used: Positive
    scenes_seed: Count = 0
    videos: VideoFolder | None = None

    @model_validator(mode="after")
    def _uses_what_is_drawn(self) -> "MotionSpec":
        if self.used > self.scenes:
            raise ValueError(f"used is {self.used}, expected at most scenes, which is {self.scenes}")
        return self


class TripleShares(Section):
    """How often a row of a batch is of which kind of ETC's three (Eq. 6); only their ratio counts. ETC without triple
    data has videos alone."""

    label_images: Weight
    videos: Weight
    caption_images: Weight

    @model_validator(mode="after")
    def _one_is_drawn(self) -> "TripleShares":
        if not (self.label_images or self.videos or self.caption_images):
            raise ValueError("label_images, videos and caption_images are all 0, expected one above")
        return self


class Filtered(Section):
    """A collection as the web has them, and what ETC's video filter keeps of it (Section 4.2, Eq. 5).

    spoilt: the share of its clips that are bad videos. ratio: α, the share that is kept. clip, text_tower: folders of
    the dual encoder that scores.
    """

    spoilt: Share
    ratio: KeptShare
    clip: str
    text_tower: str


class EtcSpec(OnImages):
    """A video model of which every layer is trained, those of the text-to-image model too.

    frames: how they are arranged, as one grid (ETC) or one by one with temporal attention between them (its baseline).
    heads: of that attention. mixed: whether the mixed embedding is added to a grid. shares: of the triple data.
    timestep_power, used: see MotionSpec. recompute: whether activations are computed again on the way back (gradient
    checkpointing), which takes less memory and more time. starts_from: folder of a video model that is trained on;
    null: a new one.

    length: frames of a clip of the toy world, height: its pixels; null: as it is. filtered: null: no clip of it is
    spoilt, and none is dropped.

    videos: a folder of captioned videos to train on instead of the toy world, each at one of the paper's frame rates;
    beside them images: captioned images, without which they are the middle frames of the videos, and labels: a folder
    with a folder of images for each label, whose name is the label (`_` for a blank).
    """

    frames: Literal["grid", "temporal"]
    heads: Positive
    mixed: Switch
    shares: TripleShares
    drop: Share
    timestep_power: Above
    used: Positive
    length: Positive | None = None
    height: Positive | None = None
    starts_from: str | None = None
    filtered: Filtered | None = None
    recompute: Switch = False
    videos: Videos | None = None
    images: ImageFolder | None = None
    labels: str | None = None

    @model_validator(mode="after")
    def _videos_fit(self) -> "EtcSpec":
        if self.videos is None:
            beside = [name for name in ("images", "labels") if getattr(self, name) is not None]
            if beside:
                raise ValueError(f"{' and '.join(beside)} without videos: expected videos, beside which they are seen")
            return self
        if worlds := [name for name in ("length", "height", "filtered") if getattr(self, name) is not None]:
            raise ValueError(f"{' and '.join(worlds)} with videos: expected null, they are of the toy world")
        if self.frames == "grid" and not is_square(self.videos.frames):
            raise ValueError(f"videos.frames is {self.videos.frames} with frames: grid, expected a square number")
        if self.shares.label_images and self.labels is None:
            share = self.shares.label_images
            raise ValueError(f"shares.label_images is {share:g} without labels, expected their folder, or a share of 0")
        return self

    @model_validator(mode="after")
    def _fits(self) -> "EtcSpec":
        if self.used > self.scenes:
            raise ValueError(f"used is {self.used}, expected at most scenes, which is {self.scenes}")
        if self.mixed and self.frames != "grid":
            raise ValueError(f"mixed is true with frames: {self.frames}, expected a grid")
        return self


class AutoencoderSpec(Section):
    """A diffusers `AutoencoderKL`, what it learns from, and its objective.

    block_out_channels: of every block, each but the last of which halves the sides. kl: weight of L_KL, 0 leaves it
    out. grid: learn from whole clips, each one image of all its frames; else from single frames. starts_from: folder of
    an autoencoder whose training goes on; null: a new one. batch: in images. shading: see Conditioned.
    """

    block_out_channels: Annotated[list[Annotated[Positive, Field(multiple_of=8)]], Field(min_length=1, max_length=6)]
    layers_per_block: Positive
    latent_channels: Positive
    kl: Weight
    grid: Switch
    starts_from: str | None
    batch: Positive
    scenes: Positive
    validation_scenes: Positive
    shading: Share
