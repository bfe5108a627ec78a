"""Killed, restarted, failing and changing methods: the ledger and the folder must always tell the truth."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.generation import generate
from pipeline.config.params import load
from pipeline.methods.base import Context, Job, build
from pipeline.prompts.sets import read_sets
from pipeline.richspace.optima import strip_steps


class Toy:
    """A method of n clips whose pixels are their seed; it fails where it is told to, and counts what it made."""

    fps, weights, parameters, origin = 8, "w", 10, "paint"

    def __init__(self, n: int = 5, failing: Sequence[int] = (), fingerprint: str = "f") -> None:
        self.n, self.failing, self.mark = n, failing, fingerprint
        self.made: list[int] = []
        self.prepared = 0

    def jobs(self) -> list[Job]:
        return [Job(f"clip-{i}", "s/m", i, "", "prompt", "caption") for i in range(self.n)]

    def fingerprint(self, job: Job) -> str:
        return self.mark

    def prepare(self) -> None:
        self.prepared += 1

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        if any(job.seed in self.failing for job in jobs):
            raise RuntimeError("out of paint")
        self.made += [job.seed for job in jobs]
        return np.stack([np.full((2, 8, 8, 3), job.seed, np.uint8) for job in jobs])


def test_every_job_gets_a_file_and_a_line(tmp_path: Path) -> None:
    entries = generate("toy", Toy(), tmp_path, batch=2)
    assert [entry.outcome for entry in entries] == ["ok"] * 5
    assert read_all(tmp_path / "clip-3.mkv").max() == 3
    assert list(ledger.read(tmp_path).values()) == entries


def test_a_restart_makes_only_what_is_missing(tmp_path: Path) -> None:
    generate("toy", Toy(3), tmp_path, batch=2)
    (tmp_path / "clip-1.mkv").unlink()
    again = Toy(5)
    generate("toy", again, tmp_path, batch=2)
    assert sorted(again.made) == [1, 3, 4]
    nothing = Toy(5)
    generate("toy", nothing, tmp_path, batch=2)
    assert nothing.made == []
    assert (again.prepared, nothing.prepared) == (1, 0)  # nothing to make: no model is loaded


def test_failures_are_recorded_and_do_not_take_their_batch_along(tmp_path: Path) -> None:
    entries = generate("toy", Toy(failing=[2]), tmp_path, batch=5)
    assert [entry.outcome for entry in entries] == ["ok", "ok", "RuntimeError: out of paint", "ok", "ok"]
    assert not (tmp_path / "clip-2.mkv").exists()
    mended = Toy()
    assert {entry.outcome for entry in generate("toy", mended, tmp_path, batch=5)} == {"ok"}
    assert mended.made == [2]


def test_clips_of_other_weights_are_made_anew(tmp_path: Path) -> None:
    generate("toy", Toy(), tmp_path, batch=5)
    changed = Toy(3, fingerprint="g")
    generate("toy", changed, tmp_path, batch=5)
    assert changed.made == [0, 1, 2]
    assert sorted(path.stem for path in tmp_path.glob("*.mkv")) == ["clip-0", "clip-1", "clip-2"]


def test_only_clips_whose_own_embedding_changed_are_made_anew(tmp_path: Path) -> None:
    generate("toy", Toy(), tmp_path, batch=5)
    changed = Toy()
    changed.fingerprint = lambda job: "g" if job.seed == 3 else "f"
    generate("toy", changed, tmp_path, batch=5)
    assert changed.made == [3]


def test_texts_that_do_not_make_the_clip_are_kept_up_to_date(tmp_path: Path) -> None:
    generate("toy", Toy(2), tmp_path, batch=5)
    renamed = Toy(2)
    original = renamed.jobs
    renamed.jobs = lambda: [replace(job, caption="another guide") for job in original()]
    assert {entry.caption for entry in generate("toy", renamed, tmp_path, batch=5)} == {"another guide"}
    assert renamed.made == []


def test_a_model_that_cannot_be_loaded_is_no_failed_clip(tmp_path: Path) -> None:
    broken = Toy()

    def prepare() -> None:
        raise ValueError("no vae")

    broken.prepare = prepare
    with pytest.raises(ValueError, match="no vae"):
        generate("toy", broken, tmp_path, batch=5)
    assert ledger.read(tmp_path) == {}


def test_a_killed_run_continues(tmp_path: Path, root: Path) -> None:
    """A real process, killed in the middle; the second run adds the rest and redoes nothing."""
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from pipeline.clips.generation import generate
        from tests.pipeline.clips.test_generation import Toy
        class Slow(Toy):
            def generate(self, jobs):
                time.sleep(0.05)
                return super().generate(jobs)
        generate("toy", Slow(200), Path(sys.argv[1]), batch=2)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=root, env=os.environ)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.mkv"))) < 10 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {
        path.stem: path.stat().st_mtime_ns for path in tmp_path.glob("*.mkv") if path.stem in ledger.read(tmp_path)
    }
    assert 8 <= len(finished) < 200
    rest = Toy(200)
    entries = generate("toy", rest, tmp_path, batch=50)
    assert len(rest.made) == 200 - len(finished)
    assert all((tmp_path / f"{clip}.mkv").stat().st_mtime_ns == when for clip, when in finished.items())
    assert {entry.outcome for entry in entries} == {"ok"}
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("optimum", "k", "steps"),
    [(14, 30, [1, 13, 14, 15, 30]), (1, 30, [1, 2, 30]), (30, 30, [1, 29, 30]), (2, 30, [1, 2, 3, 30]), (1, 1, [1])],
)
def test_strips_stay_on_the_interpolation(optimum: int, k: int, steps: list[int]) -> None:
    assert strip_steps(optimum, k) == steps


def tables(root: Path) -> tuple:
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    return {prompt.id: prompt for prompt in prompts}, mixtures


def test_faulty_methods_are_named(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(root)
    wanted = load()
    method = wanted.generate.methods["end_a"]
    monkeypatch.setattr("pipeline.methods.base.read_tables", lambda *_: tables(root))
    for change, message in (
        ({"part": "middle"}, r"generate.methods.x.part is 'middle', expected one of \['first', 'last'\]"),
        ({"module": "pipeline/methods/none.py"}, r"generate.methods.x.module: no file pipeline/methods/none.py"),
        ({"module": "pipeline/paths.py"}, r"pipeline/paths.py has no build\(context\)"),
    ):
        with pytest.raises(ValueError, match=message):
            build(Context("x", method.model_copy(update=change), wanted.generate, 30, 40.0))


def test_the_reference_is_rendered_from_its_seed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted = load()
    method = build(Context.of(wanted, "reference"))
    jobs = method.jobs()
    clips = wanted.generate.methods["reference"].options["clips"]
    assert len(jobs) == len({method.fingerprint(job) for job in jobs}) == clips
    assert np.array_equal(method.generate(jobs[5:7])[1], method.generate(jobs[6:7])[0])
