import json
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.msrvtt import read_msrvtt
from pipeline.prompts.sets import Mixture, PromptError, normalise, read_mixtures, read_prompts, read_sets, spread
from pipeline.prompts.tables import read_tables, write_tables

SETS = {"richspace": 40, "world": 276, "harivo": 100, "vc": 40, "ucf101": 101, "vbench": 946, "tc_bench": 150}


def write(folder: Path, text: str | bytes, name: str = "s.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_shipped_set_is_valid_and_complete(root: Path) -> None:
    prompts, mixtures = read_sets(root / "prompts", list(SETS))
    for name, count in SETS.items():
        assert sum(prompt.set == name for prompt in prompts) == count
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    paper = [mixture for mixture in mixtures if mixture.set == "richspace"]
    assert [len(mixture.parts) for mixture in paper] == [2] * 12 + [3] * 5
    assert sorted(int(mixture.extra["figure"]) for mixture in paper) == [*range(3, 7), *range(7, 20)]
    assert all(1 <= int(mixture.extra["paper_step"]) <= 30 for mixture in paper)
    assert [m.extra["figure"] for m in paper if "completed" in m.extra.get("note", "")] == ["8"]
    assert sum(mixture.extra["outcome"] == "failure" for mixture in paper) == 7


def test_harivo_has_five_categories(root: Path) -> None:
    prompts, _ = read_sets(root / "prompts", ["harivo"])
    assert len({prompt.category for prompt in prompts}) == 5


def test_every_set_names_source_and_licence(root: Path) -> None:
    import yaml

    for name, entry in yaml.safe_load((root / "prompts/sets.yaml").read_text()).items():
        assert entry["title"] and entry["source"] and entry["licence"], name


def test_paper_mixtures_equal_the_reference(root: Path, shared: Path) -> None:
    import yaml

    reference = yaml.safe_load((shared / "reference/richspace_mixtures.yaml").read_text())
    prompts, mixtures = read_sets(root / "prompts", ["richspace"])
    text = {prompt.id: prompt.text for prompt in prompts}
    ours = {mixture.name: mixture for mixture in mixtures}
    two = {row["id"]: [row["a"], row["b"]] for row in reference["two_prompt"]}
    for row in reference["two_prompt"] + reference["three_prompt"]:
        mixture = ours[row["id"]]
        parts = two[row["id"]] if "a" in row else [*two[row["first"]], row["c"]]
        assert [text[part] for part in mixture.parts] == parts
        assert text[mixture.guide] == row["guide"]
        assert (int(mixture.extra["paper_step"]), mixture.extra["outcome"]) == (row["paper_step"], row["outcome"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,category,text\na,x,one\na,x,two\n", r"s.csv, row 3, field id: duplicate 'a', already in row 2"),
        ("id,category,text\na,x,  \n", "row 2, field text: empty"),
        ("id,category,text\n,x,one\n", "row 2, field id: empty"),
        ("id,category,text\na/b,x,one\n", "row 2, field id: 'a/b' contains a slash"),
        ("id,text\na,one\n", "row 1: no column category; found id, text"),
        ("id,category,text\na,x\n", "row 2: expected 3 fields"),
        (b"id,category,text\na,x,one\nb,x,caf\xe9\n", "row 3, field 3: byte 0xe9 is not valid UTF-8"),
    ],
)
def test_wrong_prompts_are_refused_with_row_and_field(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        read_prompts(write(tmp_path, content), "s")


def test_all_errors_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        read_prompts(write(tmp_path, "id,category,text\na,x,\nb,x,\n"), "s")
    assert "row 2" in str(error.value) and "row 3" in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("m,a nosuch,g", "field parts: unknown prompt 'nosuch'"),
        ("m,a b,nosuch", "field guide: unknown prompt 'nosuch'"),
        ("m,a,g", "field parts: expected two or three prompt ids, found 1"),
    ],
)
def test_wrong_mixtures_are_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(PromptError, match=f"row 2, {message}"):
        read_mixtures(write(tmp_path, f"id,parts,guide\n{row}\n"), "s", {"s/a", "s/b", "s/g"})


def test_unknown_sets_and_changed_frozen_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "s: {sha256: dead}\n", "sets.yaml")
    write(tmp_path, "id,category,text\na,x,one\n")
    with pytest.raises(PromptError, match="no set 'other'"):
        read_sets(tmp_path, ["other"])
    with pytest.raises(PromptError, match=r"frozen in sets\.yaml as dead"):
        read_sets(tmp_path, ["s"])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_that_look_the_same_are_the_same(text: str) -> None:
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(unicodedata.normalize("NFC", text))
    assert normalise(normalise(text)) == normalise(text)


def _mixtures(*attributes: str) -> list[Mixture]:
    return [Mixture(f"s/{n}", "s", ("s/a", "s/b"), "s/g", {"attributes": own}) for n, own in enumerate(attributes)]


def test_so_many_mixtures_are_of_all_kinds() -> None:
    mixtures = _mixtures("colour", "colour", "shape", "colour shape", "shape", "motion")
    assert [mixture.name for mixture in spread(mixtures, 3)] == ["0", "2", "3"]
    assert [mixture.name for mixture in spread(mixtures, 4)] == ["0", "2", "3", "5"]
    assert [mixture.name for mixture in spread(mixtures, 5)] == ["0", "1", "2", "3", "5"]
    assert spread(mixtures, None) == spread(mixtures, 9) == mixtures


def test_the_default_run_has_a_mixture_of_every_kind(root: Path) -> None:
    asked = yaml.safe_load((root / "params.yaml").read_text())["generate"]["mixtures"]["limit"]
    _, mixtures = read_sets(root / "prompts", ["world"])
    chosen = spread(mixtures, asked)
    assert {mixture.extra["attributes"] for mixture in chosen} == {mixture.extra["attributes"] for mixture in mixtures}
    assert {len(mixture.parts) for mixture in chosen} == {2, 3}


def test_without_attributes_they_are_the_first() -> None:
    mixtures = [Mixture(f"s/{n}", "s", ("s/a", "s/b"), "s/g") for n in range(5)]
    assert spread(mixtures, 2) == mixtures[:2]


@given(st.lists(st.sampled_from(["colour", "shape", "motion"]), max_size=20), st.integers(0, 20))
def test_no_kind_has_two_more_than_another_that_could_have_one(attributes: list[str], limit: int) -> None:
    mixtures = _mixtures(*attributes)
    chosen = spread(mixtures, limit)
    assert len(chosen) == min(limit, len(mixtures))
    assert chosen == [mixture for mixture in mixtures if mixture in chosen]
    taken = Counter(mixture.extra["attributes"] for mixture in chosen)
    left = {mixture.extra["attributes"] for mixture in mixtures if mixture not in chosen}
    assert all(taken[own] >= max(taken.values(), default=0) - 1 for own in left)


def test_tables_survive_the_disk(root: Path, tmp_path: Path) -> None:
    prompts, mixtures = read_sets(root / "prompts", list(SETS))
    write_tables(prompts, mixtures, tmp_path / "p.csv", tmp_path / "m.csv")
    read, read_mix = read_tables(tmp_path / "p.csv", tmp_path / "m.csv")
    assert list(read.values()) == prompts
    assert read_mix == mixtures
    write_tables(prompts, [], tmp_path / "p.csv", tmp_path / "m.csv")
    assert read_tables(tmp_path / "p.csv", tmp_path / "m.csv")[1] == []


def msrvtt(folder: Path, videos: int, captions: int = 20) -> Path:
    data = {
        "videos": [{"video_id": f"video{7010 + i}", "category": i % 20} for i in range(videos)],
        "sentences": [
            {"video_id": f"video{7010 + i}", "sen_id": i * captions + j, "caption": f"caption {j} of {i}"}
            for i in range(videos)
            for j in range(captions)
        ],
    }
    return write(folder, json.dumps(data), "test_videodatainfo.json")


def test_msrvtt_rules(tmp_path: Path) -> None:
    path = msrvtt(tmp_path, 2990)
    first, every = read_msrvtt(path, "first", 0), read_msrvtt(path, "all", 0)
    assert (len(first), len(every)) == (2990, 59800)
    assert first[0].text == "caption 0 of 0"
    assert len({prompt.id for prompt in every}) == 59800
    drawn = [read_msrvtt(path, "random", seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({prompt.text.split()[1] for prompt in drawn[0]}) == 20


def test_the_official_msrvtt_file(shared: Path) -> None:
    path = shared / "data/prompts/msrvtt/test_videodatainfo.json.zip"
    prompts = read_msrvtt(path, "first", 0)
    names = (shared / "data/prompts/msrvtt/test_videos_2990.txt").read_text().split()
    assert {prompt.id.removeprefix("msrvtt/") for prompt in prompts} == set(names)


def test_other_files_are_not_msrvtt(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="expected 2990 videos with 20 captions each, found 12"):
        read_msrvtt(msrvtt(tmp_path, 12), "first", 0)
    with pytest.raises(PromptError, match="not MSR-VTT's videodatainfo"):
        read_msrvtt(write(tmp_path, "{}", "x.json"), "first", 0)
    with pytest.raises(PromptError, match="not a readable"):
        read_msrvtt(write(tmp_path, "nonsense", "y.json"), "first", 0)
    with pytest.raises(PromptError, match="does not exist"):
        read_msrvtt(tmp_path / "none.json", "first", 0)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(PromptError, match="not a readable"):
        read_msrvtt(tmp_path / "z.zip", "first", 0)
