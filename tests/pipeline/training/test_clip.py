"""The dual encoder's training."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import torch

from pipeline.training import clip
from pipeline.world.scene import Names, draw
from tests.pipeline.training.small import CLIP, WordTower, check, check_start, losses_of

# A constant added to all keys leaves the softmax over them as it is.
KEY_BIAS = "clip.vision.vision_model.encoder.layers.0.self_attn.k_proj.bias"


def test_it_is_a_task() -> None:
    check(clip.ClipTask(CLIP, WordTower(), 0, "cpu"), without_influence=[KEY_BIAS])


def test_weights_begin_as_the_seed_says() -> None:
    check_start(lambda seed: clip.ClipTask(CLIP, WordTower(), seed, "cpu"))


def test_frames_are_handed_on_in_the_unit_interval() -> None:
    task = clip.ClipTask(CLIP, WordTower(), 0, "cpu")
    images, shown = task.source.batch(0).images, task.source.data.clips
    values = {round(value * 255) for value in images.unique().tolist()}
    assert values <= set(shown.unique().tolist())
    assert max(values) > 200
    assert images.max() <= 1


def test_the_loss_is_cross_entropy_both_ways_with_every_match_counted() -> None:
    task = clip.ClipTask(CLIP, WordTower(), 0, "cpu")
    batch, losses = task.source.batch(0), losses_of(task, 0)
    with torch.no_grad():
        images = task.clip.embed_frames(batch.images).tolist()
        texts = task.clip.embed_pooled_text(batch.pooled).tolist()
    scale, content = exp(task.clip.logit_scale.item()), batch.content.tolist()

    def entropy(queries: list[list[float]], keys: list[list[float]]) -> float:
        found = []
        for i, query in enumerate(queries):
            scores = [scale * sum(a * b for a, b in zip(query, key, strict=True)) for key in keys]
            whole = log(sum(exp(score) for score in scores))
            found.append(np.mean([whole - score for j, score in enumerate(scores) if content[j] == content[i]]))
        return float(np.mean(found))

    assert len(set(content)) < len(content)
    captions, frames = entropy(images, texts), entropy(texts, images)
    assert losses.parts["captions"].item() == pytest.approx(captions, rel=1e-4)
    assert losses.parts["frames"].item() == pytest.approx(frames, rel=1e-4)
    assert losses.total.item() == pytest.approx((captions + frames) / 2, rel=1e-4)


def test_the_last_validation_is_over_all_unseen_scenes() -> None:
    """Those before it are over 128; CLIPSIM is the mean cosine of frames and caption."""
    task = clip.ClipTask(CLIP.model_copy(update={"validation_scenes": 130}), WordTower(), 0, "cpu")
    task.model.eval()
    with torch.no_grad():
        texts = task.clip.embed_pooled_text(task.unseen.pooled)
        frames = torch.stack([task.clip.embed_frames(video.movedim(-1, 1) / 255) for video in task.unseen.clips])
        cosines = (frames * texts[:, None]).sum(-1).mean(dim=1)
        assert task.validate(False)["clipsim"] == pytest.approx(cosines[:128].mean().item(), rel=1e-4)
        assert task.validate(True)["clipsim"] == pytest.approx(cosines.mean().item(), rel=1e-4)
    assert cosines[:128].mean().item() != pytest.approx(cosines.mean().item(), rel=1e-4)


def test_captions_of_one_content_are_all_matches() -> None:
    names, _ = draw(2000, 1)
    content = clip.contents(names)
    assert (content[:200, None] == content).tolist() == [[a == b for b in names] for a in names[:200]]
    assert len(content.unique()) == 4 * 3 * 2 * 2 * 4


def test_captions_that_differ_in_the_motion_are_no_match() -> None:
    """A single frame shows it."""
    up = Names("red", "circle", "plain", "small", "up")
    one, other = clip.contents([up, replace(up, motion="down")])
    assert one != other


def test_candidates_are_of_distinct_other_contents() -> None:
    names, _ = draw(300, 2)
    content = clip.contents(names)
    rows = clip._candidates(7, content, 20, np.random.default_rng(0))
    assert rows[0] == 7
    assert len({int(content[row]) for row in rows}) == 20
