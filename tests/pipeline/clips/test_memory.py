"""Batches that do not fit into the device's memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.clips import ledger
from pipeline.clips.generation import generate, generate_all
from pipeline.clips.jobs import Job
from pipeline.clips.memory import InHalves, Room
from pipeline.clips.superseded import Superseded


class Large:
    """A method whose device holds so many clips at once; notes how many were tried."""

    fps, asked, weights, origin, parameters = 8, "prompts", "w", "paint", 1

    def __init__(self, n: int, fit: int) -> None:
        self.n, self.fit = n, fit
        self.tried: list[int] = []

    @property
    def made_by(self) -> dict[str, str]:
        return {"paint": "p"}

    def jobs(self) -> list[Job]:
        return [Job(f"clip-{i}", "s/m", i, "", "prompt", "caption") for i in range(self.n)]

    def fingerprint(self, job: Job) -> str:
        return "f"

    def prepare(self) -> None:
        pass

    def generate(self, jobs: Sequence[Job]) -> np.ndarray:
        self.tried.append(len(jobs))
        if len(jobs) > self.fit:
            raise torch.OutOfMemoryError("tried to allocate 2 GiB")
        return np.stack([np.full((2, 8, 8, 3), job.seed, np.uint8) for job in jobs])


def run(large: Large, folder: Path, batch: int, workers: int = 1) -> list[ledger.Entry]:
    return generate("large", InHalves(large, Room("world")), folder, Superseded(folder / "aside"), batch, workers)


def test_the_batch_is_halved_once_and_for_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = Large(16, fit=3)
    assert [entry.outcome for entry in run(large, tmp_path, batch=8)] == [ledger.OK] * 16
    assert large.tried == [8, 4, *[2] * 8]  # the second batch of eight knows already
    said = [line for line in capsys.readouterr().err.splitlines() if "out of memory" in line]
    assert ["going on with 4" in said[0], "going on with 2" in said[1], len(said)] == [True, True, 2]


def test_every_job_gets_its_own_clip() -> None:
    large = Large(7, fit=2)
    clips = InHalves(large, Room("world")).generate(large.jobs())
    assert [int(clip.max()) for clip in clips] == list(range(7))


def test_what_does_not_fit_alone_ends_with_what_may_help(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"2 GiB; what helps: .*generate\.models\.world\.memory \(dtype, tiling"):
        run(large := Large(71, fit=0), tmp_path, batch=4)
    assert large.tried == [4, 2, 1]  # what holds for one clip holds for the other 70
    assert not ledger.read(tmp_path)  # they were not made; that is no outcome of theirs


def test_methods_of_a_model_share_what_fits(tmp_path: Path) -> None:
    one, other, room = Large(4, fit=2), Large(4, fit=2), Room("world")
    methods = {"one": InHalves(one, room), "other": InHalves(other, room)}
    generate_all(methods, lambda name: tmp_path / name, Superseded(tmp_path / "aside"), batch=4)
    assert (one.tried, other.tried) == ([4, 2, 2], [2, 2])


def test_where_one_clip_does_not_fit_no_other_method_is_begun(tmp_path: Path) -> None:
    one, other, room = Large(4, fit=0), Large(4, fit=0), Room("world")
    methods = {"one": InHalves(one, room), "other": InHalves(other, room)}
    with pytest.raises(ValueError, match=r"^one: one clip alone runs out of memory"):
        generate_all(methods, lambda name: tmp_path / name, Superseded(tmp_path / "aside"), batch=1)
    assert (one.tried, other.tried) == ([1], [])


def test_what_does_not_fit_alone_ends_several_processes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one clip alone runs out of memory"):
        run(Large(4, fit=0), tmp_path, batch=1, workers=2)


def test_processes_halve_by_themselves(tmp_path: Path) -> None:
    entries = run(Large(8, fit=1), tmp_path, batch=4, workers=2)
    assert [entry.outcome for entry in entries] == [ledger.OK] * 8
