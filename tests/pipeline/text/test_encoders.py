from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, CLIPTextModel, T5EncoderModel

from metrics.hashing import weight_hash
from pipeline.config.embed import EmbeddedSet
from pipeline.prompts.sets import Prompt
from pipeline.text.embeddings import EmbeddingError, Embeddings, embed_set
from pipeline.text.encoders import TextEncoder
from pipeline.weights.checkpoints import CheckpointError, resolve

TEXTS = ["A tiger.", "A large plain red circle moves left to right."]


def test_minilm_is_run_with_its_mask(minilm: Path) -> None:
    """Padding must not change a text's own tokens: encoded alone, without any padding, they are the same."""
    encoded = TextEncoder("minilm", minilm).encode(TEXTS, 24, zero_padding=True)
    tokenizer, model = AutoTokenizer.from_pretrained(minilm), AutoModel.from_pretrained(minilm)
    for i, text in enumerate(TEXTS):
        alone = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].detach()
        assert int(encoded.counts[i]) == len(alone)
        assert torch.allclose(encoded.tokens[i, : len(alone)], alone, atol=1e-5)
        assert (encoded.tokens[i, len(alone) :] == 0).all()
    assert encoded.tokens.shape == (2, 24, 384)


def test_padding_can_be_kept(minilm: Path) -> None:
    encoder = TextEncoder("minilm", minilm)
    kept, zeroed = (encoder.encode(TEXTS, 24, zero_padding=flag).tokens for flag in (False, True))
    assert (kept[0, 10:] != 0).any()
    assert torch.equal(kept[1, :11], zeroed[1, :11])


def test_t5_attends_to_its_padding_as_cogvideox_does(cogvideox_folder: Path) -> None:
    encoder = TextEncoder("t5", cogvideox_folder)
    encoded = encoder.encode(TEXTS, 226, zero_padding=False)
    ids = AutoTokenizer.from_pretrained(cogvideox_folder / "tokenizer")(
        TEXTS, padding="max_length", max_length=226, truncation=True, add_special_tokens=True, return_tensors="pt"
    ).input_ids
    t5 = T5EncoderModel.from_pretrained(cogvideox_folder / "text_encoder")
    assert torch.allclose(encoded.tokens, t5(ids)[0].detach(), atol=1e-3)
    assert not torch.allclose(encoded.tokens, t5(ids, attention_mask=(ids != 0).long())[0].detach(), atol=1e-2)
    assert encoded.counts.tolist() == (ids != 0).sum(1).tolist()


def test_clip_text_model(clip_folder: Path) -> None:
    encoded = TextEncoder("clip", clip_folder).encode(TEXTS, 77, zero_padding=False)
    tokens = AutoTokenizer.from_pretrained(clip_folder)(TEXTS[0], return_tensors="pt")
    alone = CLIPTextModel.from_pretrained(clip_folder)(**tokens).last_hidden_state[0].detach()
    assert torch.allclose(encoded.tokens[0, : len(alone)], alone, atol=1e-5)
    assert encoded.tokens.shape == (2, 77, 16)


def test_long_texts_are_cut_and_said_so(minilm: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoded = TextEncoder("minilm", minilm).encode(TEXTS, 8, zero_padding=True)
    assert encoded.truncated.tolist() == [False, True]
    assert encoded.counts.tolist()[1] == 8
    assert "cut to 8 tokens" in caplog.text


def test_the_batch_does_not_matter(minilm: Path) -> None:
    encoder = TextEncoder("minilm", minilm)
    one, many = (encoder.encode(TEXTS * 3, 20, True, batch=size).tokens for size in (1, 6))
    assert torch.allclose(one, many, atol=1e-5)


def test_each_distinct_text_is_encoded_once(minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, seen = TextEncoder("minilm", minilm), []
    original = TextEncoder.encode
    monkeypatch.setattr(
        TextEncoder, "encode", lambda self, texts, *rest: seen.append(texts) or original(self, texts, *rest)
    )
    prompts = [Prompt(f"s/{i}", "s", "", TEXTS[i % 2]) for i in range(5)]
    embed_set(encoder, prompts, EmbeddedSet(length=20, zero_padding=True), tmp_path / "s.safetensors")
    assert [sorted(texts) for texts in seen] == [sorted(TEXTS), [""]]  # and the empty prompt
    stored = Embeddings.read(tmp_path / "s.safetensors")
    assert stored.tokens.shape == (2, 20, 384)
    assert torch.equal(stored.of("s/1"), stored.of("s/3"))
    assert stored.count("s/0") == 5
    assert stored.metadata["weights"] == encoder.weight_hash == weight_hash(minilm)
    assert pd.read_csv(tmp_path / "s.csv").columns.tolist() == ["id", "row", "tokens", "truncated"]


def test_a_sets_factor_is_on_its_texts_and_on_the_empty_prompt(minilm: Path, tmp_path: Path) -> None:
    encoder, path = TextEncoder("minilm", minilm), tmp_path / "new/folder/s.safetensors"
    embed_set(encoder, [Prompt("s/0", "s", "", TEXTS[0])], EmbeddedSet(length=20, zero_padding=False, scale=4.0), path)
    stored, plain = Embeddings.read(path), encoder.encode([TEXTS[0], ""], 20, zero_padding=False).tokens
    assert torch.allclose(stored.of("s/0"), 4 * plain[0], atol=1e-4)
    assert torch.allclose(stored.empty, 4 * plain[1], atol=1e-4)


def test_a_text_of_just_the_length_is_not_cut(minilm: Path) -> None:
    encoder = TextEncoder("minilm", minilm)
    tokens = int(encoder.encode(TEXTS[1:], 24, zero_padding=True).counts[0])
    assert encoder.encode(TEXTS[1:], tokens, zero_padding=True).truncated.tolist() == [False]
    assert encoder.encode(TEXTS[1:], tokens - 1, zero_padding=True).truncated.tolist() == [True]


def test_missing_embeddings_are_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="run the embed stage"):
        Embeddings.read(tmp_path / "none.safetensors")
    with pytest.raises(EmbeddingError, match="no embedding of prompt 's/x'"):
        Embeddings(torch.zeros(1, 2, 3), torch.ones(1), torch.zeros(2, 3), {"s/y": 0}, {}).of("s/x")


def test_missing_checkpoints_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="does not exist and is no hub id"):
        resolve("models/world/none")
    with pytest.raises(CheckpointError, match="'owner/no-such-model' could not be fetched"):
        resolve("owner/no-such-model")
    with pytest.raises(FileNotFoundError, match="holds no weights"):
        weight_hash(tmp_path)
    with pytest.raises(CheckpointError, match="unknown encoder kind 'bert'"):
        TextEncoder("bert", tmp_path)
    with pytest.raises(CheckpointError, match=r"holds no config\.json: expected a t5 text encoder"):
        TextEncoder("t5", tmp_path)


def test_the_weight_hash_follows_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"1")
    first = weight_hash(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert weight_hash(tmp_path) == first
    (tmp_path / "a.safetensors").write_bytes(b"2")
    assert weight_hash(tmp_path) != first
