"""Prompts that no training saw, and the shares of what the judge sees of them."""

from dataclasses import replace

import numpy as np
import torch

from pipeline.training.latents import training_captions
from pipeline.training.stills import standing
from pipeline.training.validation import judged, judged_shares, noise_of_seeds, unseen_prompts
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, draw


def test_no_prompt_is_a_caption_of_the_training() -> None:
    known = frozenset(training_captions(3000, 0))
    names, texts = unseen_prompts(30, known)
    assert len(names) == len(texts) == 30
    assert not known & set(texts)
    assert known & set(unseen_prompts(30, frozenset())[1])  # without the rule some would be


def test_real_clips_are_judged_as_what_they_show() -> None:
    names, scenes = draw(40, 5)
    shares = judged(names, render(scenes), (*ATTRIBUTES, "heading"))
    assert set(shares) == {f"judge_{key}" for key in (*ATTRIBUTES, "heading", "one_object")}
    assert all(share == 1 for share in shares.values())


def test_a_still_frame_has_the_heading_and_not_the_motion() -> None:
    names, scenes = draw(40, 5)
    still = standing(render(scenes)[:, 3])
    assert judged(names, still, ["motion", "heading"]) == {
        "judge_motion": 0,
        "judge_heading": 1,
        "judge_one_object": 1,
    }
    assert "judge_heading" not in judged(names, still, ["motion"])
    one_off = [*names[1:], names[0]]
    same = np.mean([a.motion == b.motion for a, b in zip(names, one_off, strict=True)])
    assert judged(one_off, still, ["heading"])["judge_heading"] == same < 1
    assert judged(names, render(scenes, shading=0), ["motion", "heading"])["judge_heading"] == 0


def test_shares_are_those_of_equal_names() -> None:
    names, _ = draw(4, 6)
    other = "red" if names[0].colour != "red" else "blue"
    seen = [replace(names[0], colour=other), *names[1:]]
    assert judged_shares(names, seen, ["colour", "shape"]) == {"judge_colour": 0.75, "judge_shape": 1.0}


def test_noise_of_a_seed_does_not_depend_on_how_many_there_are() -> None:
    few, many = noise_of_seeds(2, (3, 4)), noise_of_seeds(5, (3, 4))
    assert torch.equal(few, many[:2])
    assert len(np.unique(many[:, 0, 0])) == 5
