"""Two processes on the CPU, as `accelerate launch` starts them, against one: the same batch, the same curves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipeline.training import launched

OPTIONS = {
    "num_processes": "2",
    "num_machines": "1",
    "main_process_port": "0",
    "mixed_precision": "no",
    "dynamo_backend": "no",
    "module": "tests.pipeline.training.launched",
}
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
COMMAND = [*LAUNCH, *(part for name, value in OPTIONS.items() for part in (f"--{name}", value))]
TOLERANCE = 1e-4  # of float32 sums in another order, carried through six steps

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="one process would train on the GPU")


@pytest.fixture(scope="module")
def two(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote."""
    folder = tmp_path_factory.mktemp("two")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    command = [*COMMAND, str(stable_diffusion_folder), str(folder)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def read(folder: Path, rank: int) -> dict[str, Any]:
    return json.loads((folder / f"{rank}.json").read_text())


@pytest.mark.parametrize("name", launched.NAMES)
def test_the_curves_are_those_of_one(two: Path, stable_diffusion_folder: Path, tmp_path: Path, name: str) -> None:
    """HARIVO's too, although the two were killed on the way, with negatives in the queue."""
    found = read(two, 0)["curves"][name]
    rows = launched.curve(launched.task_of(name, stable_diffusion_folder), tmp_path / name)
    assert len(rows) == launched.SCHEDULE.steps
    for ours, theirs in zip(found, rows, strict=True):
        assert ours == pytest.approx(theirs, rel=TOLERANCE, abs=1e-6, nan_ok=True), ours["step"]


def test_the_second_sees_the_same_losses_and_no_validation(two: Path) -> None:
    first, second = read(two, 0)["curves"], read(two, 1)["curves"]
    for name in ("line", "clip"):
        for ours, theirs in zip(second[name], first[name], strict=True):
            assert {"loss", "grad_norm"} <= set(ours)
            assert ours == {key: theirs[key] for key in ours}
    assert not any("weight" in row for row in second["line"])


def test_the_first_alone_validates_reports_and_writes(two: Path) -> None:
    first, second = read(two, 0), read(two, 1)
    assert first["validated"] == [False, True]
    assert first["reported"] == [1, 2, 3, 4, 4, 5, 6, 6] * 2 + [3, 4, 4, 5, 6, 6]
    assert second["validated"] == second["reported"] == []
    assert [path.name for path in (two / "0").iterdir()] == ["own.safetensors"]
    assert not (two / "1").exists()
