"""`reelbench run`: the DAG with a profile's parameters, in a copy of the working tree.

The copy has its own params.yaml, dvc.yaml, data/ and reports/: the default run stays as it is, code that is edited
meanwhile disturbs nothing, and what stood behind the numbers can be read in one folder.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.padding import Padding

from metrics.scoring.catalogue import METRICS
from pipeline.commands import check, remembered, tree
from pipeline.config import params, paths, profiles
from pipeline.config.code import PACKAGES

# What lies between prompts and report. Trainings and analyses of the toy world stay out: their results come along.
STAGES = (
    *("weights", "prompts", "embed", "search", "check", "generate", "external", "reference", "features"),
    *("evaluate", "study", "report", "track"),
)
# Where new files are the run's. Elsewhere they are somebody's weights or videos, and are read where they are.
_ROOMS = {*PACKAGES, *(place.name for place in (paths.PROMPT_SETS, paths.PROFILES, paths.STUDIES))}
_VOUCHED = "reference"  # what it makes is copied, too, and the checkout's lock vouches for it


def run(profile: str, settings: Sequence[str] = (), out: Path | None = None, prepare_only: bool = False) -> int:
    """Run the DAG with a profile, or go on with it; returns an exit code.

    Args:
        settings: `key=value`, see `profiles.with_settings`; those of earlier calls hold where these say nothing.
        out: the copy; None: runs/PROFILE. prepare_only: make the copy, and run nothing.

    Raises:
        ValueError: if there is no such profile, the parameters are wrong, or `out` is a folder of something else.
    """
    folder = out or paths.RUNS / profile
    about = profiles.about(profile)
    kept = remembered.without(remembered.settings(folder, profile), settings)
    for setting in kept:
        print(f"{profile}: --set {setting} (an earlier call's, in {folder / remembered.FILE})")
    prepare(profiles.with_settings(profiles.with_profile(params.read(), profile), [*kept, *settings]), folder)
    remembered.keep(folder, profile, [*kept, *settings])
    print(f"{profile}: {about.title}, in {folder}")
    if prepare_only:
        return 0
    code = tree.reproduce(folder)
    end = f"report: {(folder / paths.REPORTS / 'index.html').absolute()}"
    print(f"{profile}: {end if not code else 'stopped; the same command goes on from here'}")
    return code


def show() -> None:
    """Print what each profile says of itself; from the repository's root."""
    console = Console(highlight=False)
    for name in profiles.names():
        about = profiles.about(name)
        console.print(f"[bold]{name}[/]: {about.title}")
        for key, said in about.model_dump(exclude={"title", "extends"}).items():
            if said:
                console.print(Padding(f"{key}: {said}", (0, 0, 0, 2)))


def prepare(values: dict[str, Any], folder: Path) -> None:
    """Make the copy for these parameters, or bring it up to date; from the repository's root.

    Raises:
        ValueError: if they are wrong, or the folder holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not tree.is_copy(folder):
        raise ValueError(f"{folder}: is no run, expected a new folder or one that `reelbench run` made")
    wanted = params.checked(values, "the parameters with the profile")
    _check_real_side(wanted)
    of_world = bool(set(wanted.train) & set(params.read()["train"]))
    read = {Path(place) for _, place, _ in check.places(wanted)} | ({paths.REFERENCE} if _rendered(wanted) else set())
    foreign = {path for path in tree.new() if path.parts[0] not in _ROOMS}
    tree.copy(folder, lambda path: path not in foreign and _comes_along(path, of_world, read))
    for key, place in _elsewhere(wanted, folder):
        profiles.assign(values, key, place)
    params.write(values, folder / paths.PARAMS)
    dag = narrowed(yaml.safe_load(paths.DAG.read_text(encoding="utf-8")), params.load(folder / paths.PARAMS), folder)
    (folder / paths.DAG).write_text(yaml.safe_dump(dag, sort_keys=False), encoding="utf-8")
    _vouch(folder)


def _check_real_side(wanted: params.Params) -> None:
    """Refuse to compare a public model's videos with the toy world's clips.

    Raises:
        ParamsError: naming what is to be set.
    """
    methods = wanted.generate.methods
    sampled = {methods[name].model for name in wanted.generate.evaluated if name in methods}
    for name in sorted(sampled) if _rendered(wanted) else []:
        checkpoint = wanted.generate.models[name].checkpoint
        if not Path(checkpoint).expanduser().absolute().is_relative_to(paths.WORLD_MODELS.absolute()):
            metrics = ", ".join(metric for metric in wanted.evaluate.metrics if METRICS[metric].needs == "real")
            raise params.ParamsError(
                f"evaluate.reference: is null, so that {metrics} would compare generate.models.{name} ({checkpoint}) "
                "with the toy world's clips; expected a folder of real videos, a file of `reelbench stats` or a name "
                "of generate.external; or take these out of evaluate.metrics"
            )


def _comes_along(path: Path, of_world: bool, read: Collection[Path]) -> bool:
    """Whether a run has a file of the checkout. Where no training is the toy world's, none of its models and results
    comes that is not read."""
    if path in paths.OF_A_RUN or path.is_relative_to(paths.SUMMARY):
        return False
    shipped = path.parts[0] in (paths.MODELS.name, paths.PUBLISHED.name) and not path.is_relative_to(paths.I3D.parent)
    return of_world or not shipped or any(path.is_relative_to(place) for place in read)


def narrowed(dag: Mapping[str, Any], wanted: params.Params, folder: Path) -> dict[str, Any]:
    """The DAG of a run: STAGES, without deps that none of them makes and the copy lacks, with the run's own files."""
    here = all((folder / place).exists() for place in (paths.I3D, paths.MINILM))
    left_out = {*(["weights"] if here else []), *([] if _rendered(wanted) else ["reference"])}
    stages = {name: dag["stages"][name] for name in STAGES if name not in left_out}
    outs = [out for entry in stages.values() for out in _outs(entry)]
    for name, entry in stages.items():
        own = entry.get("do", entry)
        made = [dep for dep in own["deps"] if _is_there(dep, outs, folder)]
        own["deps"] = [*made, *_read_by(name, wanted)]
    return {**dag, "stages": stages}


def _rendered(wanted: params.Params) -> bool:
    """Whether the toy world's clips are the real side of a metric."""
    return wanted.evaluate.reference is None and wanted.evaluate.compares


def _outs(entry: Mapping[str, Any]) -> list[str]:
    return [next(iter(out)) if isinstance(out, dict) else out for out in entry.get("do", entry)["outs"]]


def _is_there(dep: str, outs: Sequence[str], folder: Path) -> bool:
    made = any(out == dep or out.startswith(f"{dep}/") or dep.startswith(f"{out}/") for out in outs)
    return made or "${" in dep or (folder / dep).exists()


def _read_by(stage: str, wanted: params.Params) -> list[str]:
    """What a stage reads of files that only a run's parameters name, so that dvc watches them."""
    own = {"features": wanted.evaluate.place, "evaluate": wanted.evaluate.labels}
    return [str(own[stage])] if own.get(stage) else []


def _elsewhere(wanted: params.Params, folder: Path) -> Iterator[tuple[str, str]]:
    """(key, absolute path) of what is here, and not in the copy: checkpoints, videos, captions; and of what lies at
    home (~), which not every reader would look up there."""
    for key, place, _ in check.places(wanted):
        path = Path(place).expanduser()
        if path.exists() and (place.startswith("~") or not (folder / path).exists()):
            yield key, str(path.absolute())


def _vouch(folder: Path) -> None:
    """Have the copy's lock file know what came with it, unless the run has made it anew."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    if (folder / paths.LOCK).is_file():
        ours = yaml.safe_load((folder / paths.LOCK).read_text(encoding="utf-8"))
    if paths.LOCK.is_file():
        theirs = yaml.safe_load(paths.LOCK.read_text(encoding="utf-8"))["stages"]
    came = {_VOUCHED: theirs[_VOUCHED]} if _VOUCHED in theirs else {}
    lock = {"schema": "2.0", "stages": came | ours.get("stages", {})}
    (folder / paths.LOCK).write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
