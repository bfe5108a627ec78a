"""Folders of the cascade's networks."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.loading import load_images, load_prior, load_videos, save
from tests.pipeline.make_a_video import small

KINDS: dict[str, tuple[Callable, Callable, str]] = {
    "decoder": (small.image_decoder, load_images, "v_prediction"),
    "video_decoder": (small.video_decoder, load_videos, "v_prediction"),
    "interpolation": (small.interpolation, load_videos, "v_prediction"),
    "upscaler": (lambda: small.upscaler(8), load_images, "v_prediction"),
    "video_upscaler": (lambda: small.video_upscaler(8), load_videos, "v_prediction"),
    "prior": (small.prior, load_prior, "sample"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each network as a training writes it."""
    found = {}
    for name, (build, _, prediction) in KINDS.items():
        found[name] = tmp_path_factory.mktemp(name)
        save(found[name], build(), noise_schedule(prediction))
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_network_comes_back_as_float16_kept_it(folders: dict[str, Path], name: str) -> None:
    build, load, prediction = KINDS[name]
    loaded, scheduler = load(folders[name])
    before = build()
    assert type(loaded) is type(before)
    assert not loaded.training
    wanted, found = before.half().state_dict(), loaded.state_dict()
    assert set(wanted) == set(found)
    assert all(value.dtype == torch.float32 for value in found.values())
    assert all(torch.equal(found[key].cpu(), wanted[key].float()) for key in wanted)
    assert scheduler.config.prediction_type == prediction
    assert torch.equal(scheduler.alphas_cumprod, noise_schedule(prediction).alphas_cumprod)
    below = folders[name] / ("prior" if name == "prior" else "unet")
    written = load_file(below / "diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in written.values()} == {torch.float16}


@torch.no_grad()
def test_what_comes_back_predicts_the_same(folders: dict[str, Path]) -> None:
    """Of a network of videos, whose layers were put into another: in the right places."""
    loaded, _ = load_videos(folders["interpolation"])
    device = loaded.device
    inputs = (torch.randn(2, 7, 3, 8, 8), torch.tensor([10, 900]), torch.randn(2, 16), torch.tensor([8.0, 2.0]))
    wanted = small.interpolation()(*inputs)
    assert torch.allclose(loaded(*(one.to(device) for one in inputs)).cpu(), wanted, atol=0.03)


@pytest.mark.parametrize(
    ("load", "name", "message"),
    [
        (load_videos, "decoder", "holds a UNet2DConditionModel, expected a PseudoVideoUNet"),
        (load_videos, "upscaler", "holds a UNet2DConditionModel, expected a PseudoVideoUNet"),
        (load_images, "video_decoder", "holds a PseudoVideoUNet, expected a UNet2DConditionModel"),
        (load_images, "prior", "has no unet/, expected the folder of a network of Make-A-Video"),
        (load_prior, "decoder", "has no prior/, expected the folder of a network of Make-A-Video"),
    ],
)
def test_folders_of_another_kind_are_refused(folders: dict[str, Path], load: Callable, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as said:
        load(folders[name])
    assert str(folders[name]) in str(said.value)


@pytest.mark.parametrize(
    ("load", "name", "channels"),
    [(load_images, "upscaler", 3), (load_images, "decoder", 6), (load_videos, "interpolation", 3)],
)
def test_networks_of_other_parts_are_refused(
    folders: dict[str, Path], load: Callable, name: str, channels: int
) -> None:
    with pytest.raises(ValueError, match=rf"found \d input channels, expected {channels}: .* another part's") as said:
        load(folders[name], channels)
    assert str(folders[name]) in str(said.value)


@pytest.mark.parametrize("load", [load_images, load_videos, load_prior])
def test_an_empty_folder_is_refused(tmp_path: Path, load: Callable) -> None:
    with pytest.raises(ValueError, match=r"has no (unet|prior)/"):
        load(tmp_path)
