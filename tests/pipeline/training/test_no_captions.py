"""No paired text-video data: of Make-A-Video's trainings the prior's alone reads a caption."""

import sys
from collections.abc import Iterator

import pytest
import torch

from metrics.networks.clip import DualEncoder, TextTower
from pipeline.make_a_video.embedding import JointSpace
from pipeline.text.encoders import TextEncoder
from pipeline.training import latents
from pipeline.training.latents import CaptionEncoder
from pipeline.world import captions
from tests.pipeline.training.cascade import UNCAPTIONED, Place, spec_of, task_of
from tests.pipeline.training.small import losses_of

READ = "a caption was read"
FUNCTIONS = (captions.captions, captions.canonical, latents.training_captions)
READERS = (
    (DualEncoder, "text_features"),
    (JointSpace, "texts"),
    (TextTower, "pooled"),
    (CaptionEncoder, "embed"),
    (TextEncoder, "encode"),
)


def refuse(*_: object, **__: object) -> None:
    raise AssertionError(READ)


@pytest.fixture
def unreadable() -> Iterator[None]:
    """Captions cannot be written or read: wherever a function of theirs was imported to, it raises."""
    with pytest.MonkeyPatch.context() as patch:
        for module in list(sys.modules.values()):
            own = dict(vars(module)) if getattr(module, "__name__", "").startswith(("pipeline.", "metrics.")) else {}
            for name, value in own.items():
                if any(value is function for function in FUNCTIONS):
                    patch.setattr(module, name, refuse)
        for reader, name in READERS:
            patch.setattr(reader, name, refuse)
        yield


@pytest.mark.parametrize("name", UNCAPTIONED)
def test_it_is_built_trained_and_validated_without_captions(place: Place, name: str, unreadable: None) -> None:
    task = task_of(name, place)
    losses_of(task, 0).total.backward()
    with torch.no_grad():
        assert task.validate(final=True)


def test_the_prior_reads_them(place: Place, unreadable: None) -> None:
    """So what is refused here is what would be read."""
    with pytest.raises(AssertionError, match=READ):
        task_of("prior", place)


def tensors(place: Place, name: str) -> dict[str, torch.Tensor]:
    """What a step learns from, by name; of the prior what its captions are embedded as."""
    task = task_of(name, place)
    batch = task.source.batch(3)
    found = {key: getattr(batch, key) for key in batch.__dataclass_fields__}
    return found | ({"captions": task.source.data.text} if name == "prior" else {})


@pytest.mark.parametrize("name", [*UNCAPTIONED, "prior"])
def test_another_grammar_changes_no_batch(place: Place, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Other sentences, other synonyms: to the bit the same videos, embeddings and noise. The prior's texts change."""
    before = tensors(place, name)
    monkeypatch.setattr(captions, "TEMPLATES", ("{motion} {colour} {texture} {shape}",))
    monkeypatch.setattr(captions, "SYNONYMS", dict.fromkeys(captions.SYNONYMS, ("circle",)))
    after = tensors(place, name)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed <= {"text", "tokens", "captions"}
    assert ("captions" in changed) == (name == "prior")


@pytest.mark.parametrize("name", UNCAPTIONED)
def test_no_specification_names_a_text(place: Place, name: str) -> None:
    """Not by any of its keys; that of the prior does."""
    spec = spec_of(name, place)
    assert not {"text", "captions", "encoder", "validation_prompts"} & set(type(spec).model_fields)
    with pytest.raises(ValueError, match="no such key: 'text'"):
        type(spec).model_validate(spec.model_dump() | {"text": {"encoder": "text", "set": "captions"}})
    assert "text" in type(spec_of("prior", place)).model_fields
