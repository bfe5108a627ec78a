"""What was run, for the report: every method and what it is, its clips, and the versions of libraries."""

import ast
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params

LIBRARIES = ("torch", "diffusers", "transformers", "torchmetrics", "dvc", "mlflow", "numpy", "scipy", "av")


def about_run(params: Params, encoder: str) -> dict[str, Any]:
    """What was run: clips, seconds, models and library versions."""
    rows = []
    generate = params.generate
    for name, entry in generate.everything.items():
        folder = generate.folder(name)
        entries, about = list(ledger.read(folder).values()), ledger.about(folder)
        rows.append(
            {
                "name": name,
                "caption": caption(Path(entry.module)) if isinstance(entry, Method) else "videos of others",
                "checkpoint": about["origin"],
                "weights": about["weights"][:12] or "none",
                "requested": len(entries),
                "failed": sum(entry.outcome != ledger.OK for entry in entries),
                "seconds": sum(entry.seconds for entry in entries),
            }
        )
    return {"methods": rows, "versions": {name: version(name) for name in LIBRARIES}, "encoder": encoder}


def caption(module: Path) -> str:
    """What a method is, from the first sentence of its file, without its name."""
    said = ast.get_docstring(ast.parse((paths.ROOT / module).read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=[.)])\s", said.partition(": ")[2].replace("\n", " "))[0]
