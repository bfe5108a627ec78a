"""Captions from csv, json and jsonl; each error names file, row and field."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.reading.captions import CaptionError, read_captions
from metrics.reading.matching import matched
from metrics.reading.sources import Source

names = st.text(st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.dictionaries(names, texts, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_format_says_the_same(tmp_path: Path, captions: dict[str, str]) -> None:
    rows = [{"file": f"{name}.mp4", "prompt": text} for name, text in captions.items()]
    (tmp_path / "a.json").write_text(json.dumps(captions))
    (tmp_path / "b.json").write_text(json.dumps(rows))
    (tmp_path / "c.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", "utf-8")
    quoted = [f'"{row["file"]}","{row["prompt"].replace(chr(34), chr(34) * 2)}"' for row in rows]
    (tmp_path / "d.csv").write_text("\n".join(["file,prompt", *quoted]) + "\n", "utf-8")
    for name in ("a.json", "b.json", "c.jsonl", "d.csv"):
        assert read_captions(tmp_path / name) == captions, name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            "file,words\ng0,x\n",
            r"a\.csv, row 2: found fields file, words; expected one of caption, prompt, text",
        ),
        ("a.csv", "file,caption\ng0,x\ng1,\n", r"row 3, field caption: found '', expected text"),
        ("a.csv", "file,caption\n", "no captions"),
        ("a.json", '["x"]', "item 0: found str, expected an object"),
        ("a.json", "{", "cannot be read"),
        ("a.json", "3", "found int, expected an object or a list"),
        ("a.json", '{"g": 3}', "key 'g', field caption: found 3, expected text"),
        ("a.csv", "file,caption\ng.mp4,x\ng.avi,y\n", r"row 3: 'g.avi' has another caption already: 'x'"),
        ("a.txt", "", "captions in '.txt', expected .csv, .json, .jsonl"),
    ],
)
def test_errors_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(CaptionError, match=message):
        read_captions(tmp_path / name)


def test_numbers_name_clips_and_clusters_and_are_no_captions(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 7, "prompt": "x", "scene": 0}\n{"id": 8, "prompt": "y", "scene": 1}\n')
    assert read_captions(tmp_path / "a.jsonl") == {"7": "x", "8": "y"}
    assert read_captions(tmp_path / "a.jsonl", ("scene",)) == {"7": "0", "8": "1"}
    with pytest.raises(CaptionError, match="line 1: found fields id, prompt, scene; expected 'place'"):
        read_captions(tmp_path / "a.jsonl", ("place",))
    (tmp_path / "b.jsonl").write_text('{"id": 7, "prompt": 3}')
    with pytest.raises(CaptionError, match="line 1, field prompt: found 3, expected text"):
        read_captions(tmp_path / "b.jsonl")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptionError, match=r"none\.csv: no such file"):
        read_captions(tmp_path / "none.csv")


def test_captions_find_their_clips_by_path_or_stem() -> None:
    sources = [Source(name, Path(name)) for name in ("a/x", "b/x", "y")]
    where = Path("c.csv")
    assert matched({"a/x": "1", "y": "2", "z": "3"}, sources, where) == {"a/x": "1", "y": "2", "z": "3"}
    assert matched({"x": "1"}, sources[:1], where) == {"a/x": "1"}
    with pytest.raises(CaptionError, match="'x' names 2 clips"):
        matched({"x": "1"}, sources, where)
    with pytest.raises(CaptionError, match="none of 1 captions matches a file: it names 'q', the folder holds 'a/x'"):
        matched({"q": "1"}, sources, where)
