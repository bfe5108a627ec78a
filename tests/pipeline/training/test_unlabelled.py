"""Batches of Make-A-Video's trainings, of clips whose pixels say which frame of which clip they are."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.make_a_video.pyramid import EMBEDDED
from pipeline.training.embedded import FrameSource, dropped
from pipeline.training.enlarging import LargeSource
from pipeline.training.pictures import Pictures
from pipeline.training.prior import Captions, ToldSource
from pipeline.training.task import Batch, Share
from pipeline.training.unlabelled import MaskedSource, SkippingSource
from pipeline.world.scene import FRAMES

CLIPS = 10
RATES = torch.tensor([4.0, 8.0, 16.0]).repeat(4)[:CLIPS]


def timesteps(size: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(1000, (size,), generator=generator)


def pictures() -> Pictures:
    """Frame t of clip n has the grey level 16 n + t, the embedding of its p-th frame is (n + 1, p + 1)."""
    level = (16 * torch.arange(CLIPS)[:, None] + torch.arange(FRAMES)).to(torch.uint8)
    clips = level[:, :, None, None, None].expand(-1, -1, 3, 2, 2)
    rows, places = torch.meshgrid(torch.arange(CLIPS), torch.arange(len(EMBEDDED)), indexing="ij")
    return Pictures(clips, RATES, torch.stack([rows + 1.0, places + 1.0], dim=-1), EMBEDDED)


def frames(**own: Any) -> FrameSource:
    return FrameSource(pictures(), **({"seed": 3, "size": 12, "drop": 0.3, "timesteps": 1000} | own))


def skipping(**own: Any) -> SkippingSource:
    values = {"seed": 3, "size": 12, "frames": 5, "skips": (1, 2, 3), "drop": 0.3, "timesteps": timesteps}
    return SkippingSource(pictures(), **(values | own))


def masked(**own: Any) -> MaskedSource:
    values: dict[str, Any] = {"seed": 3, "size": 12, "frames": FRAMES, "factors": (2, 3, 4, 5), "extrapolated": 0.5}
    return MaskedSource(pictures(), **(values | {"drop": 0.3, "timesteps": timesteps} | own))


def large(**own: Any) -> LargeSource:
    """Of pixels that say where they are: their row, their column, and the grey level of `pictures`."""
    level = pictures().pixels[:, :, :1, :1, :1].expand(-1, -1, 1, 12, 12)
    places = torch.stack(torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")).byte()
    clips = torch.cat([places.expand(CLIPS, FRAMES, -1, -1, -1), level], dim=2)
    values = {"seed": 3, "size": 12, "frames": 3, "crop": 6, "times": 3, "low_noise": 0.2, "timesteps": timesteps}
    return LargeSource(clips, **(values | own))


def told(**own: Any) -> ToldSource:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(4, 6, generator=generator)
    tokens = torch.randn(4, 5, 3, generator=generator).half()
    data = Captions(pictures().image, tokens, text, torch.arange(CLIPS) % 4)
    return ToldSource(data, **({"seed": 3, "size": 12, "drop": 0.3, "timesteps": 1000} | own))


SOURCES: dict[str, Callable[..., Any]] = {
    "frames": frames,
    "skipping": skipping,
    "masked": masked,
    "large": large,
    "large frames": lambda **own: large(frames=None, **own),
    "told": told,
}


def columns(batch: Batch) -> dict[str, torch.Tensor]:
    return {one.name: getattr(batch, one.name) for one in fields(batch)}


def seen(clean: torch.Tensor) -> tuple[list[int], list[list[int]]]:
    """Which clips a batch (B, 3, F, h, w) is of, and which of their frames."""
    levels = ((clean + 1) * 127.5).round().long()
    assert all((one == one[0, :, 0, 0][None, :, None, None]).all() for one in levels)
    numbers = levels[:, 0, :, 0, 0]
    assert (numbers // 16 == numbers[:, :1] // 16).all()
    return (numbers[:, 0] // 16).tolist(), (numbers % 16).tolist()


@pytest.mark.parametrize("name", SOURCES)
def test_a_batch_depends_on_seed_and_step_alone(name: str) -> None:
    torch.manual_seed(1)
    source = SOURCES[name]()
    first, other_step = columns(source.batch(7)), columns(source.batch(8))
    torch.manual_seed(2)
    again, other_seed = columns(SOURCES[name]().batch(7)), columns(SOURCES[name](seed=4).batch(7))
    assert all(torch.equal(first[key], again[key]) for key in first)
    for other in (other_step, other_seed):
        assert not torch.equal(first["noise"], other["noise"])
        assert not torch.equal(first["timestep"], other["timestep"])


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("name", SOURCES)
def test_the_parts_of_all_processes_are_the_batch(name: str, of: int) -> None:
    source = SOURCES[name]()
    for step in range(4):
        whole = columns(source.batch(step))
        parts = [columns(source.batch(step, Share(rank, of))) for rank in range(of)]
        for key, value in whole.items():
            assert len(value) == 12
            assert torch.equal(torch.cat([part[key] for part in parts]), value), key


@settings(max_examples=20)
@given(share=st.floats(0, 1), seed=st.integers(0, 100))
def test_dropped_embeddings_are_zeros_and_others_stay(share: float, seed: int) -> None:
    image = torch.rand(30, 3) + 1
    found = dropped(image, share, torch.Generator().manual_seed(seed))
    kept = torch.rand(30, generator=torch.Generator().manual_seed(seed)) >= share
    for row, before, stays in zip(found, image, kept, strict=True):
        assert torch.equal(row, before if stays else torch.zeros(3))


@pytest.mark.parametrize("name", ["frames", "skipping", "masked", "told"])
def test_so_many_conditions_are_dropped_as_is_said(name: str) -> None:
    def share(drop: float) -> float:
        source = SOURCES[name](drop=drop, size=240)
        batch = source.batch(0)
        return float((batch.text if name == "told" else batch.image).eq(0).all(dim=1).float().mean())

    assert share(0.0) == 0
    assert share(1.0) == 1
    assert share(0.3) == pytest.approx(0.3, abs=0.1)


def test_a_text_is_dropped_with_its_tokens() -> None:
    batch = told(size=60).batch(0)
    assert torch.equal(batch.text.eq(0).all(dim=1), batch.tokens.eq(0).all(dim=2).all(dim=1))
    source = told(size=60, drop=0.0)
    for row in range(60):
        batch = source.batch(0)
        clip = int(batch.image[row, 0]) - 1
        assert torch.equal(batch.text[row], source.data.text[clip % 4])
        assert torch.equal(batch.tokens[row], source.data.tokens[clip % 4].float())


def test_a_frame_comes_with_its_own_embedding() -> None:
    found = set()
    for step in range(5):
        batch = frames(drop=0.0).batch(step)
        clips, numbers = seen(batch.clean[:, :, None])
        for clip, number, image in zip(clips, numbers, batch.image, strict=True):
            assert image.tolist() == [clip + 1, EMBEDDED.index(number[0]) + 1]
            found.add(number[0])
    assert found == set(EMBEDDED)


@settings(max_examples=15)
@given(
    n=st.integers(2, 6), skips=st.lists(st.sampled_from([1, 2, 3]), min_size=1, unique=True), step=st.integers(0, 99)
)
def test_skipped_frames_are_at_the_rate_that_is_said(n: int, skips: list[int], step: int) -> None:
    """Equally far apart, inside of the clip; the embedding is that of the frame nearest to the middle."""
    batch = skipping(frames=n, skips=tuple(skips), drop=0.0, size=20).batch(step)
    assert batch.clean.shape == (20, 3, n, 2, 2)
    clips, numbers = seen(batch.clean)
    for clip, own, fps, image in zip(clips, numbers, batch.fps.tolist(), batch.image.tolist(), strict=True):
        apart = np.diff(own)
        assert set(apart) <= set(skips)
        assert len(set(apart)) == 1
        assert fps == pytest.approx(float(RATES[clip]) / apart[0])
        assert image[0] == clip + 1
        far = [abs(place - (own[0] + own[-1]) / 2) for place in EMBEDDED]
        assert far[int(image[1]) - 1] == min(far)


def test_every_skip_and_every_beginning_is_drawn() -> None:
    found: dict[int, set[int]] = {}
    source = skipping(frames=6, size=60)
    for step in range(20):
        for own in seen(source.batch(step).clean)[1]:
            found.setdefault(own[1] - own[0], set()).add(own[0])
    assert found == {skip: set(range(FRAMES - 5 * skip)) for skip in (1, 2, 3)}


def of_factor(known: list[bool]) -> int | None:
    """Which factor a mask is of, if it is of one."""
    places = [i for i, one in enumerate(known) if one]
    apart = set(np.diff(places))
    return int(apart.pop()) if len(apart) == 1 and places[0] == 0 and places[-1] == len(known) - 1 else None


@settings(max_examples=25)
@given(step=st.integers(0, 10_000), frames_=st.integers(6, FRAMES), extrapolated=st.sampled_from([0.0, 0.5, 1.0]))
def test_masks_are_those_of_sampling(step: int, frames_: int, extrapolated: float) -> None:
    """Every so many-th frame, the first and the last among them; or some at one end, others at the other. Of a batch
    all the same, of frames in a row, at the clip's own rate, with the embedding of what is nearest to their middle."""
    batch = masked(frames=frames_, extrapolated=extrapolated, drop=0.0).batch(step)
    assert (batch.known == batch.known[:1]).all()
    known = batch.known[0].tolist()
    clips, numbers = seen(batch.clean)
    assert all(own == list(range(own[0], own[0] + len(known))) for own in numbers)
    assert batch.fps.tolist() == [RATES[clip] for clip in clips]
    assert [int(one[0]) - 1 for one in batch.image] == clips
    for own, image in zip(numbers, batch.image, strict=True):
        far = [abs(place - (own[0] + own[-1]) / 2) for place in EMBEDDED]
        assert far[int(image[1]) - 1] == min(far)
    changes = int(np.abs(np.diff(np.array(known, int))).sum())
    if extrapolated == 0:
        factor = of_factor(known)
        assert factor in (2, 3, 4, 5)
        assert len(known) == (frames_ - 1) // factor * factor + 1
    elif extrapolated == 1:
        assert len(known) == frames_
        assert changes == 1
    assert 0 < sum(known) < len(known)


def test_every_mask_is_drawn() -> None:
    inner, first, last = set(), set(), set()
    source = masked(size=1)
    for step in range(500):
        known = source.batch(step).known[0].tolist()
        if known[0] and known[-1]:
            inner.add(of_factor(known))
        else:
            (first if known[0] else last).add(sum(known))
    assert inner == {2, 3, 4, 5}
    assert first == last == set(range(1, FRAMES))


@settings(max_examples=20)
@given(step=st.integers(0, 999), times=st.sampled_from([1, 2, 3, 6]), parts=st.integers(1, 2), whole=st.booleans())
def test_small_frames_are_those_of_the_part_that_is_learnt(step: int, times: int, parts: int, whole: bool) -> None:
    """Means of its pixels, and the part begins at a whole small pixel of the whole frame."""
    crop = 12 if whole else 6 * parts
    source = large(crop=crop, times=times, low_noise=0.0)
    batch = source.batch(step)
    assert batch.clean.shape == batch.noise.shape == (12, 3, 3, crop, crop)
    side = crop // times
    means = batch.clean.reshape(12, 3, 3, side, times, side, times).mean(dim=(4, 6))
    assert torch.allclose(batch.low, means, atol=1e-5)
    levels = ((batch.clean + 1) * 127.5).round().long()
    top, left = levels[0, :2, 0, 0, 0].tolist()
    assert top % times == left % times == 0
    assert (levels[:, 0] == torch.arange(top, top + crop)[:, None]).all()
    assert (levels[:, 1] == torch.arange(left, left + crop)).all()
    assert all(own == list(range(own[0], own[0] + 3)) for own in seen(batch.clean[:, 2:].expand(-1, 3, -1, -1, -1))[1])


def test_every_part_is_learnt() -> None:
    found = {tuple(large(size=1).batch(step).clean[0, :2, 0, 0, 0].tolist()) for step in range(60)}
    assert len(found) == 9  # parts of 6 pixels begin at 0, 3 or 6


def test_a_frame_alone_has_no_axis_of_frames() -> None:
    batch = large(frames=None).batch(0)
    assert batch.clean.shape == (12, 3, 6, 6)
    assert batch.low.shape == (12, 3, 2, 2)


def test_noise_on_small_frames_is_of_each_clip_and_at_most_as_said() -> None:
    """Its level is drawn for each clip; nothing else of the batch depends on it."""
    without, noised = large(low_noise=0.0, size=120).batch(0), large(low_noise=0.2, size=120).batch(0)
    for name in ("clean", "noise", "timestep"):
        assert torch.equal(getattr(without, name), getattr(noised, name))
    levels = (noised.low - without.low).flatten(1).std(dim=1)
    assert 0.25 > levels.max() > 0.15
    assert levels.min() < 0.05
    assert levels.mean() == pytest.approx(0.1, abs=0.02)


@given(st.lists(st.integers(0, 2 * (FRAMES - 1)).map(lambda n: n / 2), min_size=1, max_size=8))
def test_no_embedded_frame_is_nearer_than_the_nearest(middle: list[float]) -> None:
    for found, wanted in zip(pictures().nearest(torch.tensor(middle)).tolist(), middle, strict=True):
        assert abs(EMBEDDED[found] - wanted) == min(abs(one - wanted) for one in EMBEDDED)
