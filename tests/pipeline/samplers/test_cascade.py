"""Sampling Make-A-Video's cascade, with every part that may be left out, on networks made small."""

import shutil
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from metrics.networks.clip import DualEncoder
from pipeline.config.embed import EmbeddedSet
from pipeline.config.generate import Model
from pipeline.config.methods import Cascade
from pipeline.make_a_video import decoder, upscaling
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.interpolation import Interpolator
from pipeline.make_a_video.loading import load_images, load_prior, load_videos
from pipeline.make_a_video.prior import image_embeddings
from pipeline.methods.noise import Noise
from pipeline.samplers import cascade
from pipeline.samplers.guidance import Guidance
from pipeline.text.encoders import TextEncoder
from pipeline.training.latents import CaptionEncoder
from tests.pipeline.make_a_video.small import SCALE, SIZE, TOKENS
from tests.pipeline.tiny import EMBEDDING, SENTENCE_WIDTH

FRAMES, FACTOR = 7, 3
TEXTS = ["A large plain red circle moves to the right.", "A small blue square moves up."]
WITHOUT: dict[str, dict[str, Any]] = {
    "whole": {},
    "no prior": {"prior": None},
    "no video": {"video": None},
    "no interpolation": {"interpolation": None},
    "no sr_h": {"sr_h": None},
    "no super-resolution": {"sr_t": None, "sr_h": None},
    "D alone": {"prior": None, "video": None, "interpolation": None, "sr_t": None, "sr_h": None},
}
Make = Any


@pytest.fixture
def make(cascade_folders: dict[str, str], world_clip_folder: Path, sentence_folder: Path) -> Make:
    """Builds a sampler with some options, and some of `sampling`, changed."""

    def built(sampled: dict[str, Any] | None = None, checkpoint: str = "", **changes: Any) -> cascade.CascadeSampler:
        folders = cascade_folders
        options = {
            "clip": str(world_clip_folder),
            "text_tower": str(sentence_folder),
            "prior": {"folder": folders["prior"], "steps": 2, "guidance": 2.0},
            "video": folders["video"],
            "factor": FACTOR,
            "interpolation": {"folder": folders["interpolation"], "steps": 2, "guidance": 1.5, "window": 4},
            "sr_t": {"folder": folders["sr_t"], "steps": 2, "low": SIZE},
            "sr_h": {"folder": folders["sr_h"], "steps": 2, "low": 2 * SIZE},
        }
        for name, value in changes.items():
            options[name] = options[name] | value if isinstance(value, dict) else value
        sampling = {"steps": 2, "guidance": 3.0, "frames": FRAMES, "precision": "float32"} | (sampled or {})
        checkpoint = checkpoint or folders["decoder"]
        model = Model(family="cascade", checkpoint=checkpoint, encoder="minilm", sampling=sampling, fps=6)
        return cascade.build(model, Guidance(model.sampling.guidance.late), Cascade(**options))

    return built


@pytest.fixture(scope="module")
def tokens(sentence_folder: Path) -> torch.Tensor:
    """(2, TOKENS, SENTENCE_WIDTH), as a prompt set with zeros as padding has them."""
    embedded = EmbeddedSet(length=TOKENS, zero_padding=True, scale=SCALE)
    encoder = CaptionEncoder(TextEncoder("minilm", sentence_folder), embedded)
    found, row = encoder.embed(TEXTS)
    return encoder.scaled(found)[row]


def image_embedding() -> torch.Tensor:
    """What takes the place of tokens where there is no prior."""
    return torch.randn(2, 1, EMBEDDING, generator=torch.Generator().manual_seed(5))


def noise_of(own: cascade.CascadeSampler, n: int = 2) -> torch.Tensor:
    return torch.stack([Noise().draw(own.noise_shape, own.frame_axis, seed) for seed in range(n)])


def clips_of(own: cascade.CascadeSampler, tokens: torch.Tensor) -> torch.Tensor:
    return own.sample(tokens if own.options.prior else image_embedding(), noise_of(own), None)


@pytest.mark.parametrize("name", WITHOUT)
def test_sizes_and_frames_of_every_variant(make: Make, tokens: torch.Tensor, name: str) -> None:
    """Also asked for in other pixels; the same each time, and each clip the same without the others."""
    own = make(**WITHOUT[name])
    own.prepare(TOKENS, SENTENCE_WIDTH if own.options.prior else EMBEDDING)
    side = 4 * SIZE if own.options.sr_h else 2 * SIZE if own.options.sr_t else SIZE
    clips = clips_of(own, tokens)
    assert clips.dtype == torch.uint8
    assert clips.shape == (2, FRAMES, side, side, 3)
    assert torch.equal(clips, clips_of(own, tokens))
    given = tokens if own.options.prior else image_embedding()
    alone = own.sample(given[1:], noise_of(own)[1:], None)
    assert (alone.int() - clips[1:].int()).abs().max() <= 1
    wanted = make(sampled={"height": 12, "width": 20}, **WITHOUT[name])
    assert clips_of(wanted, tokens).shape == (2, FRAMES, 12, 20, 3)


def test_every_variant_makes_clips_of_its_own(make: Make, tokens: torch.Tensor) -> None:
    """All made as large, so that only their content tells them apart."""
    made = {name: clips_of(make(sampled={"height": 8, "width": 8}, **own), tokens) for name, own in WITHOUT.items()}
    for a, b in combinations(made, 2):
        assert not torch.equal(made[a], made[b]), (a, b)


def test_it_is_the_parts_one_after_the_other(
    make: Make,
    tokens: torch.Tensor,
    cascade_folders: dict[str, str],
    world_clip_folder: Path,
    sentence_folder: Path,
) -> None:
    """Eq. 1 written out, the noise cut by hand; D_t is told the rate of its own frames, `factor` times less often."""
    own, folders = make(), cascade_folders
    noise, parts, first = noise_of(own), [], 0
    sides = [(EMBEDDING,), (3, 3, SIZE, SIZE), (3, 7, SIZE, SIZE), (3, 7, 2 * SIZE, 2 * SIZE), (3, 4 * SIZE, 4 * SIZE)]
    for shape in sides:
        parts.append(noise[:, first : first + prod(shape)].reshape(2, *shape))
        first += prod(shape)
    assert first == noise.shape[1]
    text = JointSpace(DualEncoder(world_clip_folder, sentence_folder)).texts(tokens, SCALE)
    image = image_embeddings(*load_prior(Path(folders["prior"])), text, tokens, parts[0], 2, 2.0)
    video = decoder.videos(*load_videos(Path(folders["video"])), image, parts[1], 6 / FACTOR, 2, 3.0)
    between = Interpolator(*load_videos(Path(folders["interpolation"])), 2, 1.5, 4)
    video = between.interpolate(video.clamp(-1, 1), FACTOR, image, 6, parts[2])
    video = upscaling.upscaled_videos(*load_videos(Path(folders["sr_t"])), video.clamp(-1, 1), parts[3], 2)
    video = upscaling.upscaled_frames(*load_images(Path(folders["sr_h"])), video.clamp(-1, 1), parts[4], 2)
    wanted = ((video.clamp(-1, 1) + 1) * 127.5).movedim(1, -1)
    found = own.sample(tokens, noise, None)
    assert (found - wanted).abs().max() <= 0.51


def test_without_interpolation_each_frame_stays_until_the_next(make: Make, tokens: torch.Tensor) -> None:
    clips = clips_of(make(interpolation=None, sr_t=None, sr_h=None), tokens)
    for i in range(FRAMES):
        assert torch.equal(clips[:, i], clips[:, i // FACTOR * FACTOR])
    assert not torch.equal(clips[:, 0], clips[:, FACTOR])
    between = clips_of(make(sr_t=None, sr_h=None), tokens)
    assert torch.equal(between[:, ::FACTOR], clips[:, ::FACTOR])
    assert not torch.equal(between[:, 1], clips[:, 1])


def test_without_layers_over_time_each_frame_is_an_image_of_d(make: Make, cascade_folders: dict[str, str]) -> None:
    own = make(**WITHOUT["D alone"])
    clips = own.sample(image_embedding(), noise_of(own), None)
    noise = noise_of(own)[:, EMBEDDING:][:, : 3 * 3 * SIZE * SIZE].view(2, 3, 3, SIZE, SIZE)
    images, scheduler = load_images(Path(cascade_folders["decoder"]))
    for i in range(3):
        wanted = decoder.images(images, scheduler, image_embedding()[:, 0], noise[:, :, i], 2, 3.0)
        pixels = ((wanted.clamp(-1, 1) + 1) * 127.5).movedim(1, -1)
        assert (clips[:, FACTOR * i] - pixels).abs().max() <= 1


@pytest.mark.parametrize("name", WITHOUT)
def test_the_noise_of_the_first_parts_is_the_same_in_every_variant(make: Make, name: str) -> None:
    """Drawn as methods draw it: what a variant leaves out at the end changes none of the noise before."""
    whole, own = make(), make(**WITHOUT[name])
    assert list(whole.shapes) == ["prior", "video", "interpolation", "sr_t", "sr_h"]
    assert list(own.shapes.items()) == list(whole.shapes.items())[: len(own.shapes)]
    short = noise_of(own)
    assert torch.equal(short, noise_of(whole)[:, : short.shape[1]])


@pytest.mark.parametrize(
    ("changes", "width", "message"),
    [
        ({"sampled": {"frames": 8}}, SENTENCE_WIDTH, r"sampling\.frames is 8, .* the factor, which is 3"),
        ({"factor": 4}, SENTENCE_WIDTH, r"sampling\.frames is 7, .* the factor, which is 4"),
        ({}, 12, r"width of the tokens: found 12, expected 24"),
        ({"prior": None}, 24, r"width of the image embeddings: found 24, expected 16"),
        ({"sr_t": {"low": 4}}, SENTENCE_WIDTH, r"sr_t enlarges 4 pixels, what comes before makes 8"),
        ({"sr_h": {"low": 8}}, SENTENCE_WIDTH, r"sr_h enlarges 8 pixels, what comes before makes 16"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_sampled(
    make: Make, cascade_folders: dict[str, str], changes: dict[str, Any], width: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as said:
        make(**changes).prepare(TOKENS, width)
    assert cascade_folders["decoder"] in str(said.value)


@pytest.mark.parametrize("part", ["prior", "video", "interpolation", "sr_t", "sr_h"])
def test_folders_of_another_kind_are_named(make: Make, cascade_folders: dict[str, str], part: str) -> None:
    wrong = cascade_folders["video" if part in ("prior", "sr_h") else "decoder"]
    own = make(**{part: wrong if part == "video" else {"folder": wrong}})
    with pytest.raises(ValueError, match="expected") as said:
        own.prepare(TOKENS, SENTENCE_WIDTH)
    assert wrong in str(said.value)


NUMBERS: list[dict[str, Any]] = [
    {"sampled": {"steps": 3}},
    {"sampled": {"guidance": 4.0}},
    {"sampled": {"frames": 4}},
    {"sampled": {"height": 8}},
    {"sampled": {"width": 8}},
    {"sampled": {"precision": "bfloat16"}},
    {"factor": 2},
    {"prior": {"steps": 3}},
    {"prior": {"guidance": 3.0}},
    {"interpolation": {"steps": 3}},
    {"interpolation": {"guidance": 3.0}},
    {"interpolation": {"window": 5}},
    {"sr_t": {"steps": 3}},
    {"sr_h": {"steps": 3}},
]


def test_every_number_and_every_part_tells_clips_apart(make: Make) -> None:
    """Settings and weights, of which a clip's fingerprint is made; nothing is loaded to know them."""
    variants = [make(**changes) for changes in (*NUMBERS, *WITHOUT.values())]
    said = [(own.settings, own.weights) for own in variants]
    for a, b in combinations(said, 2):
        assert a != b
    assert said[len(NUMBERS)] == (make().settings, make().weights)
    assert not any("model" in vars(own) for own in variants)


def test_every_folder_is_hashed_and_named(make: Make, cascade_folders: dict[str, str], tmp_path: Path) -> None:
    """Each moved elsewhere is the same weights; with another file in it, others."""
    before = make()
    for part, folder in cascade_folders.items():
        for kind in ("same", "other"):
            copy = tmp_path / part / kind
            shutil.copytree(folder, copy)
            if kind == "other":
                below = copy / ("prior" if part == "prior" else "unet")
                (below / "config.json").write_text((below / "config.json").read_text() + " ")
            place = {"checkpoint": str(copy)} if part == "decoder" else {part: str(copy) if part == "video" else None}
            if place.get(part, "") is None:
                place = {part: {"folder": str(copy)}}
            own = make(**place)
            assert (own.weights == before.weights) == (kind == "same"), part
            assert own.settings == before.settings
            assert str(copy) in own.origin


def test_parameters_are_those_of_all_networks(make: Make, cascade_folders: dict[str, str]) -> None:
    def count(load: Any, part: str) -> int:
        return sum(p.numel() for p in load(Path(cascade_folders[part]))[0].parameters())

    wanted = count(load_prior, "prior") + count(load_images, "sr_h")
    wanted += sum(count(load_videos, part) for part in ("video", "interpolation", "sr_t"))
    assert make().parameters == wanted
    assert make(sr_h=None).parameters == wanted - count(load_images, "sr_h")


def test_frames_are_the_papers_unless_said_otherwise(make: Make) -> None:
    assert make(sampled={"frames": None}).frames == 16
    assert make(sampled={"frames": None}).shapes["video"] == (3, 6, SIZE, SIZE)


def test_sides_that_nobody_names_stay() -> None:
    video = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(cascade.resized(video, (None, None)), video)
    assert torch.equal(cascade.resized(video, (8, 8)), video)
    assert cascade.resized(video, (None, 4)).shape == (2, 3, 4, 8, 4)
    found = cascade.resized(video, (4, 12))
    for i in range(4):
        wanted = F.interpolate(video[:, :, i], (4, 12), mode="bilinear", antialias=True)
        assert torch.allclose(found[:, :, i], wanted, atol=1e-6)


def test_what_make_a_video_does_not_have_is_refused(make: Make) -> None:
    own = make()
    with pytest.raises(ValueError, match="mitigating gradient is HARIVO's"):
        cascade.build(own.wanted, Guidance(5.0, mg_scale=40.0), own.options)
    with pytest.raises(ValueError, match=r"sampling\.guidance changes at a timestep, expected one number"):
        cascade.build(own.wanted, Guidance(5.0, early=7.0), own.options)
    assert cascade.build(own.wanted, Guidance(5.0, early=5.0), own.options).guidance == 5


def test_half_precision_makes_about_the_same(make: Make, tokens: torch.Tensor) -> None:
    full, half = (clips_of(make(sampled={"precision": kind}), tokens) for kind in ("float32", "bfloat16"))
    assert (full.float() - half.float()).abs().mean() < 15
