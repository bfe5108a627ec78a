"""Fixtures that several test packages share. Tests that need data from outside the repository skip without it."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

settings.register_profile("untimed", deadline=None)  # a busy machine is no error; benchmarks/ measures
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with papers' data and real clips: $REELBENCH_SHARED, or ../shared beside the checkout."""
    folder = Path(os.environ.get("REELBENCH_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set REELBENCH_SHARED)")
    return folder


@pytest.fixture(scope="session")
def i3d_weights() -> Path:
    """The converted I3D weights, which `make test` fetches."""
    path = ROOT / "models/public/i3d.safetensors"
    if not path.is_file():
        pytest.skip("no I3D weights (dvc repro weights)")
    return path


@pytest.fixture(scope="session")
def minilm() -> Path:
    """MiniLM's folder, which `make test` fetches."""
    path = ROOT / "models/public/minilm"
    if not path.is_dir():
        pytest.skip("no MiniLM weights (dvc repro weights)")
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
