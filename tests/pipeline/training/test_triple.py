"""Latents that say which clip and frame they are of, so that every row of a batch can be read."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.config.embed import EmbeddedSet
from pipeline.config.specs import TripleShares
from pipeline.text.encoders import TextEncoder
from pipeline.training.latents import CaptionedLatents, CaptionEncoder
from pipeline.training.task import Share, step_generator
from pipeline.training.triple import GridBatch, Stills, TripleSource

CLIPS, FRAMES, BATCH = 12, 9, 300
OF = [("red circle", "blue square", "red square")[i % 3] for i in range(CLIPS)]
RATES = torch.tensor([1, 2, 4, 8, 15, 30, 60])[torch.arange(CLIPS) % 7]


@pytest.fixture(scope="module")
def data(minilm: Path) -> CaptionedLatents:
    latents = torch.zeros(CLIPS, FRAMES, 2, 1, 1, dtype=torch.float16)
    latents[:, :, 0] = torch.arange(CLIPS)[:, None, None, None]
    latents[:, :, 1] = torch.arange(FRAMES)[None, :, None, None]
    encoder = CaptionEncoder(TextEncoder("minilm", minilm), EmbeddedSet(length=8, zero_padding=True, scale=4.0))
    return CaptionedLatents(latents, [f"A {label} moves, number {i}." for i, label in enumerate(OF)], encoder)


def timesteps(size: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(9, (size,), generator=generator)


def source(data: CaptionedLatents, *shares: float, drop: float = 0.0, **images: Stills | None) -> TripleSource:
    """Of the world's kind: images are the clips' middle frames, unless others are given."""
    label_images, videos, caption_images = shares
    ratio = TripleShares(label_images=label_images, videos=videos, caption_images=caption_images)
    labels = images.get("labels", Stills.middles(data, OF))
    return TripleSource(data, RATES, labels, ratio, 0, BATCH, timesteps, drop, images.get("captions"))


def read(batch: GridBatch) -> tuple[np.ndarray, np.ndarray]:
    """Of which clip, and which frame of it, each frame of each row is: (B, T) both."""
    return tuple(batch.clean[:, channel, :, 0, 0].int().numpy() for channel in (0, 1))


def text_of(data: CaptionedLatents, text: str) -> torch.Tensor:
    return data.encoder.scaled(data.encoder.embed([text])[0][0])


def test_videos_are_whole_and_in_order(data: CaptionedLatents) -> None:
    batch = source(data, 0, 1, 0).batch(0)
    clips, frames = read(batch)
    assert (frames == np.arange(FRAMES)).all()
    assert (clips == clips[:, :1]).all()
    assert set(clips[:, 0]) == set(range(CLIPS))
    assert torch.equal(batch.fps, RATES[torch.from_numpy(clips[:, 0]).long()].float())
    for row in range(5):
        assert torch.allclose(batch.text[row], text_of(data, data.captions[clips[row, 0]]), atol=1e-3)


def test_images_of_a_caption_stand_still(data: CaptionedLatents) -> None:
    batch = source(data, 0, 0, 1).batch(0)
    clips, frames = read(batch)
    assert (clips == clips[:, :1]).all()
    assert (frames == FRAMES // 2).all()
    assert set(batch.fps.tolist()) == {120}
    assert torch.allclose(batch.text[0], text_of(data, data.captions[clips[0, 0]]), atol=1e-3)


def test_images_of_a_label_are_of_many_clips_of_it(data: CaptionedLatents) -> None:
    batch = source(data, 1, 0, 0).batch(0)
    clips, frames = read(batch)
    assert set(batch.fps.tolist()) == {0}
    assert all(len({OF[clip] for clip in row}) == 1 for row in clips)
    assert np.mean([len(set(row)) for row in clips]) > 3  # of four clips with a label, in nine frames
    assert (frames == FRAMES // 2).all()
    for row in range(5):
        assert torch.allclose(batch.text[row], text_of(data, OF[clips[row, 0]]), atol=1e-3)


def test_images_of_their_own_replace_middle_frames(data: CaptionedLatents) -> None:
    """Image i is (100 + i, 200); as many or not as there are clips."""
    texts = ["a dog", "a cat", "a dog", "a hen", "a dog"]
    latents = torch.stack([torch.full((2, 1, 1), 200.0).half() for _ in texts])
    latents[:, 0, 0, 0] = 100 + torch.arange(len(texts))
    own = Stills.embedded(latents, texts, data.encoder)
    batch = source(data, 1, 1, 1, labels=own, captions=own).batch(0)
    images, _ = read(batch)
    for fps, row, text in zip(batch.fps.tolist(), images, batch.text, strict=True):
        if 0 < fps < 120:
            assert (row < CLIPS).all()
            continue
        (word,) = {texts[image - 100] for image in row}
        assert torch.allclose(text, text_of(data, word), atol=1e-3)
        assert fps == 0 or len(set(row)) == 1
    for fps in (0, 120):
        assert set(images[batch.fps == fps].ravel()) == set(range(100, 105))


def test_label_images_need_labels(data: CaptionedLatents) -> None:
    assert set(source(data, 0, 1, 1, labels=None).batch(0).fps.tolist()) == {120.0, *RATES.tolist()}
    with pytest.raises(ValueError, match="label_images is 1 without labels"):
        source(data, 1, 1, 1, labels=None).batch(0)


def test_the_worlds_batches_are_frozen(data: CaptionedLatents) -> None:
    """What is drawn, in which order, written out: shipped weights rest on it. Images of clips draw no row of their
    own."""
    batch, generator = source(data, 1, 2, 1, drop=0.2).batch(4), step_generator(0, 4)
    rows = torch.randint(CLIPS, (BATCH,), generator=generator)
    kinds = torch.multinomial(torch.tensor([1.0, 2.0, 1.0]), BATCH, replacement=True, generator=generator)
    clips, frames = rows[:, None].repeat(1, FRAMES), torch.arange(FRAMES).repeat(BATCH, 1)
    for i in range(BATCH):
        if kinds[i] == 0:
            alike = torch.tensor([clip for clip in range(CLIPS) if OF[clip] == OF[rows[i]]])
            clips[i] = alike[torch.randint(len(alike), (FRAMES,), generator=generator)]
        if kinds[i] != 1:
            frames[i] = FRAMES // 2
    kept = torch.rand(BATCH, generator=generator) >= 0.2
    assert torch.equal(torch.stack([clips, frames]), torch.from_numpy(np.stack(read(batch))))
    assert torch.equal(batch.timestep, timesteps(BATCH, generator))
    assert torch.equal(batch.noise, torch.randn(batch.clean.shape, generator=generator))
    assert torch.equal(kept, (batch.text != 0).any(dim=(1, 2)))


def test_kinds_are_as_frequent_as_their_shares(data: CaptionedLatents) -> None:
    """Of 300 rows, within four standard deviations."""
    fps = source(data, 1, 2, 1).batch(3).fps
    for kind, share in ((fps == 0, 0.25), (fps == 120, 0.25), ((fps > 0) & (fps < 120), 0.5)):
        assert abs(float(kind.float().mean()) - share) < 4 * (share * (1 - share) / BATCH) ** 0.5


def test_dropped_texts_are_the_empty_prompts(data: CaptionedLatents) -> None:
    batch = source(data, 1, 1, 1, drop=0.5).batch(0)
    empty = (batch.text == 0).all(dim=(1, 2))
    assert 0.35 < empty.float().mean() < 0.65
    assert {0.0, 120.0} <= set(batch.fps[empty].tolist())


def test_batches_depend_on_the_step_alone_and_can_be_shared(data: CaptionedLatents) -> None:
    one, again = (source(data, 1, 1, 1, drop=0.1).batch(7) for _ in range(2))
    halves = [source(data, 1, 1, 1, drop=0.1).batch(7, Share(rank, 2)) for rank in range(2)]
    for name in ("clean", "noise", "timestep", "text", "fps"):
        assert torch.equal(getattr(one, name), getattr(again, name))
        assert torch.equal(getattr(one, name), torch.cat([getattr(half, name) for half in halves]))
    assert not torch.equal(one.noise, source(data, 1, 1, 1).batch(8).noise)
