"""The joint space: embeddings of texts from their tokens are those that the dual encoder makes of the texts."""

from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from transformers import AutoTokenizer

from metrics.networks.clip import DualEncoder, TextTower
from pipeline.config.embed import EmbeddedSet
from pipeline.make_a_video.embedding import JointSpace
from pipeline.text.encoders import TextEncoder
from pipeline.training.latents import CaptionEncoder
from tests.pipeline.tiny import EMBEDDING

TEXTS = [
    "A large plain red circle moves to the right.",
    "The red diamond, big, drifts from left to right.",
    "A blue square.",
    "Moving from top to bottom, a little striped yellow rhombus.",
]
LENGTH, SCALE = 20, 4.0  # as params.yaml embeds the toy world's captions


def tokens_of(folder: Path, kind: str = "minilm", length: int = LENGTH) -> torch.Tensor:
    embedded = EmbeddedSet(length=length, zero_padding=True, scale=SCALE)
    encoder = CaptionEncoder(TextEncoder(kind, folder), embedded)
    tokens, row = encoder.embed(TEXTS)
    return encoder.scaled(tokens)[row]


def check_texts(clip: Path, tower: Path) -> None:
    """Pooled by the tower and passed through the text head, times √d; float16 was between."""
    encoder = DualEncoder(clip, tower)
    pooled = TextTower(tower).pooled(TEXTS)
    with torch.no_grad():
        wanted = F.normalize(encoder.model.text_head(pooled), dim=-1) * encoder.model.config.projection_dim**0.5
    found = JointSpace(encoder).texts(tokens_of(tower), SCALE)
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=5e-3)
    assert torch.allclose(found, encoder.text_features(TEXTS) * wanted.shape[1] ** 0.5, atol=5e-3)


def test_texts_of_a_small_encoder(world_clip_folder: Path, sentence_folder: Path) -> None:
    check_texts(world_clip_folder, sentence_folder)


def test_texts_of_the_toy_worlds_encoder(root: Path, minilm: Path) -> None:
    """The shipped head on real MiniLM, embedded as params.yaml says."""
    check_texts(root / "models/world/clip", minilm)


def test_texts_of_a_clip_are_the_projections_of_their_ends(clip_folder: Path) -> None:
    encoder = DualEncoder(clip_folder)
    padded = AutoTokenizer.from_pretrained(clip_folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        output = encoder.model.get_text_features(**padded)
    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    wanted = F.normalize(features, dim=-1) * features.shape[1] ** 0.5
    found = JointSpace(encoder).texts(tokens_of(clip_folder, "clip", 30), SCALE)
    assert torch.allclose(found, wanted, atol=1e-2)


@settings(max_examples=15)
@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), scale=st.sampled_from([1.0, 4.0]))
def test_padding_is_no_part_of_the_mean(
    world_clip_folder: Path, sentence_folder: Path, lengths: list[int], scale: float
) -> None:
    """Text by text, by slices; the empty prompt, all zeros, is the head of zeros."""
    encoder = DualEncoder(world_clip_folder, sentence_folder)
    tokens = torch.randn(len(lengths), 6, 24, generator=torch.Generator().manual_seed(len(lengths)))
    for one, length in zip(tokens, lengths, strict=True):
        one[length:] = 0
    found = JointSpace(encoder).texts(scale * tokens, scale)
    for one, length, made in zip(tokens, lengths, found, strict=True):
        mean = one[:length].mean(dim=0) if length else torch.zeros(24)
        with torch.no_grad():
            wanted = encoder.model.embed_pooled_text(mean[None])[0] * EMBEDDING**0.5
        assert torch.allclose(made, wanted, atol=1e-4)


def test_a_text_that_fills_all_tokens_ends_with_the_last(clip_folder: Path) -> None:
    """Whatever else is in the batch."""
    encoder = DualEncoder(clip_folder)
    tokens = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    tokens[1, 3:] = 0
    found = JointSpace(encoder).texts(tokens)
    with torch.no_grad():
        wanted = encoder.model.text_projection(torch.stack([tokens[0, 4], tokens[1, 2]]))
    wanted = F.normalize(wanted, dim=-1) * wanted.shape[1] ** 0.5
    assert torch.allclose(found, wanted, atol=1e-5)
    assert torch.allclose(JointSpace(encoder).texts(tokens[:1]), found[:1], atol=1e-5)


def test_images_have_about_unit_variance(world_clip_folder: Path, sentence_folder: Path) -> None:
    """In parts or at once: the features of the encoder, times √d."""
    encoder = DualEncoder(world_clip_folder, sentence_folder)
    frames = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = JointSpace(encoder).images(frames, batch=2)
    assert torch.allclose(found, encoder.frame_features(frames) * EMBEDDING**0.5, atol=1e-5)
    assert torch.allclose(found.square().mean(dim=1), torch.ones(5), atol=1e-4)
