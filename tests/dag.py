"""The deps that the stages of dvc.yaml must name: the code that their results depend on, read from imports.

`python -m tests.dag` puts it into dvc.yaml; everything else in the file stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import params
from pipeline.config.code import CARRIES_NO_RESULT, PACKAGES, closure, module_of
from pipeline.config.paths import ROOT

# A download, what profiles copy, and few files of large rooms: a change to a file that they do not run starts none.
EXACT = re.compile(r"weights|reference|normality")
# Stages that depend on a digest of code, and its kind in stages/code.py; so do trainings, by their modules.
DIGESTED = {
    "sweep": "sweep",
    "trial": "trial",
    "etc": "etc",
    "etc_short": "etc",
    "etc_larger": "etc",
    "make_a_video": "make_a_video",
    "cascade_parts": "make_a_video",
    "publish": "publish",
    "attention": "attention",
    "attention_maps": "attention_maps",
    "mapping": "mapping",
    "oracle": "oracle",
    "bounds": "bounds",
}

_STAGE = re.compile(r"  (?P<name>\w+):\s*")
_CODE = re.compile(rf"(?P<indent> +)- ({'|'.join(PACKAGES)})/\S+\s*")


def read(root: Path) -> dict[str, dict[str, Any]]:
    """The entries of dvc.yaml."""
    return yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def code_deps(entry: dict[str, Any]) -> list[str]:
    """The files and folders of code that an entry names."""
    return [dep for dep in entry.get("do", entry)["deps"] if dep.split("/")[0] in PACKAGES]


def errors(stage: str, deps: Sequence[str], files: Sequence[Path]) -> list[str]:
    """What is missing among the deps of a stage that depends on these files, and what is too much."""
    missing = [f"{stage} lacks {file}" for file in files if not {file.as_posix(), room(file)} & set(deps)]
    right = {file.as_posix() for file in files} | set(listed(stage, files))
    return missing + [f"{stage} names {dep}, which is more than it runs" for dep in deps if dep not in right]


def listed(stage: str, files: Sequence[Path]) -> list[str]:
    """The deps that a stage must name: exact files where a run is expensive, rooms elsewhere."""
    return sorted({file.as_posix() if EXACT.fullmatch(stage) else room(file) for file in files})


def room(file: Path) -> str:
    """The first folder below the package; a file that is in none, and a stage, stand for themselves."""
    return Path(*file.parts[:2]).as_posix()


def needed(stage: str, entry: dict[str, Any], wanted: dict[str, Any], root: Path) -> list[Path]:
    """The files that the result of a stage depends on.

    Raises:
        ValueError: if there is no such module.
    """
    if stage == "code":
        return [Path(place) for place in PACKAGES]
    modules = {module for command in commands(entry, wanted) for module in runs(command, root)}
    return closure(*sorted(modules), without=CARRIES_NO_RESULT, root=root)


def kinds(entry: dict[str, Any], wanted: dict[str, Any]) -> set[str]:
    """The kinds of code (`stages.code.kinds`) whose digests a stage must name: none, or one."""
    found = set()
    for command in commands(entry, wanted):
        name, *arguments = command.split("python -m stages.")[1].split()
        if name == "train":
            found.add(f"train_{wanted['train'][arguments[0]].get('module') or arguments[0]}")
        elif name in DIGESTED:
            found.add(DIGESTED[name])
    return found


def commands(entry: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """The commands of an entry: one, or one for each item of its foreach (`key` if there is none)."""
    if "do" not in entry:
        yield entry["cmd"]
        return
    items = entry["foreach"]
    if isinstance(items, str):
        items = value(items.strip("${}"), wanted)
    for item in items or ["key"]:
        yield re.sub(r"\$\{(key|item)\}", str(item), entry["do"]["cmd"])


def runs(command: str, root: Path) -> list[str]:
    """The modules that a stage's command runs, with those whose names it puts together at run time."""
    name = command.split("python -m stages.")[1].split()[0]
    if name == "train" or name in DIGESTED:
        return []
    if name in ("generate", "check"):
        return [f"stages.{name}", *_modules(root, "pipeline/samplers"), *_modules(root, "pipeline/methods")]
    return [f"stages.{name}"]


def sampled(wanted: dict[str, Any], name: str) -> tuple[set[str], set[str]]:
    """The parameters and the files that a method's clips depend on: its own, its model's, encoder's and prompts'."""
    generate = wanted["generate"]
    method = generate["methods"][name]
    model, own = generate["models"][method["model"]], method.get("set") or generate["set"]
    encoder = f"embed.encoders.{model['encoder']}"
    keys = {f"generate.methods.{name}", f"generate.models.{method['model']}", f"{encoder}.kind"}
    keys |= {f"{encoder}.checkpoint", f"{encoder}.sets.{own}"}
    places = {value(f"{encoder}.checkpoint", wanted), f"prompts/{own}.csv", f"prompts/{own}.mixtures.csv"}
    places |= {model["checkpoint"], model.get("codec"), method.get("motion"), method.get("lora")}
    return keys, places - {None}


def _modules(root: Path, folder: str) -> list[str]:
    return sorted(module_of(file.relative_to(root)) for file in (root / folder).glob("[!_]*.py"))


def value(key: str, wanted: dict[str, Any]) -> Any:
    """The value of a dotted key of params.yaml."""
    for part in key.split("."):
        wanted = wanted[part]
    return wanted


def rewritten(text: str, deps: dict[str, list[str]]) -> str:
    """dvc.yaml with other code among the deps of its stages; code stands together, one file or folder a line."""
    lines: list[str] = []
    stage, before = "", False
    for line in text.splitlines():
        stage = match["name"] if (match := _STAGE.fullmatch(line)) else stage
        code = _CODE.fullmatch(line) if stage in deps else None
        if code and not before:
            lines += [f"{code['indent']}- {dep}" for dep in deps[stage]]
        lines += [] if code else [line]
        before = bool(code)
    return "\n".join(lines) + "\n"


def main() -> None:
    wanted, path = params.read(ROOT / "params.yaml"), ROOT / "dvc.yaml"
    deps = {}
    for stage, entry in read(ROOT).items():
        try:
            deps[stage] = listed(stage, needed(stage, entry, wanted, ROOT))
        except ValueError as error:
            print(f"{stage} stays as it is: {error}")
    path.write_text(rewritten(path.read_text(encoding="utf-8"), deps), encoding="utf-8")


if __name__ == "__main__":
    main()
