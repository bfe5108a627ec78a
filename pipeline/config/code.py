"""Which code a result depends on: the files that a module imports, directly or through others, read from the code."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from metrics.hashing import fingerprint
from pipeline.config.paths import ROOT

PACKAGES = ("stages", "pipeline", "metrics")
# Parameters enter results by value; paths, entry points and progress bars carry none.
CARRIES_NO_RESULT = ("pipeline.config", "metrics.progress")


def closure(*modules: str, without: Sequence[str] = (), root: Path = ROOT) -> list[Path]:
    """The project's files that modules depend on, themselves included, relative to the checkout and sorted.

    Imports inside functions count; those under `if TYPE_CHECKING` do not, nor do the `__init__` files that Python runs
    on the way, unless a name is imported from them. What is imported by a name that is put together at run time cannot
    be seen: name such modules too.

    Args:
        modules: dotted names, "pipeline.methods.richspace". without: packages or modules at which to stop, because what
            they make enters a result by value. root: the checkout.

    Raises:
        ValueError: if a module is none of the project's.
    """
    needed: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in needed or _within(name, without):
            continue
        if file_of(name, root) is None:
            raise ValueError(f"{name} is no module of {', '.join(PACKAGES)}")
        needed.add(name)
        waiting += imports(name, root)
    return sorted(path for path in (file_of(name, root) for name in needed) if path is not None)


def code_hash(*modules: str, without: Sequence[str] = (), root: Path = ROOT) -> str:
    """Twelve digits that change when the code of the closure does; comments and docstrings are none."""
    files = closure(*modules, without=without, root=root)
    return fingerprint({path.as_posix(): _of_code((root / path).read_text(encoding="utf-8")) for path in files})


@cache
def _of_code(text: str) -> str:
    """Digest of what a file does: its syntax tree without docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def file_of(module: str, root: Path = ROOT) -> Path | None:
    """The file of a module of the project, relative to the checkout; None if it is none."""
    if module.split(".")[0] not in PACKAGES:
        return None
    place = Path(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if (root / p).is_file()), None)


def module_of(file: Path) -> str:
    """The dotted name of a file given relative to the checkout."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(module: str, root: Path = ROOT) -> tuple[str, ...]:
    """The project's modules that a module names in its import statements, in their order.

    Of `from a.b import c` it is a.b.c where that is a module, else a.b.
    """
    imported = []
    for place, name in named(module, root):
        inner = f"{place}.{name}" if name else place
        imported.append(inner if file_of(inner, root) else place)
    return tuple(dict.fromkeys(name for name in imported if file_of(name, root)))


@cache
def named(module: str, root: Path = ROOT) -> tuple[tuple[str, str], ...]:
    """Whatever a module imports, of the project or not: (module, name taken from it, "" for the module itself)."""
    file = file_of(module, root)
    if file is None:
        return ()
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    return tuple(pair for node in _run(tree) for pair in _named(node, package))


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that can run: not what is there for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            node = ast.Module(node.orelse, [])
        yield node
        yield from _run(node)


def _named(node: ast.AST, package: list[str]) -> Iterator[tuple[str, str]]:
    """What one node imports: a statement, or import_module with a name that is written out."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        place = ".".join([*above, *([node.module] if node.module else [])])
        yield from ((place, alias.name) for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
        yield from ((a.value, "") for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str))


def _within(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)
