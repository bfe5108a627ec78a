import itertools
from pathlib import Path

import pytest
import yaml

from pipeline.config.params import ParamsError, load


@pytest.fixture
def written(root: Path, tmp_path: Path):
    """Writes the shipped parameters with one value changed; returns the path."""

    def write(key: str, value: object) -> Path:
        data = yaml.safe_load((root / "params.yaml").read_text())
        *parents, last = key.split(".")
        section = data
        for name in parents:
            section = section[name]
        section[last] = value
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(data))
        return tmp_path / "params.yaml"

    return write


def test_the_shipped_parameters_are_valid(root: Path) -> None:
    wanted = load(root / "params.yaml")
    assert wanted.search.default_k == 30
    assert wanted.generate.methods["end_a"].options == {"part": "first"}
    assert set(wanted.train) > {"codec", "clip", "cogvideox", "t2i", "animatediff", "harivo", "lora"}


def test_the_variants_of_the_ablation_differ_by_one_part_each(root: Path) -> None:
    """Same steps, same seed, same data; every row of Tables 1 and A2 adds to the one before."""
    wanted = load(root / "params.yaml")
    rows = list(wanted.harivo.ablation.values())
    folders = [Path(wanted.generate.methods[row].options["motion"]).name for row in rows]
    added = []
    for before, after in itertools.pairwise(folders):
        assert wanted.train[before].schedule == wanted.train[after].schedule
        old, new = wanted.train[before].spec, wanted.train[after].spec
        added.append({key for key in new if new[key] != old[key]})
    assert added == [{"lambda_trs"}, {"lambda_dc"}, {"mapping", "lambda_reg"}, {"tokens"}, set()]
    assert wanted.generate.methods[rows[-2]].options["mg"] is False
    assert "mg" not in wanted.generate.methods[rows[-1]].options


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("generate.models.images.sampling.guidance", {"early": 12}, r"guidance.*late: Field required"),
        ("harivo.ablation", {"baseline": "nosuch"}, r"harivo\.ablation names \['nosuch'\]"),
        ("harivo.mg_scale", -1, r"harivo\.mg_scale: .*greater than or equal to 0, found -1"),
        ("harivo.sweep.points", {"x": {"lambda_tsr": 1}}, r"points\.x\.lambda_tsr: Extra inputs"),
        ("harivo.sweep.points", {"x": {}}, r"points\.x: .*either mg_scale or some of the λ, found nothing"),
        ("harivo.sweep.points", {"x": {"mg_scale": 1, "lambda_dc": 1}}, r"found \['lambda_dc', 'mg_scale'\]"),
        ("harivo.sweep.points", {}, r"harivo\.sweep\.points: .*at least 1"),
    ],
)
def test_faults_of_harivos_parameters(written, key: str, value: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load(written(key, value))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("search.k", [0, 30], r"search\.k\.0: .*greater than or equal to 1, found 0"),
        ("search.default_k", 31, "search: .*default_k is 31, which is not in search.k"),
        ("generate.mixtures.seeds", "many", r"generate\.mixtures\.seeds: .*found 'many'"),
        ("evaluate.reference", "lvdm", r"evaluate\.reference names \['lvdm'\], expected one of generate\.external"),
        ("generate.methods.cogvideox.set", "moon", r"cogvideox\.set names \['moon'\], expected one of embed"),
        ("reference.clips", 0, r"reference\.clips: .*greater than or equal to 1, found 0"),
        (
            "generate.methods",
            {"a/b": {"module": "x", "model": "world"}},
            r"generate\.methods names 'a/b', expected letters",
        ),
        ("generate.tyop", 1, r"generate\.tyop: Extra inputs are not permitted, found 1"),
        (
            "generate.methods.cogvideox.model",
            "none",
            r"cogvideox.model names \['none'\], expected one of generate.models: \['images', 'world'\]",
        ),
        ("generate.models.world.encoder", "t6", r"encoder names \['t6'\], expected one of embed.encoders"),
        (
            "evaluate.comparisons",
            [{"candidate": "strip", "baseline": "cogvideox"}],
            r"comparisons names \['strip'\], expected one of the methods that are evaluated",
        ),
        ("embed.encoders.minilm.kind", "bert", r"embed\.encoders\.minilm\.kind: .*'minilm', 't5' or 'clip'"),
        ("evaluate.confidence", 1.5, r"evaluate\.confidence: .*less than 1, found 1.5"),
    ],
)
def test_faults_name_key_value_and_expectation(written, key: str, value: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load(written(key, value))


def test_files_that_are_no_parameters(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="run from the repository's root"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load(tmp_path / "bad.yaml")
