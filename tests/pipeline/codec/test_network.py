"""The codec's network: linear in colours, by construction."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.network import COLOURS, ColourCodec
from pipeline.etc.grid import to_grid

WIDTHS = (16, 16, 16)


def codec(seed: int = 0) -> ColourCodec:
    """Random weights in every layer, the last of the decoder too, and a scale that is not 1."""
    torch.manual_seed(seed)
    made = ColourCodec(6, WIDTHS, layers=1)
    torch.nn.init.normal_(made.decoder[-1].weight, std=0.1)
    made.fit_scale(torch.rand(4, 3, 16, 16) * 2 - 1)
    return made.eval()


@given(st.integers(0, 1000), st.floats(0, 1))
def test_a_blend_of_latents_of_one_structure_is_the_blend_of_their_frames(seed: int, share: float) -> None:
    made, generator = codec(), torch.Generator().manual_seed(seed)
    a = torch.randn(2, 6, 4, 4, generator=generator)
    b = torch.cat([torch.randn(2, COLOURS, 4, 4, generator=generator), a[:, COLOURS:]], dim=1)
    with torch.no_grad():
        blended = made.decode(share * a + (1 - share) * b).sample
        expected = share * made.decode(a).sample + (1 - share) * made.decode(b).sample
    assert torch.allclose(blended, expected, atol=1e-4)


def test_the_first_latents_are_the_mean_colours_of_patches() -> None:
    made = ColourCodec(6, WIDTHS, layers=1)
    frames = torch.rand(2, 3, 8, 12) * 2 - 1
    latents = made.encode(frames).latent_dist.mean
    assert latents.shape == (2, 6, 2, 3)
    for y in range(2):
        for x in range(3):
            patch = frames[:, :, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
            assert torch.allclose(latents[:, :COLOURS, y, x], patch.mean(dim=(2, 3)), atol=1e-6)


def test_each_pixel_is_made_of_the_colours_around_it_and_of_an_offset() -> None:
    """Against a loop over pixels, patches by patches; beyond the border lies the border's colour."""
    made = codec()
    colours, structure = torch.randn(1, 3, 3, 2), torch.randn(1, 3, 3, 2)
    with torch.no_grad():
        weights = made.decoder(structure)[0].reshape(16, 10, 3, 2).numpy()
        frames = made.compose(colours, structure)[0].numpy()
    for row in range(12):
        for column in range(8):
            y, x, pixel = row // 4, column // 4, 4 * (row % 4) + column % 4
            value = np.full(3, weights[pixel, 9, y, x])
            for k in range(9):
                near = min(max(y + k // 3 - 1, 0), 2), min(max(x + k % 3 - 1, 0), 1)
                value += weights[pixel, k, y, x] * colours[0, :, near[0], near[1]].numpy()
            assert frames[:, row, column] == pytest.approx(value, abs=1e-4)


def test_untrained_a_frame_is_its_patches_mean_colours() -> None:
    made = ColourCodec(6, WIDTHS, layers=1)
    frames = torch.rand(2, 3, 8, 8) * 2 - 1
    with torch.no_grad():
        decoded = made.decode(made.encode(frames).latent_dist.mean).sample
    means = frames.unfold(2, 4, 4).unfold(3, 4, 4).mean(dim=(4, 5))
    assert torch.allclose(decoded, means.repeat_interleave(4, 2).repeat_interleave(4, 3), atol=1e-6)


def test_the_scale_makes_every_channel_standard_and_the_way_back_undoes_it() -> None:
    made, frames = codec(), torch.rand(8, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        before = made.decode(made.encode(frames).latent_dist.mean).sample
        made.fit_scale(frames)
        latents = made.encode(frames).latent_dist.mean
        after = made.decode(latents).sample
    assert torch.allclose(latents.mean(dim=(0, 2, 3)), torch.zeros(6), atol=1e-4)
    assert torch.allclose(latents.std(dim=(0, 2, 3)), torch.ones(6), atol=1e-4)
    assert torch.allclose(before, after, atol=1e-4)


def test_its_distribution_is_one_point() -> None:
    made, frames = codec(), torch.rand(1, 3, 8, 8)
    (point,) = made.encode(frames, return_dict=False)
    assert torch.equal(point.sample(), point.mean)
    assert torch.equal(made.decode(point.mean, return_dict=False)[0], made.decode(point.mean).sample)


def test_a_grid_of_frames_has_other_latents_than_its_frames() -> None:
    """Colours are those of patches; structure is not: convolutions see over seams, group norms the whole image."""
    made, frames = codec(), torch.rand(2, 3, 16, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        single = made.encode(frames.transpose(1, 2).flatten(0, 1)).latent_dist.mean.unflatten(0, (2, 16))
        laid_out, grid = to_grid(single.transpose(1, 2)), made.encode(to_grid(frames)).latent_dist.mean
    assert torch.allclose(grid[:, :COLOURS], laid_out[:, :COLOURS], atol=1e-6)
    assert (grid - laid_out)[:, COLOURS:].abs().mean() > 0.1
