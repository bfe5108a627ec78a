"""Which code a result depends on, on small trees made for it, and on the project's own."""

from pathlib import Path

import pytest

from pipeline.config.code import closure, code_hash, file_of, imports, module_of


def tree(root: Path, files: dict[str, str]) -> Path:
    """A checkout with these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def found(root: Path, *modules: str, without: tuple[str, ...] = ()) -> list[str]:
    return [path.as_posix() for path in closure(*modules, without=without, root=root)]


CHAIN = {
    "stages/run.py": "def main():\n    from pipeline.a import one\n",
    "pipeline/a/__init__.py": "",
    "pipeline/a/one.py": "import os\nimport metrics.x as y\nfrom pipeline.a.two import value",
    "pipeline/a/two.py": "from pipeline.a import one  # a circle",
    "pipeline/a/three.py": "",
    "metrics/x.py": "",
}


def test_a_closure_follows_imports_to_their_end(tmp_path: Path) -> None:
    root = tree(tmp_path, CHAIN)
    assert found(root, "stages.run") == ["metrics/x.py", "pipeline/a/one.py", "pipeline/a/two.py", "stages/run.py"]
    assert found(root, "pipeline.a.three", "metrics.x") == ["metrics/x.py", "pipeline/a/three.py"]


def test_what_is_left_out_ends_there(tmp_path: Path) -> None:
    root = tree(tmp_path, CHAIN)
    assert found(root, "stages.run", without=("pipeline.a",)) == ["stages/run.py"]
    assert "metrics/x.py" not in found(root, "stages.run", without=("metrics",))
    assert "pipeline/a/two.py" in found(root, "stages.run", without=("pipeline.a.tw",))  # no module of that name


def test_an_unknown_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"pipeline\.b is no module"):
        closure("pipeline.b", root=tree(tmp_path, CHAIN))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from pipeline import a", "pipeline.a"),  # a package: its __init__
        ("from pipeline.a import one", "pipeline.a.one"),
        ("from pipeline.a import name", "pipeline.a"),
        ("from pipeline.a.one import name", "pipeline.a.one"),
        ("import pipeline.a.one as short", "pipeline.a.one"),
        ("from . import a", "pipeline.a"),
        ("from .a.one import name", "pipeline.a.one"),
        ("if TYPE_CHECKING:\n    import pipeline.a.two\nelse:\n    import pipeline.a.one", "pipeline.a.one"),
        ("if typing.TYPE_CHECKING:\n    pass\nimport pipeline.a.one", "pipeline.a.one"),
        ("if not TYPE_CHECKING:\n    import pipeline.a.one", "pipeline.a.one"),
        ("import_module('pipeline.a.one')", "pipeline.a.one"),
        ("importlib.import_module('pipeline.a.one')\nimport_module(f'pipeline.{x}')", "pipeline.a.one"),
        ("try:\n    import pipeline.a.one\nexcept ImportError:\n    import json", "pipeline.a.one"),
    ],
)
def test_each_kind_of_import_is_seen(tmp_path: Path, text: str, wanted: str) -> None:
    root = tree(tmp_path, {**CHAIN, "pipeline/b.py": text})
    assert imports("pipeline.b", root) == (wanted,)


def test_relative_imports_count_from_the_package(tmp_path: Path) -> None:
    files = {"pipeline/a/deep/__init__.py": "from ..two import x", "pipeline/a/deep/own.py": "from ..three import x"}
    root = tree(tmp_path, {**CHAIN, **files})
    assert imports("pipeline.a.deep", root) == ("pipeline.a.two",)
    assert imports("pipeline.a.deep.own", root) == ("pipeline.a.three",)


def test_files_and_modules_name_each_other(tmp_path: Path) -> None:
    root = tree(tmp_path, CHAIN)
    for module in ("pipeline.a", "pipeline.a.one", "metrics.x"):
        file = file_of(module, root)
        assert file is not None
        assert module_of(file) == module
    assert file_of("numpy.random", root) is None
    assert file_of("pipeline.nothing", root) is None


def test_the_hash_is_that_of_the_closure(tmp_path: Path) -> None:
    """Two checkouts, because what a file imports is read once in a process."""
    base = code_hash("stages.run", root=tree(tmp_path / "base", CHAIN))
    assert len(base) == 12
    assert base == code_hash("stages.run", root=tree(tmp_path / "same", CHAIN))
    inside = tree(tmp_path / "inside", {**CHAIN, "metrics/x.py": "y = 1"})
    beside = tree(tmp_path / "beside", {**CHAIN, "pipeline/a/three.py": "y = 1"})
    assert code_hash("stages.run", root=inside) != base
    assert code_hash("stages.run", root=beside) == base


def test_the_project_itself() -> None:
    files = [path.as_posix() for path in closure("pipeline.training.codec")]
    assert {"pipeline/training/codec.py", "pipeline/world/scene.py"} <= set(files)
    assert not any(file.startswith(("stages/", "pipeline/report/")) for file in files)


def test_comments_and_docstrings_are_no_code(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    file = tmp_path / "pipeline/x.py"

    def digest(text: str) -> str:
        file.write_text(text)
        return code_hash("pipeline.x", root=tmp_path)

    code = 'A = 1\n\n\ndef f() -> str:\n    return "a"\n'
    documented = '"""Doc."""\n\nA = 1  # one\n\n\ndef f() -> str:\n    """Says a."""\n    return "a"\n'
    assert digest(code) == digest(documented)
    assert digest(code) != digest(code.replace('"a"', '"b"'))
    assert digest(code) != digest(code + "\n\nf()\n")
