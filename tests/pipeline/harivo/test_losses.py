"""Each loss against a slow, literal evaluation of its equation, and what each of them moves."""

from math import exp, log

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harivo.attention import recorded, trs_loss
from pipeline.harivo.contrast import TEMPERATURE, Contrast, bottleneck, decoupled_contrast
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


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@given(st.integers(1, 3), st.integers(0, 4), st.booleans(), st.integers(0, 99))
def test_decoupled_contrast(videos: int, negatives: int, some: bool, seed: int) -> None:
    """Each video by itself, over the negatives that count for it."""
    generator = torch.Generator().manual_seed(seed)
    z1, z2 = (torch.nn.functional.normalize(torch.randn(videos, 4, generator=generator), dim=1) for _ in range(2))
    queue = torch.nn.functional.normalize(torch.randn(negatives, 4, generator=generator), dim=1)
    counted = torch.rand(videos, negatives, generator=generator) < 0.5 if some else None
    losses, over, positives, cosines = [], [], [], []
    for i, (a, b) in enumerate(zip(z1.tolist(), z2.tolist(), strict=True)):
        own = [q for j, q in enumerate(queue.tolist()) if counted is None or counted[i, j]]
        sums = log(sum(exp(dot(a, q) / TEMPERATURE) for q in own)) if own else 0
        losses.append(sums - dot(a, b) / TEMPERATURE)
        over.append(losses[-1] - log(max(len(own), 1)))
        positives.append(dot(a, b))
        cosines += [dot(a, q) for q in own]
    found = decoupled_contrast(z1, z2, queue, counted)
    for name, values in {"loss": losses, "over_chance": over, "positive": positives, "negative": cosines}.items():
        expected = sum(values) / max(len(values), 1)
        assert float(getattr(found, name)) == pytest.approx(expected, rel=1e-3, abs=1e-4), name


def test_a_video_without_negatives_has_a_gradient() -> None:
    first, second, queue = (torch.nn.functional.normalize(torch.randn(2, 4), dim=1) for _ in range(3))
    first.requires_grad_()
    decoupled_contrast(first, second, queue, torch.tensor([[False, False], [True, True]])).loss.backward()
    torch.testing.assert_close(first.grad[0], -second[0] / TEMPERATURE / 2)
    assert first.grad.isfinite().all()


def test_chance_is_what_projections_without_meaning_have() -> None:
    """Independent of each other, in many dimensions: cosines near 0, and so a loss of nearly ln |Q|."""
    first, second, queue = (torch.nn.functional.normalize(torch.randn(n, 4096), dim=1) for n in (64, 64, 256))
    assert float(decoupled_contrast(first, second, queue).over_chance) == pytest.approx(0, abs=0.1)


def test_negatives_of_the_same_content_are_left_out() -> None:
    features, pair = torch.randn(2, 3, 4, 2, 2), torch.tensor([[0, 1], [2, 0]])
    masked, whole = Contrast(4, 2, 6, other_content=True), Contrast(4, 2, 6)
    masked.load_state_dict(whole.state_dict())
    for contents in ([5, 7], [7, 7], [5, 8]):
        held = masked.queue[: int(masked.filled)], masked.shown[: int(masked.filled)]
        others = [[own != shown for shown in held[1].tolist()] for own in contents]
        z1, z2 = (torch.nn.functional.normalize(masked.project(features[[0, 1], pair[:, i]]), dim=1) for i in (0, 1))
        expected = decoupled_contrast(z1, z2, held[0].clone(), torch.tensor(others).reshape(2, -1))
        torch.testing.assert_close(masked(features, pair, torch.tensor(contents)).loss, expected.loss)
    assert set(masked.shown.tolist()) == {5, 7, 8}
    assert [row.count(False) for row in others] == [1, 0]  # of the first step, the only one left that shows 5


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
        loss = contrast(features, pair, torch.zeros(2, dtype=torch.long)).loss
        assert loss.item() == pytest.approx(decoupled_contrast(*expected, negatives).loss.item(), rel=1e-4, abs=1e-5)
        projected.append(torch.cat(expected).detach())
        assert int(contrast.filled) == min(6, 4 * (step + 1))
        held = {tuple(row) for row in contrast.queue[: int(contrast.filled)].numpy().round(4).tolist()}
        assert held == {tuple(row) for row in torch.cat(projected)[-6:].numpy().round(4).tolist()}


def epsilon(scheduler: DDIMScheduler, predicted: torch.Tensor, noisy: torch.Tensor, t: int) -> torch.Tensor:
    """The noise that a prediction means."""
    if scheduler.config.prediction_type == "epsilon":
        return predicted
    alpha = float(scheduler.alphas_cumprod[t])
    return alpha**0.5 * predicted + (1 - alpha) ** 0.5 * noisy


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@given(st.lists(st.integers(0, 999), min_size=1, max_size=4), st.integers(0, 99))
def test_regularisation_is_of_the_noise(kind: str, timesteps: list[int], seed: int) -> None:
    scheduler = DDIMScheduler(prediction_type=kind)
    generator = torch.Generator().manual_seed(seed)
    video, images, noisy = torch.randn(3, len(timesteps), 2, 3, 2, 2, generator=generator)
    loss = 0.0
    for i, t in enumerate(timesteps):
        both = (epsilon(scheduler, each[i], noisy[i], t).flatten() for each in (video, images))
        squares = [(float(a) - float(b)) ** 2 for a, b in zip(*both, strict=True)]
        loss += (1 - t / 1000) * sum(squares) / len(squares) / len(timesteps)
    found = regularisation(video, images, torch.tensor(timesteps), scheduler)
    assert float(found) == pytest.approx(loss, rel=1e-3, abs=1e-6)


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
    pair, content = torch.tensor([[0, 1], [3, 2]]), torch.tensor([0, 1])
    contrast(features[0].unflatten(0, (2, FRAMES)), pair, content).loss.backward()
    assert moved(video) == {"down_blocks", "mid_block"}
    assert all(p.grad.abs().sum() > 0 for p in contrast.parameters())


def test_regularisation_moves_the_mapping_through_both_of_its_terms(video: VideoUNet, inputs: Inputs) -> None:
    video.equip(MappingNetwork(4, heads=2, head_dim=4), None).trainable()
    torch.nn.init.normal_(video.mapping.out.weight, std=0.1)
    predicted = video(*inputs).sample
    with video.spatial_only():
        images = video(*inputs).sample
    regularisation(predicted.detach(), images, inputs[1], DDIMScheduler()).backward()
    assert moved(video) == {"mapping"}
    video.zero_grad()
    regularisation(predicted, images.detach(), inputs[1], DDIMScheduler()).backward()
    assert moved(video) == {"mapping", "down_blocks", "mid_block", "up_blocks"}
