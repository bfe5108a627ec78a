"""Nothing is lost: what parameters, weights or code make otherwise is set aside, and comes back with them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.clips.jobs import Job
from pipeline.clips.superseded import Superseded, difference, set_aside_unknown
from tests.pipeline.clips.test_generation import Toy, aside


class Shade(Toy):
    """Clips whose pixels tell which settings made them."""

    def __init__(self, shade: int, n: int = 3, failing: Sequence[int] = ()) -> None:
        super().__init__(n, failing, f"shade-{shade}")
        self.shade = shade

    @property
    def made_by(self) -> dict[str, object]:
        return {"weights": "0123456789ab", "sampling": {"steps": 4, "shade": self.shade}}

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        return super().generate(jobs) * 0 + self.shade


def shades(folder: Path) -> dict[str, int]:
    """What the folder's clips show, by name."""
    return {path.stem: int(read_all(path).max()) for path in sorted(folder.glob("*.mkv"))}


def test_clips_of_other_settings_come_back_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = tmp_path / "clips"
    first = generate("toy", Shade(1), clips, aside(tmp_path), batch=2)
    generate("toy", Shade(2), clips, aside(tmp_path), batch=2)
    assert shades(clips) == {"clip-0": 2, "clip-1": 2, "clip-2": 2}
    said = capsys.readouterr().err
    assert (
        f"toy: 3 clips set aside in {tmp_path / 'aside'}: 3 would be made otherwise now (sampling.shade: 1 -> 2)"
        in said
    )
    again = Shade(1)
    assert generate("toy", again, clips, aside(tmp_path), batch=2) == first  # with their seconds
    assert (again.made, again.prepared) == ([], 0)
    assert shades(clips) == {"clip-0": 1, "clip-1": 1, "clip-2": 1}
    assert "3 clips that were set aside are taken back" in capsys.readouterr().err
    assert {entry.fingerprint for entry, _ in aside(tmp_path).entries()} == {"shade-2"}


def test_settings_under_which_every_clip_fails_cost_none(tmp_path: Path) -> None:
    """`width: 33`, and back."""
    clips = tmp_path / "clips"
    generate("toy", Shade(1), clips, aside(tmp_path), batch=2)
    with pytest.raises(ValueError, match="no clip could be made"):
        generate("toy", Shade(2, failing=range(3)), clips, aside(tmp_path), batch=2)
    back = Shade(1)
    generate("toy", back, clips, aside(tmp_path), batch=2)
    assert back.made == []
    assert shades(clips) == {"clip-0": 1, "clip-1": 1, "clip-2": 1}


def test_a_model_that_cannot_be_loaded_moves_nothing(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    generate("toy", Shade(1), clips, aside(tmp_path), batch=2)

    def prepare() -> None:
        raise ValueError("no vae")

    broken = Shade(2)
    broken.prepare = prepare
    with pytest.raises(ValueError, match="no vae"):
        generate("toy", broken, clips, aside(tmp_path), batch=2)
    assert shades(clips) == {"clip-0": 1, "clip-1": 1, "clip-2": 1}
    assert len(ledger.read(clips)) == 3


def test_fewer_and_then_more_clips_make_only_new_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = tmp_path / "clips"
    generate("toy", Shade(1, n=5), clips, aside(tmp_path), batch=2)
    generate("toy", Shade(1, n=2), clips, aside(tmp_path), batch=2)
    assert "3 are no longer asked for" in capsys.readouterr().err
    assert sorted(shades(clips)) == ["clip-0", "clip-1"]
    more = Shade(1, n=6)
    entries = generate("toy", more, clips, aside(tmp_path), batch=2)
    assert more.made == [5]
    assert [entry.clip for entry in entries] == [f"clip-{i}" for i in range(6)]


def test_a_method_that_is_renamed_takes_its_clips_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "world/old", tmp_path / "world/new"
    generate("old", Shade(1), old, aside(tmp_path), batch=2)
    set_aside_unknown(tmp_path, {new}, aside(tmp_path))
    assert f"{old}: no method of params.yaml has its clips here any more; 3 clips set aside" in capsys.readouterr().err
    assert not old.exists()
    renamed = Shade(1)
    entries = generate("new", renamed, new, aside(tmp_path), batch=2)
    assert renamed.made == []
    assert {entry.method for entry in entries} == {"new"}


def test_methods_that_there_are_and_hidden_folders_stay(tmp_path: Path) -> None:
    kept = tmp_path / "world/kept"
    generate("kept", Shade(1), kept, Superseded(tmp_path / ".aside"), batch=2)
    set_aside_unknown(tmp_path, {kept}, Superseded(tmp_path / ".aside"))
    assert len(shades(kept)) == 3


def test_files_that_no_ledger_knows_are_kept_and_half_written_ones_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    generate("toy", Shade(1), clips, aside(tmp_path), batch=2)
    for content in (b"mine", b"another"):
        (clips / "holiday.mkv").write_bytes(content)
        (clips / ".clip-9.mkv.tmp").write_bytes(b"half")
        generate("toy", Shade(1), clips, aside(tmp_path), batch=2)
    assert {file.read_bytes() for file in aside(tmp_path).unrecorded()} == {b"mine", b"another"}
    assert f"{clips / 'holiday.mkv'}: in no ledger, set aside" in capsys.readouterr().err
    assert sorted(path.name for path in clips.iterdir() if path.suffix != ".mkv") == [ledger.FILE, ledger.ABOUT]


def test_folders_that_are_no_methods_are_not_touched(tmp_path: Path) -> None:
    """Also those below a method's that is gone: whoever put them there wants them."""
    for place in ("lvdm/videos", "world/old/notes"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.mp4").write_bytes(b"mine")
    generate("old", Shade(1), tmp_path / "world/old", aside(tmp_path), batch=2)
    set_aside_unknown(tmp_path, set(), aside(tmp_path))
    assert [path.read_bytes() for path in tmp_path.glob("*/**/a.mp4")] == [b"mine", b"mine"]
    assert not shades(tmp_path / "world/old")
    assert len(list(aside(tmp_path).entries())) == 3


def test_clips_that_come_back_keep_their_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.clips.generation.device_name", lambda workers: "a GPU")
    generate("old", Shade(1), tmp_path / "old", aside(tmp_path), batch=2)
    monkeypatch.undo()
    generate("old", Shade(2), tmp_path / "old", aside(tmp_path), batch=2)
    generate("new", Shade(1), tmp_path / "new", aside(tmp_path), batch=2)
    assert ledger.about(tmp_path / "new")["device"] == "a GPU"


def test_two_methods_that_make_the_same_clips_both_get_theirs_back(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for shade in (1, 2):
            generate(name, Shade(shade), tmp_path / name, aside(tmp_path), batch=2)
    for name in ("a", "b"):
        again = Shade(1)
        generate(name, again, tmp_path / name, aside(tmp_path), batch=2)
        assert again.made == []


def test_a_kill_between_record_and_clip_loses_nothing(tmp_path: Path) -> None:
    """The record is written first: alone it counts for nothing, and the clip is still where it was."""
    clips, place = tmp_path / "clips", aside(tmp_path)
    generate("toy", Shade(1, n=1), clips, place, batch=2)
    (entry,) = ledger.read(clips).values()
    record = place.folder / entry.fingerprint / "toy/clip-0.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"clip": "clip-0", "meth')
    assert not place.holds("clip-0", entry.fingerprint)
    place.put(clips, entry)
    assert place.holds("clip-0", entry.fingerprint)
    assert place.copy("clip-0", entry.fingerprint, "toy", clips) == entry
    place.discard("clip-0", entry.fingerprint, "toy")
    assert shades(clips) == {"clip-0": 1}
    assert not place.folder.exists()


def test_emptied_it_holds_nothing(tmp_path: Path) -> None:
    generate("toy", Shade(1), tmp_path / "clips", aside(tmp_path), batch=2)
    generate("toy", Shade(2), tmp_path / "clips", aside(tmp_path), batch=2)
    aside(tmp_path).empty()
    assert list(aside(tmp_path).entries()) == []
    anew = Shade(1)
    generate("toy", anew, tmp_path / "clips", aside(tmp_path), batch=2)
    assert anew.made == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=6))
def test_whatever_is_asked_for_in_turn_each_clip_is_made_once(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int]]
) -> None:
    folder, made = tmp_path_factory.mktemp("turns"), []
    for shade, n in asked:
        toy = Shade(shade, n)
        generate("toy", toy, folder / "clips", aside(folder), batch=3)
        assert shades(folder / "clips") == {f"clip-{i}": shade for i in range(n)}
        made += [(shade, seed) for seed in toy.made]
    assert len(made) == len(set(made))


def test_what_changed_is_said_and_digests_are_not() -> None:
    before = {"weights": "0123456789ab", "sampling": {"width": 32, "steps": 4}, "libraries": {"torch": "2.13.0"}}
    now = {"weights": "ba9876543210", "sampling": {"width": 33, "steps": 4}, "libraries": {"torch": "2.14.0"}}
    assert difference(before, before) == []
    assert difference(before, now) == ["other weights", "sampling.width: 32 -> 33", "libraries.torch: 2.13.0 -> 2.14.0"]
    assert difference({}, {"steps": 4}) == ["steps: None -> 4"]
