"""Make-A-Video from a prompt set to clips, and from true image embeddings, on networks made small."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metrics.networks.clip import DualEncoder
from metrics.reading.video import read_all
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config import paths
from pipeline.config.code import closure
from pipeline.config.embed import EmbeddedSet
from pipeline.config.generate import Generate
from pipeline.methods.base import BY_VALUE, Method, build
from pipeline.methods.context import Context
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.text.embeddings import embed_set
from pipeline.text.encoders import TextEncoder
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, FRAMES, Names, realise
from tests.pipeline.make_a_video.small import SCALE, SIZE, TOKENS
from tests.pipeline.tiny import EMBEDDING

MADE, PROMPTS = 7, 3
TRUE: dict[str, Any] = {"image": "true", "prior": None}


@pytest.fixture(scope="module", autouse=True)
def folder(root: Path, sentence_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the prompts of the toy world and of HARIVO, and their token embeddings."""
    place = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        (place / "pipeline").symlink_to(root / "pipeline")
        prompts, mixtures = read_sets(root / "prompts", ["world", "harivo"])
        write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
        encoder = TextEncoder("minilm", sentence_folder)
        embedded = EmbeddedSet(length=TOKENS, zero_padding=True, scale=SCALE)
        for name in ("world", "harivo"):
            own = [prompt for prompt in prompts if prompt.set == name]
            embed_set(encoder, own, embedded, paths.embeddings("minilm") / f"{name}.safetensors")
        yield place


@pytest.fixture
def context_of(cascade_folders: dict[str, str], world_clip_folder: Path, sentence_folder: Path) -> Any:
    """Builds the context of an entry with some keys changed."""

    def built(**changes: Any) -> Context:
        folders = cascade_folders
        own = {
            "module": "pipeline/methods/make_a_video.py",
            "model": "cascade",
            "limit": PROMPTS,
            "clip": str(world_clip_folder),
            "text_tower": str(sentence_folder),
            "prior": {"folder": folders["prior"], "steps": 2},
            "video": folders["video"],
            "factor": 3,
            "interpolation": {"folder": folders["interpolation"], "steps": 1},
            "sr_t": {"folder": folders["sr_t"], "steps": 1, "low": SIZE},
            "sr_h": {"folder": folders["sr_h"], "steps": 1, "low": 2 * SIZE},
        } | changes
        sampling = {"steps": 2, "guidance": 2.0, "frames": MADE, "precision": "float32"}
        model = {"family": "cascade", "checkpoint": folders["decoder"], "encoder": "minilm", "sampling": sampling}
        params = Generate.model_validate(
            {
                "set": "world",
                "batch": 2,
                "prompts": {"seeds": 1},
                "mixtures": {"seeds": 1},
                "methods": {"own": own},
                "models": {"cascade": model | {"fps": 6}},
            }
        )
        return Context("own", params.methods["own"], params, 30, 0.0)

    return built


@pytest.fixture
def method_of(context_of: Any) -> Any:
    return lambda **changes: build(context_of(**changes))


@pytest.mark.parametrize("changes", [{}, TRUE], ids=["prior", "true"])
def test_prompts_become_clips(method_of: Any, tmp_path: Path, changes: dict[str, Any]) -> None:
    method = method_of(**changes)
    assert method.asked == "prompts"
    entries = generate("own", method, tmp_path / "clips", Superseded(tmp_path / "aside"), 2)
    assert [entry.outcome for entry in entries] == ["ok"] * PROMPTS
    clips = [read_all(tmp_path / "clips" / entry.file) for entry in entries]
    assert {clip.shape for clip in clips} == {(MADE, 4 * SIZE, 4 * SIZE, 3)}
    assert not np.array_equal(clips[0], clips[1])


def test_prior_and_true_embeddings_are_asked_for_the_same_with_the_same_noise(method_of: Any) -> None:
    prior, true = method_of(), method_of(**TRUE)
    assert prior.jobs() == true.jobs()
    assert torch.equal(prior.noise_of(prior.jobs()), true.noise_of(true.jobs()))
    jobs = prior.jobs()[:1]
    assert not np.array_equal(prior.generate(jobs), true.generate(jobs))
    assert prior.fingerprint(jobs[0]) != true.fingerprint(jobs[0])


def requests(method: Method) -> dict[str, torch.Tensor]:
    """Embeddings by prompt."""
    return {request.job.prompt_id: request.embedding for request in method.rule.requests()}


def test_the_prior_is_given_the_texts_tokens(method_of: Any, context_of: Any) -> None:
    found, embeddings = requests(method_of()), context_of().embeddings
    assert len(found) == PROMPTS
    assert all(torch.equal(found[prompt], embeddings.of(prompt)) for prompt in found)


def test_true_embeddings_are_those_of_rendered_clips(
    method_of: Any, context_of: Any, world_clip_folder: Path, sentence_folder: Path
) -> None:
    """Of the frame after the middle, rendered twice as large as the encoder sees it and averaged by numpy."""
    encoder, table = DualEncoder(world_clip_folder, sentence_folder), context_of().inputs.tables[0]
    found = requests(method_of(**TRUE))
    for prompt, embedding in found.items():
        names = Names(*(table[prompt].extra[key] for key in ATTRIBUTES))
        scene = realise([names], np.random.default_rng(zlib.crc32(prompt.encode())))
        frame = render(scene, 0.35, FRAMES, 64)[0, FRAMES // 2].reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)) / 255
        wanted = encoder.frame_features(torch.from_numpy(frame).float().movedim(-1, 0)[None]) * EMBEDDING**0.5
        assert embedding.shape == (1, EMBEDDING)
        assert torch.allclose(embedding, wanted, atol=1e-4)
    assert len({tuple(one[0].tolist()) for one in found.values()}) == PROMPTS


def test_a_prompt_has_the_same_true_clip_whatever_else_is_asked_for(method_of: Any) -> None:
    """And in every seed; without shading it is another."""
    few, more = requests(method_of(limit=1, **TRUE)), requests(method_of(seeds=2, **TRUE))
    (prompt,) = few
    assert torch.allclose(few[prompt], more[prompt], atol=1e-5)
    method = method_of(seeds=2, **TRUE)
    assert len(method.jobs()) == 2 * PROMPTS
    flat = requests(method_of(limit=1, shading=0.0, **TRUE))
    assert not torch.allclose(few[prompt], flat[prompt], atol=1e-3)


def test_guide_prompts_of_mixtures_are_texts_too(method_of: Any) -> None:
    method = method_of(ask="mixtures")
    assert method.asked == "mixtures"
    assert len(method.jobs()) == PROMPTS
    assert method.generate(method.jobs()[:1]).shape == (1, MADE, 4 * SIZE, 4 * SIZE, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "true"}, r"generate\.methods\.own: image is true with a prior, expected prior: null"),
        ({"prior": None}, r"generate\.methods\.own: prior is null with image: prior, expected a prior, or image: true"),
        ({"image": "false"}, r"methods\.own\.image: .*'prior' or 'true', found 'false'"),
        ({"sr_t": None}, r"sr_h without sr_t, which comes before it"),
        ({"priors": None}, r"no such key: 'priors' \(did you mean 'prior'"),
        ({"ask": "mixtures", **TRUE}, r"methods\.own: ask is mixtures with image: true, expected ask: prompts"),
    ],
)
def test_entries_that_nobody_meant_are_refused(method_of: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method_of(**changes)


def test_a_prompt_that_names_no_attributes_has_no_true_clip(method_of: Any) -> None:
    with pytest.raises(ValueError, match=r"harivo/harivo-001 names no colour, shape, texture, size, motion"):
        method_of(set="harivo", **TRUE).jobs()


def test_a_missing_key_of_the_cascade_is_named(context_of: Any) -> None:
    context = context_of()
    for key in ("clip", "prior", "video", "factor", "interpolation", "sr_t", "sr_h"):
        options = {name: value for name, value in context.params.options.items() if name != key}
        entry = type(context.params)(module=context.params.module, model="cascade", **options)
        wrong = Context("own", entry, context.generate, 30, 0.0)
        with pytest.raises(ValueError, match=rf"generate\.methods\.own\.{key}: is missing"):
            build(wrong)


def test_its_fingerprint_covers_the_cascades_code(method_of: Any) -> None:
    files = {path.as_posix() for path in closure(*method_of().code, without=BY_VALUE)}
    parts = {path.stem for path in Path("pipeline/make_a_video").glob("*.py")} - {"__init__"}
    assert {f"pipeline/make_a_video/{part}.py" for part in parts} <= files
    assert "pipeline/samplers/cascade.py" in files
    assert not any(path.startswith("pipeline/training/") for path in files)
