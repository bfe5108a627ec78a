"""Sampling a video UNet, on a folder of ModelScope's layout made small: against diffusers' own pipeline."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import TextToVideoSDPipeline

from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config import paths
from pipeline.config.embed import EmbeddedSet
from pipeline.config.generate import Generate, Model
from pipeline.config.methods import NoOptions
from pipeline.methods.base import build
from pipeline.methods.context import Context
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.samplers import unet3d
from pipeline.samplers.guidance import Guidance
from pipeline.text.embeddings import embed_set
from pipeline.text.encoders import TextEncoder
from pipeline.weights.checkpoints import CheckpointError

FRAMES = 4
PROMPTS = ["A cat runs.", "A dog sits."]
SIZES: dict[str, Any] = {
    "num_frames": FRAMES,
    "num_inference_steps": 3,
    "guidance_scale": 5.0,
    "height": 32,
    "width": 32,
}


@pytest.fixture
def text(text_to_video_folder: Path) -> torch.Tensor:
    """(3, 77, 16): two prompts and the empty one."""
    return TextEncoder("clip", text_to_video_folder).encode([*PROMPTS, ""], 77, zero_padding=False).tokens


def sampler(
    folder: Path, guidance: Guidance | None = None, codec: str | None = None, **sampling: Any
) -> unet3d.UNet3DSampler:
    own = {"steps": 3, "guidance": 5.0, "frames": FRAMES, "height": 32, "width": 32, "precision": "float32"} | sampling
    model = Model(family="unet3d", checkpoint=str(folder), codec=codec, encoder="clip", sampling=own, fps=8)
    return unet3d.build(model, guidance or Guidance(5.0), NoOptions())


def changed(folder: Path, copy: Path, **config: Any) -> Path:
    """The checkpoint with other values in its UNet's config.json."""
    shutil.copytree(folder, copy)
    path = copy / "unet/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return copy


def test_the_layout_is_the_one_that_diffusers_writes(text_to_video_folder: Path) -> None:
    index = json.loads((text_to_video_folder / "model_index.json").read_text())
    assert index["_class_name"] == "TextToVideoSDPipeline"
    assert index["unet"] == ["diffusers", "UNet3DConditionModel"]
    parts = {path.name for path in text_to_video_folder.iterdir()}
    assert parts == {"model_index.json", "unet", "vae", "scheduler", "text_encoder", "tokenizer"}


def test_clips_are_those_of_diffusers_from_the_same_embeddings(
    text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    pipe = TextToVideoSDPipeline.from_pretrained(text_to_video_folder, text_encoder=None, tokenizer=None)
    pipe.set_progress_bar_config(disable=True)
    given = {"prompt_embeds": text[:2], "negative_prompt_embeds": text[2:].expand(2, -1, -1), "latents": noise}
    theirs = pipe(**given, **SIZES, output_type="pt").frames
    ours = sampler(text_to_video_folder).sample(text[:2], noise, text[2])
    assert ours.shape == (2, FRAMES, 32, 32, 3)
    assert (ours - (theirs * 255).round().movedim(2, -1)).abs().max() <= 1  # a value that lies between two of the 256
    steered = sampler(text_to_video_folder).sample(text[:2], noise, None)
    assert (steered.int() - ours.int()).abs().max() > 1


def test_clips_are_those_of_diffusers_from_the_prompt_itself(
    text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    """Text encoder and tokenizer included."""
    pipe = TextToVideoSDPipeline.from_pretrained(text_to_video_folder)
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(PROMPTS, latents=noise, **SIZES, output_type="pt").frames
    ours = sampler(text_to_video_folder).sample(text[:2], noise, text[2])
    assert (ours - (theirs * 255).round().movedim(2, -1)).abs().max() <= 1


def test_prompt_noise_and_guidance_decide_the_clip(
    text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    own = sampler(text_to_video_folder)
    clips = own.sample(text[:2], noise, text[2])
    assert torch.equal(clips, own.sample(text[:2], noise, text[2]))
    alone = own.sample(text[1:2], noise[1:], text[2])
    assert (alone.int() - clips[1:].int()).abs().max() <= 1  # whatever else is in the batch
    assert not torch.equal(clips, own.sample(text[:2].flip(0), noise, text[2]))
    assert not torch.equal(clips, own.sample(text[:2], noise.flip(0), text[2]))


def test_guidance_may_change_on_the_way(text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor) -> None:
    kinds = (Guidance(5.0), Guidance(5.0, early=9.0), Guidance(5.0, early=9.0, until=1.0))
    plain, early, never = (
        sampler(text_to_video_folder, kind, steps=4).sample(text[:2], noise, text[2]) for kind in kinds
    )
    assert not torch.equal(early, plain)
    assert torch.equal(never, plain)


def test_bfloat16_is_near_float32(text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor) -> None:
    exact, near = (
        sampler(text_to_video_folder, precision=precision).sample(text[:2], noise, text[2])
        for precision in ("float32", "bfloat16")
    )
    assert not torch.equal(near, exact)
    assert (near.int() - exact.int()).abs().float().mean() < 2


def test_frames_know_of_one_another(text_to_video_folder: Path, text: torch.Tensor, noise: torch.Tensor) -> None:
    other = noise.clone()
    other[:, :, -1] = noise[:, :, 0]
    clips, changed_last = (sampler(text_to_video_folder).sample(text[:2], x, text[2]) for x in (noise, other))
    assert not torch.equal(clips[:, 0], changed_last[:, 0])


def test_what_it_says_of_itself(text_to_video_folder: Path) -> None:
    own = sampler(text_to_video_folder)
    own.prepare(77, 16)
    assert own.noise_shape == (4, FRAMES, 8, 8)
    assert own.noise_shape[own.frame_axis] == FRAMES
    assert sampler(text_to_video_folder, frames=None, height=None, width=None).noise_shape == (4, 16, 8, 8)
    assert own.parameters == sum(p.numel() for p in own.model.unet.parameters())
    assert own.settings != sampler(text_to_video_folder, steps=4).settings
    assert own.settings != sampler(text_to_video_folder, Guidance(5.0, early=9.0)).settings


def test_weights_are_those_that_are_loaded(text_to_video_folder: Path, tmp_path: Path) -> None:
    for part in ("unet", "scheduler", "vae"):
        (tmp_path / part).symlink_to(text_to_video_folder / part)
    assert sampler(tmp_path).weights == sampler(text_to_video_folder).weights
    other = changed(text_to_video_folder, tmp_path / "other", sample_size=16)
    assert sampler(other).weights != sampler(text_to_video_folder).weights


@pytest.mark.parametrize(
    ("sampling", "width", "message"),
    [
        ({}, 12, "width of the embeddings: found 12, expected 16"),
        ({"width": 36}, 16, r"sampling\.width is 36, expected a multiple of 8"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_sampled(
    text_to_video_folder: Path, sampling: dict[str, int], width: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        sampler(text_to_video_folder, **sampling).prepare(77, width)
    assert str(text_to_video_folder) in str(caught.value)


def test_a_codec_of_other_latents_is_named(text_to_video_folder: Path, root: Path) -> None:
    with pytest.raises(ValueError, match="latent channels of the codec: found 8, expected 4"):
        sampler(text_to_video_folder, codec=str(root / "models/world/codec")).prepare(77, 16)


@pytest.mark.parametrize("size", [None, [8, 16]])
def test_a_checkpoint_without_one_size_needs_one(
    text_to_video_folder: Path, tmp_path: Path, size: list[int] | None
) -> None:
    folder = changed(text_to_video_folder, tmp_path / "checkpoint", sample_size=size)
    sampler(folder).prepare(77, 16)
    with pytest.raises(ValueError, match=r"sample_size in unet/config\.json: found .*, expected one number, or sampl"):
        sampler(folder, width=None).prepare(77, 16)


def test_a_text_to_image_checkpoint_is_refused(stable_diffusion_folder: Path) -> None:
    with pytest.raises(CheckpointError, match="is a UNet2DConditionModel, expected a UNet3DConditionModel"):
        unet3d.load(stable_diffusion_folder, None)


def test_a_folder_without_decoder_needs_a_codec(text_to_video_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "unet").symlink_to(text_to_video_folder / "unet")
    with pytest.raises(CheckpointError, match="has no vae/ of its own; name the codec"):
        unet3d.load(tmp_path, None)


def test_the_mitigating_gradient_is_refused(text_to_video_folder: Path) -> None:
    with pytest.raises(ValueError, match="mitigating gradient is HARIVO's"):
        sampler(text_to_video_folder, Guidance(5.0, mg_scale=40.0))


def test_prompts_run_through_a_public_layout(
    text_to_video_folder: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """prompts -> embed -> generate, by what params.yaml would say for a public checkpoint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    store = paths.embeddings("clip") / "world.safetensors"
    embed_set(TextEncoder("clip", text_to_video_folder), prompts, EmbeddedSet(length=77, zero_padding=False), store)
    sampling = {"steps": 1, "guidance": 9.0, "frames": FRAMES, "height": 32, "width": 32}
    tiny = {"family": "unet3d", "checkpoint": str(text_to_video_folder), "encoder": "clip", "fps": 8}
    params = Generate.model_validate(
        {
            "set": "world",
            "batch": 2,
            "mixtures": {"limit": 2, "seeds": 1},
            "prompts": {"limit": 2, "seeds": 2},
            "methods": {
                "plain": {"module": "pipeline/methods/modelscope.py", "model": "tiny"},
                "guide": {"module": "pipeline/methods/modelscope.py", "model": "tiny", "ask": "mixtures"},
            },
            "models": {"tiny": {**tiny, "sampling": sampling}},
        }
    )
    for name, clips in (("plain", 4), ("guide", 2)):
        method = build(Context(name, params.methods[name], params, 30, 40.0))
        made = generate(name, method, params.folder(name), Superseded(tmp_path / "aside"), params.batch)
        assert [entry.outcome for entry in made] == [ledger.OK] * clips
        assert len(list(params.folder(name).glob("*.mkv"))) == clips
