"""The smoke profile: the whole DAG in a scratch copy of the working tree, with few mixtures, seeds and steps, and then
the commands of the documents that need a run."""

import os
import subprocess
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from pipeline.commands import documents, tree
from pipeline.config import params, paths
from pipeline.config.profiles import merged

LIMIT = 4  # mixtures, and prompts, of every method
SMALL = {
    "generate": {"mixtures": {"limit": LIMIT, "seeds": 1}, "prompts": {"limit": LIMIT, "seeds": 1}},
    "harivo": {"normality": {"videos": 100}},
}
STEPS = 6  # sampling steps of every model
ATTENTION = {"prompts": 2, "steps": [1, STEPS]}
PARTS = {"clips": 2, "factors": [2], "rates": [8]}
ORACLE = {"k": 2, "limit": 2, "seeds": 1}  # eight clips
BOUNDS = {"prompts": 4}


def run() -> int:
    """Copy, shrink, `dvc repro`; returns its exit code. The copy is removed, its report too."""
    with tempfile.TemporaryDirectory(prefix="reelbench-smoke-") as scratch:
        copy = Path(scratch)
        tree.copy(copy)
        params.write(shrink(params.read(copy / paths.PARAMS)), copy / paths.PARAMS)
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
        code = tree.reproduce(copy, environment) or _follow(copy, environment)
    if not code:
        print("smoke: the main job runs from prompts to report")
    return code


def _follow(copy: Path, environment: dict[str, str]) -> int:
    """Run the documents' commands that need a run, as they are written; returns the first exit code that is not 0."""
    for beginning in documents.OF_A_RUN:
        command = documents.written(copy, beginning)
        code = subprocess.run(["bash", "-c", command], cwd=copy, env=environment, check=False).returncode
        if code:
            print(f"smoke: failed with exit code {code}: {command}")
            return code
    return 0


def shrink(wanted: dict[str, Any]) -> dict[str, Any]:
    """The same parameters, with few mixtures, prompts, seeds and sampling steps."""
    small = merged(deepcopy(wanted), SMALL)
    small["search"]["k"] = sorted({10, small["search"]["default_k"]})
    etc = small["etc"]
    for points in (small["harivo"]["sweep"], etc, etc["short"], etc["larger"], small["make_a_video"]):
        points["points"] = {}  # with fewer sampling steps each would be computed anew
    small["harivo"]["trials"] |= {"points": {}, "choices": {}, "ablation": {}, "pairs": []}  # or trained anew
    for part, few in (("oracle", ORACLE), ("bounds", BOUNDS)):
        if found := small.get("richspace", {}).get(part):
            small["richspace"][part] = found | few
    small["make_a_video"] |= {"whole": None, "cueless": None}
    if parts := small["make_a_video"].get("parts"):
        small["make_a_video"]["parts"] = parts | PARTS
    if attention := small["etc"].get("attention"):
        small["etc"]["attention"] = attention | ATTENTION
    for model in small["generate"]["models"].values():
        model["sampling"]["steps"] = STEPS
    for method in small["generate"]["methods"].values():
        for part in method.values():
            if isinstance(part, dict) and "steps" in part:  # a network of Make-A-Video's cascade
                part["steps"] = min(part["steps"], STEPS)
        method["limit"] = min(method.get("limit") or LIMIT, LIMIT)
    return small
