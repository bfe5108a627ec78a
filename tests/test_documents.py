"""The commands of README, CONTRIBUTING and docs/, followed to the letter in a scratch folder, or left out for a reason.

What needs a run is followed by `make smoke` (`pipeline.commands.documents.OF_A_RUN`); CONTRIBUTING's method and prompt
set are followed in `tests/stages/test_contributing.py`, the profiles in `tests/test_profiles.py`.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from typer.main import get_command

from metrics.scoring.metric import Metric
from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.commands.cli import app
from pipeline.commands.documents import OF_A_RUN, commands, written
from pipeline.config import params
from pipeline.config.params import Params
from pipeline.config.profiles import merged
from pipeline.config.section import Section
from pipeline.evaluation.labels import Labels
from tests.conftest import ROOT
from tests.metrics.user_study.tables import row
from tests.pipeline.study.videos import write_captions, write_videos
from tests.pipeline.study.web.process import Server

COMMANDS = commands(ROOT)
WRITTEN = list(dict.fromkeys(command.text for command in COMMANDS))
# The same, one by one where a line has several: `(cd FOLDER && reelbench doctor)`.
SINGLE = sorted({one for text in WRITTEN for one in re.sub(r"^\((.*)\)$", r"\1", text).split(" && ")})

# How the commands begin that are followed here, in this order.
OF_VIDEOS = (
    "reelbench score --gen videos/",
    "reelbench compare ours/ theirs/",
    "reelbench filter --videos DIR",
)
OF_FILES = ("reelbench compare published/methods/richspace/clips.csv", "reelbench study analyse votes.csv")
OF_A_STUDY = (
    "reelbench study invite our-study.yaml -n 20",
    "export REELBENCH_STUDY=our-study.yaml",
    "reelbench study invite -n 20",
    "reelbench study status",
    "reelbench study end our-study.yaml",
    "reelbench study export our-study.yaml --out votes.csv",
)
OF_A_CHECKOUT = (
    "dvc metrics diff main",
    "dvc params diff main",
    "dvc metrics diff main my-branch",
)
OF_THE_DAG = (
    "dvc dag --mermaid --collapse-foreach-matrix",
    "dvc dag --mermaid features",
    "dvc dag --mermaid --outs train_codec",
    "dvc dag --mermaid --md embed@minilm",
)
OF_A_CLONE = (
    "git config filter.shipped.clean",
    "git add --renormalize dvc.lock",
    "git commit --message",
    "git add dvc.lock",
)
OF_A_RUN_ELSEWHERE = (
    "reelbench profiles",
    "cd runs/NAME && reelbench doctor",
)
# Followed up to the run itself, for want of checkpoints; tests/pipeline/commands/test_runs.py runs it on small ones.
OF_A_PROFILE = sorted(text for text in WRITTEN if text.startswith("reelbench run --profile ") and "NAME" not in text)
_RUN, _MINUTES, _SERVER = "what `make smoke` runs", "takes minutes or hours", "serves until Ctrl-C"
_TRAINS, _OF_PAPER = "trains", "needs a public checkpoint and videos"
NOT_FOLLOWED = {
    "make report": "its environment, and `dvc repro`: `make smoke` runs that",
    "make test": "this suite",
    "make smoke": "`.ci/run` runs it",
    "make lint": "`.ci/run` runs it",
    "make lock": "needs the package index",
    "pip install deepspeed": "needs the package index",
    "pip install 'reelbench[postgres]'": "needs the package index",
    "mlflow ui --backend-store-uri sqlite:///mlflow.db": _SERVER,
    "mlflow ui": _SERVER,
    "reelbench run --profile NAME": "a form: those with a name are followed",
    "python -m stages.NAME": "a form; tests/stages runs every stage",
    "python -m stages.track": _RUN,
    "python -m stages.oracle": _MINUTES,
    "python -m stages.attention_maps": _MINUTES,
    "dvc repro oracle": _MINUTES,
    "dvc repro attention_maps": _MINUTES,
    "dvc repro reference": _MINUTES,
    "dvc repro code": _RUN,
    "dvc repro train_<model>": _TRAINS,
    "dvc repro train_images@<t2i or its control>": _TRAINS,
    "dvc repro train_motion@<variant>": _TRAINS,
    "dvc commit train_<model>": _TRAINS,
    "accelerate launch --num_processes 2 -m stages.train <model>": "tests/pipeline/training launches two processes",
    "accelerate launch --config_file profiles/stable-diffusion-2-1-etc/accelerate.yaml "
    "-m stages.train etc_sd21": _OF_PAPER,
    "python -m stages.train etc_sd21": _OF_PAPER,
    "(cd runs/stable-diffusion-2-1-etc && python -m stages.train etc_sd21)": _OF_PAPER,
    "python -m stages.train mav_prior": _OF_PAPER,
    "python -m tests.dag": "tests/test_dag.py compares what it writes",
    "python -m tests.dag_picture": "tests/test_dag_picture.py compares what it draws",
    "dvc dag --dot --collapse-foreach-matrix | dot -Tsvg > dag.svg": "needs Graphviz; --mermaid is followed",
    "python -m tests.pipeline.study.web.screenshots docs": "drives a browser; the tests of the web app do, too",
    "python -m benchmarks.attention --device cuda": "needs a GPU",
    "reelbench score --device cuda": "needs a GPU",
    "reelbench publish NAME": _MINUTES,
    "reelbench study serve studies/best-of-four.yaml": _SERVER + "; a study of folders is served below",
    "reelbench study serve our-study.yaml": "the test below adds a free port",
    "reelbench study check studies/best-of-four.yaml": "needs the 12 prompts of a whole run",
    "reelbench study invite studies/best-of-four.yaml -n 20": "needs the 12 prompts of a whole run",
    "reelbench study invite studies/best-of-four.yaml -n 3": "needs the 12 prompts of a whole run",
    "reelbench study delete r-ec46f8e8e620 our-study.yaml": "the id of a rater: tests/pipeline/commands/test_study.py",
    "reelbench study serve our-study.yaml --database postgresql://user:password@host/our_study --folder "
    "/srv/our-study": "needs a database server",
    "reelbench distances GEN REAL": "a form: tests/pipeline/commands/test_own_features.py",
    "reelbench stats --real DIR --out FILE": "a form: tests/pipeline/commands/test_scoring.py",
    "dvc plots diff main": "tests/test_dvc_plots.py renders every plot",
    "dvc plots diff main more-resamples": "needs the cache of a run",
    "dvc exp run -n more-resamples -S evaluate.resamples=5000": "needs the cache of a run",
    "dvc exp diff main more-resamples": "needs the cache of a run",
    "dvc exp branch more-resamples": "needs the cache of a run",
}
_FOLLOWED = (*OF_A_RUN, *OF_VIDEOS, *OF_FILES, *OF_A_STUDY, *OF_A_CHECKOUT, *OF_THE_DAG, *OF_A_CLONE)
_FOLLOWED += (*OF_A_RUN_ELSEWHERE, *OF_A_PROFILE)
_NAME = re.compile(r"(reelbench|accelerate|git|dvc( metrics| plots)?) \w+")  # of a command, in a sentence about it
_SYNOPSIS = re.compile(r"\[-|…")  # a form with its options in brackets; its options are checked


def of(beginning: str) -> str:
    """The command of the documents that begins so."""
    return written(ROOT, beginning)


def follow(folder: Path, *texts: str, **environment: str) -> str:
    """Run commands of the documents one after the other in one shell; what they printed."""
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(folder / ".cache")}
    script = "\n".join(["set -e", *texts])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | own | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_is_followed_or_left_out_for_a_reason() -> None:
    followed = {of(beginning) for beginning in _FOLLOWED}
    benchmarks = {text for text in WRITTEN if text.startswith("python -m benchmarks.")}  # minutes each
    in_blocks = {command.text for command in COMMANDS if not command.inline}
    names = {text for text in WRITTEN if _NAME.fullmatch(text)} - in_blocks
    synopses = {text for text in WRITTEN if _SYNOPSIS.search(text)}
    unknown = set(WRITTEN) - followed - set(NOT_FOLLOWED) - benchmarks - names - synopses
    assert not unknown, "commands of the documents that no list has: follow them, or give a reason in NOT_FOLLOWED"
    assert not set(NOT_FOLLOWED) - set(WRITTEN), "listed, but in no document"
    assert not followed & set(NOT_FOLLOWED)


def test_a_command_is_found_by_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "CONTRIBUTING.md").write_text("`make all` or `make all\nagain`, with `dvc repro`; not `make`.\n")
    (tmp_path / "README.md").write_text("```\n$ dvc show  # all\ndvc printed\n```\n```yaml\ndvc: no\n```\n")
    assert [one.text for one in commands(tmp_path)] == ["dvc show", "make all", "make all again", "dvc repro"]
    assert written(tmp_path, "make all") == "make all"
    assert written(tmp_path, "dvc s") == "dvc show"
    with pytest.raises(ValueError, match="4 commands of the documents begin with '', expected 1"):
        written(tmp_path, "")


def test_commands_of_git_and_in_another_folder_are_commands(tmp_path: Path) -> None:
    (tmp_path / "CONTRIBUTING.md").write_text("`cd runs/NAME && reelbench doctor`, `(cd a && make b)`, `git status`.\n")
    (tmp_path / "README.md").write_text("```\ngit config a 'b'\n(cd a &&\n    make b)\ngithub: no\n```\n")
    assert [(one.text, one.inline) for one in commands(tmp_path)] == [
        ("git config a 'b'", False),
        ("(cd a && make b)", False),
        ("cd runs/NAME && reelbench doctor", True),
        ("(cd a && make b)", True),
        ("git status", True),
    ]


def test_an_argument_in_brackets_makes_no_synopsis() -> None:
    assert _SYNOPSIS.search("reelbench score --gen DIR [--real DIR]")
    assert _SYNOPSIS.search("reelbench publish NAME …")
    assert not _SYNOPSIS.search("reelbench run --set 'evaluate.metrics=[fvd, kvd]'")
    assert not _SYNOPSIS.search("pip install 'reelbench[postgres]'")


@pytest.mark.parametrize("text", [text for text in SINGLE if text.startswith("reelbench ")])
def test_commands_and_options_are_there(text: str) -> None:
    """Also those of synopses, and of commands that are not followed."""
    command: Any = get_command(app)
    for word in text.split()[1:]:
        if not (known := getattr(command, "commands", None)):
            break
        assert word in known, f"{text}: no such command"
        command = known[word]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)) <= options


@pytest.mark.parametrize("text", [text for text in SINGLE if text.startswith("python -m ")])
def test_modules_are_there(text: str) -> None:
    module = text.split()[2]
    assert module == "stages.NAME" or importlib.util.find_spec(module), text


@pytest.mark.parametrize("text", [text for text in SINGLE if re.match(r"(dvc (repro|commit)|make) .", text)])
def test_targets_are_there(text: str) -> None:
    """Of a form such as `train_motion@<variant>` the part that is a name."""
    stages = set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    words = re.sub(r"<.*?>", "<>", text).split()
    for word in words[1:] if words[0] == "make" else words[2:]:
        name = word.partition("@")[0]
        known = targets if words[0] == "make" else stages
        assert name in known or any(one.startswith(name.removesuffix("<>")) for one in known if "<>" in name), text


def write_clips(folder: Path, seed: int) -> None:
    """Four videos of 16 frames: a square that moves over noise."""
    random = np.random.default_rng(seed)
    for number in range(4):
        clip = random.integers(0, 60, (16, 32, 32, 3), np.uint8)
        for time in range(16):
            clip[time, 8 + number : 16 + number, time : time + 8] = (200, 60 * number, 40)
        write_clip(folder / f"clip-{number:03d}.mkv", clip, 8)


def test_videos_are_scored_compared_and_filtered(tmp_path: Path, i3d_weights: Path, minilm: Path) -> None:
    for place, name in enumerate(("videos", "ucf101", "theirs")):
        write_clips(tmp_path / name, place)
    shutil.copytree(tmp_path / "videos", tmp_path / "ours")
    write_captions(tmp_path / "captions.csv", 4)
    (tmp_path / "clip-vit-base-patch32").symlink_to(ROOT / "models/world/clip")
    score, compare, filtered = map(of, OF_VIDEOS)
    (tmp_path / "all-captions.csv").write_text((tmp_path / "captions.csv").read_text())
    for form, own in {"DIR": "videos", "FILE": "all-captions.csv", "FOLDER": "clip-vit-base-patch32"}.items():
        filtered = filtered.replace(form, own)
    said = follow(tmp_path, score, compare, filtered)
    assert "fvd" in (tmp_path / "result.json").read_text()
    assert "FVD" in said
    assert len(pd.read_csv(tmp_path / "all.csv")) == 4
    assert len(pd.read_csv(tmp_path / "captions.csv")) == 3  # 70 % of four, rounded


def test_files_of_single_clips_are_read(tmp_path: Path) -> None:
    (tmp_path / "published").symlink_to(ROOT / "published")
    votes = [
        row(design="pairwise", rater=f"r-{r}", trial=p + 1, prompt=f"p{p}", answer="a" if (r + p) % 4 else "b")
        for r in range(4)
        for p in range(5)
    ]
    pd.DataFrame(votes).to_csv(tmp_path / "votes.csv", index=False)
    assert "CLIPSIM" in follow(tmp_path, *map(of, OF_FILES))
    assert (tmp_path / "tables/user_study_preferences_s.md").is_file()
    library = block("docs/user-study.md", "python")
    done = subprocess.run([sys.executable, "-c", library], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_study_from_its_file_to_its_votes(tmp_path: Path) -> None:
    """The YAML of docs/user-study.md as it stands there, over 24 videos of two methods."""
    study = tmp_path / "our-study.yaml"
    study.write_text(block("docs/user-study.md", "yaml"))
    for place, name in enumerate(("ours", "theirs")):
        write_videos(tmp_path / "videos" / name, 24, seed=place)
    write_captions(tmp_path / "videos/captions.csv", 24)
    with Server(study):
        follow(tmp_path, *map(of, OF_A_STUDY))
    assert len(pd.read_csv(tmp_path / "links.csv")) == 20
    assert pd.read_csv(tmp_path / "votes.csv").empty


def test_results_of_two_branches_are_compared(tmp_path: Path) -> None:
    """A clone, and no cache: values that changed are told, with the parameters that may explain them."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".dvc").mkdir()
    for name in (".dvc/config", ".dvc/.gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "data/summary", tmp_path / "data/summary")
    git = "git -c user.name=a -c user.email=a@b"
    follow(tmp_path, "git init -q -b main", "git add -A", f"{git} commit -qm a", "git checkout -q -b my-branch")
    one = tmp_path / "data/summary/methods/richspace.json"
    one.write_text(re.sub(r'"fvd": [\d.]+', '"fvd": 123.5', one.read_text()))
    changed = (tmp_path / "params.yaml").read_text().replace("default_k: 30", "default_k: 50")
    (tmp_path / "params.yaml").write_text(changed)
    metrics, parameters, branch = map(of, OF_A_CHECKOUT)
    said = follow(tmp_path, metrics, parameters, f"{git} commit -qam b", branch)
    assert said.count("123.5") == 2 and "search.default_k" in said


def test_the_dag_is_drawn(tmp_path: Path) -> None:
    """Without a lock, a cache or a run; the stages of the documents are there."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    follow(tmp_path, "git init -q", "dvc init -q")
    said = [follow(tmp_path, of(text)) for text in OF_THE_DAG]
    assert all("flowchart" in one for one in said)
    assert "train_codec" in said[0] and "embed@minilm" in said[3]


@pytest.mark.parametrize("text", OF_A_PROFILE)
def test_a_run_of_a_profile_is_prepared(text: str, tmp_path: Path) -> None:
    """Its copy is made, its parameters are checked, and its DAG is one that DVC reads."""
    follow(ROOT, f"{text} --prepare --out {tmp_path / 'run'}", XDG_CACHE_HOME=str(tmp_path))
    assert "generate@" in follow(tmp_path / "run", "dvc stage list --name-only")


def test_a_run_says_what_its_checkpoints_are(tmp_path: Path) -> None:
    """One from the list of profiles, in a folder that is only prepared; a machine may have its checkpoints."""
    profiles, doctor = map(of, OF_A_RUN_ELSEWHERE)
    run = of("reelbench run --profile cogvideox-2b")
    assert "\ncogvideox-2b: " in follow(ROOT, profiles)
    follow(ROOT, f"{run} --prepare --out {tmp_path / 'runs/NAME'}", XDG_CACHE_HOME=str(tmp_path))
    said = follow(tmp_path, f"{doctor} || test $? = 1", COLUMNS="200")
    assert "models.cogvideox.checkpoint" in said and "THUDM/CogVideoX-2b" in said


def test_a_whole_lock_is_committed_once_more(tmp_path: Path) -> None:
    """A clone without the filter; and one with it, whose lock has grown by what a machine computed."""
    machine = "  embed@x:\n    cmd: x\n    outs:\n    - path: data/x\n"
    lock, shipped = tmp_path / "dvc.lock", "stages:\n  train_x:\n    cmd: x\n    outs:\n    - path: models/x\n"
    (tmp_path / ".dvc").mkdir()
    for name in (".gitattributes", ".dvc/shipped.awk"):
        shutil.copy(ROOT / name, tmp_path / name)
    lock.write_text(shipped + machine)
    os.utime(lock, (0, 0))  # git looks into a file of another age than its index's only if something tells it to
    who = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    follow(tmp_path, "git init -q", "git add -A", "git commit -qm whole", **who)
    turn_on, again, commit, same = map(of, OF_A_CLONE)
    follow(tmp_path, turn_on, again, commit, **who)
    assert follow(tmp_path, "git show HEAD:dvc.lock") == shipped
    lock.write_text(shipped + machine + machine.replace("@x", "@y"))
    assert follow(tmp_path, same, "git status --porcelain") == ""


@pytest.mark.parametrize("number", range(2))
def test_the_library_in_the_documents_runs(number: int, i3d_weights: Path) -> None:
    names: dict[str, Any] = {"clips": torch.rand(2, 3, 9, 224, 224) * 2 - 1}
    for code in blocks("docs/score.md", "python")[: number + 1]:
        exec(compile(code, "docs/score.md", "exec"), names)


def test_a_models_answers_become_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/profiles.md, on ledgers: a clip failed, one was made at the second try, a line is cut short."""
    monkeypatch.chdir(tmp_path)
    made = ledger.Entry("tiger-zebra-s0", "m", "s/tiger-zebra", 0, "", "p", "A tigerzebra.", "w", "f", 1.0, ledger.OK)
    failed = replace(made, clip="tiger-zebra-s1", seed=1, outcome="RuntimeError: no")
    again = replace(made, clip="tiger-zebra-s2", seed=2)
    methods = ("cogvideox", "richspace", "richspace_midpoint")
    for method in methods:
        folder = Path("runs/cogvideox-2b/data/clips/cogvideox", method)
        for entry in (made, failed, replace(again, outcome="RuntimeError: no"), again):
            ledger.append(folder, replace(entry, method=method))
        (folder / ledger.FILE).open("a").write('{"clip": "tiger')
        for entry in (made, again):
            (folder / entry.file).touch()

    def ask(video: Path, question: str) -> bool:
        assert video.is_file() and "A tigerzebra." in question
        return "richspace/" in str(video)

    exec(compile(block("docs/profiles.md", "python"), "docs/profiles.md", "exec"), {"ask": ask})
    found = pd.read_csv("labels.csv").set_index(["method", "clip"]).shown
    shown = {"richspace": [1, 0, 1]}
    assert found.to_dict() == {
        (method, entry.clip): value
        for method in methods
        for entry, value in zip((made, failed, again), shown.get(method, [0, 0, 0]), strict=True)
    }
    Labels.read(Path("labels.csv"))


def test_entries_for_folders_fit_params(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of docs/models.md, beside the entries that are there."""
    monkeypatch.chdir(ROOT)
    entries = yaml.safe_load(block("docs/models.md", "yaml"))
    wanted = Params.model_validate(merged(params.read(ROOT / "params.yaml"), entries))
    assert "gen_x" in wanted.generate.everything


def test_the_parts_of_methods_and_metrics_are_python() -> None:
    """CONTRIBUTING's options and record, with the names that the text says they need."""
    _, options, record = blocks("CONTRIBUTING.md", "python")
    names: dict[str, Any] = {"Section": Section, "Literal": Literal, "Metric": Metric}
    exec(compile(options + record, "CONTRIBUTING.md", "exec"), names)
    assert names["Options"].model_validate({"part": "first"}).part == "first"
    assert names["MOTION"].comparable


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def block(document: str, language: str) -> str:
    """The only one."""
    (only,) = blocks(document, language)
    return only
