"""What stands behind published figures: files and fields that are not what they should be are named."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import params, paths
from pipeline.published import figures, manifest

NAME = "richspace"


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A method's shipped figures, to be spoilt."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / paths.published(NAME), paths.published(NAME))
    return paths.published(NAME)


def test_it_is_read_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    found = manifest.read(folder)
    manifest.write(tmp_path, found)
    assert (tmp_path / manifest.FILE).read_bytes() == (folder / manifest.FILE).read_bytes()


def without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda content: without(content, "weights"), "manifest.json: weights: is missing"),
        (lambda content: content | {"requested": "many"}, "manifest.json: requested: .* valid integer.*, found 'many'"),
        (lambda content: content | {"made_by": "me"}, "manifest.json: no such key: 'made_by'"),
    ],
)
def test_a_field_that_is_wrong_is_named(folder: Path, spoil: Any, said: str) -> None:
    path = folder / manifest.FILE
    path.write_text(json.dumps(spoil(json.loads(path.read_text()))))
    with pytest.raises(ValueError, match=said):
        manifest.read(folder)


def test_what_is_no_json_is_named(folder: Path) -> None:
    (folder / manifest.FILE).write_text('{"a":')
    with pytest.raises(ValueError, match=r"manifest\.json is not JSON: .*line 1"):
        manifest.read(folder)


@pytest.mark.parametrize("name", ["clips.csv", "features.safetensors"])
def test_a_file_that_is_not_the_measured_one_is_refused(folder: Path, name: str) -> None:
    """Rows short, edited, cut off, or the pointer that git leaves in place of a large file."""
    whole = (folder / name).read_bytes()
    for spoilt in (whole[:-1], whole + b"\n", b"version https://git-lfs.github.com/spec/v1\n"):
        (folder / name).write_bytes(spoilt)
        with pytest.raises(ValueError, match=rf"{name} has the SHA-256 .*, expected .*`reelbench publish {NAME}`"):
            figures.read(NAME)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} not found: restore it, or run `reelbench publish {NAME}`"):
        figures.read(NAME)


def test_a_method_without_figures_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"manifest\.json not found: run `reelbench publish nowhere`"):
        figures.read("nowhere")


def test_parameters_that_are_others_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted, published = params.load(), manifest.read(paths.published(NAME))
    assert manifest.other_parameters(wanted, published) == []
    more = wanted.search.model_copy(update={"default_k": 50})
    fewer = wanted.published.model_copy(update={"mixtures": wanted.generate.mixtures})  # of clips
    other = wanted.model_copy(update={"search": more, "published": fewer})
    assert manifest.other_parameters(other, published) == ["k 50 (published: 30)"]
    theirs = {key: value for key, value in published.parameters.items() if key != "mg_scale"} | {"gone": [1]}
    older = published.model_copy(update={"parameters": theirs})
    assert manifest.other_parameters(wanted, older) == [
        "gone unset (published: [1])",
        f"mg_scale {wanted.harivo.mg_scale} (published: unset)",
    ]
