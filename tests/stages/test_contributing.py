"""CONTRIBUTING's method and prompt set, followed to the letter in a scratch copy."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.emptied import without_points

RUN = """
import sys
from importlib import import_module
for stage, *arguments in map(str.split, {stages!r}):
    sys.argv = [stage, *arguments]
    import_module(f"stages.{{stage}}").main()
"""


@pytest.fixture
def copy(root: Path, tmp_path: Path, i3d_weights: Path, minilm: Path) -> Path:
    """The code and what travels with it; two mixtures, three methods, two sampling steps; no clips, no results."""
    for name in ("pipeline", "stages", "metrics", "prompts"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "models").symlink_to(root / "models")
    wanted = yaml.safe_load((root / "params.yaml").read_text())
    wanted["embed"]["encoders"]["minilm"]["sets"] = {"world": wanted["embed"]["encoders"]["minilm"]["sets"]["world"]}
    wanted["search"]["k"] = [wanted["search"]["default_k"]]
    generate = wanted["generate"]
    generate["mixtures"] = {"limit": 2, "seeds": 1}
    generate["models"]["world"]["sampling"]["steps"] = 2
    generate["methods"] = {name: generate["methods"][name] for name in ("cogvideox", "richspace", "strip")}
    wanted["evaluate"] |= {"comparisons": [], "resamples": 20}
    wanted["harivo"]["ablation"] = {}
    wanted["richspace"]["bounds"] = None  # of a method that is left out
    without_points(wanted)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(wanted, sort_keys=False))
    return tmp_path


def run(copy: Path, *stages: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(stages=stages)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def follow(copy: Path, document: str) -> str:
    """Put the document's file and entry where it says; returns the method's name."""
    section = document.split("## Add a method")[1].split("\n## ")[0]
    file = re.search(r"for example `(pipeline/methods/\w+\.py)`", section, re.IGNORECASE).group(1)
    code, entry = (re.search(rf"```{kind}\n(.*?)```", section, re.DOTALL).group(1) for kind in ("python", "yaml"))
    (copy / file).write_text(code)
    text = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(text.replace("  methods:\n", "  methods:\n" + textwrap.indent(entry, "    "), 1))
    return entry.partition(":")[0]


def add_prompt_set(copy: Path, document: str) -> str:
    """Put the files and entries of the document where it says; returns the set's name."""
    section = document.split("## Add a prompt set")[1].split("\n## ")[0]
    files = re.findall(r"`(prompts/\w+(?:\.mixtures)?\.csv)`", section.partition("For example")[2])
    tables = re.findall(r"```csv\n(.*?)```", section, re.DOTALL)
    for file, table in zip(files, tables, strict=True):
        (copy / file).write_text(table)
    licence, embedded = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    with (copy / "prompts/sets.yaml").open("a") as sets:
        sets.write(licence)
    name = Path(files[0]).stem
    wanted = yaml.safe_load((copy / "params.yaml").read_text())
    wanted["prompts"]["sets"].append(name)
    wanted["embed"]["encoders"]["minilm"]["sets"] |= yaml.safe_load(embedded)
    (copy / "params.yaml").write_text(yaml.safe_dump(wanted, sort_keys=False))
    return name


def test_a_prompt_set_is_embedded_and_searched(copy: Path, root: Path) -> None:
    name = add_prompt_set(copy, (root / "CONTRIBUTING.md").read_text())
    run(copy, "prompts", "embed minilm", "search minilm")
    found = pd.concat(pd.read_csv(path) for path in (copy / "data/search/minilm").glob("*.csv"))
    own = found[found.mixture.str.startswith(f"{name}/")]
    assert len(own) == 1 and own.step.between(1, own.k).all()


def test_a_method_takes_two_places_and_is_everywhere(copy: Path, root: Path) -> None:
    run(copy, "prompts", "embed minilm", "search minilm", "generate world")
    before = {path: path.stat().st_mtime_ns for path in (copy / "data/clips").rglob("*.mkv")}
    name = follow(copy, (root / "CONTRIBUTING.md").read_text())
    run(copy, "generate world", "features", "evaluate", "report", "track")
    assert {path: path.stat().st_mtime_ns for path in before} == before  # its clips, and no others
    metrics = pd.read_csv(copy / "data/results/metrics.csv")
    own = metrics[metrics.method == name].set_index("metric")
    assert {"fvd", "kvd", "clipsim", "success_rate", "parameters"} <= set(own.index)
    assert own.asked.unique().tolist() == ["mixtures"]
    page = (copy / "reports/methods.html").read_text()
    assert f'<th scope="row">{name}</th>' in page
    assert "any model half way between a mixture&#39;s first and last part." in page
    assert f'"{name}"' in (copy / "reports/index.html").read_text().split('id="plots"')[1]
    for table in ("comparison_mixtures", "mixtures"):
        assert name in pd.read_csv(copy / f"reports/tables/{table}.csv").method.tolist()
