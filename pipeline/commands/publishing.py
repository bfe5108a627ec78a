"""`reelbench publish`: makes published figures anew, and has dvc.lock vouch for them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from pipeline.config import params, paths
from pipeline.config.section import subset
from pipeline.methods.context import Context
from pipeline.published import manifest


def run(names: Sequence[str]) -> int:
    """Sample and measure methods at full size, evaluate all published ones, commit both to DVC; returns an exit code.

    Killed and started again, it goes on where it was. Without names: methods that have no figures, or spoilt ones, or
    figures of other weights, or parameters, than theirs today. dvc.lock vouches for the chosen methods' figures as made
    of what lies here; what it says of the others stays.

    Raises:
        FileNotFoundError: if a method that is not chosen has no figures that can be read.
        ValueError: if a name is none of published.methods, or one of these none of generate.methods.
    """
    wanted = params.load()
    known = wanted.published.methods
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"params.yaml: published.methods has no {unknown[0]!r}, expected some of {', '.join(known)}")
    subset("published.methods", known, "generate.methods", wanted.generate.methods)
    chosen = list(names) or outdated(wanted)
    # all are evaluated together: what is missing shows before the first clip is made
    if lacking := [name for name in known if name not in chosen and _published(name) is None]:
        missing = f"{', '.join(lacking)}: no figures, or other files than their manifest names"
        raise FileNotFoundError(f"{paths.PUBLISHED}: {missing}; run `reelbench publish {' '.join(chosen + lacking)}`")
    stages = [*(f"publish@{name}" for name in chosen), "published"]
    commands = [
        ["dvc", "repro", "--quiet", "code"],
        *([sys.executable, "-m", "stages.publish", name] for name in chosen),
        [sys.executable, "-m", "stages.published"],
        ["dvc", "commit", "--quiet", "--force", *stages],
    ]
    for command in commands:
        if code := subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False).returncode:
            return code
    print(f"published: {', '.join(chosen) or 'nothing to sample'}; evaluated: all {len(known)}")
    return 0


def outdated(wanted: params.Params) -> list[str]:
    """Methods without figures, with spoilt ones, or with those of other weights or parameters than theirs today."""
    return [name for name in wanted.published.methods if _published(name) != _today(wanted, name)]


def _published(name: str) -> tuple[str, dict[str, Any]] | None:
    """Weights and parameters of a method's figures; None where these are missing, or not what their manifest names."""
    folder = paths.published(name)
    try:
        manifest.check_files(folder)
        behind = manifest.read(folder)
    except (FileNotFoundError, ValueError):
        return None
    return behind.weights, behind.parameters


def _today(wanted: params.Params, name: str) -> tuple[str, dict[str, Any]]:
    return Context.of(wanted, name).sampler().weights, manifest.parameters_of(wanted, name)
