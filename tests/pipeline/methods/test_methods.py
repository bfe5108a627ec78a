"""Methods on a text-to-image model, from a prompt set to clips, on a small Stable Diffusion: each baseline, and
RichSpace on every sampler."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from pydantic import ValidationError

from metrics.reading.video import read_all
from pipeline.clips.generation import generate
from pipeline.clips.superseded import Superseded
from pipeline.config import paths
from pipeline.config.code import closure
from pipeline.config.embed import EmbeddedSet
from pipeline.config.generate import Generate, Model
from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.tokens import FrameTokens
from pipeline.harivo.unet import inflate
from pipeline.methods.base import BY_VALUE, Method, build
from pipeline.methods.context import Context
from pipeline.methods.rules import Mixtures, of_prompt
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.richspace.search import search_mixture, write_searches
from pipeline.samplers import stable_diffusion
from pipeline.samplers.guidance import Guidance
from pipeline.text.embeddings import Embeddings, embed_set
from pipeline.text.encoders import TextEncoder
from tests.pipeline import tiny

FRAMES, PROMPTS = 6, 3
METHODS = {
    "frames": {"module": "frames"},
    "animatediff": {"module": "animatediff", "motion": "motion"},
    "pyoco_noise": {"module": "pyoco_noise", "motion": "motion"},
    "harivo_tokens": {"module": "harivo", "motion": "motion", "mg": False},
    "harivo": {"module": "harivo", "motion": "motion"},
    "unmapped": {"module": "harivo", "motion": "motion", "mapping": False},
    "frames_mapped": {"module": "frames", "motion": "motion", "temporal": False},
    "personalised": {"module": "personalised", "motion": "motion", "lora": "lora"},
}
ON_MIXTURES = {
    "guide-frames": {"module": "frames", "ask": "mixtures"},
    "richspace-frames": {"module": "richspace"},
    "midpoint-frames": {"module": "richspace", "point": "midpoint"},
    "foot-frames": {"module": "richspace", "point": "foot"},
    "richspace-animatediff": {"module": "richspace", "motion": "motion"},
    "richspace-harivo": {"module": "richspace", "motion": "motion", "mg": True},
    "end": {"module": "endpoint", "motion": "motion", "part": "last"},
    "strip": {"module": "strip", "motion": "motion"},
}


@pytest.fixture(scope="module", autouse=True)
def place(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the paper's prompts, their CLIP embeddings, trained temporal layers and a LoRA."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "pipeline").symlink_to(root / "pipeline")
        prompts, mixtures = read_sets(root / "prompts", ["harivo", "richspace"])
        write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
        encoder = TextEncoder("clip", stable_diffusion_folder)
        embedded = EmbeddedSet(length=77, zero_padding=False)
        for name in ("harivo", "richspace"):
            own = [prompt for prompt in prompts if prompt.set == name]
            embed_set(encoder, own, embedded, paths.embeddings("clip") / f"{name}.safetensors")
        embeddings = Embeddings.read(paths.embeddings("clip") / "richspace.safetensors")
        write_searches([search_mixture(mixture, embeddings, 30) for mixture in mixtures[:2]], paths.search("clip"))
        images = stable_diffusion.load(stable_diffusion_folder, None).unet
        unet = inflate(images, FRAMES, heads=2)
        unet.equip(MappingNetwork(4, heads=2, head_dim=4), FrameTokens(16, 77, FRAMES))
        generator = torch.Generator().manual_seed(0)
        for parameter in unet.trainable().parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
        unet.save_motion(folder / "motion")
        tiny.write_lora(stable_diffusion_folder, folder / "lora")
        yield folder


def context_of(
    checkpoint: Path, name: str, mg_scale: float = 40.0, frames: int | None = FRAMES, **changes: Any
) -> Context:
    asked = {"limit": PROMPTS} if name in METHODS else {"set": "richspace", "limit": 2}
    options = asked | {**METHODS, **ON_MIXTURES}[name] | changes
    sampling = {"steps": 4, "guidance": {"early": 12.0, "late": 7.5}, "frames": frames, "precision": "float32"}
    model = {"checkpoint": str(checkpoint), "encoder": "clip", "sampling": sampling, "fps": 6}
    own = options | {"module": f"pipeline/methods/{options['module']}.py", "model": "sd"}
    params = Generate.model_validate(
        {
            "set": "harivo",
            "batch": 2,
            "prompts": {"seeds": 1},
            "mixtures": {"seeds": 1},
            "methods": {name: own},
            "models": {"sd": model | {"family": "stable_diffusion"}},
        }
    )
    return Context(name, params.methods[name], params, 30, mg_scale)


def method_of(checkpoint: Path, name: str, **changes: Any) -> Method:
    return build(context_of(checkpoint, name, **changes))


@pytest.fixture(scope="module")
def clips(stable_diffusion_folder: Path) -> dict[str, np.ndarray]:
    """What every method makes of the first prompts."""
    made = {}
    for name in METHODS:
        folder = paths.clips("sd", name)
        entries = generate(name, method_of(stable_diffusion_folder, name), folder, Superseded(Path("aside")), 2)
        assert [entry.outcome for entry in entries] == ["ok"] * PROMPTS
        assert entries[0].prompt_id == "harivo/harivo-001"
        assert entries[0].caption == "A black man is walking left to right."
        made[name] = np.stack([read_all(folder / entry.file) for entry in entries])
    return made


def test_every_method_makes_clips_of_its_own(clips: dict[str, np.ndarray]) -> None:
    assert np.array_equal(clips["harivo_tokens"], clips["animatediff"])  # the same folder, no mitigation
    distinct = {name: made for name, made in clips.items() if name != "harivo_tokens"}
    for name, made in distinct.items():
        assert made.shape == (PROMPTS, FRAMES, 32, 32, 3)
        assert not any(np.array_equal(made, other) for key, other in distinct.items() if key != name), name


def test_frames_are_stable_diffusions_images_of_the_same_noise(
    stable_diffusion_folder: Path, clips: dict[str, np.ndarray]
) -> None:
    method = method_of(stable_diffusion_folder, "frames")
    job = method.jobs()[1]
    noise = method.noise_of([job])
    pipe = StableDiffusionPipeline.from_pretrained(stable_diffusion_folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    constant = replace(method, sampler=replace(method.sampler, guidance=Guidance(7.5)))
    ours = constant.generate([job])[0]
    theirs = pipe(
        job.prompt, latents=noise[:, :, 4], num_inference_steps=4, guidance_scale=7.5, output_type="np"
    ).images
    assert np.abs(ours[4] - theirs[0] * 255).max() <= 1.5
    assert not np.array_equal(ours, clips["frames"][1])  # whose guidance is stronger early


def test_noise_is_the_same_in_every_method_but_pyocos(stable_diffusion_folder: Path) -> None:
    noises = {}
    for name in METHODS:
        method = method_of(stable_diffusion_folder, name)
        noises[name] = method.noise_of(method.jobs())
    for name, noise in noises.items():
        assert torch.equal(noise, noises["frames"]) == (name != "pyoco_noise")
    shared = noises["pyoco_noise"] - noises["frames"] / 2**0.5
    torch.testing.assert_close(shared, shared[:, :, :1].expand_as(shared))


def test_mg_scale_zero_is_harivo_without_mitigation(
    stable_diffusion_folder: Path, clips: dict[str, np.ndarray]
) -> None:
    method = method_of(stable_diffusion_folder, "harivo", mg_scale=0.0)
    assert np.array_equal(method.generate(method.jobs()[:2]), clips["harivo_tokens"][:2])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("harivo", {"mg": False}),
        ("harivo", {"mapping": False}),
        ("pyoco_noise", {"noise_weight": 2.0}),
        ("harivo", {"mg_scale": 10.0}),
        ("animatediff", {"motion": "other"}),
        ("personalised", {"lora": "other"}),
        ("animatediff", {"module": "frames"}),
    ],
)
def test_whatever_changes_a_clip_changes_its_fingerprint(
    stable_diffusion_folder: Path, place: Path, name: str, changes: dict[str, Any]
) -> None:
    (place / "other").mkdir(exist_ok=True)
    before, after = (method_of(stable_diffusion_folder, name, **more) for more in ({}, changes))
    job = before.jobs()[0]
    assert before.fingerprint(job) == method_of(stable_diffusion_folder, name).fingerprint(job)
    assert before.fingerprint(job) != after.fingerprint(job)
    assert before.fingerprint(job) != before.fingerprint(before.jobs()[1])


def test_options_of_a_method_that_generates_by_itself_count(stable_diffusion_folder: Path) -> None:
    """What rule, sampler and noise are made of enters by value; a subclass may use options in its own way."""

    class Gained(Method):
        pass

    def made_by(part: str) -> list[dict[str, Any]]:
        context = context_of(stable_diffusion_folder, "end", part=part)
        rule = Mixtures(context, lambda mixture: [of_prompt(context, mixture.guide)])
        return [kind.of(context, rule, context.sampler()).made_by for kind in (Method, Gained)]

    plain, gained = zip(made_by("first"), made_by("last"), strict=True)
    assert plain[0] == plain[1]
    assert gained[0] != gained[1]


def test_parameters_are_those_that_denoise(stable_diffusion_folder: Path) -> None:
    count = {name: method_of(stable_diffusion_folder, name).parameters for name in METHODS}
    images = stable_diffusion.load(stable_diffusion_folder, None)
    assert count["frames"] == images.parameters
    assert count["frames"] < count["frames_mapped"] < count["unmapped"] < count["harivo"] < count["personalised"]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("animatediff", {"motion": None}, r"methods\.animatediff\.motion: .*valid string, found None"),
        ("frames", {"module": "animatediff"}, r"generate\.methods\.frames\.motion: is missing"),
        ("frames", {"mg": True}, r"methods\.frames: mg: the mitigating gradient needs temporal layers \(motion\)"),
        ("frames", {"mapping": False}, r"methods\.frames: mapping needs temporal layers \(motion\)"),
        ("frames", {"module": "none"}, r"methods\.frames\.module is 'pipeline/methods/none.py': there is no such file"),
        ("frames", {"module": "noise"}, r"module is 'pipeline/methods/noise.py', expected a file of pipeline/methods/"),
        ("frames", {"ask": "mixtures"}, r"methods\.frames: the set 'harivo' has no mixtures"),
        ("frames", {"ask": "songs"}, r"methods\.frames\.ask: .*'prompts' or 'mixtures', found 'songs'"),
        ("end", {"ask": "mixtures"}, r"methods\.end: no such key: 'ask'"),
        ("richspace-frames", {"steps_k": 50}, r"methods\.richspace-frames: no such key: 'steps_k'"),
        ("end", {"part": "middle"}, r"methods\.end\.part: .*'first' or 'last', found 'middle'"),
        ("end", {"part": 1}, r"methods\.end\.part: .*'first' or 'last', found 1"),
        ("personalised", {"lora": None}, "nothing is personalised: expected lora, controlnet or image_prompt"),
        ("personalised", {"controlnet": {"folder": "a"}}, r"methods\.personalised\.controlnet\.video: is missing"),
        ("harivo", {"mg": "no"}, r"generate\.methods\.harivo\.mg: .*valid boolean, found 'no'"),
        ("pyoco_noise", {"noise_weight": -1}, r"methods\.pyoco_noise\.noise_weight: .*equal to 0, found -1"),
        ("harivo", {"mapings": False}, r"no such key: 'mapings' \(did you mean 'mapping'\?\); expected some of module"),
    ],
)
def test_faulty_options_are_named(
    stable_diffusion_folder: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        method_of(stable_diffusion_folder, name, **changes).jobs()


def test_what_cannot_be_mitigated_is_refused_before_any_clip(stable_diffusion_folder: Path) -> None:
    unet = inflate(stable_diffusion.load(stable_diffusion_folder, None).unet, 2, heads=2)
    unet.save_motion(Path("two-frames"))
    method_of(stable_diffusion_folder, "animatediff", frames=None, motion="two-frames").prepare()
    harivo = method_of(stable_diffusion_folder, "harivo", frames=None, motion="two-frames")
    with pytest.raises(ValueError, match=r"two-frames: mitigating gradient needs at least 3 frames, found 2"):
        harivo.prepare()


@pytest.mark.parametrize("name", ["frames", "harivo"])
def test_a_size_that_the_latents_do_not_divide_is_refused(stable_diffusion_folder: Path, name: str) -> None:
    context = context_of(stable_diffusion_folder, name)
    sampling = context.model.sampling.model_copy(update={"width": 33})
    models = {"sd": context.model.model_copy(update={"sampling": sampling})}
    wrong = replace(context, generate=context.generate.model_copy(update={"models": models}))
    with pytest.raises(ValueError, match=r"sampling\.width is 33, expected a multiple of 8"):
        build(wrong).prepare()


def test_prompts_without_embeddings_are_refused(stable_diffusion_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "EMBEDDINGS", Path("nowhere"))
    with pytest.raises(ValueError, match=r"methods\.frames: nowhere/clip/harivo\.safetensors.*run the embed stage"):
        method_of(stable_diffusion_folder, "frames").prepare()


def test_richspace_conditions_every_sampler(stable_diffusion_folder: Path) -> None:
    """Mixtures of the paper, on frames, AnimateDiff and HARIVO: the same noise, each its own clips; the optimum is no
    guide prompt."""
    made, noises = {}, {}
    for name in ON_MIXTURES:
        method = method_of(stable_diffusion_folder, name)
        jobs = method.jobs()
        assert method.asked == "mixtures"
        assert {job.mixture for job in jobs} == {"richspace/tiger-zebra", "richspace/cat-rabbit"}
        made[name], noises[name] = method.generate(jobs[:1]), method.noise_of(jobs[:1])
    assert all(torch.equal(noise, noises["strip"]) for noise in noises.values())
    for name, clips in made.items():
        assert clips.shape == (1, FRAMES, 32, 32, 3)
        assert not any(np.array_equal(clips, other) for key, other in made.items() if key != name), name


def test_a_fingerprint_covers_the_files_of_method_and_sampler_and_no_others(
    stable_diffusion_folder: Path,
) -> None:
    code = method_of(stable_diffusion_folder, "animatediff").code
    files = {path.as_posix() for path in closure(*code, without=BY_VALUE)}
    assert {"pipeline/methods/animatediff.py", "pipeline/methods/base.py", "pipeline/samplers/animatediff.py"} < files
    assert {"pipeline/harivo/noise.py", "pipeline/harivo/unet.py", "pipeline/samplers/guidance.py"} < files
    assert not {"pipeline/methods/harivo.py", "pipeline/samplers/cogvideox.py", "pipeline/config/params.py"} & files


def test_a_folder_that_is_no_lora_is_refused(stable_diffusion_folder: Path) -> None:
    """Else the clips would be harivo's under another name."""
    with pytest.raises(ValueError, match="motion holds no LoRA of a UNet"):
        method_of(stable_diffusion_folder, "personalised", lora="motion").prepare()


@pytest.mark.parametrize("family", ["none", "guidance", "cogvideox.py"])
def test_a_family_that_is_none_is_named(stable_diffusion_folder: Path, family: str) -> None:
    context = context_of(stable_diffusion_folder, "frames")
    wrong = context.model.model_dump() | {"family": family}
    kinds = "'cogvideox', 'unet3d', 'stable_diffusion', 'grid' or 'cascade'"
    with pytest.raises(ValidationError, match=f"Input should be {kinds}"):
        Model.model_validate(wrong)


def test_clips_of_one_name_are_refused(stable_diffusion_folder: Path) -> None:
    """Two conditions of a mixture without `variant`: half of the clips would be lost without a word."""
    context = context_of(stable_diffusion_folder, "strip")
    twice = Mixtures(context, lambda mixture: [of_prompt(context, part) for part in mixture.parts])
    with pytest.raises(ValueError, match="2 names for 4 clips: expected some, each of its own name"):
        Method.of(context, twice, context.sampler()).jobs()


def test_a_limit_of_null_is_all_of_the_set(stable_diffusion_folder: Path) -> None:
    assert len(method_of(stable_diffusion_folder, "frames").jobs()) == PROMPTS
    assert len(method_of(stable_diffusion_folder, "frames", limit=None).jobs()) == 100


def test_methods_of_a_model_share_its_checkpoint(stable_diffusion_folder: Path) -> None:
    stable_diffusion.shared.cache_clear()
    for name in ("frames", "animatediff", "harivo"):
        method_of(stable_diffusion_folder, name).prepare()
    assert stable_diffusion.shared.cache_info().misses == 1
