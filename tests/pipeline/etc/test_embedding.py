import math

import pytest
import torch

from pipeline.etc.embedding import THETA, mixed_embedding, spatial_embedding, temporal_embedding

# (channels, frames, height, width): the toy world's latents, Stable Diffusion's at 256 x 256, more and larger frames
SIZES = [(8, 16, 8, 8), (4, 16, 32, 32), (8, 36, 8, 8), (4, 9, 20, 12), (5, 4, 6, 6)]


def literal(channels: int, frames: int, height: int, width: int) -> torch.Tensor:
    """Eq. 4 with Eq. 18 to 21, value by value."""
    root = round(math.sqrt(frames))
    rows, half = root * height, channels // 2
    out = torch.empty(channels, rows, root * width)
    for c in range(channels):
        scale = THETA ** ((c if c < half else c - half) / channels)
        for x in range(rows):
            for y in range(root * width):
                if c < half:
                    value = math.sin(x % height / scale) + math.cos(y % width / scale)
                else:
                    place = x // height * rows + y // width
                    value = math.sin(place / scale) + math.cos(place / scale)
                out[c, x, y] = value
    return out


def nearest(embedding: torch.Tensor) -> float:
    """The smallest distance between two places."""
    places = embedding.flatten(1).T.double().contiguous()
    return float(torch.nn.functional.pdist(places).min())


@pytest.mark.parametrize("size", [(8, 16, 3, 5), (5, 4, 4, 2), (4, 9, 2, 2)])
def test_values_are_the_equations(size: tuple[int, int, int, int]) -> None:
    assert mixed_embedding(*size).numpy() == pytest.approx(literal(*size).numpy(), abs=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_no_two_places_are_alike(size: tuple[int, int, int, int]) -> None:
    """All places of the first frame differ in the first half, one place of every frame in the second: that is enough,
    because the halves repeat. Float32 keeps seven digits of these values."""
    channels, _, height, width = size
    half = channels // 2
    embedding = mixed_embedding(*size)
    assert nearest(embedding[:half, :height, :width]) > 1e-3
    assert nearest(embedding[half:, ::height, ::width]) > 1e-3


def test_no_two_places_of_the_toy_worlds_grid_are_alike() -> None:
    assert nearest(mixed_embedding(8, 16, 8, 8)) > 0.1


def test_adding_the_halves_collides() -> None:
    """Place (a, a) of the frame with p = b, and place (b, b) of that with p = a, have the same sum."""
    added = spatial_embedding(8, 16, 8, 8) + temporal_embedding(8, 16, 8, 8)
    in_second_column, in_first_frame = added[:, 0, 8], added[:, 1, 1]
    assert torch.allclose(in_second_column, in_first_frame, atol=1e-6)
    assert nearest(added) < 1e-5 < nearest(mixed_embedding(8, 16, 8, 8))


def test_the_halves_say_what_they_should() -> None:
    """Every frame has the same first half, and every place of a frame the same second half."""
    embedding = mixed_embedding(8, 16, 8, 8)
    tiles = embedding.unflatten(2, (4, 8)).unflatten(1, (4, 8))  # C row h column w
    assert (tiles[:4] == tiles[:4, :1, :, :1]).all()
    assert (tiles[4:] == tiles[4:, :, :1, :, :1]).all()


def test_it_is_bounded_and_fits_the_grid() -> None:
    embedding = mixed_embedding(4, 25, 6, 10)
    assert embedding.shape == (4, 30, 50)
    assert embedding.dtype == torch.float32
    assert embedding.abs().max() <= 2


def test_what_cannot_be_embedded_is_refused() -> None:
    with pytest.raises(ValueError, match="channels: found 1, expected at least 2"):
        mixed_embedding(1, 16, 8, 8)
    with pytest.raises(ValueError, match="found 15, expected a square number"):
        mixed_embedding(8, 15, 8, 8)
