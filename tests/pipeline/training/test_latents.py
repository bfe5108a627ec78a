"""Clips as latents: scaled as their codec says, whatever the batch."""

import numpy as np
import pytest
import torch

from pipeline.training import codec
from pipeline.training.latents import encode_clips
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.pipeline.training.small import CODEC


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_latents_are_the_codecs_means_times_its_factor(batch: int) -> None:
    encoder, clips = codec.build(CODEC).eval(), render(draw(3, 0)[1])[:, :5]
    encoder.register_to_config(scaling_factor=0.25)
    made = encode_clips(encoder, clips, "cpu", batch)
    assert made.shape == (3, 5, CODEC.latent_channels, 8, 8)
    assert made.dtype == torch.float16
    for clip, latents in zip(clips, made, strict=True):
        for frame, latent in zip(clip, latents, strict=True):
            image = torch.from_numpy(np.moveaxis(frame, -1, 0)[None] / 127.5 - 1).float()
            with torch.no_grad():
                expected = encoder.encode(image).latent_dist.mode()[0] * 0.25
            torch.testing.assert_close(latent.float(), expected, rtol=1e-2, atol=1e-3)
