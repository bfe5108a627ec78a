"""Folders of the cascade's networks: unet/ or prior/, and scheduler/ beside it."""

from pathlib import Path
from typing import TypeVar

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.video_unet import PseudoVideoUNet

UNET, PRIOR, SCHEDULER = "unet", "prior", "scheduler"
RGB, WITH_LOW = 3, 6  # input channels of decoders, and of super-resolutions
Network = TypeVar("Network", UNet2DConditionModel, PseudoVideoUNet, Prior)


def save(folder: Path, network: Network, scheduler: DDIMScheduler) -> None:
    """Write a network and its noise schedule, float16; the network is of that type afterwards."""
    network.half().save_pretrained(folder / (PRIOR if isinstance(network, Prior) else UNET))
    scheduler.save_pretrained(folder / SCHEDULER)


def load_images(folder: Path, channels: int | None = None) -> tuple[UNet2DConditionModel, DDIMScheduler]:
    """A network of images, on a GPU where there is one.

    Args:
        channels: of its input, by which parts are told apart, RGB of D and WITH_LOW of SR_h; None takes any.

    Raises:
        ValueError: if the folder holds no such network.
    """
    network, scheduler = _load(folder, UNet2DConditionModel, UNET)
    _check_channels(folder, network.config.in_channels, channels)
    return network, scheduler


def load_videos(folder: Path, channels: int | None = None) -> tuple[PseudoVideoUNet, DDIMScheduler]:
    """A network of videos. channels: RGB of D_t, RGB + FURTHER of ↑F, WITH_LOW of SR_t; None takes any.

    Raises:
        ValueError: if the folder holds no such network.
    """
    network, scheduler = _load(folder, PseudoVideoUNet, UNET)
    _check_channels(folder, network.config.image["in_channels"], channels)
    return network, scheduler


def load_prior(folder: Path) -> tuple[Prior, DDIMScheduler]:
    """P."""
    return _load(folder, Prior, PRIOR)


def _check_channels(folder: Path, found: int, expected: int | None) -> None:
    if expected not in (None, found):
        raise ValueError(f"{folder}: found {found} input channels, expected {expected}: it is another part's network")


def _load(folder: Path, kind: type[Network], below: str) -> tuple[Network, DDIMScheduler]:
    """Float32.

    Raises:
        ValueError: if the folder holds no such network.
    """
    if not (folder / below).is_dir():
        raise ValueError(f"{folder} has no {below}/, expected the folder of a network of Make-A-Video")
    found = kind.load_config(folder, subfolder=below)["_class_name"]
    if found != kind.__name__:
        raise ValueError(f"{folder} holds a {found}, expected a {kind.__name__}")
    network = kind.from_pretrained(folder, subfolder=below, dtype=torch.float32)
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder=SCHEDULER)
    return network.to("cuda" if torch.cuda.is_available() else "cpu").eval(), scheduler
