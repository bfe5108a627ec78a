"""The rules of the architecture hold, and each of them can fail. tests/architecture.py has the rules."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import (
    HOMES,
    circles,
    hidden,
    second_codecs,
    second_homes,
    second_params,
    second_paths,
    unseen,
    users,
    wrong_way,
)

Rule = Callable[[Path], list[str]]


@pytest.mark.parametrize("package", ["pipeline", "metrics"])
def test_rooms_have_no_circle(root: Path, package: str) -> None:
    assert circles(root, package) == []


@pytest.mark.parametrize(
    "rule",
    [wrong_way, hidden, unseen, second_homes, second_codecs, second_paths, second_params],
    ids=lambda rule: rule.__name__,
)
def test_the_project_keeps_the_rule(root: Path, rule: Rule) -> None:
    assert rule(root) == []


@pytest.mark.parametrize("library", [library for library, homes in HOMES.items() if homes])
def test_a_home_is_used(root: Path, library: str) -> None:
    """The table of homes names no file that does not import the library."""
    assert users(root, library) == HOMES[library]


def checkout(root: Path, files: dict[str, str]) -> Path:
    """A checkout with these modules, by their files without the suffix."""
    for name, text in files.items():
        file = root / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_a_circle_is_found_with_its_arrows(tmp_path: Path) -> None:
    files = {
        "pipeline/a/one": "from pipeline.b.two import x",
        "pipeline/b/two": "def f():\n    from pipeline.c import three",
        "pipeline/c/three": "import pipeline.a.four\nimport pipeline.d.five",
        "pipeline/a/four": "from pipeline.a import one",
        "pipeline/d/five": "",
    }
    checkout(tmp_path, files)
    (message,) = circles(tmp_path, "pipeline")
    for arrow in ("a.one imports pipeline.b.two", "b.two imports pipeline.c.three", "c.three imports pipeline.a.four"):
        assert f"pipeline.{arrow}" in message
    assert "five" not in message
    assert circles(tmp_path, "metrics") == []


def test_modules_of_a_room_may_import_one_another(tmp_path: Path) -> None:
    checkout(tmp_path, {"metrics/a/one": "from metrics.a import two", "metrics/a/two": "import metrics.a.one"})
    assert circles(tmp_path, "metrics") == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("metrics.a", "pipeline.b"), ("metrics.a", "stages.b"), ("pipeline.a", "stages.b"), ("stages.a", "stages.b")],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, importer: str, imported: str) -> None:
    text = f"def f():\n    import {imported}"
    checkout(tmp_path, {importer.replace(".", "/"): text, imported.replace(".", "/"): ""})
    assert wrong_way(tmp_path) == [f"{importer} imports {imported}"]


def test_imports_along_the_direction_are_allowed(tmp_path: Path) -> None:
    files = {"stages/a": "import pipeline.a, metrics.a", "pipeline/a": "import metrics.a", "metrics/a": "import os"}
    checkout(tmp_path, files)
    assert wrong_way(tmp_path) == []


def test_names_that_the_package_loads_by_strings_are_found(tmp_path: Path) -> None:
    files = {"metrics/__init__": "", "metrics/a": ""}
    importers = {"pipeline/a": "from metrics import I3D", "pipeline/b": "import metrics.a"}
    checkout(tmp_path, files | importers)
    assert hidden(tmp_path) == ["pipeline.a imports from metrics"]


def test_an_import_that_a_closure_cannot_see_is_found(tmp_path: Path) -> None:
    text = "import_module('pipeline.b')\nimportlib.import_module(f'pipeline.{name}')"
    (message,) = unseen(checkout(tmp_path, {"pipeline/a/one": text}))
    assert message.startswith("pipeline/a/one.py:2 ")


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("import mlflow", "mlflow"),
        ("def f():\n    from mlflow.entities import Metric", "mlflow"),
        ("import plotly.graph_objects as go", "plotly"),
        ("import av", "av"),
        ("import importlib\nimportlib.import_module('torchcodec.decoders')", "torchcodec"),
        ("import imageio.v3", "imageio"),
        ("from cv2 import VideoCapture", "cv2"),
        ("import torchvision", "torchvision"),
    ],
)
def test_a_second_home_of_a_library_is_found(tmp_path: Path, text: str, library: str) -> None:
    (message,) = second_homes(checkout(tmp_path, {"pipeline/a/one": text}))
    assert message.startswith(f"pipeline/a/one.py imports {library}, which belongs to")


@pytest.mark.parametrize(
    ("file", "call", "what"),
    [
        ("metrics/reading/video", "av.open(x, 'w')", "writes video"),
        ("pipeline/clips/files", "av.open(x)", "reads video"),
        ("pipeline/study/encoding", "av.open(x)", "reads video"),
        ("pipeline/study/media", "av.open(x, 'w')", "writes video"),
        ("pipeline/report/page", "Image.open(x)", "reads pictures"),
        ("pipeline/report/page", "image.save(x, save_all=True)", "writes animated pictures"),
    ],
)
def test_a_second_reader_or_writer_is_found(tmp_path: Path, file: str, call: str, what: str) -> None:
    (message,) = second_codecs(checkout(tmp_path, {file: call}))
    assert f"{file}.py:1 {what}" in message


def test_readers_and_writers_at_home_are_left_alone(tmp_path: Path) -> None:
    checkout(tmp_path, {"metrics/reading/video": "av.open(x)", "pipeline/clips/files": "av.open(x, mode='w')"})
    assert second_codecs(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "Path('data/clips')",
        "x = 'models/world/codec'",
        "x = f'data/clips/{name}'",
        "Path('reports')",
        "root / 'prompts' / name",
        "Path('.scratch') / 'features'",
        "def f(folder: str = 'data/features') -> None: ...",
    ],
)
def test_a_path_spelled_elsewhere_is_found(tmp_path: Path, text: str) -> None:
    (message,) = second_paths(checkout(tmp_path, {"pipeline/a/one": text}))
    assert message.startswith("pipeline/a/one.py:1 spells ")


@pytest.mark.parametrize(
    "text",
    [
        "'''data/clips'''",
        "raise ValueError('data/clips')",
        "x = 'models/world is missing'",
        "x = f'data/clips/{name} is missing'",
        "wanted['prompts']",
        "x = 'metadata/clips'",
    ],
)
def test_what_is_no_path_is_left_alone(tmp_path: Path, text: str) -> None:
    assert second_paths(checkout(tmp_path, {"pipeline/a/one": text})) == []


@pytest.mark.parametrize(
    "text",
    [
        "Path('params.yaml').read_text()",
        "open('params.yaml')",
        "yaml.safe_load((root / 'params.yaml').read_text())",
        "FILE = 'params.yaml'",
        "yaml.safe_load(paths.PARAMS.read_text())",
        "from pipeline.config.paths import PARAMS",
    ],
)
def test_a_second_reader_of_params_is_found(tmp_path: Path, text: str) -> None:
    (message,) = second_params(checkout(tmp_path, {"pipeline/a/one": text}))
    assert message.startswith("pipeline/a/one.py:1 ")


def test_the_path_of_params_may_be_handed_to_their_module(tmp_path: Path) -> None:
    text = "params.read(copy / paths.PARAMS)\nraise ValueError('params.yaml')\nsay('params.yaml', 3)"
    assert second_params(checkout(tmp_path, {"pipeline/a/one": text})) == []
