"""Which code a result depends on: the files that a module imports, directly or through others, read from the code."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from metrics.hashing import fingerprint, sha256
from pipeline.config.paths import ROOT

PACKAGES = ("stages", "pipeline", "metrics")


def closure(*modules: str, without: Sequence[str] = ()) -> list[Path]:
    """The project's files that modules depend on, themselves included, relative to the checkout and sorted.

    Imports inside functions count; those under `if TYPE_CHECKING` do not, nor do the `__init__` files that Python runs
    on the way, unless a name is imported from them. What is imported by a name that is put together at run time cannot
    be seen: name such modules too.

    Args:
        modules: dotted names, "pipeline.methods.richspace". without: packages or modules at which to stop, because what
            they make enters a result by value.

    Raises:
        ValueError: if a module is none of the project's.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or _within(name, without):
            continue
        if file_of(name) is None:
            raise ValueError(f"{name} is no module of {', '.join(PACKAGES)}")
        found.add(name)
        waiting += imports(name)
    return sorted(path for path in map(file_of, found) if path is not None)


def code_hash(*modules: str, without: Sequence[str] = ()) -> str:
    """Twelve digits that change when a file of the closure does."""
    files = closure(*modules, without=without)
    return fingerprint({path.as_posix(): sha256(ROOT / path) for path in files})


def file_of(module: str) -> Path | None:
    """The file of a module of the project, relative to the checkout; None if it is none."""
    if module.split(".")[0] not in PACKAGES:
        return None
    place = Path(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if (ROOT / p).is_file()), None)


def module_of(file: Path) -> str:
    """The dotted name of a file given relative to the checkout."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(module: str) -> tuple[str, ...]:
    """The project's modules that a module names in its import statements, in their order."""
    file = file_of(module)
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8")) if file else ast.Module([], [])
    return tuple(dict.fromkeys(name for node in _run(tree) for name in _named(node)))


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that can run: not what is there for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _run(node)


def _named(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if file_of(alias.name)]
    if not isinstance(node, ast.ImportFrom) or not node.module:
        return []
    inner = [f"{node.module}.{alias.name}" for alias in node.names]
    modules = [name if file_of(name) else node.module for name in inner]
    return [name for name in modules if file_of(name)]


def _within(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)
