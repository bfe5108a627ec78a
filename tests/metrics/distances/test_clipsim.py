"""CLIPSIM, CLIPScore and frame consistency against loops over clips and frames; the classes against the functions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import metrics
from metrics.distances.clipsim import clip_score, clipsim, frame_consistency


def unit(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, generator=generator), dim=-1)


sizes = {"n": st.integers(1, 4), "t": st.integers(2, 5), "seed": st.integers(0, 1000)}


@given(**sizes)
def test_every_measure_equals_its_definition(n: int, t: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    frames, text = unit(generator, n, t, 6), unit(generator, n, 6)
    cosines = [[float(frames[i, j] @ text[i]) for j in range(t)] for i in range(n)]
    assert clipsim(frames, text).tolist() == pytest.approx([np.mean(row) for row in cosines], abs=1e-6)
    scores = [np.mean([2.5 * max(cosine, 0) for cosine in row]) for row in cosines]
    assert clip_score(frames, text).tolist() == pytest.approx(scores, abs=1e-6)
    neighbours = [np.mean([float(frames[i, j] @ frames[i, j + 1]) for j in range(t - 1)]) for i in range(n)]
    assert frame_consistency(frames).tolist() == pytest.approx(neighbours, abs=1e-6)


def test_a_still_picture_is_wholly_consistent() -> None:
    frame = unit(torch.Generator().manual_seed(0), 1, 1, 8)
    assert float(frame_consistency(frame.expand(1, 5, 8))) == pytest.approx(1)


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 4\) and text features \(3, 4\) do not fit"):
        clipsim(torch.zeros(2, 3, 4), torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"T >= 2, d\), found \(2, 1, 4\)"):
        frame_consistency(torch.zeros(2, 1, 4))


@given(**sizes)
def test_shards_merge_into_the_mean_over_all_clips(n: int, t: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    frames, text = unit(generator, 2 * n, t, 6), unit(generator, 2 * n, 6)
    for kind, function in ((metrics.CLIPSIM, clipsim), (metrics.CLIPScore, clip_score)):
        first, second = kind(), kind()
        first.update(frames[:n], text[:n])
        second.update(frames[n:], text[n:])
        first.merge_state(second)
        assert float(first.compute()) == pytest.approx(float(function(frames, text).mean()), abs=1e-6)
    whole = metrics.FrameConsistency()
    whole.update(frames)
    assert float(whole.compute()) == pytest.approx(float(frame_consistency(frames).mean()), abs=1e-6)
    whole.reset()
    assert torch.isnan(whole.compute())


def test_text_without_an_encoder_is_refused() -> None:
    with pytest.raises(ValueError, match="need an encoder"):
        metrics.CLIPSIM().update(torch.zeros(1, 2, 4), ["a cat"])
