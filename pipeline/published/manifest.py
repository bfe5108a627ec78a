"""What stands behind the published figures of a method: weights, parameters, code, machine."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metrics.versions import version
from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.config.revision import revision

FILE = "manifest.json"
_LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "av")
_PROCESSORS = Path("/proc/cpuinfo")


def manifest(params: Params, name: str, clips: Path) -> dict[str, Any]:
    """Of a method whose clips lie in a folder with their ledger.

    method: its name. made: the day, UTC. commit: of the code; changed: whether files other than published figures
    and dvc.lock differed from it; code: digest of what makes and measures clips, as of the stage `code_publish`.
    machine: processor, cores, device. versions: of libraries. weights: hash of all that were used, origin: where they
    are. parameters: see `parameters_of`. requested: clips. seconds: of sampling, all clips together.
    """
    about, entries = ledger.about(clips), ledger.read(clips).values()
    code = revision(paths.PUBLISHED, paths.LOCK)
    return {
        "method": name,
        "made": datetime.now(UTC).date().isoformat(),
        "commit": code.commit,
        "changed": code.changed,
        "code": paths.code_digest("publish").read_text(encoding="utf-8").strip(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "device": about.get("device", "")},
        "versions": {"python": platform.python_version()} | {library: version(library) for library in _LIBRARIES},
        "weights": about.get("weights", ""),
        "origin": str(about.get("origin", "")),
        "parameters": parameters_of(params, name),
        "requested": len(entries),
        "seconds": round(sum(entry.seconds for entry in entries), 1),
    }


def parameters_of(params: Params, name: str) -> dict[str, Any]:
    """What of params.yaml decides about a method's published clips: its entry, its model's, the set, how much of it is
    asked for, k and α."""
    own = params.generate.methods[name]
    return {
        "method": own.model_dump(exclude_unset=True, exclude={"limit", "seeds", "evaluate"}),
        "model": params.generate.models[own.model].model_dump(mode="json"),
        "set": params.generate.set_of(own),
        "published": params.published.model_dump(include={"mixtures", "prompts"}),
        "k": params.search.default_k,
        "mg_scale": params.harivo.mg_scale,
    }


def write(folder: Path, content: dict[str, Any]) -> None:
    """Keep it in the folder of a method's published figures."""
    (folder / FILE).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote."""
    return json.loads((folder / FILE).read_text(encoding="utf-8"))


def _processor() -> str:
    """The processor's name; on Linux platform.processor() gives its architecture alone, if anything."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
