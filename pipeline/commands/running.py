"""`reelbench run`: the DAG with a profile's parameters, in a copy of the working tree.

The copy has its own params.yaml, dvc.yaml, data/ and reports/: the default run stays as it is, code that is edited
meanwhile disturbs nothing, and what stood behind the numbers can be read in one folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from metrics.scoring.catalogue import METRICS
from pipeline.commands import check, tree
from pipeline.config import params, paths, profiles

# What lies between prompts and report. Trainings and analyses of the toy world stay out: their results come along.
STAGES = (
    *("weights", "prompts", "embed", "search", "check", "generate", "external", "reference", "features"),
    *("evaluate", "study", "report", "track"),
)
_VOUCHED = ("weights", "reference")  # what these make is copied, too, and the checkout's lock vouches for it
_OWN = (paths.PARAMS, paths.DAG, paths.LOCK)  # files that a copy has of its own


def run(profile: str, settings: Sequence[str] = (), out: Path | None = None, prepare_only: bool = False) -> int:
    """Run the DAG with a profile, or go on with it; returns an exit code.

    Args:
        settings: `key=value`, see `profiles.with_settings`. out: the copy; None: runs/PROFILE. prepare_only: make the
            copy, and run nothing.

    Raises:
        ValueError: if there is no such profile, the parameters are wrong, or `out` is a folder of something else.
    """
    folder = out or paths.RUNS / profile
    about = profiles.about(profile)
    prepare(profiles.with_settings(profiles.with_profile(params.read(), profile), settings), folder)
    print(f"{profile}: {about.title}, in {folder}")
    if prepare_only:
        return 0
    code = tree.reproduce(folder)
    end = f"report: {(folder / paths.REPORTS / 'index.html').absolute()}"
    print(f"{profile}: {end if not code else 'stopped; the same command goes on from here'}")
    return code


def prepare(values: dict[str, Any], folder: Path) -> None:
    """Make the copy for these parameters, or bring it up to date; from the repository's root.

    Raises:
        ValueError: if they are wrong, or the folder holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not tree.is_copy(folder):
        raise ValueError(f"{folder}: is no run, expected a new folder or one that `reelbench run` made")
    wanted = params.checked(values, "the parameters with the profile")
    tree.copy(folder, without=_OWN)
    for key, place in _elsewhere(wanted, folder):
        profiles.assign(values, key, place)
    params.write(values, folder / paths.PARAMS)
    dag = narrowed(yaml.safe_load(paths.DAG.read_text(encoding="utf-8")), params.load(folder / paths.PARAMS), folder)
    (folder / paths.DAG).write_text(yaml.safe_dump(dag, sort_keys=False), encoding="utf-8")
    _vouch(folder)


def narrowed(dag: Mapping[str, Any], wanted: params.Params, folder: Path) -> dict[str, Any]:
    """The DAG of a run: STAGES, without deps that none of them makes and the copy lacks, with the run's own files."""
    stages = {name: dict(dag["stages"][name]) for name in STAGES if name != "reference" or _rendered(wanted)}
    outs = [out for entry in stages.values() for out in _outs(entry)]
    for name, entry in stages.items():
        own = entry["do"] if "do" in entry else entry
        made = [dep for dep in own["deps"] if _is_there(dep, outs, folder)]
        own["deps"] = [*made, *_read_by(name, wanted)]
    return {**dag, "stages": stages}


def _rendered(wanted: params.Params) -> bool:
    """Whether the toy world's clips are the real side of a metric."""
    return wanted.evaluate.reference is None and any(METRICS[name].needs == "real" for name in wanted.evaluate.metrics)


def _outs(entry: Mapping[str, Any]) -> list[str]:
    return [next(iter(out)) if isinstance(out, dict) else out for out in entry.get("do", entry)["outs"]]


def _is_there(dep: str, outs: Sequence[str], folder: Path) -> bool:
    made = any(out == dep or out.startswith(f"{dep}/") or dep.startswith(f"{out}/") for out in outs)
    return made or "${" in dep or (folder / dep).exists()


def _read_by(stage: str, wanted: params.Params) -> list[str]:
    """What a stage reads of files that only a run's parameters name, so that dvc watches them."""
    return []


def _elsewhere(wanted: params.Params, folder: Path) -> Iterator[tuple[str, str]]:
    """(key, absolute path) of what is here, and not in the copy: checkpoints, videos, captions."""
    for key, place, _ in check.places(wanted):
        path = Path(place).expanduser()
        if not path.is_absolute() and path.exists() and not (folder / path).exists():
            yield key, str(path.absolute())


def _vouch(folder: Path) -> None:
    """Have the copy's lock file know what came with it, unless the run has made it anew."""
    ours, theirs = ({}, {})
    if (folder / paths.LOCK).is_file():
        ours = yaml.safe_load((folder / paths.LOCK).read_text(encoding="utf-8"))
    if paths.LOCK.is_file():
        theirs = yaml.safe_load(paths.LOCK.read_text(encoding="utf-8"))["stages"]
    came = {name: theirs[name] for name in _VOUCHED if name in theirs}
    lock = {"schema": "2.0", "stages": came | ours.get("stages", {})}
    (folder / paths.LOCK).write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
