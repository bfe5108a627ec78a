"""CogVideoX: a folder of the public layout made small, from the paper's prompts to clips, and the world's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import CogVideoXPipeline

from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config import paths
from pipeline.config.embed import EmbeddedSet
from pipeline.config.generate import Generate, Memory, Model
from pipeline.config.methods import NoOptions
from pipeline.methods.base import build
from pipeline.methods.context import Context, Inputs
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.richspace.search import first_guides, search_mixture, write_searches
from pipeline.samplers import cogvideox
from pipeline.samplers.cogvideox import CogVideoXSampling, check_size, initial_noise, sample
from pipeline.samplers.guidance import Guidance
from pipeline.text.embeddings import Embeddings, embed_set
from pipeline.text.encoders import TextEncoder
from pipeline.weights.checkpoints import CheckpointError

SAMPLING = CogVideoXSampling(steps=2, guidance=6.0, frames=5, height=32, width=32)


def test_clips_equal_the_pipelines_own(cogvideox_folder: Path) -> None:
    """Embeddings and noise handed in must give what diffusers makes of the prompt itself."""
    whole = CogVideoXPipeline.from_pretrained(cogvideox_folder)
    whole.set_progress_bar_config(disable=True)
    prompt = "A tiger walks."
    theirs = whole(
        prompt,
        num_inference_steps=2,
        guidance_scale=6.0,
        num_frames=5,
        height=32,
        width=32,
        generator=torch.Generator().manual_seed(3),
        output_type="pt",
    ).frames
    encoded = TextEncoder("t5", cogvideox_folder).encode([prompt, ""], 226, zero_padding=False)
    model = cogvideox.load(cogvideox_folder, None)
    noise = initial_noise(model, SAMPLING, [3])
    ours = sample(model, encoded.tokens[:1], noise, SAMPLING, unconditional=encoded.tokens[1])
    theirs = (theirs.clamp(0, 1) * 255).round().movedim(2, -1)
    assert (ours.float() - theirs).abs().quantile(0.99) <= 12  # ours runs in bfloat16
    steered = sample(model, encoded.tokens[:1], noise, SAMPLING)
    assert (steered.float() - theirs).abs().mean() > 2 * (ours.float() - theirs).abs().mean()


def test_noise_depends_on_the_seed_alone(cogvideox_folder: Path) -> None:
    model = cogvideox.load(cogvideox_folder, None)
    batch, alone = initial_noise(model, SAMPLING, [1, 2, 3]), initial_noise(model, SAMPLING, [2])
    assert batch.shape == (3, 2, 4, 4, 4)
    assert torch.equal(batch[1], alone[0])


def test_other_embeddings_are_refused(cogvideox_folder: Path) -> None:
    model = cogvideox.load(cogvideox_folder, None)
    with pytest.raises(ValueError, match=r"embeddings are \(20, 384\), the transformer wants \(226, 32\)"):
        sample(model, torch.zeros(1, 20, 384), initial_noise(model, SAMPLING, [0]), SAMPLING)


def test_a_folder_without_decoder_needs_a_codec(root: Path) -> None:
    with pytest.raises(CheckpointError, match="has no vae/ of its own; name the codec"):
        cogvideox.load(root / "models/world/cogvideox", None)


def test_the_papers_prompts_run_through_a_public_layout(
    cogvideox_folder: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """t5 -> search -> generate, with every method, by what params.yaml would say for a public checkpoint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    prompts, mixtures = read_sets(root / "prompts", ["richspace"])
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    store = paths.embeddings("t5") / "richspace.safetensors"
    embed_set(TextEncoder("t5", cogvideox_folder), prompts, EmbeddedSet(length=226, zero_padding=False), store)
    guides, embeddings = first_guides(mixtures), Embeddings.read(store)
    assert len(guides) == 5  # every three-part mixture starts from a two-part one
    found = [search_mixture(mixture, embeddings, 30, guides.get(mixture.id)) for mixture in mixtures]
    write_searches(found, paths.search("t5"))

    methods = {
        name: {"module": f"pipeline/methods/{file}.py", "model": "tiny", **more}
        for name, file, more in (
            ("guide", "cogvideox", {"ask": "mixtures"}),
            ("plain", "cogvideox", {"limit": 3}),
            ("richspace", "richspace", {}),
            ("end_a", "endpoint", {"part": "first"}),
            ("strip", "strip", {"seeds": 1}),
        )
    }
    sampling = {"steps": 1, "guidance": 6.0, "frames": 5, "height": 32, "width": 32}
    tiny = {"family": "cogvideox", "checkpoint": str(cogvideox_folder), "encoder": "t5", "sampling": sampling, "fps": 8}
    params = Generate.model_validate(
        {
            "set": "richspace",
            "batch": 4,
            "mixtures": {"limit": 13, "seeds": 2},  # all of two parts, and one of three
            "prompts": {"limit": None, "seeds": 1},
            "methods": methods,
            "models": {"tiny": tiny},
        }
    )
    made, inputs = {}, Inputs()
    for name in methods:
        method = build(Context(name, params.methods[name], params, 30, 40.0, inputs))
        made[name] = generate(name, method, params.folder(name), Superseded(tmp_path / "aside"), params.batch)
        assert ledger.about(params.folder(name))["asked"] == ("prompts" if name == "plain" else "mixtures")
    assert all(entry.outcome == ledger.OK for entries in made.values() for entry in entries)
    assert len(made["richspace"]) == len(made["guide"]) == 26
    assert made["guide"][0].prompt.startswith("The tiger, with black and white stripes like zebra")
    marks = {(e.mixture, e.variant, e.method): e.fingerprint for entries in made.values() for e in entries}
    assert len(set(marks.values())) >= 13 * 3  # another embedding, another fingerprint
    assert all(len(list(params.folder(name).glob("*.mkv"))) == len(entries) for name, entries in made.items())


def test_a_size_that_is_no_whole_number_of_patches_is_refused(root: Path) -> None:
    """Before any clip is sampled, and before old ones are set aside."""
    model = cogvideox.load(root / "models/world/cogvideox", root / "models/world/codec")
    check_size(model, CogVideoXSampling(height=32, width=40))
    with pytest.raises(ValueError, match=r"sampling\.width is 33, expected a multiple of 8"):
        check_size(model, CogVideoXSampling(height=32, width=33))


def test_the_worlds_model_follows_its_embeddings(root: Path, minilm: Path) -> None:
    """The shipped weights: same noise, another colour word, another colour."""
    from pipeline.world.judge import judge

    model = cogvideox.load(root / "models/world/cogvideox", root / "models/world/codec")
    texts = ["A large plain red circle moves right.", "A large plain blue circle moves right."]
    tokens = 4 * TextEncoder("minilm", minilm).encode(texts, 20, zero_padding=True).tokens
    sampling = CogVideoXSampling(steps=20, guidance=3.0, frames=16, height=32, width=32)
    noise = initial_noise(model, sampling, [7]).repeat(2, 1, 1, 1, 1)
    clips = sample(model, tokens, noise, sampling).numpy()
    assert clips.shape == (2, 16, 32, 32, 3)
    assert [name.colour for name in judge(clips).names()] == ["red", "blue"]
    assert np.array_equal(clips, sample(model, tokens, noise, sampling).numpy())


def test_tiles_slices_and_narrow_weights_change_little(cogvideox_folder: Path) -> None:
    """Of the same noise; against float32 without any of them."""
    whole, exact = cogvideox.load(cogvideox_folder, None), replace(SAMPLING, precision="float32")
    text = torch.randn(2, 226, whole.text_width, generator=torch.Generator().manual_seed(0))
    noise = initial_noise(whole, SAMPLING, [1, 2])
    expected = sample(whole, text, noise, exact).float()
    sliced = cogvideox.load(cogvideox_folder, None, Memory(tiling=True, slicing=True))
    assert (sliced.pipeline.vae.use_tiling, sliced.pipeline.vae.use_slicing) == (True, True)
    assert (sample(sliced, text, noise, exact).float() - expected).abs().max() <= 1
    narrow = cogvideox.load(cogvideox_folder, None, Memory(dtype="bfloat16"))
    assert {p.dtype for p in narrow.pipeline.transformer.parameters()} == {torch.bfloat16}
    assert narrow.pipeline.vae.dtype == torch.bfloat16
    found = sample(narrow, text, noise, replace(SAMPLING, precision="bfloat16")).float()
    assert 0 < (found - expected).abs().mean() < 4


def test_offloading_wants_a_gpu(cogvideox_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(CheckpointError, match=r"memory.offload is model, which wants a GPU"):
        cogvideox.load(cogvideox_folder, None, Memory(offload="model"))


def test_what_changes_a_clip_is_among_the_settings() -> None:
    def settings(**memory: object) -> dict[str, object]:
        given = {"steps": 2, "guidance": 6.0, "precision": "bfloat16"}
        model = Model(family="cogvideox", checkpoint="a/b", encoder="t5", sampling=given, fps=8, memory=memory)
        return dict(cogvideox.build(model, Guidance(6.0), NoOptions()).settings)

    plain = settings()
    assert "dtype" not in plain
    assert settings(slicing=True, offload="model") == plain
    assert settings(dtype="bfloat16", tiling=True) == plain | {"dtype": "bfloat16", "tiling": True}
