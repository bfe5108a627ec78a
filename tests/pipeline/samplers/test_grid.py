"""Sampling videos as grids, on a Stable Diffusion folder made small: against diffusers' own pipeline on the grid."""

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import nn

from pipeline.config.generate import Model
from pipeline.config.methods import Rated
from pipeline.etc.grid import from_grid, to_grid
from pipeline.etc.unet import GridUNet, TemporalUNet
from pipeline.harivo.unet import inflate
from pipeline.samplers import grid, stable_diffusion
from pipeline.samplers.guidance import Guidance

FRAMES = 4
GRID, TEMPORAL = "grid", "temporal"


@pytest.fixture(scope="module")
def trained(stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of both arrangements, as a training writes them."""
    folders = {}
    for kind in (GRID, TEMPORAL):
        unet = stable_diffusion.load(stable_diffusion_folder, None).unet
        torch.manual_seed(0)
        model = GridUNet.of(unet, mixed=False) if kind == GRID else TemporalUNet.of(inflate(unet, FRAMES, heads=2))
        nn.init.normal_(model.fps.layers[-1].weight)
        folders[kind] = tmp_path_factory.mktemp(kind)
        model.save(folders[kind])
    return {kind: str(folder) for kind, folder in folders.items()}


def sampler(
    folder: Path, trained: str, rate: float = 8, guidance: float = 5.0, frames: int | None = FRAMES
) -> grid.GridSampler:
    sampling = {"steps": 3, "guidance": guidance, "frames": frames, "height": 32, "width": 32, "precision": "float32"}
    model = Model(family="grid", checkpoint=str(folder), encoder="clip", sampling=sampling, fps=8)
    return grid.build(model, Guidance(guidance), Rated(trained=trained, rate=rate))


def test_clips_are_those_of_diffusers_on_the_grid(
    stable_diffusion_folder: Path, trained: dict[str, str], text: torch.Tensor, noise: torch.Tensor
) -> None:
    """The FPS embedding is a constant in one run: put into the bias of the first convolution, it is diffusers' own."""
    own = sampler(stable_diffusion_folder, trained[GRID], rate=30)
    found = own.sample(text[:2], noise, text[2])
    model = own.model
    unet, rate = model.unet.unet, model.unet.rate(torch.tensor([30.0]), 1)[0]
    with torch.no_grad():
        unet.conv_in.bias += rate
    left_out: dict[str, None] = dict.fromkeys(("text_encoder", "tokenizer", "safety_checker", "feature_extractor"))
    pipe = StableDiffusionPipeline(
        vae=model.codec, unet=unet, scheduler=model.scheduler, requires_safety_checker=False, **left_out
    )
    pipe.set_progress_bar_config(disable=True)
    latents = pipe(
        prompt_embeds=text[:2],
        negative_prompt_embeds=text[2:].expand(2, -1, -1),
        latents=to_grid(noise),
        num_inference_steps=3,
        guidance_scale=5.0,
        height=64,
        width=64,
        output_type="latent",
    ).images
    with torch.no_grad():
        theirs = grid.to_clips(grid.decode(model.codec, from_grid(latents, FRAMES).movedim(2, 1)))
    assert found.shape == (2, FRAMES, 32, 32, 3)
    assert (found.int() - theirs.int()).abs().max() <= 1


@pytest.mark.parametrize("kind", [GRID, TEMPORAL])
def test_the_rate_and_the_prompt_decide_the_clip(
    stable_diffusion_folder: Path, trained: dict[str, str], text: torch.Tensor, noise: torch.Tensor, kind: str
) -> None:
    own = sampler(stable_diffusion_folder, trained[kind])
    clips = own.sample(text[:2], noise, text[2])
    assert torch.equal(clips, own.sample(text[:2], noise, text[2]))
    assert not torch.equal(clips, own.sample(text[:2].flip(0), noise, text[2]))
    other = sampler(stable_diffusion_folder, trained[kind], rate=60)
    assert not torch.equal(clips, other.sample(text[:2], noise, text[2]))
    assert own.settings != other.settings


def test_what_it_says_of_itself(stable_diffusion_folder: Path, trained: dict[str, str]) -> None:
    own, other = (sampler(stable_diffusion_folder, trained[kind]) for kind in (GRID, TEMPORAL))
    assert own.noise_shape == (4, FRAMES, 8, 8)
    assert own.weights != other.weights
    unet = stable_diffusion.load(stable_diffusion_folder, None)
    assert unet.parameters < own.parameters < other.parameters
    assert trained[GRID] in own.origin


def test_the_text_to_image_models_own_unet_is_neither_loaded_nor_hashed(
    stable_diffusion_folder: Path, trained: dict[str, str], tmp_path: Path
) -> None:
    for part in ("scheduler", "vae"):
        (tmp_path / part).symlink_to(stable_diffusion_folder / part)
    assert sampler(tmp_path, trained[GRID]).weights == sampler(stable_diffusion_folder, trained[GRID]).weights
    sampler(tmp_path, trained[GRID]).prepare(77, 16)


@pytest.mark.parametrize(
    ("kind", "frames", "width", "message"),
    [
        (GRID, 8, 16, "frames: found 8, expected a square number"),
        (TEMPORAL, 9, 16, "frames: found 9, expected at most 4"),
        (GRID, 4, 12, "width of the embeddings: found 12, expected 16"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_sampled(
    stable_diffusion_folder: Path, trained: dict[str, str], kind: str, frames: int, width: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        sampler(stable_diffusion_folder, trained[kind], frames=frames).prepare(77, width)
    assert trained[kind] in str(caught.value)


def test_the_mitigating_gradient_is_refused(stable_diffusion_folder: Path, trained: dict[str, str]) -> None:
    model = sampler(stable_diffusion_folder, trained[GRID]).wanted
    with pytest.raises(ValueError, match="mitigating gradient is HARIVO's"):
        grid.build(model, Guidance(5.0, mg_scale=40.0), Rated(trained=trained[GRID]))


@pytest.mark.parametrize("rate", [-1, 121, True, float("nan")])
def test_rates_outside_of_the_embedding_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rated(trained="x", rate=rate)
