"""Which clips take part: of ledgers, of folders, of both."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.clips import ledger
from pipeline.config import params, paths
from pipeline.study import clips, design
from pipeline.study.design import StudyError
from tests.pipeline.study.small import study
from tests.pipeline.study.videos import write_captions, write_parts, write_study, write_videos


def ledger_of(folder: Path, method: str, names: dict[str, dict[str, str]]) -> None:
    """Clips and a ledger with entries by the clip's name."""
    write_videos(folder, len(names), frames=3)
    for number, (name, values) in enumerate(names.items()):
        (folder / f"clip-{number:03d}.mkv").rename(folder / f"{name}.mkv")
        default = {"mixture": "", "variant": "", "prompt": "", "weights": "", "fingerprint": "", "outcome": ledger.OK}
        entry = default | {"caption": f"What {name} shows."} | values
        ledger.append(folder, ledger.Entry(clip=name, method=method, seed=0, seconds=1.0, **entry))
    (folder / ledger.ABOUT).write_text(json.dumps({"fps": 8}))


@pytest.fixture
def run(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with this one's parameters and no clips."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline").symlink_to(root / "pipeline")
    params.write(params.read(root / paths.PARAMS), tmp_path / paths.PARAMS)
    return tmp_path


def resolved(folder: Path, kind: str, **changes: Any) -> clips.Material:
    return clips.resolve(study(kind, **{"checks": {}, "raters": {"expected": 1, "trials": 1}} | changes), folder)


def test_folders_have_their_common_clips_in_order(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", 3, prompts=5)
    (tmp_path / "theirs/clip-002.mkv").unlink()
    material = clips.resolve(design.read(path), tmp_path)
    assert [item.id for item in material.items] == ["clip-000", "clip-001", "clip-003", "clip-004"]
    assert material.items[0].caption == "A square <0> & its ground"
    assert len(material.clips) == 4 * 3
    assert material.clips["clip-003", "theirs"].source.path == tmp_path / "theirs/clip-003.mkv"
    assert material.clips["clip-003", "theirs"].rate == 8


def test_clips_of_one_caption_are_of_one_prompt(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4, raters={"expected": 1, "trials": 2})
    (tmp_path / "captions.csv").write_text("clip,caption\nclip-000,a\nclip-001,b\nclip-002,a\nclip-003,c\n")
    material = clips.resolve(design.read(path), tmp_path)
    assert [item.prompt for item in material.items] == ["clip-000", "clip-001", "clip-000", "clip-003"]
    fewer = design.read(path).model_copy(update={"clips": design.read(path).clips.model_copy(update={"prompts": 2})})
    assert [item.id for item in clips.resolve(fewer, tmp_path).items] == ["clip-000", "clip-001", "clip-002"]


def test_ledgers_name_prompts_and_captions(run: Path) -> None:
    for method in ("frames", "harivo"):
        names = {"w-1-s0": {"prompt_id": "world/w-1"}, "w-2-s0": {"prompt_id": "world/w-2"}}
        names |= {"w-3-s0": {"outcome": "out of memory"}} if method == "harivo" else {"w-3-s0": {}}
        ledger_of(paths.clips("images", method), method, names)
    material = resolved(run, "pairwise", clips={"methods": ["harivo", "frames"]})
    assert [(item.id, item.prompt) for item in material.items] == [("w-1-s0", "world/w-1"), ("w-2-s0", "world/w-2")]
    assert material.items[0].caption == "What w-1-s0 shows."


def test_a_folder_stands_beside_a_ledger(run: Path) -> None:
    ledger_of(paths.clips("images", "frames"), "frames", {"clip-001": {"caption": "A square <1> & its ground"}})
    write_videos(run / "mine/videos", 2)
    write_captions(run / "mine/captions.csv", 2)
    both = {"methods": ["frames"], "folders": {"mine": {"clips": "videos", "captions": "captions.csv"}}}
    material = resolved(run / "mine", "best_of", clips=both)
    assert [item.id for item in material.items] == ["clip-001"]


def test_parts_of_mixtures_come_from_the_tables_of_the_run(run: Path) -> None:
    paths.PROMPTS.parent.mkdir(parents=True)
    paths.PROMPTS.write_text(
        "id,set,category,text\nw/a,w,,A red circle.\nw/b,w,,A blue circle.\nw/g,w,,A purple one.\n"
    )
    paths.MIXTURES.write_text("id,set,parts,guide\nw/two,w,w/a w/b,w/g\nw/three,w,w/a w/b w/a,w/g\n")
    names = {"two-s0": {"mixture": "w/two"}, "two-s1": {"mixture": "w/two"}, "three-s0": {"mixture": "w/three"}}
    ledger_of(paths.clips("world", "richspace"), "richspace", names)
    material = resolved(run, "mixture", clips={"methods": ["richspace"]})
    assert [item.id for item in material.items] == ["two-s0", "two-s1"]
    assert material.items[0].parts == ("A red circle.", "A blue circle.")
    assert material.items[0].caption == "A red circle. + A blue circle."  # not the guide, which would tell the answer
    assert {item.prompt for item in material.items} == {"w/two"}


def test_parts_of_mixtures_come_from_the_study(tmp_path: Path) -> None:
    material = clips.resolve(design.read(write_study(tmp_path, "mixture", prompts=4)), tmp_path)
    assert [item.parts for item in material.items][1] == ("a square 1", "a ground")


def test_a_clip_that_changes_has_another_digest(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    before = clips.resolve(design.read(path), tmp_path).contents
    write_videos(tmp_path / "theirs", 1, seed=5)
    after = clips.resolve(design.read(path), tmp_path).contents
    assert {name for name in before if before[name] != after[name]} == {"theirs/clip-000"}


def refused(path: Path) -> str:
    with pytest.raises(ValueError) as error:
        clips.resolve(design.read(path), path.parent)
    return str(error.value)


def test_methods_without_a_common_clip_are_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=2)
    for file in (tmp_path / "theirs").iterdir():
        file.rename(file.with_stem(f"other-{file.stem}"))
    rows = [f"{stem},text" for stem in ("clip-000", "clip-001", "other-clip-000", "other-clip-001")]
    (tmp_path / "captions.csv").write_text("\n".join(["clip,caption", *rows]))
    said = refused(path)
    assert "no clip of one name in common" in said
    assert "ours has 2 such as 'clip-000', theirs has 2 such as 'other-clip-000'" in said


def test_captions_that_differ_are_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    path.write_text(path.read_text().replace("captions: captions.csv", "captions: other.csv", 1))
    (tmp_path / "other.csv").write_text("clip,caption\n" + "".join(f"clip-00{i},else\n" for i in range(4)))
    assert "'clip-000' has the caption 'else' of ours and 'A square <0> & its ground' of theirs" in refused(path)


def test_a_video_without_a_caption_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    write_captions(tmp_path / "captions.csv", 3)
    assert "has no caption for 'clip-003', expected one for each video of" in refused(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    (tmp_path / "theirs").rename(tmp_path / "gone")
    assert refused(path) == f"clips.folders.theirs: {tmp_path / 'theirs'}: no such file or folder"


def test_more_prompts_than_there_are_are_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, "best_of", prompts=4)
    path.write_text(path.read_text().replace("clips:\n  folders", "clips:\n  prompts: 5\n  folders"))
    assert refused(path) == "clips.prompts is 5, expected at most 4: so many have a clip of every method"


def test_more_trials_than_there_is_to_ask_are_refused(tmp_path: Path) -> None:
    assert "raters.trials is 4, expected at most 3" in refused(write_study(tmp_path, "best_of", prompts=3))


def test_a_mixture_without_parts_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, "mixture", prompts=4)
    write_parts(tmp_path / "parts.csv", 3)
    assert refused(path) == "clips.parts: parts.csv has no two parts for 1 clips such as 'clip-003'"
    (tmp_path / "parts.csv").write_text("clip,a,b\nclip-000,x,\n")
    assert refused(path) == f"clips.parts: {tmp_path / 'parts.csv'}, row 2, field b: found nothing, expected text"


def test_a_method_that_the_run_does_not_know_is_refused(run: Path) -> None:
    with pytest.raises(ValueError, match=r"clips\.methods names 'harvo' \(did you mean 'harivo'\?\)"):
        resolved(run, "best_of", clips={"methods": ["harvo", "frames"]})


def test_a_method_without_clips_is_refused(run: Path) -> None:
    with pytest.raises(
        StudyError, match=r"clips\.methods names 'harivo', which has no clips in data/clips/images/harivo"
    ):
        resolved(run, "best_of", clips={"methods": ["harivo", "frames"]})


def test_a_clip_of_a_ledger_that_is_gone_is_named(run: Path) -> None:
    folder = paths.clips("images", "harivo")
    ledger_of(folder, "harivo", {"w-1-s0": {}})
    (folder / "w-1-s0.mkv").unlink()
    with pytest.raises(StudyError, match=r"the ledger of 'harivo' names .*w-1-s0\.mkv, which is not there"):
        resolved(run, "rating", clips={"methods": ["harivo"]})
