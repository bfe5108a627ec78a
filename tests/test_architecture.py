"""The rules of the house, checked: imports point one way; one module each knows params, paths and MLflow, one decodes
video and one encodes it."""

import ast
from pathlib import Path

import pytest

ALLOWED = {"metrics": {"metrics"}, "pipeline": {"pipeline", "metrics"}, "stages": {"stages", "pipeline", "metrics"}}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(root: Path, package: str) -> None:
    for path in (root / package).rglob("*.py"):
        own = {name.split(".")[0] for name in imported(path)} & set(ALLOWED)
        assert own <= ALLOWED[package], path
        if package == "stages":
            assert not any(name.startswith("stages") for name in imported(path)), path


@pytest.mark.parametrize(
    ("library", "home"),
    [("mlflow", {"pipeline/tracking.py"}), ("av", {"metrics/video.py", "pipeline/clips.py"}),
     ("torchcodec", {"metrics/video.py"}), ("plotly", {"pipeline/report/plots.py", "pipeline/report/page.py"})],
)  # fmt: skip
def test_one_room_for_each_library(root: Path, library: str, home: set[str]) -> None:
    users = {
        path.relative_to(root).as_posix()
        for package in ALLOWED
        for path in (root / package).rglob("*.py")
        if library in {name.split(".")[0] for name in imported(path)}
    }
    assert users == home


def test_nothing_forbidden_is_imported(root: Path) -> None:
    """Each of these drags in another torch."""
    for package in ALLOWED:
        for path in (root / package).rglob("*.py"):
            assert not {name.split(".")[0] for name in imported(path)} & {
                "torchvision",
                "lpips",
                "torch_fidelity",
                "open_clip",
            }
