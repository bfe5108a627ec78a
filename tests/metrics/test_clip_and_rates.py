from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from transformers import CLIPModel

from metrics.clip import DualEncoder
from metrics.clipsim import clipsim
from metrics.proportions import mcnemar, wilson
from metrics.protocol import Protocol
from tests.pipeline import tiny


@given(n=st.integers(1, 4), t=st.integers(1, 5), seed=st.integers(0, 1000))
def test_clipsim_is_the_mean_cosine_over_frames(n: int, t: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    frames, text = torch.randn(n, t, 6, generator=generator), torch.randn(n, 6, generator=generator)
    frames, text = (x / x.norm(dim=-1, keepdim=True) for x in (frames, text))
    expected = [np.mean([float(frames[i, j] @ text[i]) for j in range(t)]) for i in range(n)]
    assert clipsim(frames, text).tolist() == pytest.approx(expected, abs=1e-6)


def test_clipsim_refuses_features_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 4\) and text features \(3, 4\) do not fit"):
        clipsim(torch.zeros(2, 3, 4), torch.zeros(3, 4))


@pytest.fixture(scope="module")
def clip_folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.clip_checkpoint(tmp_path_factory.mktemp("clip"), shared / "data/tokenizers")


def test_a_clip_folder_gives_clips_own_features(clip_folder: Path) -> None:
    """Against the cosines that CLIPModel itself computes."""
    encoder, model = DualEncoder(clip_folder), CLIPModel.from_pretrained(clip_folder)
    frames = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    texts = ["a cat", "a very long description of a dog"]
    mean, std = (
        torch.tensor(x)[:, None, None]
        for x in ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
    )
    tokens = encoder.tokenizer(texts, padding=True, return_tensors="pt")
    output = model(pixel_values=(frames - mean) / std, **tokens)
    cosines = encoder.frame_features(frames) @ encoder.text_features(texts).T
    assert torch.allclose(cosines, output.logits_per_image / model.logit_scale.exp(), atol=1e-5)


def test_frames_of_any_size_are_resized(clip_folder: Path) -> None:
    features = DualEncoder(clip_folder).frame_features(torch.rand(2, 3, 48, 80))
    assert features.shape == (2, 8)
    assert features.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_the_worlds_encoder_needs_its_text_tower(root: Path) -> None:
    with pytest.raises(ValueError, match="needs the folder of its text tower"):
        DualEncoder(root / "models/world/clip")


def test_the_worlds_encoder_matches_frames_and_captions(root: Path, minilm: Path) -> None:
    """The shipped weights: an unseen clip's own caption wins among 20 of other content in at least 90 %."""
    from pipeline.training.clip import _candidates, contents
    from pipeline.world.captions import captions
    from pipeline.world.render import render
    from pipeline.world.scene import draw

    encoder = DualEncoder(root / "models/world/clip", minilm)
    names, scenes = draw(200, 987_654)
    clips = torch.from_numpy(render(scenes)).movedim(-1, 2).float() / 255
    texts = encoder.text_features(captions(names, 987_654))
    frames = encoder.frame_features(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
    rng, content = np.random.default_rng(0), contents(names)
    first = []
    for i in range(len(names)):
        rows = _candidates(i, content, 20, rng)
        scores = clipsim(frames[i].expand(20, -1, -1), texts[rows])
        first.append(bool(scores.argmax() == 0))
    assert np.mean(first) >= 0.9


@given(n=st.integers(1, 500), data=st.data(), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_equals_its_formula(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    z, p = norm.ppf((1 + confidence) / 2), k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    rate = wilson(k, n, confidence)
    assert (rate.low, rate.high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_wilson_of_nothing_is_no_number() -> None:
    assert np.isnan(wilson(0, 0).value)
    with pytest.raises(ValueError, match="found 3"):
        wilson(3, 2)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_equals_the_binomial_sum(pairs: list[tuple[bool, bool]]) -> None:
    """Twice the smaller tail of a fair coin over the disagreements, at most 1."""
    from math import comb

    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    tail = sum(comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(first, second).p == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_refuses_unpaired_outcomes() -> None:
    with pytest.raises(ValueError, match=r"found \(2,\) and \(3,\)"):
        mcnemar(np.zeros(2, bool), np.zeros(3, bool))


def test_every_choice_changes_the_fingerprint() -> None:
    from dataclasses import fields, replace

    base = Protocol("p", "i3d", "w", 16, 1, "squash", "[-1, 1]", "world", 512, 512, 1, "pyav")
    marks = {replace(base, **{f.name: getattr(base, f.name) * 2}).fingerprint for f in fields(base)}
    assert len(marks | {base.fingerprint}) == len(fields(base)) + 1
