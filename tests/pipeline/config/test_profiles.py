"""Profiles change parts of params.yaml: what is merged, what replaces, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import profiles
from pipeline.config.params import ParamsError, checked, read
from pipeline.config.profiles import assign, merged, with_profile, with_settings

BASE: dict[str, Any] = {"a": {"x": 1, "y": {"z": [1, 2]}}, "b": 3}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with profiles/; `write` puts them there."""
    (tmp_path / "profiles").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> None:
    folder = Path("profiles") / name
    folder.mkdir()
    (folder / "params.yaml").write_text(text)


def test_mappings_are_merged_and_everything_else_replaces() -> None:
    assert merged(BASE, {"a": {"x": None, "y": {"z": [3], "w": 0}}}) == {
        "a": {"x": None, "y": {"z": [3], "w": 0}},
        "b": 3,
    }
    assert merged(BASE, {"a": {"y": 7}, "c": {"d": {"e": 1}}})["a"] == {"x": 1, "y": 7}
    assert merged(BASE, {"b": {"now": "a mapping"}})["b"] == {"now": "a mapping"}
    assert BASE == {"a": {"x": 1, "y": {"z": [1, 2]}}, "b": 3}  # as it was


def test_a_marked_mapping_replaces(place: Path) -> None:
    write("own", "profile: {title: t}\na: !replace {k: {l: 1}}\n")
    found = with_profile(BASE, "own")
    assert found == {"a": {"k": {"l": 1}}, "b": 3}
    assert type(found["a"]) is dict  # so that it can be written


def test_a_profile_is_put_on_the_one_that_it_extends(place: Path) -> None:
    write("low", "profile: {title: t}\na: !replace {p: 1}\nb: 4\n")
    write("high", "profile: {title: t, extends: low}\na: {q: 2}\n")
    assert with_profile(BASE, "high") == {"a": {"p": 1, "q": 2}, "b": 4}
    assert profiles.names() == ["high", "low"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n", "profile: "),
        ("profile: {title: t, extends: own}\n", "own extends own"),
        ("profile: {title: t, extends: other}\n", "profiles has no 'other', expected one of own"),
        ("profile: {titel: t}\n", "did you mean 'title'"),
        ("profile: {title: t}\na: 1\na: 2\n", "the key 'a' is there already, in line 2"),
    ],
)
def test_what_is_no_profile_is_refused(place: Path, text: str, said: str) -> None:
    write("own", text)
    with pytest.raises(ParamsError, match=said):
        with_profile(BASE, "own")


def test_settings_replace_by_keys_with_dots() -> None:
    found = with_settings(BASE, ["a.y={w: 1}", "a.new=null", "b=[1, two]"])
    assert found == {"a": {"x": 1, "y": {"w": 1}, "new": None}, "b": [1, "two"]}
    named = {"models": {"sd-1": {"batch": 3}, "sd-1.5": {"batch": 4}}}
    assign(named, "models.sd-1.5.batch", 1)
    assert named == {"models": {"sd-1": {"batch": 3}, "sd-1.5": {"batch": 1}}}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("a.x", "expected key=value"),
        ("b.c=1", r"--set b\.c=1: b is 3, which holds no keys"),
        ("q.c=1", "params.yaml has no 'q', expected one of a, b"),
        ("a.y.z.w.v=1", r"a\.y\.z is \[1, 2\], which holds no keys"),
        ("a.yy.w=1", r"--set a\.yy\.w=1: a has no 'yy' \(did you mean 'y'\?\), expected one of x, y"),
        ("a.why.w=1", r": a has no 'why', expected one of x, y"),
    ],
)
def test_settings_that_are_none_are_refused(setting: str, said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        with_settings(BASE, [setting])


def test_unknown_keys_are_refused_as_in_params_yaml(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(ParamsError, match=r"generate\.models has no 'cogvideo' \(did you mean 'cogvideox'\?\)"):
        with_settings(with_profile(read(), "cogvideox-2b"), ["generate.models.cogvideo.checkpoint=/x"])
    values = with_settings(with_profile(read(), "cogvideox-2b"), ["generate.models.cogvideox.memory.tilling=true"])
    with pytest.raises(ParamsError, match=r"own: generate.models.cogvideox.memory: .*did you mean 'tiling'"):
        checked(values, "own")
