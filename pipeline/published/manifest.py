"""What stands behind the published figures of a method: weights, parameters, code, machine."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metrics.hashing import sha256
from metrics.versions import version
from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.config.revision import revision
from pipeline.config.section import Section, explain
from pipeline.evaluation.files import TABLE, TENSORS

FILE = "manifest.json"
_LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "av")
_PROCESSORS = Path("/proc/cpuinfo")
_UNSET = "unset"


class Machine(Section):
    """What clips were made on. device: as the run called it."""

    processor: str
    cores: int | None
    device: str


class Manifest(Section):
    """What stands behind the published figures of a method.

    made: the day, UTC. commit: of the code when the figures were written; changed: whether files other than published
    figures and dvc.lock differed from it; code: digest of what makes and measures clips, as of the stage
    `code`. versions: of libraries. weights: hash of all that were used, origin: where they are. parameters: see
    `parameters_of`. requested: clips. seconds: of sampling, all clips together, whatever else the machine did. files:
    SHA-256 of the table and the features beside it.
    """

    method: str
    made: str
    commit: str
    changed: bool
    code: str
    machine: Machine
    versions: dict[str, str]
    weights: str
    origin: str
    parameters: dict[str, Any]
    requested: int
    seconds: float
    files: dict[str, str]


def manifest(params: Params, name: str, clips: Path, figures: Path) -> Manifest:
    """Of a method. clips: the folder of its clips, with their ledger. figures: that of what was measured of them."""
    about, entries = ledger.about(clips), ledger.read(clips).values()
    code = revision(paths.PUBLISHED, paths.LOCK)
    return Manifest(
        method=name,
        made=datetime.now(UTC).date().isoformat(),
        commit=code.commit,
        changed=code.changed,
        code=paths.code_digest("publish").read_text(encoding="utf-8").strip(),
        machine=Machine(processor=_processor(), cores=os.cpu_count(), device=about.get("device", "")),
        versions={"python": platform.python_version()} | {library: version(library) for library in _LIBRARIES},
        weights=about.get("weights", ""),
        origin=str(about.get("origin", "")),
        parameters=parameters_of(params, name),
        requested=len(entries),
        seconds=round(sum(entry.seconds for entry in entries), 1),
        files=_digests(figures),
    )


def parameters_of(params: Params, name: str) -> dict[str, Any]:
    """What of params.yaml decides about a method's published clips: its entry, its model's, the set, how much of it is
    asked for, k and α, and which network measures which frames."""
    own = params.generate.methods[name]
    return {
        "method": own.model_dump(exclude_unset=True, exclude={"limit", "seeds", "evaluate"}),
        "model": params.generate.models[own.model].deciding,
        "set": params.generate.set_of(own),
        "published": params.published.model_dump(include={"mixtures", "prompts"}),
        "k": params.search.default_k,
        "mg_scale": params.harivo.mg_scale,
        "features": params.features.model_dump(mode="json", include={"protocol", "clips", "clip", "clip_text_tower"}),
    }


def other_parameters(params: Params, published: Manifest) -> list[str]:
    """Each of a method's parameters that is another here, as `model.sampling.steps 6 (published: 25)`; how many clips
    are asked for is none of them."""
    theirs, here = (_flat(one) for one in (published.parameters, parameters_of(params, published.method)))
    names = [name for name in theirs | here if not name.startswith("published.")]
    said = [(name, here.get(name, _UNSET), theirs.get(name, _UNSET)) for name in names]
    return [f"{name} {own} (published: {other})" for name, own, other in said if own != other]


def _flat(parameters: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"model": {"fps": 8}}` as `{"model.fps": "8"}`."""
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        below = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{name}.") if below else {f"{prefix}{name}": json.dumps(value)}
    return flat


def write(folder: Path, content: Manifest) -> None:
    """Keep it in the folder of a method's published figures."""
    text = json.dumps(content.model_dump(), indent=2, ensure_ascii=False)
    (folder / FILE).write_text(f"{text}\n", encoding="utf-8")


def read(folder: Path) -> Manifest:
    """What `write` wrote.

    Raises:
        ValueError: if it is not that: naming the file, and the field with what was found and expected.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{path}: {'; '.join(explain(error, content))}") from error


def check_files(folder: Path) -> None:
    """Refuse files that are not those which were measured, before anything is read from them.

    Raises:
        FileNotFoundError: if one is missing.
        ValueError: if one is another, naming both hashes.
    """
    for name, expected in read(folder).files.items():
        path = folder / name
        if not path.is_file():
            raise FileNotFoundError(f"{path} not found: restore it, or run `reelbench publish {folder.name}`")
        if (found := sha256(path)) != expected:
            raise ValueError(
                f"{path} has the SHA-256 {found}, expected {expected} of {FILE}: restore it, or run "
                f"`reelbench publish {folder.name}`"
            )


def _digests(folder: Path) -> dict[str, str]:
    return {name: sha256(folder / name) for name in (TABLE, TENSORS)}


def _processor() -> str:
    """The processor's name; on Linux platform.processor() gives its architecture alone, if anything."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
