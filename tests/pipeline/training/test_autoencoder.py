"""The autoencoder that meets grids of frames (ETC, Appendix H)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from pipeline.codec.loading import load_codec
from pipeline.codec.network import ColourCodec
from pipeline.config import paths
from pipeline.config.specs import AutoencoderSpec
from pipeline.training import autoencoder
from pipeline.training.autoencoder import AutoencoderTask, build, measured, near_seams, similarity, stitched
from pipeline.training.pixels import to_model
from pipeline.training.task import step_generator
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.pipeline.training.small import AUTOENCODER, check, check_start, losses_of

# A constant added to all keys leaves the softmax over them as it is.
KEY_BIASES = [f"codec.{part}.mid_block.attentions.0.to_k.bias" for part in ("encoder", "decoder")]


def spec(**own: object) -> AutoencoderSpec:
    return AUTOENCODER.model_copy(update=own)


@pytest.mark.parametrize("own", [{}, {"grid": True, "batch": 2}, {"kl": 0.0}], ids=["frames", "grids", "free"])
def test_it_is_a_task(own: dict[str, object]) -> None:
    check(AutoencoderTask(spec(**own), 0, "cpu"), without_influence=KEY_BIASES)


def test_weights_begin_as_the_seed_says() -> None:
    check_start(lambda seed: AutoencoderTask(AUTOENCODER, seed, "cpu"))


def test_a_batch_is_single_frames_or_whole_clips_and_noise_of_their_latents() -> None:
    for grid, side in ((False, 32), (True, 128)):
        task, generator = AutoencoderTask(spec(grid=grid), 0, "cpu"), step_generator(0, 7)
        clip, frame = torch.randint(4, (4,), generator=generator), torch.randint(16, (4,), generator=generator)
        batch = task.source.batch(7)
        assert batch.images.shape == (4, 3, side, side)
        for image, c, f in zip(batch.images, clip, frame, strict=True):
            shown = task.source.clips[c]
            if not grid:
                assert torch.equal(image, to_model(shown[f]))
                continue
            for number in range(16):  # column by column, Eq. 1
                y, x = 32 * (number % 4), 32 * (number // 4)
                assert torch.equal(image[:, y : y + 32, x : x + 32], to_model(shown[number]))
        assert torch.equal(batch.noise, torch.randn(4, 4, side // 4, side // 4, generator=generator))


def test_losses_are_those_of_the_paper() -> None:
    """Eq. 27 of a Laplace distribution and Eq. 28, written out; the one that is left out is not among the parts."""
    task = AutoencoderTask(AUTOENCODER, 0, "cpu")
    batch, losses = task.source.batch(0), losses_of(task, 0)
    with torch.no_grad():
        moments = task.codec.quant_conv(task.codec.encoder(batch.images))
        mean, sigma = moments[:, :4], (moments[:, 4:] / 2).exp()
        recon = (task.codec.decode(mean + sigma * batch.noise).sample - batch.images).abs().mean().item()
    spread = ((sigma**2 + mean**2 - (sigma**2).log() - 1) / 2).mean().item()
    assert losses.parts["recon"].item() == pytest.approx(recon, rel=1e-4)
    assert losses.parts["kl"].item() == pytest.approx(spread, rel=1e-4)
    assert losses.total.item() == pytest.approx(recon + AUTOENCODER.kl * spread, rel=1e-4)
    free = losses_of(AutoencoderTask(spec(kl=0.0), 0, "cpu"), 0)
    assert list(free.parts) == ["recon"]
    assert free.total.item() == free.parts["recon"].item()


def test_validation_is_on_clips_that_no_training_saw() -> None:
    task = AutoencoderTask(spec(validation_scenes=10), 0, "cpu")
    known = {clip.tobytes() for clip in task.source.clips.numpy()}
    assert not any(clip.tobytes() in known for clip in task.unseen.numpy())
    for final, clips in ((False, 8), (True, 10)):
        found = task.validate(final)
        grids = stitched(task.unseen[:clips])
        with torch.no_grad():
            decoded = task.codec.decode(task.codec.encode(grids).latent_dist.mean).sample.clamp(-1, 1)
        wanted = structural_similarity_index_measure((decoded + 1) / 2, (grids + 1) / 2, data_range=1.0)
        assert found["ssim"] == pytest.approx(wanted.item(), abs=1e-5)
        assert len(task.table) == clips


def test_seams_are_the_two_pixels_on_each_side_of_a_border() -> None:
    seam = near_seams(16, 32, 32)
    line = [i for i in range(128) if i % 32 in (30, 31, 0, 1) and 1 < i < 126]
    expected = torch.tensor([[y in line or x in line for x in range(128)] for y in range(128)])
    assert torch.equal(seam, expected)


def test_what_is_lost_at_seams_alone_is_measured_there() -> None:
    """Darkened borders: the map falls near them, and is 1 six pixels away, beyond SSIM's window of 11."""
    grids = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    spoilt = grids.clone()
    spoilt[:, :, 31:33] = -1
    found = similarity(spoilt, grids)[0]
    assert found[31:33].max() < 0.8
    assert torch.allclose(found[:26], torch.ones(26, 128), atol=1e-5)


class _Point(torch.nn.Module):
    """A codec that leaves frames as they are, and darkens images that are larger."""

    def encode(self, images: torch.Tensor) -> object:
        dark = images - 0.5 if images.shape[-1] > 32 else images
        moments = torch.cat([dark, torch.zeros_like(dark)], dim=1)
        return type("Encoded", (), {"latent_dist": autoencoder.DiagonalGaussianDistribution(moments)})

    def decode(self, latents: torch.Tensor) -> object:
        return type("Decoded", (), {"sample": latents})


def test_frame_by_frame_the_codec_sees_no_grid() -> None:
    clips = torch.from_numpy(render(draw(3, 5)[1]))
    found = measured(_Point(), clips)
    assert found.apart.to_numpy() == pytest.approx(np.ones(3), abs=1e-5)
    assert found.apart_seam.to_numpy() == pytest.approx(np.ones(3), abs=1e-5)
    assert (found.ssim < 0.95).all()
    share = near_seams(16, 32, 32).float().mean().item()
    assert found.ssim.to_numpy() == pytest.approx(share * found.ssim_seam + (1 - share) * found.ssim_inside, abs=1e-5)
    mean = stitched(clips) - 0.5  # of unit variance: what is left of Eq. 28 is half its square
    assert found.kl.to_numpy() == pytest.approx((mean**2 / 2).mean(dim=(1, 2, 3)).numpy(), rel=1e-4)


def test_it_goes_on_from_another(tmp_path: Path) -> None:
    build(AUTOENCODER).save_pretrained(tmp_path / "before")
    task = AutoencoderTask(spec(starts_from=str(tmp_path / "before"), grid=True), 3, "cpu")
    before = load_codec(tmp_path / "before").state_dict()
    assert all(torch.equal(value, before[name]) for name, value in task.codec.state_dict().items())


def test_another_codec_is_not_gone_on_from(tmp_path: Path) -> None:
    ColourCodec(5, (16, 16, 16), 1).save_pretrained(tmp_path / "colours")
    with pytest.raises(ValueError, match=r"starts_from: .*colours is a ColourCodec, expected an AutoencoderKL$"):
        AutoencoderTask(spec(starts_from=str(tmp_path / "colours")), 0, "cpu")
    build(spec(latent_channels=3)).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match=r"small has latent_channels 3, expected 4 as in the spec$"):
        AutoencoderTask(spec(starts_from=str(tmp_path / "small")), 0, "cpu")


def test_it_leaves_a_codec_and_what_was_measured_of_each_clip(tmp_path: Path) -> None:
    task = AutoencoderTask(AUTOENCODER, 0, "cpu")
    with torch.no_grad():
        values = task.validate(True)
    autoencoder.export(task, tmp_path)
    table = pd.read_csv(paths.similarities(tmp_path), index_col="clip")
    assert table.mean().to_dict() == pytest.approx(values, abs=1e-6)
    again = measured(load_codec(tmp_path), task.unseen)
    assert again.ssim.to_numpy() == pytest.approx(table.ssim.to_numpy(), abs=0.01)  # float16
