"""What `reelbench doctor` looks at: each finding is good, or comes with the fix.

It builds every method, as the check stage does before anything is trained or sampled.
"""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from pipeline.config import params, paths

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "torchmetrics",
    "dvc",
    "mlflow",
    "av",
    "scipy",
    "pandas",
)
MIN_FREE_GB = 5.0


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do about it ("" where it is fine). unknown: whether nobody can
    say here if it is fine."""

    what: str
    found: str
    fix: str = ""
    unknown: bool = False

    @property
    def mark(self) -> str:
        """Whether it is fine, for a terminal."""
        if self.unknown:
            return "[yellow]?[/]"
        return "[red]✗[/]" if self.fix else "[green]✓[/]"


def examine() -> list[Finding]:
    """Everything the doctor looks at, from the repository's root."""
    return [*_python(), *_packages(), _device(), *_weights(), *_params(), _disk()]


def show(findings: list[Finding]) -> int:
    """Print the findings; returns the exit code: 1 if anything needs a fix."""
    table = Table("", "what", "found", "fix", box=None)
    for finding in findings:
        table.add_row(finding.mark, finding.what, finding.found, finding.fix)
    Console().print(table)
    return int(any(finding.fix for finding in findings))


def _python() -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding("python", python, "" if python.startswith("3.11.") else "use Python 3.11: make PYTHON=python3.11")


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "missing", "make .venv/.ready installs the lock file")


def _device() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("device", "unknown without torch", "make .venv/.ready installs the lock file")
    if torch.cuda.is_available():
        return Finding("device", f"cuda: {torch.cuda.get_device_name()}")
    return Finding("device", f"cpu, {torch.get_num_threads()} threads")


def _weights() -> Iterator[Finding]:
    public = {"I3D": paths.I3D, "MiniLM": paths.MINILM / "model.safetensors"}
    for name, path in public.items():
        yield _exists(name, path, "dvc repro weights")


def _exists(what: str, path: Path, fix: str) -> Finding:
    present = any(path.iterdir()) if path.is_dir() else path.exists()
    return Finding(what, str(path)) if present else Finding(what, f"no {path}", fix)


def _params() -> Iterator[Finding]:
    """params.yaml whole; what it names; its methods, as far as the cheap stages before them have run."""
    try:
        wanted = params.load()
    except params.ParamsError as error:
        yield Finding("params.yaml", str(error), "fix the keys named here")
        return
    yield Finding("params.yaml", f"{len(wanted.train)} trainings, {len(wanted.generate.methods)} methods")
    for name in wanted.train:
        folder = paths.world_model(name)
        stage = stage_of(name)
        fix = f"git checkout {folder}, or dvc repro {stage}" if stage else f"python -m stages.train {name}"
        yield _exists(f"trained {name}", folder, fix)
    try:
        from pipeline.commands import check
    except ImportError as error:
        yield Finding("methods", f"not built: {error}", "make .venv/.ready installs the lock file")
        return
    for name, keys in check.hub_ids(wanted).items():
        yield Finding(", ".join(keys), check.of_hub(name), unknown=True)
    for said in check.missing_places(wanted):
        yield Finding("files", said, "give an existing file or folder, or a hub id where one is allowed")
    if not paths.PROMPTS.is_file():
        yield Finding("methods", "not tried: prompts and embeddings are not made yet (dvc repro check)")
        return
    unbuilt = [*check.unnamed_mixtures(), *check.unbuilt_methods(wanted)]
    yield from (Finding("methods", said, "fix the entry, or dvc repro check if a file is missing") for said in unbuilt)
    if not unbuilt:
        yield Finding("methods", "all can be built")


def stage_of(name: str) -> str | None:
    """The stage of dvc.yaml that trains a model: one of its own, or an item of one that trains several; None if there
    is none, as in the run of a profile."""
    stages = yaml.safe_load(paths.DAG.read_text(encoding="utf-8"))["stages"]
    several = (key for key, entry in stages.items() if key.startswith("train") and name in entry.get("foreach", ()))
    if group := next(several, None):
        return f"{group}@{name}"
    return own if (own := f"train_{name}") in stages else None


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return Finding("free disk", f"{free:.0f} GB", "" if free >= MIN_FREE_GB else f"free at least {MIN_FREE_GB:g} GB")
