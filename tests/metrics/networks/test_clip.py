"""Dual encoders: a CLIP folder against transformers' own cosines, and the shipped encoder of the world."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPModel

from metrics.distances.clipsim import clipsim
from metrics.networks.clip import DualEncoder
from tests.pipeline import tiny


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


def test_frames_of_another_size_are_refused(clip_folder: Path) -> None:
    with pytest.raises(ValueError, match=r"wants frames \(B, 3, 32, 32\), found \(2, 3, 48, 80\)"):
        DualEncoder(clip_folder).frame_features(torch.rand(2, 3, 48, 80))


def test_the_worlds_encoder_needs_its_text_tower(root: Path) -> None:
    with pytest.raises(ValueError, match="needs the folder of its text tower"):
        DualEncoder(root / "models/world/clip")


def test_the_worlds_encoder_matches_frames_and_captions(root: Path, minilm: Path) -> None:
    """The shipped weights: an unseen clip's own caption wins among 20 of other content in at least 90 %.

    By every fourth frame: content stays the same throughout a clip.
    """
    from pipeline.training.clip import _candidates, contents
    from pipeline.world.captions import captions
    from pipeline.world.render import render
    from pipeline.world.scene import draw

    encoder = DualEncoder(root / "models/world/clip", minilm)
    names, scenes = draw(200, 987_654)
    clips = torch.from_numpy(render(scenes)[:, ::4]).movedim(-1, 2).float() / 255
    texts = encoder.text_features(captions(names, 987_654))
    frames = encoder.frame_features(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
    rng, content = np.random.default_rng(0), contents(names)
    first = []
    for i in range(len(names)):
        rows = _candidates(i, content, 20, rng)
        scores = clipsim(frames[i].expand(20, -1, -1), texts[rows])
        first.append(bool(scores.argmax() == 0))
    assert np.mean(first) >= 0.9
