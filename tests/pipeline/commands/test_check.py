"""What the check stage and the doctor find before anything costs anything."""

from pathlib import Path

import pytest
import yaml

from pipeline.commands import doctor
from pipeline.commands.check import hub_ids, missing_places, of_hub, unnamed_mixtures
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.config.specs import ImageFolder, Videos
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables


@pytest.fixture
def place(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone: code, prompts and shipped models, no public weights."""
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(root: Path, key: str, value: object) -> Params:
    values = yaml.safe_load((root / "params.yaml").read_text())
    section = values
    *parents, last = key.split(".")
    for name in parents:
        section = section[name]
    section[last] = value
    return Params.model_validate(values)


def test_what_stages_make_and_hubs_may_have_is_not_missing(root: Path, place: Path) -> None:
    assert missing_places(changed(root, "report.title", "x")) == []
    assert missing_places(changed(root, "generate.models.world.checkpoint", "THUDM/CogVideoX-2b")) == []


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("generate.models.world.checkpoint", "models/world/cogvideo"),
        ("generate.models.images.codec", "models/codec"),
        ("generate.methods.harivo.motion", "models/world/hario"),
        ("generate.methods.personalised.lora", "/lora"),
        ("embed.encoders.minilm.checkpoint", "./minilm"),
        ("train.harivo.spec.checkpoint", "a/b/c"),
        ("train.autoencoder_grids.spec.starts_from", "models/world/autoencode"),
        ("features.clip", "clip"),
        ("features.clip_text_tower", "models/public/minlm"),
        ("weights.i3d", "i3d.ckpt"),
        ("prompts.msrvtt.path", "msrvtt.json"),
    ],
)
def test_what_is_missing_is_named_by_its_key(root: Path, place: Path, key: str, found: str) -> None:
    (said,) = missing_places(changed(root, key, found))
    assert said.startswith(f"params.yaml: {key} is {found!r}: no such file or folder")


def test_videos_of_others_are_looked_for(root: Path, place: Path) -> None:
    (place / "videos").mkdir()
    wanted = changed(root, "generate.external", {"lvdm": {"clips": "videos", "captions": "c.csv"}})
    assert missing_places(wanted) == ["params.yaml: generate.external.lvdm.captions is 'c.csv': no such file or folder"]


def test_folders_that_a_training_reads_are_looked_for(root: Path, place: Path) -> None:
    wanted = changed(root, "train.etc_plain.spec.mixed", False)
    videos = Videos(clips="c", captions="c.csv", frames=16, size=64)
    beside = {"videos": videos, "images": ImageFolder(folder="i", captions="i.csv"), "labels": "l"}
    spec = wanted.train["etc"].spec.model_copy(update=beside)
    training = wanted.train["etc"].model_copy(update={"spec": spec})
    said = missing_places(wanted.model_copy(update={"train": wanted.train | {"etc": training}}))
    keys = ("videos.clips", "videos.captions", "images.folder", "images.captions", "labels")
    assert [one.split(" is ")[0] for one in said] == [f"params.yaml: train.etc.spec.{key}" for key in keys]


def test_a_mixture_that_the_judge_cannot_name_is_found_before_anything_is_sampled(root: Path, place: Path) -> None:
    prompts, mixtures = read_sets(root / "prompts", ["richspace", "world"])  # nobody asks the judge for the former
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    assert unnamed_mixtures() == []
    wrong = next(mixture for mixture in mixtures if mixture.set == "world")
    wrong.extra["attributes"] = "color"
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    (said,) = unnamed_mixtures()
    assert said.startswith(f"prompts/world.mixtures.csv: mixture {wrong.id}, column attributes: found 'color'")


def test_a_hub_id_is_said_to_be_unknown(root: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = changed(root, "generate.models.world.checkpoint", "THUDM/CogVideoX-2b")
    assert hub_ids(wanted) == {"THUDM/CogVideoX-2b": ["generate.models.world.checkpoint"]}
    (place / "THUDM/CogVideoX-2b").mkdir(parents=True)
    assert hub_ids(wanted) == {}  # a folder of that name is here
    unknown = doctor.Finding("what", "found", unknown=True)
    assert "?" in unknown.mark
    assert doctor.show([unknown]) == 0


def test_what_the_hubs_cache_holds_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    assert of_hub("a/b") == "hub id a/b, not looked up: needs network or a local copy"
    repository = cache / "models--a--b"
    for folder in ("blobs", "refs", "snapshots/0123"):
        (repository / folder).mkdir(parents=True)
    (repository / "blobs/f").write_bytes(b"0" * 200_000_000)
    (repository / "refs/main").write_text("0123")
    (repository / "snapshots/0123/weights").symlink_to(repository / "blobs/f")
    assert of_hub("a/b").startswith("hub id a/b: 0.2 GB in the hub's cache")
    assert "not looked up" in of_hub("a/c")


def test_labels_and_real_videos_must_be_there(root: Path, place: Path) -> None:
    values = yaml.safe_load((root / "params.yaml").read_text())
    values["study"]["simulated"]["designs"] = []
    values["evaluate"] |= {"labels": "labels.csv", "reference": "./real"}
    wanted = Params.model_validate(values)
    said = missing_places(wanted)
    assert [one.split(":")[1].split(" is")[0].strip() for one in said] == ["evaluate.reference", "evaluate.labels"]
