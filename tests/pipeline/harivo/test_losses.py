"""Each loss against a slow, literal evaluation of its equation, and what each of them moves."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harivo.attention import recorded, trs_loss
from pipeline.harivo.contrast import TEMPERATURE, Contrast, bottleneck, decoupled_contrastive_loss
from pipeline.harivo.losses import LossWeights, regularisation, total
from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.unet import VideoUNet
from tests.pipeline.harivo.conftest import FRAMES

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def literal_trs(maps: list[torch.Tensor], frames: int) -> float:
    """Eq. 3 for every video, with |.| the mean over the entries of a map."""
    videos, loss = len(maps[0]) // frames, 0.0
    for video in range(videos):
        for i, layer in enumerate(maps, 1):
            for j in range(1, frames):
                now, before = layer[video * frames + j], layer[video * frames + j - 1]
                entries = [abs(float(a - b)) for a, b in zip(now.flatten(), before.flatten(), strict=True)]
                loss += i / len(maps) * sum(entries) / len(entries)
    return loss / videos


@given(st.integers(1, 2), st.integers(1, 3), st.integers(2, 4), st.integers(0, 99))
def test_trs(videos: int, layers: int, frames: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.rand(videos * frames, 2, 3 + i, 3 + i, generator=generator).softmax(-1) for i in range(layers)]
    assert float(trs_loss(maps, frames)) == pytest.approx(literal_trs(maps, frames), rel=1e-4)


def test_trs_of_frames_that_attend_alike_is_zero() -> None:
    alike = torch.rand(2, 1, 4, 4).softmax(-1).repeat_interleave(3, dim=0)
    assert float(trs_loss([alike, alike], 3)) == 0


def test_trs_needs_attention_in_the_decoder() -> None:
    with pytest.raises(ValueError, match="no self-attention in the decoder"):
        trs_loss([], 4)


def test_recording_changes_nothing_and_finds_the_decoders_maps(video: VideoUNet, inputs: Inputs) -> None:
    plain = video(*inputs).sample
    with recorded(video) as maps:
        torch.testing.assert_close(video(*inputs).sample, plain, rtol=1e-4, atol=1e-5)
    assert [tuple(layer.shape) for layer in maps] == [(2 * FRAMES, 2, 16, 16)] * 2  # two layers at 4 x 4
    for layer in maps:
        torch.testing.assert_close(layer.sum(-1), torch.ones(layer.shape[:-1]))
    count = len(maps)
    video(*inputs)
    assert len(maps) == count  # the recorder is gone


@given(st.integers(1, 3), st.integers(0, 4), st.integers(0, 99))
def test_decoupled_contrast(videos: int, negatives: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = (torch.nn.functional.normalize(torch.randn(videos, 4, generator=generator), dim=1) for _ in range(2))
    queue = torch.nn.functional.normalize(torch.randn(negatives, 4, generator=generator), dim=1)
    losses = []
    for a, b in zip(z1.tolist(), z2.tolist(), strict=True):
        loss = -sum(x * y for x, y in zip(a, b, strict=True)) / TEMPERATURE
        if negatives:
            loss += log(sum(exp(sum(x * y for x, y in zip(a, q, strict=True)) / TEMPERATURE) for q in queue.tolist()))
        losses.append(loss)
    assert float(decoupled_contrastive_loss(z1, z2, queue)) == pytest.approx(sum(losses) / videos, rel=1e-3, abs=1e-4)


def test_the_queue_holds_the_latest_projections_of_earlier_steps() -> None:
    contrast = Contrast(channels=4, size=2, length=6)
    pair = torch.tensor([[0, 1], [2, 0]])
    projected: list[torch.Tensor] = []
    for step in range(4):
        features = torch.randn(2, 3, 4, 2, 2)
        expected = [
            torch.nn.functional.normalize(contrast.project(features[[0, 1], pair[:, i]]), dim=1) for i in (0, 1)
        ]
        negatives = torch.cat(projected)[-6:] if projected else torch.zeros(0, 4)
        loss = contrast(features, pair)
        assert loss.item() == pytest.approx(decoupled_contrastive_loss(*expected, negatives).item(), rel=1e-4, abs=1e-5)
        projected.append(torch.cat(expected).detach())
        assert int(contrast.filled) == min(6, 4 * (step + 1))
        held = {tuple(row) for row in contrast.queue[: int(contrast.filled)].numpy().round(4).tolist()}
        assert held == {tuple(row) for row in torch.cat(projected)[-6:].numpy().round(4).tolist()}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=4), st.integers(0, 99))
def test_regularisation(timesteps: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    video, images = torch.randn(2, len(timesteps), 2, 3, 2, 2, generator=generator)
    loss = 0.0
    for i, t in enumerate(timesteps):
        squares = [(float(a) - float(b)) ** 2 for a, b in zip(video[i].flatten(), images[i].flatten(), strict=True)]
        loss += (1 - t / 1000) * sum(squares) / len(squares) / len(timesteps)
    assert float(regularisation(video, images, torch.tensor(timesteps), 1000)) == pytest.approx(
        loss, rel=1e-4, abs=1e-6
    )


def test_the_total_weighs_what_was_computed() -> None:
    losses = {"trs": torch.tensor(2.0), "reg": torch.tensor(3.0), "dc": torch.tensor(-5.0)}
    assert float(total(torch.tensor(1.0), LossWeights(0.1, 0.2, 0.3), **losses)) == pytest.approx(1 + 0.2 + 0.6 - 1.5)
    assert float(total(torch.tensor(1.0), LossWeights())) == 1


def moved(video: VideoUNet) -> set[str]:
    """The parts of the model that have a gradient."""
    names = {name for name, p in video.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert all("motion_modules" in name or name.startswith(("mapping", "tokens")) for name in names)
    return {name.split(".")[0] for name in names}


def test_trs_moves_temporal_layers_before_the_last_map(video: VideoUNet, inputs: Inputs) -> None:
    video.trainable()
    with recorded(video) as maps:
        video(*inputs)
    trs_loss(maps, FRAMES).backward()
    assert moved(video) == {"down_blocks", "mid_block", "up_blocks"}
    late = [p for p in video.up_blocks[1].motion_modules.parameters() if p.grad is not None]
    assert not late  # the block behind the last self-attention


def test_contrast_moves_the_encoder_and_the_projection(video: VideoUNet, inputs: Inputs) -> None:
    video.trainable()
    contrast = Contrast(channels=16, size=4, length=8)
    with bottleneck(video) as features:
        video(*inputs)
    assert features[0].shape == (2 * FRAMES, 16, 4, 4)
    contrast(features[0].unflatten(0, (2, FRAMES)), torch.tensor([[0, 1], [3, 2]])).backward()
    assert moved(video) == {"down_blocks", "mid_block"}
    assert all(p.grad.abs().sum() > 0 for p in contrast.parameters())


def test_regularisation_moves_the_mapping_through_both_of_its_terms(video: VideoUNet, inputs: Inputs) -> None:
    video.equip(MappingNetwork(4, heads=2, head_dim=4), None).trainable()
    torch.nn.init.normal_(video.mapping.out.weight, std=0.1)
    predicted = video(*inputs).sample
    with video.spatial_only():
        images = video(*inputs).sample
    regularisation(predicted.detach(), images, inputs[1], 1000).backward()
    assert moved(video) == {"mapping"}
    video.zero_grad()
    regularisation(predicted, images.detach(), inputs[1], 1000).backward()
    assert moved(video) == {"mapping", "down_blocks", "mid_block", "up_blocks"}
