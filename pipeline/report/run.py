"""What was run: every method and what it is, its clips, and the versions of libraries."""

import ast
import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params

LIBRARIES = ("torch", "diffusers", "transformers", "torchmetrics", "dvc", "mlflow", "numpy", "scipy", "av")


@dataclass(frozen=True)
class Made:
    """What a method made. caption: what it is. weights: first digits of their hash, or "none". seconds: of sampling."""

    name: str
    caption: str
    checkpoint: str
    weights: str
    requested: int
    failed: int
    seconds: float


def made(params: Params) -> list[Made]:
    """Every method and folder of imported videos that has clips, in the order of params.yaml."""
    rows = []
    for name, entry in params.generate.everything.items():
        folder = params.generate.folder(name)
        entries, about = list(ledger.read(folder).values()), ledger.about(folder)
        if not entries:
            continue
        said = described(entry) if isinstance(entry, Method) else "Imported videos."
        origin, weights = str(about.get("origin", "not recorded")), str(about.get("weights", ""))[:12]
        failed = sum(one.outcome != ledger.OK for one in entries)
        seconds = sum(one.seconds for one in entries)
        rows.append(Made(name, said, origin, weights or "none", len(entries), failed, seconds))
    return rows


def versions() -> dict[str, str]:
    """The versions of the libraries that results depend on."""
    return {name: version(name) for name in LIBRARIES}


def described(method: Method) -> str:
    """What a method is, and the options of its entry."""
    options = ", ".join(f"{key}: {json.dumps(value).strip(chr(34))}" for key, value in method.options.items())
    return f"{caption(Path(method.module))} ({options})" if options else caption(Path(method.module))


def caption(module: Path) -> str:
    """What a method is, from the first sentence of its file, without its name."""
    said = ast.get_docstring(ast.parse((paths.ROOT / module).read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=[.)])\s", said.partition(": ")[2].replace("\n", " "))[0].replace("`", "")
