"""The tables of results: complete, the same from the cache, and computed only where something changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.reading.rule import ClipRule
from metrics.scoring.measuring import Measurer
from pipeline.config import params
from pipeline.evaluation import comparisons, results, values
from pipeline.evaluation.cache import ResultCache
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.files import Reference
from pipeline.evaluation.results import Evaluation, write
from pipeline.evaluation.sample import MethodSample
from pipeline.prompts.sets import read_sets
from pipeline.world.render import render
from pipeline.world.scene import realise
from tests.pipeline.evaluation.conftest import features_of, fill


@pytest.fixture(scope="module")
def evaluation(root: Path, method: Evaluated) -> Evaluation:
    """Against the method itself; one comparison; few resamples."""
    prompts, mixtures = read_sets(root / "prompts", ["world"])
    pair = params.Comparison(candidate="b", baseline="a")
    wanted = params.load(root / "params.yaml").evaluate.model_copy(update={"comparisons": [pair], "resamples": 20})
    reference = Reference(method.measured, method.protocol, "r")
    return Evaluation(reference, {p.id: p for p in prompts}, mixtures, wanted, ResultCache(None))


@pytest.fixture(scope="module")
def methods(measurer: Measurer, evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> list[Evaluated]:
    """Two methods on three clips of one mixture: one shows its first part, one its second."""
    folder, mixture = tmp_path_factory.mktemp("methods"), evaluation.mixtures[0]
    found = []
    for name, part in zip("ab", results.mixtures.world_mixture(mixture, evaluation.prompts).parts, strict=True):
        fill(folder / name, list(render(realise([part] * 3, np.random.default_rng(0)))), mixture.id)
        found.append(replace(features_of(folder / name, measurer, folder / f"features-{name}"), name=name))
    return found


def test_tables_are_the_same_from_the_cache(evaluation: Evaluation, methods: list[Evaluated], tmp_path: Path) -> None:
    for run in ("first", "again"):
        cached = replace(evaluation, cache=ResultCache(tmp_path / "cache"))
        write(*cached.tables(methods, {"further": ["a", "b"]}), tmp_path / run)
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    tables = ("attributes", "by_seed", "differences", "fvd_by_clips", "leaders", "metrics", "over_seeds", "verdicts")
    assert files == sorted(["evaluation.json", *(f"{name}.csv" for name in tables)])
    for name in files:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    metrics = pd.read_csv(tmp_path / "first/metrics.csv")
    assert metrics.method.drop_duplicates().tolist() == ["a", "b"]
    assert list(metrics) == list(values.COLUMNS)
    summary = json.loads((tmp_path / "first/evaluation.json").read_text())
    assert set(metrics.fingerprint) == set(summary["protocols"])
    (test,) = summary["success_tests"]
    assert (test["candidate"], test["baseline"], test["pairs"], test["clusters"]) == ("b", "a", 3, 1)
    assert test["p_holm"] == test["p"]  # one test is a family of one
    differences = pd.read_csv(tmp_path / "first/differences.csv")
    assert (differences.p_holm.dropna() >= differences.p.dropna()).all()
    assert summary["attribute_tests"] == []  # no clip was made from a prompt
    assert len(differences) == 4
    leaders = pd.read_csv(tmp_path / "first/leaders.csv").groupby("table").metric.agg(list)
    assert list(leaders.index) == ["further", "prompts"]  # neither was asked for mixtures
    assert leaders.further == leaders.prompts == [*evaluation.wanted.metrics, "success_rate", "frames_per_second"]


def test_only_what_changed_is_computed(
    evaluation: Evaluation, methods: list[Evaluated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    monkeypatch.setattr(values, "evaluate", noting(values.evaluate, computed))
    monkeypatch.setattr(comparisons, "compared", noting(comparisons.compared, computed))

    def run(changed: Evaluation, given: list[Evaluated]) -> list[str]:
        computed.clear()
        replace(changed, cache=ResultCache(tmp_path)).tables(given)
        return list(computed)

    a, b = methods
    assert run(evaluation, methods) == ["a", "b", "b"]  # both methods, and the pair by its candidate
    assert run(evaluation, methods) == []
    assert run(evaluation, [replace(a, content="other features"), b]) == ["a", "b"]
    assert run(replace(evaluation, reference=replace(evaluation.reference, content="other")), methods) == [
        "a",
        "b",
        "b",
    ]
    fewer = evaluation.wanted.model_copy(update={"resamples": 10})
    assert run(replace(evaluation, wanted=fewer), methods) == ["a", "b", "b"]
    uncompared = evaluation.wanted.model_copy(update={"comparisons": []})
    assert run(replace(evaluation, wanted=uncompared), methods) == []
    part = evaluation.mixtures[0].parts[0]
    renamed = evaluation.prompts | {part: replace(evaluation.prompts[part], text="Other.")}
    assert run(replace(evaluation, prompts=renamed), methods) == ["a", "b"]
    unused = evaluation.prompts | {"world/world-001": replace(evaluation.prompts["world/world-001"], text="Other.")}
    assert run(replace(evaluation, prompts=unused), methods) == []
    monkeypatch.setattr(results, "code_hash", lambda *_, **__: "other code")
    assert run(evaluation, methods) == ["a", "b", "b"]


def noting(function: Callable[..., object], computed: list[str]) -> Callable[..., object]:
    def called(sample: MethodSample, *rest: object) -> object:
        computed.append(sample.method.name)
        return function(sample, *rest)

    return called


def test_a_method_of_another_protocol_is_refused(evaluation: Evaluation, methods: list[Evaluated]) -> None:
    other = replace(methods[0], protocol=methods[0].protocol.with_clips(ClipRule(frames=9)))
    with pytest.raises(ValueError, match=r"^a was measured by .*frames=9.*run the features and the reference stage"):
        evaluation.tables([other])


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    assert cache.get(["k"], lambda: {"x": np.float64(0.1), "n": np.int64(3), "nothing": float("nan")})["n"] == 3
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text()[:5])
    assert cache.get(["k"], lambda: {"x": 0.1 + 0.2}) == {"x": 0.1 + 0.2}
    assert cache.get(["k"], lambda: {"x": 0}) == {"x": 0.1 + 0.2}  # exactly
