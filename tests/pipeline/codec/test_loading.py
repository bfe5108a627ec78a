"""Which codec a folder holds."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from pipeline.codec.loading import load_codec
from pipeline.codec.network import ColourCodec


def test_the_toy_worlds_codec_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    codec = ColourCodec(5, (16, 16, 16), layers=1)
    codec.fit_scale(torch.rand(2, 3, 8, 8))
    codec.half().save_pretrained(tmp_path)
    loaded, frames = load_codec(tmp_path), torch.rand(2, 3, 8, 8)
    assert isinstance(loaded, ColourCodec)
    assert loaded.dtype == torch.float32
    with torch.no_grad():
        assert torch.equal(loaded.encode(frames).latent_dist.mean, codec.float().encode(frames).latent_dist.mean)


def test_a_public_codec_is_an_autoencoder_kl(tmp_path: Path) -> None:
    AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, latent_channels=2).save_pretrained(tmp_path)
    assert isinstance(load_codec(tmp_path), AutoencoderKL)


def test_a_folder_without_a_codec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"config\.json"):
        load_codec(tmp_path)
