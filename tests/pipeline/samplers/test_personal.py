"""A LoRA, a ControlNet and an IP-Adapter of the public layouts made small, against diffusers' own pipelines."""

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AnimateDiffControlNetPipeline, AnimateDiffPipeline, ControlNetModel
from PIL import Image

from pipeline.config.generate import Model
from pipeline.config.methods import Animated, Controlled, ImagePrompt
from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.unet import inflate
from pipeline.samplers import animatediff, stable_diffusion
from pipeline.samplers.animatediff import AnimateDiffModel, AnimateDiffSampler, AnimateDiffSampling, denoise
from pipeline.samplers.guidance import Guidance
from pipeline.samplers.personal import controlled, pictures, prompted, with_lora
from pipeline.weights.checkpoints import CheckpointError
from tests.pipeline import tiny

SIDE = 32  # pixels of a clip
SAMPLING = AnimateDiffSampling(3, Guidance(5.0))
FRAMES = 4


@pytest.fixture(scope="module")
def motion_folder(stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Temporal layers that are not at their first zeros, as `train` writes them."""
    folder = tmp_path_factory.mktemp("motion")
    unet = inflate(stable_diffusion.load(stable_diffusion_folder, None).unet, FRAMES, heads=2)
    for name, parameter in unet.named_parameters():
        if "motion_modules" in name:
            parameter.data += 0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    unet.save_motion(folder)
    return folder


@pytest.fixture
def model(stable_diffusion_folder: Path, motion_folder: Path) -> AnimateDiffModel:
    return animatediff.load(stable_diffusion_folder, None, motion_folder)


def pipeline_of(model: AnimateDiffModel) -> AnimateDiffPipeline:
    return AnimateDiffPipeline(
        vae=model.codec,
        text_encoder=None,
        tokenizer=None,
        unet=model.unet,
        motion_adapter=None,
        scheduler=model.scheduler,
    )


def asked(text: torch.Tensor, noise: torch.Tensor, clips: int = 2) -> dict[str, object]:
    """What a pipeline is asked for, to make what `denoise` makes."""
    return {
        "prompt_embeds": text[:clips],
        "negative_prompt_embeds": text[2:].expand(clips, -1, -1),
        "latents": noise[:clips],
        "num_frames": FRAMES,
        "num_inference_steps": 3,
        "guidance_scale": 5.0,
        "height": SIDE,
        "width": SIDE,
        "output_type": "latent",
    }


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A folder of pictures, one a frame, each another."""
    folder = tmp_path / "poses"
    folder.mkdir()
    for i in range(FRAMES):
        shown = np.random.default_rng(i).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
        Image.fromarray(shown).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    shown = np.random.default_rng(9).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    Image.fromarray(shown).save(tmp_path / "style.png")
    return tmp_path / "style.png"


@pytest.fixture
def controlnet(stable_diffusion_folder: Path, tmp_path: Path, video: Path) -> Controlled:
    tiny.write_controlnet(stable_diffusion_folder, tmp_path / "controlnet")
    return Controlled(folder=str(tmp_path / "controlnet"), video=str(video), scale=0.7)


@pytest.fixture
def image_prompt(stable_diffusion_folder: Path, tmp_path: Path, picture: Path) -> ImagePrompt:
    tiny.write_ip_adapter(stable_diffusion_folder, tmp_path / "adapter")
    return ImagePrompt(folder=str(tmp_path / "adapter"), image=str(picture), scale=0.6)


def test_a_lora_changes_the_style_and_no_temporal_layer(
    model: AnimateDiffModel,
    stable_diffusion_folder: Path,
    text: torch.Tensor,
    noise: torch.Tensor,
    tmp_path: Path,
) -> None:
    tiny.write_lora(stable_diffusion_folder, tmp_path)
    plain = denoise(model, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0)))
    motion = {name: value.clone() for name, value in model.unet.state_dict().items() if "motion_modules" in name}
    styled = replace(model, unet=with_lora(model, model.unet, tmp_path))
    assert not torch.allclose(denoise(styled, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0))), plain, atol=1e-2)
    after = styled.unet.state_dict()
    assert motion
    assert all(torch.equal(after[name], value) for name, value in motion.items())


def test_a_loras_scale_is_its_own(
    model: AnimateDiffModel,
    stable_diffusion_folder: Path,
    text: torch.Tensor,
    noise: torch.Tensor,
    tmp_path: Path,
) -> None:
    """rank 2, alpha 8: four times its layers, as diffusers' pipeline loads it."""
    tiny.write_lora(stable_diffusion_folder, tmp_path, alpha=8)
    theirs = pipeline_of(replace(model, unet=deepcopy(model.unet)))
    theirs.load_lora_weights(tmp_path)
    expected = denoise(replace(model, unet=theirs.unet), text[:2], noise, AnimateDiffSampling(3, Guidance(5.0)))
    ours = replace(model, unet=with_lora(model, model.unet, tmp_path))
    found = denoise(ours, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0)))
    torch.testing.assert_close(found, expected)


def test_a_loras_layers_for_the_text_encoder_are_left_out(
    model: AnimateDiffModel,
    stable_diffusion_folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = {
        f"encoder.layers.0.self_attn.q_proj.lora_linear_layer.{end}.weight": torch.ones(2, 2) for end in ("up", "down")
    }
    tiny.write_lora(stable_diffusion_folder, tmp_path, text_encoder_lora_layers=text)
    styled = replace(model, unet=with_lora(model, model.unet, tmp_path))
    assert any("lora_A" in name for name, _ in styled.unet.named_parameters())
    assert "its layers for the text encoder are left out" in caplog.text


def test_a_controlnet_steers_as_in_diffusers_pipeline(
    model: AnimateDiffModel, controlnet: Controlled, video: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    network = ControlNetModel.from_pretrained(controlnet.folder)
    parts = {"vae": model.codec, "text_encoder": None, "tokenizer": None, "motion_adapter": None}
    pipe = AnimateDiffControlNetPipeline(
        **parts, unet=model.unet, controlnet=network, scheduler=deepcopy(model.scheduler)
    )
    pipe.set_progress_bar_config(disable=True)
    frames = [Image.open(video / f"{i}.png") for i in range(FRAMES)]
    scale = {"controlnet_conditioning_scale": controlnet.scale}
    theirs = [pipe(**asked(text[[i, 2, 2]], noise[[i]], 1), conditioning_frames=frames, **scale).frames for i in (0, 1)]
    steered = controlled(model.unet, torch.device("cpu"), controlnet, (FRAMES, SIDE, SIDE))
    ours = denoise(replace(model, steered=steered), text[:2], noise, SAMPLING, text[2])
    torch.testing.assert_close(ours, torch.cat(theirs), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(denoise(model, text[:2], noise, SAMPLING, text[2]), ours, atol=1e-2)


def test_a_controlnet_sees_what_the_frozen_part_sees(
    model: AnimateDiffModel, controlnet: Controlled, text: torch.Tensor, noise: torch.Tensor
) -> None:
    """The latents behind the mapping network."""
    mapping = MappingNetwork(4, heads=2, head_dim=4)
    torch.nn.init.normal_(mapping.out.weight, std=0.5)
    model.unet.equip(mapping, None)
    steered = controlled(model.unet, torch.device("cpu"), controlnet, (FRAMES, SIDE, SIDE))
    seen: list[torch.Tensor] = []
    steered.controlnet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tokens = text[:1].repeat_interleave(FRAMES, dim=0)
    with torch.no_grad():
        steered(noise[:1], torch.tensor(500), tokens)
        torch.testing.assert_close(seen[0], mapping(noise[:1])[0].movedim(1, 0))


def test_an_ip_adapter_shows_its_picture_as_in_diffusers_pipeline(
    model: AnimateDiffModel, image_prompt: ImagePrompt, picture: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    pipe = pipeline_of(replace(model, unet=deepcopy(model.unet)))
    pipe.set_progress_bar_config(disable=True)
    pipe.load_ip_adapter(image_prompt.folder, "models", "ip-adapter_sd15.safetensors")
    pipe.set_ip_adapter_scale(image_prompt.scale)
    pipe.feature_extractor.size = {"shortest_edge": 16}
    pipe.feature_extractor.crop_size = {"height": 16, "width": 16}
    theirs = pipe(**asked(text, noise), ip_adapter_image=Image.open(picture)).frames
    plain = denoise(model, text[:2], noise, SAMPLING, text[2])
    motion = {name: value.clone() for name, value in model.unet.state_dict().items() if "motion_modules" in name}
    ours = denoise(
        replace(model, steered=prompted(model, model.unet, image_prompt)), text[:2], noise, SAMPLING, text[2]
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(ours, plain, atol=1e-2)
    assert all(torch.equal(model.unet.state_dict()[name], value) for name, value in motion.items())


def test_all_of_them_together(
    stable_diffusion_folder: Path,
    motion_folder: Path,
    tmp_path: Path,
    controlnet: Controlled,
    image_prompt: ImagePrompt,
    text: torch.Tensor,
    noise: torch.Tensor,
) -> None:
    """As a method asks for them: each changes the clips, and what the clips' fingerprints rest on."""
    tiny.write_lora(stable_diffusion_folder, tmp_path / "lora")
    values = {"family": "stable_diffusion", "checkpoint": str(stable_diffusion_folder), "encoder": "clip", "fps": 8}
    sampling = {"steps": 2, "guidance": 2.0, "frames": FRAMES, "height": SIDE, "width": SIDE}
    wanted = Model.model_validate(values | {"sampling": sampling})
    found, told = [], set()
    every = {"lora": str(tmp_path / "lora"), "controlnet": controlnet, "image_prompt": image_prompt}
    for n in range(4):
        own = dict(list(every.items())[:n])
        sampler = animatediff.build(wanted, Guidance(2.0), Animated(motion=str(motion_folder), **own))
        assert isinstance(sampler, AnimateDiffSampler)
        sampler.prepare(text.shape[1], text.shape[2])
        found.append(sampler.sample(text[:2], noise, text[2]).float())
        told.add((sampler.weights, str(sampler.settings), sampler.origin))
    assert len(told) == 4
    for one, other in pairwise(found):
        assert (one - other).abs().mean() > 0.1


def test_frames_are_stretched_to_the_clips(video: Path) -> None:
    shown = pictures(video, (3, 16, 24))
    assert shown.shape == (3, 3, 16, 24)
    assert 0 <= shown.min() <= shown.max() <= 1
    whole = pictures(video, (1, SIDE, SIDE))[0]
    expected = torch.from_numpy(np.asarray(Image.open(video / "0.png"))).movedim(-1, 0) / 255
    torch.testing.assert_close(whole, expected)


@pytest.mark.parametrize("part", ["network", "video", "frames", "adapter", "picture"])
def test_what_is_missing_is_named(
    model: AnimateDiffModel, controlnet: Controlled, image_prompt: ImagePrompt, tmp_path: Path, part: str
) -> None:
    cpu, gone, shape = torch.device("cpu"), str(tmp_path / "gone"), (FRAMES, SIDE, SIDE)
    (tmp_path / "empty").mkdir()
    empty = str(tmp_path / "empty")
    calls = {
        "network": lambda: controlled(model.unet, cpu, controlnet.model_copy(update={"folder": empty}), shape),
        "video": lambda: controlled(model.unet, cpu, controlnet.model_copy(update={"video": gone}), shape),
        "frames": lambda: controlled(model.unet, cpu, controlnet, (FRAMES + 1, SIDE, SIDE)),
        "adapter": lambda: prompted(model, model.unet, image_prompt.model_copy(update={"folder": empty})),
        "picture": lambda: prompted(model, model.unet, image_prompt.model_copy(update={"image": gone})),
    }
    said = {"network": "holds no ControlNet", "video": "gone", "frames": "poses: ", "adapter": "no IP-Adapter models/"}
    with pytest.raises(CheckpointError, match=said.get(part, "cannot be read as a picture")):
        calls[part]()
