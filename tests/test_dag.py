"""Deps that tell the truth: the code that a stage of dvc.yaml names is the code that its result depends on."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import params, paths
from pipeline.config.code import CARRIES_NO_RESULT, PACKAGES, closure
from stages import code
from tests.dag import (
    DIGESTED,
    code_deps,
    commands,
    errors,
    kinds,
    listed,
    needed,
    read,
    rewritten,
    runs,
    sampled,
    value,
)

FILES = [Path("metrics/hashing.py"), Path("pipeline/text/encoders.py"), Path("stages/embed.py")]


@pytest.fixture(scope="module")
def dag(root: Path) -> dict[str, dict[str, Any]]:
    return read(root)


@pytest.fixture(scope="module")
def wanted(root: Path) -> dict[str, Any]:
    return params.read(root / "params.yaml")


def test_deps_are_the_code_that_a_result_depends_on(root: Path, dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Fails with what is missing and too much, and with the list that dvc.yaml should have."""
    messages = []
    for stage, entry in dag.items():
        try:
            files = needed(stage, entry, wanted, root)
        except ValueError as error:
            messages.append(f"{stage}: {error}")
            continue
        if wrong := errors(stage, code_deps(entry), files):
            messages.append("\n".join([*wrong, f"code of {stage}:", *(f"  - {dep}" for dep in listed(stage, files))]))
    assert not messages, "`python -m tests.dag` writes these lists\n" + "\n\n".join(messages)


def test_dvc_reads_the_dag(root: Path, wanted: dict[str, Any]) -> None:
    from dvc.repo import Repo

    names = {stage.addressing for stage in Repo(str(root)).index.stages}
    assert {f"generate@{model}" for model in wanted["generate"]["models"]} <= names
    trained = {name.split("@")[-1].removeprefix("train_") for name in names if name.startswith("train")}
    assert trained == set(wanted["train"])


def test_every_parameter_that_a_stage_names_is_there(dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    """dvc runs a stage whose parameter is gone, and fails at its end; also one that is turned off."""
    missing = []
    for stage, entry in dag.items():
        for key in entry.get("do", entry).get("params", []):
            try:
                value(key.split(".${")[0], wanted)
            except (KeyError, TypeError):
                missing.append(f"dvc.yaml: stage {stage}: params.yaml has no {key} (was it renamed?)")
    assert not missing, "\n".join(missing)


def test_a_file_that_is_missing_is_named() -> None:
    deps = ["stages/embed.py", "metrics/hashing.py"]
    assert errors("embed", deps, FILES) == ["embed lacks pipeline/text/encoders.py"]


def test_a_file_or_a_room_that_is_too_much_is_named() -> None:
    deps = ["stages/embed.py", "pipeline/text", "metrics/hashing.py"]
    assert not errors("embed", deps, FILES)
    for dep in ("pipeline/world", "pipeline/text/embeddings.py", "pipeline"):
        assert errors("embed", [*deps, dep], FILES) == [f"embed names {dep}, which is more than it runs"]


@pytest.mark.parametrize("stage", ["weights", "reference"])
def test_downloads_and_the_reference_name_files(stage: str) -> None:
    deps = ["stages/embed.py", "pipeline/text", "metrics/hashing.py"]
    assert errors(stage, deps, FILES) == [f"{stage} names pipeline/text, which is more than it runs"]
    assert not errors(stage, listed(stage, FILES), FILES)


def test_what_is_named_at_run_time_counts(root: Path) -> None:
    named = {"pipeline.samplers.cogvideox", "pipeline.samplers.animatediff", "pipeline.methods.richspace"}
    assert named <= set(runs("python -m stages.generate m", root))


def test_stages_that_cost_minutes_depend_on_the_digest_of_their_code(
    dag: dict[str, Any], wanted: dict[str, Any]
) -> None:
    wrong = []
    for stage, entry in dag.items():
        named = {dep for dep in entry.get("do", entry)["deps"] if dep.startswith("data/code/")}
        if right := kinds(entry, wanted):
            assert code_deps(entry.get("do", entry)) == [], stage
        if named != {paths.code_digest(kind).as_posix() for kind in right}:
            wrong.append(f"{stage} names {named or 'no digest'}, expected {right or 'none'}")
    assert not wrong, "\n".join(wrong)
    assert {kind for entry in dag.values() for kind in kinds(entry, wanted)} == set(code.kinds(_checked(wanted)))


def test_a_training_depends_on_the_code_of_its_module() -> None:
    wanted = {"train": {"codec": {}, "harivo": {"module": "motion"}}}
    assert kinds({"cmd": "python -m stages.train codec"}, wanted) == {"train_codec"}
    assert kinds({"cmd": "A=1 python -m stages.train harivo"}, wanted) == {"train_motion"}
    assert kinds({"cmd": "python -m stages.etc_short key"}, wanted) == {"etc"}
    assert kinds({"cmd": "python -m stages.report"}, wanted) == set()


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("train_motion", "pipeline/training/loop.py"),
        ("train_autoencoder", "pipeline/training/autoencoder.py"),
        ("make_a_video", "pipeline/samplers/cascade.py"),
        ("publish", "pipeline/samplers/animatediff.py"),
        ("mapping", "pipeline/methods/harivo.py"),
        ("oracle", "pipeline/samplers/cogvideox.py"),
        ("bounds", "pipeline/samplers/cogvideox.py"),
        ("etc", "pipeline/samplers/grid.py"),
        ("sweep", "pipeline/samplers/animatediff.py"),
        ("trial", "pipeline/samplers/animatediff.py"),
        ("attention_maps", "pipeline/samplers/grid.py"),
    ],
)
def test_a_digest_covers_what_is_named_at_run_time(root: Path, wanted: dict[str, Any], kind: str, file: str) -> None:
    covered = closure(*code.kinds(_checked(wanted))[kind], without=CARRIES_NO_RESULT, root=root)
    assert Path(file) in covered


def test_the_digests_cover_what_the_stages_run(root: Path, wanted: dict[str, Any]) -> None:
    """Read from the stages' own imports, not from the lists that the digests are made of."""
    made_of = code.kinds(_checked(wanted))
    trainings = {kind: "train" for kind in made_of if kind.startswith("train_")}
    for kind, stage in [*trainings.items(), *((kind, stage) for stage, kind in DIGESTED.items())]:
        digest = set(closure(*made_of[kind], without=CARRIES_NO_RESULT, root=root))
        run = closure(f"stages.{stage}", without=[*CARRIES_NO_RESULT, "pipeline.tracking"], root=root)
        assert {path for path in run if path.parts[0] != "stages"} <= digest


def _checked(wanted: dict[str, Any]) -> params.Params:
    return params.Params.model_validate(wanted)


def test_what_etcs_stage_names_is_what_its_points_are_of(dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    method, named = wanted["etc"]["method"], dag["etc"]["do"]
    entry = wanted["generate"]["methods"][method]
    names = [f"generate.methods.{method}", f"generate.models.{entry['model']}", "generate.set"]
    assert set(names) <= set(named["params"])
    assert f"prompts/{wanted['generate']['set']}.csv" in named["deps"]
    assert f"models/world/{wanted['etc']['points']['etc']['training']}" == entry["trained"]


def test_what_make_a_videos_stages_name_is_what_they_sample(dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    section, methods = wanted["make_a_video"], wanted["generate"]["methods"]
    own = methods[section["method"]]
    named = dag["make_a_video"]["do"]
    models = {point.get("model", own["model"]) for point in section["points"].values()}
    keys = {f"generate.methods.{section['method']}", "generate.set", *(f"generate.models.{name}" for name in models)}
    assert keys <= set(named["params"])
    folders = set()
    for options in (own, *(point.get("options", {}) for point in section["points"].values())):
        parts = (options.get(key) for key in ("prior", "video", "interpolation", "sr_t", "sr_h"))
        folders |= {part["folder"] if isinstance(part, dict) else part for part in parts if part}
    assert folders <= set(named["deps"])


def test_what_the_stage_of_attention_names_is_what_it_samples(dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    method, named = wanted["etc"]["method"], dag["attention_maps"]
    model = wanted["generate"]["methods"][method]["model"]
    assert {f"generate.methods.{method}", f"generate.models.{model}", "generate.set"} <= set(named["params"])
    grids = {dep for dep in named["deps"] if dep.startswith("models/world/etc")}
    if attention := wanted["etc"]["attention"]:
        assert grids == {f"models/world/{name}" for name in attention["trainings"]}
    assert f"prompts/{wanted['generate']['set']}.csv" in named["deps"]


def test_what_the_sweep_stage_names_is_what_is_swept(dag: dict[str, Any], wanted: dict[str, Any]) -> None:
    sweep, named = wanted["harivo"]["sweep"], dag["sweep"]["do"]
    method = wanted["generate"]["methods"][sweep["method"]]
    names = [f"train.{sweep['training']}", f"generate.methods.{sweep['method']}", f"generate.models.{method['model']}"]
    assert set(names) <= set(named["params"])
    assert {method["motion"], f"prompts/{wanted['generate']['set']}.csv"} <= set(named["deps"])


@pytest.mark.parametrize("stage", ["oracle", "bounds"])
def test_what_a_stage_of_richspace_names_is_what_it_samples(
    dag: dict[str, Any], wanted: dict[str, Any], stage: str
) -> None:
    if not wanted["richspace"][stage]:
        return  # then it samples nothing, and that its parameters are there is enough
    entry = dag[stage]
    keys = set(entry["params"]) - {f"richspace.{stage}", "search.default_k", "generate.set"}
    places = {dep for dep in entry["deps"] if dep.split("/")[0] not in (*PACKAGES, "data")}
    right = sampled(wanted, wanted["richspace"][stage]["method"])
    said = f"dvc.yaml: stage {stage} names other than what richspace.{stage}.method of params.yaml is ({right})"
    assert (keys, places) == right, said


def test_another_method_is_another_stage(wanted: dict[str, Any]) -> None:
    keys, places = sampled(wanted, "richspace_animatediff")
    assert {"generate.methods.richspace_animatediff", "generate.models.images"} < keys
    assert {"models/world/t2i", "models/world/codec", "models/world/animatediff", "models/public/minilm"} < places


def test_weights_stay_until_new_ones_are_written(dag: dict[str, Any]) -> None:
    """DVC removes outs before it runs a stage, unless they persist."""
    for stage, entry in dag.items():
        for out in entry.get("do", entry).get("outs", []):
            if isinstance(out, dict) and next(iter(out)).startswith("models/"):
                assert next(iter(out.values())) == {"cache": False, "persist": True}, stage


def test_a_foreach_has_a_command_for_each_item() -> None:
    wanted = {"generate": {"models": {"world": {}, "images": {}}, "external": {}}}
    own = {"foreach": "${generate.models}", "do": {"cmd": "run ${key}"}}
    assert list(commands(own, wanted)) == ["run world", "run images"]
    assert list(commands({"foreach": ["a", "b"], "do": {"cmd": "run ${item}"}}, wanted)) == ["run a", "run b"]
    assert list(commands({"foreach": "${generate.external}", "do": {"cmd": "run ${key}"}}, wanted)) == ["run key"]


def test_lists_are_written_in_their_place() -> None:
    text = (
        "stages:\n  embed:\n    deps:\n      - data\n      - pipeline/old\n      - metrics/old.py\n    outs: []  # x\n"
    )
    new = text.replace("pipeline/old\n      - metrics/old.py", "pipeline/text\n      - stages/embed.py")
    assert rewritten(text, {"embed": ["pipeline/text", "stages/embed.py"]}) == new
