"""params.yaml: what is right, and that a mistake anywhere is one sentence that names key, found and expected."""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.params import Params, ParamsError, load
from pipeline.config.section import explain

Change = Callable[[str, object], Path]


@pytest.fixture
def written(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Writes the shipped parameters with one value changed or added; returns the path."""
    monkeypatch.chdir(root)

    def write(key: str, value: object) -> Path:
        data = yaml.safe_load((root / "params.yaml").read_text())
        put(data, key, value)
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(data))
        return tmp_path / "params.yaml"

    return write


def put(data: dict[str, Any], key: str, value: object) -> None:
    *parents, last = key.split(".")
    for name in parents:
        data = data[name]
    data[last] = value


def leaves(data: object, key: str = "") -> list[str]:
    """The dotted keys of all sections that hold values."""
    if not isinstance(data, dict):
        return []
    own = [f"{key}.{name}" if key else str(name) for name in data]
    return [*own, *(leaf for name, value in zip(own, data.values(), strict=True) for leaf in leaves(value, name))]


def test_the_shipped_parameters_are_valid(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    wanted = load()
    assert wanted.search.default_k == 30
    assert wanted.generate.methods["end_a"].options == {"part": "first"}
    assert set(wanted.train) > {"codec", "clip", "cogvideox", "t2i", "animatediff", "harivo", "lora"}
    assert wanted.train["harivo"].module == "motion"


def test_they_are_checked_without_torch(root: Path) -> None:
    """Every stage checks all of them before it works: that may not take the seconds that torch takes to import."""
    script = "import sys; from pipeline.config import params; params.load(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_variants_of_the_ablation_differ_by_one_part_each(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same steps, seed and data, each its own learning rate; every row of Tables 1 and A2 adds to the one before."""
    monkeypatch.chdir(root)
    wanted = load()
    rows = list(wanted.harivo.ablation.values())
    folders = [Path(wanted.generate.methods[row].options["motion"]).name for row in rows]
    added, parts = [], [{"lambda_trs"}, {"lambda_dc"}, {"mapping", "lambda_reg"}, {"tokens"}, set()]
    for before, after in itertools.pairwise(folders):
        one, other = (wanted.train[name].schedule.model_copy(update={"learning_rate": 1.0}) for name in (before, after))
        assert one == other
        old, new = wanted.train[before].spec.model_dump(), wanted.train[after].spec.model_dump()
        added.append({key for key in new if new[key] != old[key]})
    assert added == parts
    assert wanted.generate.methods[rows[-2]].options["mg"] is False
    assert "mg" not in wanted.generate.methods[rows[-1]].options


def test_a_number_that_yaml_takes_for_a_text_is_a_number(written: Change) -> None:
    """YAML 1.1 has no exponent without a point."""
    assert load(written("train.codec.schedule.learning_rate", "1e-3")).train["codec"].schedule.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("train.codec.spec.width", 90, r"train\.codec\.spec\.width: .*multiple of 8"),
        ("train.codec.spec.latent_channels", 3, r"codec\.spec\.latent_channels: .*or equal to 4, found 3"),
        ("train.t2i.spec.shading", 2, r"train\.t2i\.spec\.shading: .*1"),
        (
            "train.t2i.spec.shading",
            0,
            r"train\.animatediff\.spec, train\.\w+\.spec, .*: shading is 0\.35, that of",
        ),
        ("train.lora.spec.shading", 0, r"train\.lora\.spec: shading is 0, that of its checkpoint, train\.t2i, 0\.35"),
        ("train.harivo.spec.noise", "pyoco", r"train\.harivo\.spec\.noise: .*'iid' or 'mixed', found 'pyoco'"),
        ("train.harivo.spec.mapping", "no", r"train\.harivo\.spec\.mapping: .*valid boolean, found 'no'"),
        ("train.harivo.spec.lambda_trs", "high", r"spec\.lambda_trs: .*valid number.*, found 'high'"),
        (
            "train.harivo.spec.lamda_trs",
            1,
            r"train\.harivo\.spec: no such key: 'lamda_trs' \(did you mean 'lambda_trs'",
        ),
        ("train.codec.schedule.learning_rate", "fast", r"schedule\.learning_rate: .*found 'fast'"),
        ("train.codec.schedule.step", 5, r"train\.codec\.schedule: no such key: 'step' \(did you mean 'steps'\?\)"),
        ("train.codec.module", "kodec", r"train\.codec\.module: is 'kodec', expected one of 'codec', 'clip'"),
        ("train.new", {"spec": {}, "schedule": {}}, r"train\.new\.module: is 'new', expected one of"),
        ("train.t2i.spec.text", {"encoder": "t5", "set": "world"}, r"train\.t2i\.spec\.text\.encoder names 't5'"),
        (
            "train.t2i.spec.text.set",
            "word",
            r"text\.set names 'word' \(did you mean 'world'\?\), expected one of embed",
        ),
        (
            "generate.methods.richspace.steps_k",
            50,
            r"methods\.richspace: no such key: 'steps_k'; expected some of module",
        ),
        ("generate.methods.cogvideox.motion", "x", r"methods\.cogvideox: no such key: 'motion'"),
        ("generate.methods.harivo.module", "pipeline/methods/hario.py", r"harivo\.module is .*: there is no such file"),
        (
            "generate.methods.harivo.module",
            "pipeline/clips/jobs.py",
            r"harivo\.module is .*a file of pipeline/methods/",
        ),
        (
            "generate.mixtures",
            {"limit": 2, "seed": 2},
            r"generate\.mixtures: no such key: 'seed' .*'seeds'.*limit, seeds",
        ),
        ("generate.mixture", {}, r"generate: no such key: 'mixture' \(did you mean 'mixtures'\?\)"),
        ("serch", {}, r"params\.yaml: no such key: 'serch' \(did you mean 'search'\?\)"),
        ("generate.models.world.famly", "x", r"generate\.models\.world: no such key: 'famly' \(did you mean 'family'"),
        ("evaluate.metrics", ["fvd", "fdv"], r"evaluate\.metrics\.1: .*found 'fdv'"),
        ("harivo.sweep.training", "t2i", r"harivo\.sweep\.training names 't2i', expected one of the trainings of temp"),
        ("train.harivo.spec.tokens", True, r"spec\.tokens: expected a number, found true"),
        ("generate.mixtures.limit", True, r"generate\.mixtures\.limit: expected a number, found true"),
        ("harivo.mg_scale", False, r"harivo\.mg_scale: expected a number, found false"),
        (
            "train.harivo.spec.used",
            90000,
            r"train\.harivo\.spec: used is 90000, expected at most scenes, which is 8000",
        ),
        ("train.t2i.spec.channels", [], r"train\.t2i\.spec\.channels: .*at least 1 item"),
        ("train.codec.schedule.learning_rate", float("inf"), r"learning_rate: .*finite number, found inf"),
        ("generate.models.world.sampling.guidance", float("nan"), r"sampling\.guidance.*finite number, found nan"),
        (
            "evaluate.metrics",
            ["warping_error"],
            r"metrics: warping_error wants features\.temporal to be true",
        ),
        ("evaluate.seed", -1, r"evaluate\.seed: .*equal to 0, found -1"),
        ("evaluate.metrics", ["fvd", "fvd"], r"evaluate: metrics names one twice: fvd, fvd"),
        ("evaluate.comparisons", [{"candidate": "harivo", "baseline": "harivo"}], r"compares 'harivo' with itself"),
        ("generate.set", "word", r"generate\.set names 'word' \(did you mean 'world'\?\)"),
        (
            "generate.methods.frames.set",
            "richspace",
            r"generate\.models\.images: its methods' sets are not embedded alike",
        ),
        (
            "generate.external",
            {"x": {"clips": "data/clips/x", "captions": "c"}},
            r"x\.clips is .*expected a folder outside",
        ),
        (
            "generate.methods.frames.module",
            "pipeline/methods/base.py",
            r"frames\.module is .*a file of pipeline/methods/",
        ),
        (
            "richspace.oracle.method",
            "richpace",
            r"richspace\.oracle\.method names 'richpace' \(did you mean 'richspace'",
        ),
        ("richspace.oracle.k", 9, r"richspace\.oracle: k is 9, expected an even number, so that the midpoint is one"),
        ("richspace.oracle.limit", 0, r"richspace\.oracle\.limit: .*greater than or equal to 1, found 0"),
        ("richspace.oracle.seed", 4, r"no such key: 'seed' \(did you mean 'seeds'"),
        ("harivo.sweep.method", "hario", r"harivo\.sweep\.method names 'hario' \(did you mean 'harivo'\?\)"),
    ],
)
def test_experiments_that_nobody_meant_are_refused(written: Change, key: str, value: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message) as said:
        load(written(key, value))
    assert len(str(said.value).splitlines()) == 1


def test_what_yaml_makes_of_plain_words_is_understood(written: Change) -> None:
    assert load(written("train.codec.schedule.precision", False)).train["codec"].schedule.precision == "no"  # `no`
    assert load(written("generate.external", None)).generate.external == {}  # all entries are comments
    assert (
        load(written("generate.models.world.sampling.guidance", "1e1")).generate.models["world"].sampling.guidance.late
        == 10
    )


def test_examples_of_models_of_others_are_valid(root: Path) -> None:
    """Those of docs/models.md, beside what params.yaml says."""
    wanted = yaml.safe_load((root / "params.yaml").read_text())
    examples = re.findall(r"```yaml\n(.*?)```", (root / "docs/models.md").read_text(), re.DOTALL)
    for section in (entry for example in examples for entry in yaml.safe_load(example).items()):
        for kind, entries in section[1].items():
            wanted[section[0]][kind].update(entries)
    found = Params.model_validate(wanted).generate
    assert "gen_x" in found.external


def test_a_key_that_stands_twice_is_named_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: {b: 1}\nc:\n  d: 1\n  e: 2\n  d: 3\n")
    with pytest.raises(ParamsError, match=r"params\.yaml: line 5: the key 'd' is there already, in line 3$"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("key", ["lambda_dc", "drop", "used"])
def test_a_missing_key_of_a_training_is_named(root: Path, written: Change, key: str) -> None:
    """Also where its default would be another variant's value: MLflow and the sweeps read all of them."""
    spec = yaml.safe_load((root / "params.yaml").read_text())["train"]["harivo"]["spec"]
    del spec[key]
    with pytest.raises(ParamsError, match=rf"train\.harivo\.spec\.{key}: is missing$"):
        load(written("train.harivo.spec", spec))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("generate.models.images.sampling.guidance", {"early": 12}, r"images\.sampling\.guidance\.late: is missing"),
        ("harivo.ablation", {"baseline": "nosuch"}, r"harivo\.ablation names 'nosuch', expected one of the methods"),
        ("harivo.mg_scale", -1, r"harivo\.mg_scale: .*greater than or equal to 0, found -1"),
        ("harivo.sweep.points", {"x": {"lambda_tsr": 1}}, r"points\.x: no such key: 'lambda_tsr' .*'lambda_trs'"),
        ("harivo.sweep.points", {"x": {}}, r"points\.x: .*either mg_scale or some of the λ, found nothing"),
        ("harivo.sweep.points", {"x": {"mg_scale": 1, "lambda_dc": 1}}, r"found \['lambda_dc', 'mg_scale'\]"),
        ("search.k", [0, 30], r"search\.k\.0: .*greater than or equal to 1, found 0"),
        ("search.default_k", 31, "search.default_k is 31, which is not in search.k"),
        ("generate.mixtures.seeds", "many", r"generate\.mixtures\.seeds: .*found 'many'"),
        ("evaluate.reference", "lvdm", r"evaluate\.reference names 'lvdm', expected one of generate\.external"),
        ("generate.methods.cogvideox.set", "moon", r"cogvideox\.set names 'moon', expected one of embed"),
        ("reference.clips", 0, r"reference\.clips: .*greater than or equal to 1, found 0"),
        (
            "generate.methods",
            {"a/b": {"module": "x", "model": "world"}},
            r"generate\.methods names 'a/b', expected lett",
        ),
        ("generate.tyop", 1, r"generate: no such key: 'tyop'"),
        (
            "generate.methods.cogvideox.model",
            "none",
            r"model names 'none', .*models: cascade, cascade_cueless, grid, images, images_cueless, unet3d, world",
        ),
        ("train.video_decoder.spec.shading", 0, r"train\.video_decoder\.spec: shading is 0, that of its checkpoint"),
        ("train.interpolation.spec.size", 32, r"train\.interpolation\.spec: size is 32, that of its checkpoint, .* 16"),
        ("train.video_upscaler.spec.learnt", 20, r"learnt: found 20, expected at most the frames of a clip, 16"),
        ("train.video_decoder.spec.skips", [1, 4], r"6 frames at a skip of 4 need clips of 21, found 16"),
        (
            "embed.encoders.minilm.sets.world.zero_padding",
            False,
            r"sets\.world\.zero_padding is false, expected true for train\.prior\.spec\.text: a prior tells",
        ),
        (
            "generate.methods.make_a_video.shading",
            2,
            r"methods\.make_a_video\.shading: .*less than or equal to 1, found 2",
        ),
        ("make_a_video.method", "mav", r"make_a_video\.method names 'mav'"),
        ("make_a_video.whole", "hole", r"make_a_video\.whole names 'hole' \(did you mean 'whole'\?\)"),
        ("etc.method", "etcc", r"etc\.method names 'etcc'.* expected one of generate.methods"),
        (
            "etc.points.etc.training",
            "t2i",
            r"etc\.points\.etc\.training names 't2i', expected one of the trainings with",
        ),
        ("etc.attention.trainings", ["etcc"], r"etc\.attention\.trainings names 'etcc' \(did you mean 'etc'"),
        ("etc.attention.trainings", ["t2i"], r"trainings names 't2i', expected one of the trainings with frames: grid"),
        ("etc.attention.trainings", [], r"etc\.attention\.trainings: .*at least 1 item"),
        (
            "etc.attention.steps",
            [1, 26],
            r"attention\.steps: found 26, expected at most generate\.models\.grid\..* is 25",
        ),
        ("etc.attention.steps", [5, 1], r"etc\.attention: steps are \[5, 1\], expected each once, in rising order"),
        ("etc.attention.steps", [0], r"etc\.attention\.steps\.0: .*greater than or equal to 1, found 0"),
        ("generate.methods.etc.rate", 121, r"methods\.etc\.rate.*121"),
        ("generate.models.world.encoder", "t6", r"encoder names 't6', expected one of embed.encoders"),
        ("evaluate.comparisons", [{"candidate": "strip", "baseline": "cogvideox"}], r"comparisons names 'strip'"),
        ("embed.encoders.minilm.kind", "bert", r"embed\.encoders\.minilm\.kind: .*'minilm', 't5' or 'clip'"),
        ("report.controls", {"t2i": "t2j"}, r"report\.controls names 't2j' .* the trainings on captions: "),
        ("report.controls", {"codec": "t2i"}, r"report\.controls names 'codec'"),
        ("etc.larger.points.frames_25.frames", 24, r"frames_25\.frames: found 24, expected a square number"),
        ("etc.short.points.used_80_400.used", 9000, r"used_80_400\.used: found 9000, expected at most the 8000 scenes"),
        (
            "study.votes",
            ["gone.csv"],
            r"study\.votes: found 'gone\.csv', expected a file that is there and ends in \.csv",
        ),
        ("study.votes", ["params.yaml"], r"study\.votes: found 'params\.yaml', expected a file"),
        ("study.most_failed", 2, r"study\.most_failed: .*less than or equal to 1, found 2"),
        ("study.simulated.noise", 0, r"study\.simulated\.noise: .*greater than 0, found 0"),
        ("study.simulated.carless", 0, r"no such key: 'carless' \(did you mean 'careless'\?\)"),
        ("evaluate.confidence", 1.5, r"evaluate\.confidence: .*less than 1, found 1.5"),
    ],
)
def test_errors_name_key_value_and_expectation(written: Change, key: str, value: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load(written(key, value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_letter_too_much_is_found_wherever_it_is(
    root: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """In any section: the misspelled key, and the one that was meant. Names that users give are theirs."""
    monkeypatch.chdir(root)
    values = yaml.safe_load((root / "params.yaml").read_text())
    named = ("embed.encoders", "train", "generate.models", "generate.methods", "generate.external")
    named += ("etc.points", "etc.short.points", "etc.larger.points", "make_a_video.points")
    named += ("harivo.trials.points", "harivo.trials.choices", "harivo.trials.ablation")
    free = (*named, "harivo.ablation", "harivo.sweep.points", "embed.encoders.minilm.sets", "report.controls")
    keys = [key for key in leaves(values) if key.rpartition(".")[0] not in free]
    key = data.draw(st.sampled_from(keys))
    put(values, f"{key}x", 1)
    with pytest.raises(ValueError, match="no such key") as said:
        Params.model_validate(values)
    assert any(f"'{key.split('.')[-1]}x'" in line for line in explain(said.value, values))


def test_files_that_are_no_parameters(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="run from the repository's root"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load(tmp_path / "bad.yaml")
