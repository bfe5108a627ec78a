"""Make-A-Video in params.yaml: what its specifications and options refuse, and that what is shipped fits together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diffusers import UNet2DConditionModel
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from pipeline.config import cascade as config
from pipeline.config.cascade import UpscalerSpec
from pipeline.config.methods import Cascade
from pipeline.config.params import Params, load
from pipeline.make_a_video import decoder, upscaling
from pipeline.make_a_video.interpolation import FURTHER
from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.pyramid import EMBEDDED
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.world.scene import FRAMES
from tests.pipeline.training.cascade import TRAININGS, spec_of

PLACE = dict.fromkeys(("clip", "text_tower", "decoder", "video", "upscaler"), "models/x")
LARGEST = 3_000_000  # parameters, 6 MB as float16
CASCADE = {
    "clip": "c",
    "text_tower": "t",
    "prior": {"folder": "p", "steps": 2},
    "video": "v",
    "factor": 3,
    "interpolation": {"folder": "i", "steps": 2},
    "sr_t": {"folder": "s", "steps": 2, "low": 16},
    "sr_h": {"folder": "h", "steps": 2, "low": 32},
}


@pytest.fixture(scope="module")
def shipped(root: Path) -> Params:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return load()


@pytest.mark.parametrize(
    ("name", "own", "message"),
    [
        ("decoder", {"size": 12}, "size is 12, expected a divisor of rendered, which is 32"),
        ("decoder", {"channels": [24]}, "channels"),
        ("decoder", {"channels": []}, "channels"),
        ("decoder", {"drop": 1.5}, "drop"),
        ("decoder", {"rendered": 0}, "rendered"),
        ("video_decoder", {"frames": 1}, "frames"),
        ("video_decoder", {"skips": []}, "skips"),
        ("video_decoder", {"layers": "spatial"}, "'temporal' or 'all'"),
        ("video_decoder", {"timestep_power": 0}, "timestep_power"),
        ("interpolation", {"factors": [2, 7]}, "factors: found 7, expected less than frames, which is 7"),
        ("interpolation", {"factors": [1]}, "factors"),
        ("interpolation", {"rates": [0]}, "rates"),
        ("interpolation", {"extrapolated": -0.1}, "extrapolated"),
        ("upscaler", {"low": 16}, "low is 16, expected a divisor of size, which is 16, below it"),
        ("upscaler", {"low": 5}, "low is 5, expected a divisor of size, which is 16, below it"),
        ("upscaler", {"crop": 7}, "crop is 7, expected a multiple of 2, at most size, which is 16"),
        ("upscaler", {"crop": 32}, "crop is 32, expected a multiple of 2, at most size, which is 16"),
        ("upscaler", {"channels": [12]}, "channels"),
        ("video_upscaler", {"learnt": 1}, "learnt"),
        ("prior", {"rendered": 0}, "rendered"),
    ],
)
def test_specifications_that_make_no_sense_are_refused(name: str, own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec_of(name, PLACE, **own)


@pytest.mark.parametrize("name", TRAININGS)
def test_no_specification_has_a_key_of_another(name: str) -> None:
    spec = spec_of(name, PLACE)
    with pytest.raises(ValidationError, match=r"no such key: 'sheding' \(did you mean 'shading'"):
        type(spec).model_validate(spec.model_dump() | {"sheding": 1})


@given(times=st.integers(2, 4), levels=st.integers(1, 4), low=st.sampled_from([8, 12, 24]), crop=st.integers(1, 100))
def test_a_crop_that_is_taken_can_be_learnt(times: int, levels: int, low: int, crop: int) -> None:
    """It has whole small pixels, and halves at every resolution of the network."""
    base = spec_of("upscaler", PLACE).model_dump()
    size = times * low
    wanted = base | {"size": size, "low": low, "rendered": size, "crop": crop, "channels": [16] * levels}
    fits = crop <= size and crop % times == 0 and crop % 2 ** (levels - 1) == 0
    try:
        UpscalerSpec.model_validate(wanted)
    except ValidationError as error:
        assert not fits
        assert f"crop is {crop}" in str(error)
    else:
        assert fits


def test_a_training_without_a_crop_learns_the_whole() -> None:
    assert spec_of("upscaler", PLACE, crop=None).crop is None
    with pytest.raises(ValidationError, match="crop is 16, expected a multiple of 32"):
        spec_of("upscaler", PLACE, crop=None, channels=[16] * 6)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"sr_t": None}, "sr_h without sr_t, which comes before it"),
        ({"factor": 0}, "factor"),
        ({"prior": {"folder": "p"}}, "steps"),
        ({"prior": {"folder": "p", "steps": 2, "guidance": -1}}, "guidance"),
        ({"interpolation": {"folder": "p", "steps": 2, "window": 1}}, "window"),
        ({"sr_t": {"folder": "p", "steps": 2}}, "low"),
        ({"sr_t": {"folder": "p", "steps": 2, "low": 8, "guidance": 2}}, "no such key: 'guidance'"),
        ({"vidio": "x"}, "no such key: 'vidio' .did you mean 'video'"),
    ],
)
def test_options_that_make_no_sense_are_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Cascade.model_validate(CASCADE | own)


@pytest.mark.parametrize("part", ["prior", "video", "interpolation", "sr_h"])
def test_a_part_may_be_left_out_and_must_be_named(part: str) -> None:
    assert getattr(Cascade.model_validate(CASCADE | {part: None}), part) is None
    with pytest.raises(ValidationError, match=part):
        Cascade.model_validate({name: value for name, value in CASCADE.items() if name != part})


def test_guidance_is_none_and_windows_are_the_papers_unless_said_otherwise() -> None:
    own = Cascade.model_validate(CASCADE)
    assert own.prior.guidance == own.interpolation.guidance == 1
    assert own.interpolation.window == 16


def width(params: Params) -> int:
    """Of the shipped dual encoder's embeddings."""
    return params.train["clip"].spec.projection_dim


def images(params: Params, name: str) -> UNet2DConditionModel:
    spec = params.train[name].spec
    if params.train[name].module == "upscaler":
        return upscaling.build(spec.size, spec.channels)
    return decoder.build(spec.size, spec.channels, spec.heads, spec.token_width, width(params))


def before(params: Params, name: str) -> str:
    """The training whose network a training starts from."""
    return Path(params.train[name].spec.checkpoint).name


def videos(params: Params, name: str) -> PseudoVideoUNet:
    spec = params.train[name].spec
    return PseudoVideoUNet.of(images(params, before(params, name)), spec.heads, spec.most_frames, rated=True)


def prior(params: Params, name: str) -> Prior:
    spec = params.train[name].spec
    embedded = params.embed.encoders[spec.text.encoder].sets[spec.text.set]
    return Prior(width(params), embedded.length, 384, embedded.scale, spec.heads, spec.head_dim, spec.layers)


BUILD: dict[str, Callable[[Params, str], nn.Module]] = {
    "prior": prior,
    "decoder": images,
    "upscaler": images,
    "video_decoder": videos,
    "interpolation": lambda params, name: videos(params, before(params, name)).widened(FURTHER),
    "video_upscaler": lambda params, name: PseudoVideoUNet.of(
        images(params, before(params, name)), 1, params.train[name].spec.frames, rated=False
    ),
}


def trainings(params: Params) -> list[str]:
    return [name for name, training in params.train.items() if training.module in BUILD]


def test_no_shipped_network_is_larger_than_six_megabytes(shipped: Params) -> None:
    """As float16; built from the specifications, untrained."""
    assert {shipped.train[name].module for name in trainings(shipped)} == set(BUILD)
    for name in trainings(shipped):
        network = BUILD[shipped.train[name].module](shipped, name)
        assert sum(p.numel() for p in network.parameters()) <= LARGEST, name


def test_shipped_trainings_fit_the_toy_world(shipped: Params) -> None:
    """Clips are as long as what is learnt of them; a network tells apart as many frames as it is given."""
    for name in trainings(shipped):
        spec, module = shipped.train[name].spec, shipped.train[name].module
        if module == "video_decoder":
            assert (spec.frames - 1) * max(spec.skips) < FRAMES, name
            assert spec.frames <= spec.most_frames, name
        if module == "interpolation":
            assert spec.frames <= min(FRAMES, shipped.train[before(shipped, name)].spec.most_frames), name
        if module == "video_upscaler":
            assert spec.learnt <= FRAMES <= spec.frames, name
    assert max(EMBEDDED) < FRAMES


def test_shipped_trainings_are_alike_where_one_goes_on(shipped: Params) -> None:
    """Same pixels, same shading as the network that a training starts from."""
    for name in trainings(shipped):
        spec = shipped.train[name].spec
        if hasattr(spec, "checkpoint"):
            first = shipped.train[before(shipped, name)].spec
            assert (spec.size, spec.shading, spec.rendered) == (first.size, first.shading, first.rendered), name
            assert getattr(spec, "low", 0) == getattr(first, "low", 0), name


def test_the_shipped_cascade_fits_together(shipped: Params) -> None:
    """Sizes, frames and embeddings of each part are those of the one before."""
    entries = [
        one for one in shipped.generate.methods.values() if shipped.generate.models[one.model].family == "cascade"
    ]
    assert entries
    for entry in entries:
        options = {key: value for key, value in entry.options.items() if key in Cascade.model_fields}
        own, sampling = Cascade.model_validate(options), shipped.generate.models[entry.model].sampling
        trained = {Path(training).name: shipped.train[Path(training).name].spec for training in folders(own)}
        assert (sampling.frames - 1) % own.factor == 0
        side = shipped.train[Path(shipped.generate.models[entry.model].checkpoint).name].spec.size
        for part in (own.sr_t, own.sr_h):
            if part:
                spec = trained[Path(part.folder).name]
                assert (spec.low, part.low) == (side, side)
                side = spec.size
        if own.interpolation:
            assert own.interpolation.window <= trained[Path(own.interpolation.folder).name].frames
            assert own.factor in trained[Path(own.interpolation.folder).name].factors
        if own.video:
            video = trained[Path(own.video).name]
            assert (sampling.frames - 1) // own.factor + 1 <= video.most_frames
            assert own.clip == video.clip


def folders(own: Cascade) -> list[str]:
    parts = [part.folder for part in (own.prior, own.interpolation, own.sr_t, own.sr_h) if part]
    return [*parts, *([own.video] if own.video else [])]


def test_clips_of_the_toy_world_are_as_long_as_it_makes_them() -> None:
    """The configuration does not import the world, so it has the number too."""
    assert config.FRAMES == FRAMES
