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
from hypothesis import given
from hypothesis import strategies as st

from metrics.reading.video import read_all
from pipeline.clips import ledger
from pipeline.clips.generation import generate, generate_all
from pipeline.clips.jobs import Job
from pipeline.clips.superseded import Superseded
from pipeline.clips.workers import WorkerError, batches, make


class Toy:
    """A method of n clips whose pixels are their seed; it fails where it is told to, and counts what it made."""

    fps, asked, weights, origin = 8, "prompts", "w", "paint"

    def __init__(self, n: int = 5, failing: Sequence[int] = (), fingerprint: str = "f") -> None:
        self.n, self.failing, self.mark = n, failing, fingerprint
        self.made: list[int] = []
        self.prepared = self.counted = 0

    @property
    def parameters(self) -> int:
        self.counted += 1  # of a real model, this loads it
        return 10

    def jobs(self) -> list[Job]:
        return [Job(f"clip-{i}", "s/m", i, "", "prompt", "caption") for i in range(self.n)]

    @property
    def made_by(self) -> dict[str, str]:
        return {"paint": self.mark}

    def fingerprint(self, job: Job) -> str:
        return self.mark

    def prepare(self) -> None:
        self.prepared += 1

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        if any(job.seed in self.failing for job in jobs):
            raise RuntimeError("out of paint")
        self.made += [job.seed for job in jobs]
        return np.stack([np.full((2, 8, 8, 3), job.seed, np.uint8) for job in jobs])


def aside(clips: Path) -> Superseded:
    return Superseded(clips / "aside")


def test_every_job_gets_a_file_and_a_line(tmp_path: Path) -> None:
    entries = generate("toy", Toy(), tmp_path, aside(tmp_path), batch=2)
    assert [entry.outcome for entry in entries] == ["ok"] * 5
    assert read_all(tmp_path / "clip-3.mkv").max() == 3
    assert list(ledger.read(tmp_path).values()) == entries


def test_a_restart_makes_only_what_is_missing(tmp_path: Path) -> None:
    generate("toy", Toy(3), tmp_path, aside(tmp_path), batch=2)
    (tmp_path / "clip-1.mkv").unlink()
    again = Toy(5)
    generate("toy", again, tmp_path, aside(tmp_path), batch=2)
    assert sorted(again.made) == [1, 3, 4]
    nothing = Toy(5)
    generate("toy", nothing, tmp_path, aside(tmp_path), batch=2)
    assert nothing.made == []
    assert (again.prepared, nothing.prepared, nothing.counted) == (1, 0, 0)  # nothing to make: no model is loaded


def test_failures_are_recorded_and_do_not_take_their_batch_along(tmp_path: Path) -> None:
    entries = generate("toy", Toy(failing=[2]), tmp_path, aside(tmp_path), batch=5)
    assert [entry.outcome for entry in entries] == ["ok", "ok", "RuntimeError: out of paint", "ok", "ok"]
    assert not (tmp_path / "clip-2.mkv").exists()
    fixed = Toy()
    assert {entry.outcome for entry in generate("toy", fixed, tmp_path, aside(tmp_path), batch=5)} == {"ok"}
    assert fixed.made == [2]


def test_clips_of_other_weights_are_made_anew(tmp_path: Path) -> None:
    generate("toy", Toy(), tmp_path, aside(tmp_path), batch=5)
    changed = Toy(3, fingerprint="g")
    generate("toy", changed, tmp_path, aside(tmp_path), batch=5)
    assert changed.made == [0, 1, 2]
    assert sorted(path.stem for path in tmp_path.glob("*.mkv")) == ["clip-0", "clip-1", "clip-2"]


def test_only_clips_whose_own_embedding_changed_are_made_anew(tmp_path: Path) -> None:
    generate("toy", Toy(), tmp_path, aside(tmp_path), batch=5)
    changed = Toy()
    changed.fingerprint = lambda job: "g" if job.seed == 3 else "f"
    generate("toy", changed, tmp_path, aside(tmp_path), batch=5)
    assert changed.made == [3]


def test_texts_that_do_not_make_the_clip_are_kept_up_to_date(tmp_path: Path) -> None:
    generate("toy", Toy(2), tmp_path, aside(tmp_path), batch=5)
    renamed = Toy(2)
    original = renamed.jobs
    renamed.jobs = lambda: [replace(job, caption="another guide") for job in original()]
    assert {entry.caption for entry in generate("toy", renamed, tmp_path, aside(tmp_path), batch=5)} == {
        "another guide"
    }
    assert renamed.made == []


def test_a_model_that_cannot_be_loaded_is_no_failed_clip(tmp_path: Path) -> None:
    broken = Toy()

    def prepare() -> None:
        raise ValueError("no vae")

    broken.prepare = prepare
    with pytest.raises(ValueError, match="no vae"):
        generate("toy", broken, tmp_path, aside(tmp_path), batch=5)
    assert ledger.read(tmp_path) == {}


def test_a_killed_run_continues(tmp_path: Path, root: Path) -> None:
    """A real process, killed in the middle; the second run adds the rest and redoes nothing."""
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from pipeline.clips.generation import generate
        from tests.pipeline.clips.test_generation import Toy, aside
        class Slow(Toy):
            def generate(self, jobs):
                time.sleep(0.05)
                return super().generate(jobs)
        generate("toy", Slow(200), Path(sys.argv[1]), aside(Path(sys.argv[1])), batch=2, workers=2)
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
    entries = generate("toy", rest, tmp_path, aside(tmp_path), batch=50)
    assert len(rest.made) == 200 - len(finished)
    assert all((tmp_path / f"{clip}.mkv").stat().st_mtime_ns == when for clip, when in finished.items())
    assert {entry.outcome for entry in entries} == {"ok"}
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU one process makes all clips."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.usefixtures("no_gpu")
def test_several_processes_make_the_clips_of_one(tmp_path: Path, workers: int) -> None:
    entries = generate("toy", Toy(7, failing=[4]), tmp_path, aside(tmp_path), batch=2, workers=workers)
    assert [entry.outcome for entry in entries] == ["ok"] * 4 + ["RuntimeError: out of paint"] + ["ok"] * 2
    assert [int(read_all(tmp_path / entry.file).max()) for entry in entries if entry.outcome == "ok"] == [
        0,
        1,
        2,
        3,
        5,
        6,
    ]
    device = ledger.about(tmp_path)["device"]
    assert device == f"cpu, {workers} processes of one thread" if workers > 1 else device.endswith("threads")


@pytest.mark.usefixtures("no_gpu")
def test_a_worker_that_dies_ends_the_stage(tmp_path: Path) -> None:
    class Fatal(Toy):
        def generate(self, jobs: Sequence[Job]) -> np.ndarray:
            if jobs[0].seed:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().generate(jobs)

    with pytest.raises(WorkerError, match=r"a process died.*lower generate.workers or batch"):
        list(make(Fatal(4), Fatal(4).jobs(), batch=1, workers=2))


@pytest.mark.usefixtures("no_gpu")
def test_a_reader_that_fails_ends_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say: the error comes out, and what was stored stays."""
    stored = []

    def store(path: Path, clip: np.ndarray, fps: int) -> None:
        if len(stored) == 3:
            raise OSError("no space left")
        stored.append(path)

    monkeypatch.setattr("pipeline.clips.generation.write_clip", store)
    with pytest.raises(OSError, match="no space left"):
        generate("toy", Toy(20), tmp_path, aside(tmp_path), batch=2, workers=2)
    assert len(ledger.read(tmp_path)) == 3


def test_what_is_damaged_or_foreign_beside_the_clips_does_no_harm(tmp_path: Path) -> None:
    generate("toy", Toy(2), tmp_path, aside(tmp_path), batch=2)
    (tmp_path / ledger.ABOUT).write_text('{"method": "to')
    (tmp_path / ".notebook").mkdir()
    again = Toy(2)
    generate("toy", again, tmp_path, aside(tmp_path), batch=2)
    assert again.made == []
    assert ledger.about(tmp_path)["parameters"] == 10


@pytest.mark.usefixtures("no_gpu")
def test_an_interrupt_ends_after_the_batches_that_run(tmp_path: Path, root: Path) -> None:
    """Ctrl-C goes to all processes of a terminal: what is stored stays, and nothing more is computed."""
    script = textwrap.dedent(
        """
        import signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        from pathlib import Path
        from pipeline.clips.generation import generate
        from tests.pipeline.clips.test_generation import Toy, aside
        class Slow(Toy):
            def generate(self, jobs):
                time.sleep(0.3)
                return super().generate(jobs)
        generate("toy", Slow(400), Path(sys.argv[1]), aside(Path(sys.argv[1])), batch=1, workers=2)
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    process = subprocess.Popen(command, cwd=root, start_new_session=True, stderr=subprocess.DEVNULL)
    while len(list(tmp_path.glob("*.mkv"))) < 4:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=50) != 0  # all 400 would take as long
    assert len(ledger.read(tmp_path)) < 100


def test_one_method_that_fails_does_not_keep_the_others_from_their_clips(tmp_path: Path) -> None:
    makers = {"a": Toy(2), "b": Toy(2, failing=[0, 1]), "c": Toy(2)}
    with pytest.raises(ValueError, match=r"^b: no clip could be made; the last error was: RuntimeError: out of paint$"):
        generate_all(makers, lambda name: tmp_path / name, aside(tmp_path), batch=2)
    assert makers == {}  # each is let go when it is done
    assert [len(list((tmp_path / name).glob("*.mkv"))) for name in "abc"] == [2, 0, 2]


@given(st.integers(0, 300), st.integers(1, 20), st.integers(1, 4))
def test_batches_hold_every_job_once_and_are_even(n: int, batch: int, workers: int) -> None:
    jobs = Toy(n).jobs()
    groups = batches(jobs, batch, workers)
    assert [job for group in groups for job in group] == jobs
    sizes = [len(group) for group in groups]
    assert max(sizes, default=0) <= batch
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert len(groups) % workers == 0
