"""AnimateDiffSampling video from Stable Diffusion's layout made small: against diffusers' own pipelines."""

from pathlib import Path

import pytest
import torch
from diffusers import AnimateDiffPipeline, StableDiffusionPipeline

from pipeline.harivo.unet import inflate
from pipeline.samplers import animatediff, stable_diffusion
from pipeline.samplers.animatediff import AnimateDiffModel, AnimateDiffSampling, denoise, sample
from pipeline.samplers.decoding import decode
from pipeline.samplers.guidance import Guidance
from pipeline.weights.checkpoints import CheckpointError

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


def test_latents_equal_animatediffs(model: AnimateDiffModel, text: torch.Tensor, noise: torch.Tensor) -> None:
    pipe = pipeline_of(model)
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        prompt_embeds=text[:2],
        negative_prompt_embeds=text[2:].expand(2, -1, -1),
        latents=noise,
        num_frames=FRAMES,
        num_inference_steps=3,
        guidance_scale=5.0,
        height=32,
        width=32,
        output_type="latent",
    ).frames
    ours = denoise(model, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0)), text[2])
    torch.testing.assert_close(ours, theirs)
    assert not torch.allclose(denoise(model, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0))), theirs, atol=1e-3)


def test_early_guidance_and_mitigation_change_the_clips(
    model: AnimateDiffModel, text: torch.Tensor, noise: torch.Tensor
) -> None:
    plain = denoise(model, text[:2], noise, AnimateDiffSampling(4, Guidance(5.0)))
    for other in (
        AnimateDiffSampling(4, Guidance(5.0, early=9.0)),
        AnimateDiffSampling(4, Guidance(5.0, mg_scale=40.0)),
    ):
        assert not torch.allclose(denoise(model, text[:2], noise, other), plain, atol=1e-2)
    never = AnimateDiffSampling(4, Guidance(5.0, early=9.0, until=1.0))
    torch.testing.assert_close(denoise(model, text[:2], noise, never), plain)


def test_bfloat16_is_near_float32(model: AnimateDiffModel, text: torch.Tensor, noise: torch.Tensor) -> None:
    exact, near = (
        denoise(model, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0), precision=precision), text[2])
        for precision in ("float32", "bfloat16")
    )
    assert near.dtype == torch.float32
    assert not torch.equal(near, exact)
    assert (near - exact).norm() / exact.norm() < 0.05


def test_with_temporal_parts_bypassed_frames_are_stable_diffusions_images(
    model: AnimateDiffModel, stable_diffusion_folder: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(stable_diffusion_folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    with model.unet.spatial_only():
        clips = sample(model, text[:2], noise, AnimateDiffSampling(3, Guidance(5.0)), text[2])
    for frame in range(FRAMES):
        images = pipe(
            prompt_embeds=text[:2],
            negative_prompt_embeds=text[2:].expand(2, -1, -1),
            latents=noise[:, :, frame],
            num_inference_steps=3,
            guidance_scale=5.0,
            height=32,
            width=32,
            output_type="pt",
        ).images
        theirs = (images * 255).round().byte().movedim(1, -1)
        difference = (clips[:, frame].int() - theirs.int()).abs()
        assert difference.max() <= 1  # a value that lies between two of the 256
        assert (difference > 0).float().mean() < 1e-3


def test_the_image_models_own_sampler_is_stable_diffusions(
    stable_diffusion_folder: Path, text: torch.Tensor, noise: torch.Tensor
) -> None:
    """From the prompt itself, text encoder included."""
    pipe = StableDiffusionPipeline.from_pretrained(stable_diffusion_folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        ["A cat runs.", "A dog sits."],
        latents=noise[:, :, 0],
        num_inference_steps=3,
        guidance_scale=5.0,
        height=32,
        width=32,
        output_type="pt",
    ).images
    images = stable_diffusion.load(stable_diffusion_folder, None)
    ours = stable_diffusion.sample(images, text[:2], noise[:, :, 0], 3, 5.0, text[2])
    assert torch.equal(ours, (theirs * 255).round().byte().movedim(1, -1))


def test_many_frames_are_decoded_in_parts(stable_diffusion_folder: Path) -> None:
    codec = stable_diffusion.load(stable_diffusion_folder, None).codec
    latents = torch.randn(1, 19, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        frames = decode(codec, latents)
        single = codec.decode(latents[:, 17] / codec.config.scaling_factor).sample
    torch.testing.assert_close(frames[:, 17], (single + 1) / 2)
    assert frames.shape[:2] == (1, 19)


def test_a_checkpoint_without_decoder_needs_a_codec(root: Path) -> None:
    with pytest.raises(CheckpointError, match="has no vae/ of its own; name the codec"):
        stable_diffusion.load(root / "models/world/t2i", None)
