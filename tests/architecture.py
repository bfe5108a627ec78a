"""The rules of the architecture, as functions of a checkout: each returns its violations, with file and line.

A room is the first folder below pipeline/ or metrics/. Rooms and arrows between them are read from imports.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from pipeline.config.code import PACKAGES, imports, module_of, named

PARAMS = "pipeline/config/params.py"
PATHS = ("pipeline/config/paths.py", "metrics/networks/places.py")
DECODES, ENCODES, PICTURES = "metrics/reading/video.py", "pipeline/clips/files.py", "pipeline/report/strips.py"
FOR_BROWSERS = "pipeline/study/encoding.py"  # encodes too, but nothing that a result is made of

# Which files may import a library.
HOMES: dict[str, set[str]] = {
    "mlflow": {"pipeline/tracking/store.py"},
    "plotly": {"pipeline/report/plots.py"},
    "av": {DECODES, ENCODES, FOR_BROWSERS},
    "torchcodec": {DECODES},
    "fastapi": {f"pipeline/study/web/{name}.py" for name in ("app", "organiser", "pages", "raters", "security")},
    "uvicorn": {"pipeline/study/web/server.py"},
    "sqlalchemy": {f"pipeline/study/{name}.py" for name in ("gathered", "rows", "store", "tables")},
    "cv2": {"metrics/distances/flow.py"},  # optical flow; it reads no video
    **{library: set() for library in ("imageio", "decord", "moviepy", "skvideo")},
    **{library: set() for library in ("torchvision", "lpips", "torch_fidelity", "open_clip")},  # each brings its torch
}
# Who imports by a name that is put together at run time, which no closure sees: `runs` in tests/dag.py names them.
AT_RUN_TIME = {
    "metrics/__init__.py",
    "pipeline/config/methods.py",  # of which options are taken by value
    "pipeline/methods/base.py",
    "pipeline/methods/context.py",
    "pipeline/training/run.py",
}

_FOLDERS = r"(data|models|prompts|reports|\.scratch)"
_PATH = re.compile(rf"{_FOLDERS}/\S*")
_PARAMS = re.compile(r"(\S+/)?params\.yaml")


def circles(root: Path, package: str) -> list[str]:
    """Rooms of a package that import one another, with the imports that close the circle."""
    arrows: dict[str, dict[str, str]] = {}
    for module, other in _arrows(root):
        if room(module) != room(other) and module.split(".")[0] == other.split(".")[0] == package:
            arrows.setdefault(room(module), {}).setdefault(room(other), f"{module} imports {other}")
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        ring = error.args[1][::-1]  # graphlib lists whoever is imported first
        steps = (arrows[a][b] for a, b in pairwise(ring))
        return [f"{' -> '.join(ring)}: {', '.join(steps)}"]
    return []


def room(module: str) -> str:
    """The room of a module; a module that lies in none is one by itself."""
    return ".".join(module.split(".")[:2])


def wrong_way(root: Path) -> list[str]:
    """Imports against stages -> pipeline -> metrics, and from stage to stage."""
    rank = {package: i for i, package in enumerate(PACKAGES)}
    return [
        f"{module} imports {other}"
        for module, other in _arrows(root)
        if (own := rank[module.split(".")[0]]) > (its := rank[other.split(".")[0]]) or own == its == rank["stages"]
    ]


def hidden(root: Path) -> list[str]:
    """Names taken from `metrics` itself, which loads them by strings: the closure of code cannot follow."""
    return [f"{module} imports from metrics" for module, other in _arrows(root) if other == "metrics"]


def unseen(root: Path) -> list[str]:
    """Imports by a name that is put together at run time, beside those that are known."""
    return [
        f"{file}:{node.lineno} imports by a name put together at run time"
        for file in files(root)
        if file.as_posix() not in AT_RUN_TIME
        for node in _nodes(_tree(root, file))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
        and not isinstance(node.args[0], ast.Constant)
    ]


def _arrows(root: Path) -> Iterator[tuple[str, str]]:
    for file in files(root):
        module = module_of(file)
        yield from ((module, other) for other in imports(module, root))


def files(root: Path) -> list[Path]:
    """The modules of the packages, relative to the checkout."""
    return sorted(path.relative_to(root) for package in PACKAGES for path in (root / package).rglob("*.py"))


def users(root: Path, library: str) -> set[str]:
    """The files that import a library."""
    return {
        file.as_posix()
        for file in files(root)
        if any(place.split(".")[0] == library for place, _ in named(module_of(file), root))
    }


def second_homes(root: Path) -> list[str]:
    """Libraries that are imported outside their home."""
    return [
        f"{file} imports {library}, which belongs to {' and '.join(sorted(homes)) or 'no file of the project'}"
        for library, homes in HOMES.items()
        for file in sorted(users(root, library) - homes)
    ]


def second_codecs(root: Path) -> list[str]:
    """Calls that read or write video or pictures outside the file that does."""
    calls = []
    for file in files(root):
        for node in _nodes(_tree(root, file)):
            what, home = _codec(node) if isinstance(node, ast.Call) else ("", "")
            if what and file.as_posix() not in (home, FOR_BROWSERS if what == "writes video" else home):
                calls.append(f"{file}:{node.lineno} {what}, which belongs to {home}")
    return calls


def _codec(call: ast.Call) -> tuple[str, str]:
    """What a call does to a video or a picture, and the file where that belongs; empty if it does nothing."""
    name = ast.unparse(call.func)
    if name == "av.open":
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        writes = any(isinstance(node, ast.Constant) and node.value in ("w", "wb") for node in given)
        return ("writes video", ENCODES) if writes else ("reads video", DECODES)
    if name == "Image.open":
        return "reads pictures", DECODES
    if any(keyword.arg == "save_all" for keyword in call.keywords):
        return "writes animated pictures", PICTURES
    return "", ""


def second_paths(root: Path) -> list[str]:
    """Paths between stages that are spelled outside the modules that know them.

    A string with a slash counts wherever it stands, a bare "data" or "reports" where it is made a path.
    """
    spelled = (
        f"{file}:{line} spells {text!r}"
        for file in files(root)
        if file.as_posix() not in PATHS
        for node in _nodes(_tree(root, file))
        for text, line, is_path in _texts(node)
        if _PATH.fullmatch(text) or (is_path and re.fullmatch(_FOLDERS, text))
    )
    return list(dict.fromkeys(spelled))  # a string in Path(...) is met twice


def second_params(root: Path) -> list[str]:
    """Whoever reads params.yaml beside its module: by its name, or by the path, if it is not handed to that module."""
    readers = []
    for file in files(root):
        if file.as_posix() in (PARAMS, PATHS[0]):
            continue
        for node in _nodes(_tree(root, file), "params."):
            texts = [*_texts(node), *(_texts_of(node.value) if isinstance(node, ast.Assign) else [])]
            readers += [f"{file}:{line} spells {t!r}" for t, line, is_path in texts if is_path and _PARAMS.fullmatch(t)]
            readers += [f"{file}:{node.lineno} takes the path of params.yaml"] if _is_its_path(node) else []
    return readers


def _is_its_path(node: ast.AST) -> bool:
    taken = isinstance(node, ast.ImportFrom) and any(alias.name == "PARAMS" for alias in node.names)
    return taken or (isinstance(node, ast.Attribute) and ast.unparse(node) == "paths.PARAMS")


def _tree(root: Path, file: Path) -> ast.AST:
    return ast.parse((root / file).read_text(encoding="utf-8"))


def _nodes(tree: ast.AST, handed: str = "") -> Iterator[ast.AST]:
    """Every node but docstrings, error messages, the pieces of f-strings, and what is handed to functions named so."""
    for node in ast.iter_child_nodes(tree):
        is_call = bool(handed) and isinstance(node, ast.Call) and ast.unparse(node.func).startswith(handed)
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_call or is_text or isinstance(node, ast.Raise):
            continue
        yield node
        if not isinstance(node, ast.JoinedStr):
            yield from _nodes(node, handed)


def _texts(node: ast.AST) -> Iterator[tuple[str, int, bool]]:
    """(string, line, whether it is made a path here): of a string by itself, and of those that a node makes a path."""
    yield from ((text, line, False) for text, line, _ in _texts_of(node))
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("Path", "PurePath", "open", "joinpath"):
        for argument in node.args:
            yield from _texts_of(argument)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield from _texts_of(node.left)
        yield from _texts_of(node.right)


def _texts_of(node: ast.AST | None) -> Iterator[tuple[str, int, bool]]:
    """A string, or an f-string with {} for what is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node.lineno, True
    elif isinstance(node, ast.JoinedStr):
        pieces = (piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values)
        yield "".join(map(str, pieces)), node.lineno, True
