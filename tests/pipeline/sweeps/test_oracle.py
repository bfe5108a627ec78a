"""Every step of the interpolation, sampled and judged, on a CogVideoX folder made small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from pipeline.clips import generation, ledger
from pipeline.commands.check import unbuilt_methods
from pipeline.config import paths
from pipeline.config.params import Oracle, Params
from pipeline.methods.base import Method, build
from pipeline.methods.context import Context
from pipeline.prompts.tables import read_tables
from pipeline.richspace.search import search_mixture, write_searches
from pipeline.sweeps import oracle
from pipeline.sweeps.choices import steps
from pipeline.sweeps.steps import context_of, every_step, judged, step_of
from pipeline.text.embeddings import Embeddings
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.emptied import without_points
from tests.pipeline.sweeps.folder import run_folder

K, SEEDS, LIMIT = 4, 2, 2
ROWS = LIMIT * SEEDS * (K + 2)  # steps 0 … K and the guide


@pytest.fixture(scope="module")
def params(root: Path, cogvideox_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded and searched."""
    folder = tmp_path_factory.mktemp("oracle")
    with run_folder(root, folder, small(root, cogvideox_folder), ["richspace", "world"]) as wanted:
        searched = [mixture for mixture in read_tables(paths.PROMPTS, paths.MIXTURES)[1] if mixture.set == "world"]
        embeddings = Embeddings.read(paths.embeddings("t5") / "world.safetensors")
        write_searches([search_mixture(mixture, embeddings, 30) for mixture in searched], paths.search("t5"))
        yield wanted


def small(root: Path, checkpoint: Path) -> dict[str, object]:
    """The shipped parameters on a small CogVideoX folder, with RichSpace alone."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    sets = {"world": {"length": 226, "zero_padding": False}}
    values["embed"]["encoders"] = {"t5": {"kind": "t5", "checkpoint": str(checkpoint), "sets": sets}}
    values["train"] = {}
    values["report"]["controls"] = {}
    without_points(values)
    sampling = {"steps": 1, "guidance": 2.0, "frames": 9, "height": 32, "width": 32, "precision": "float32"}
    model = {"family": "cogvideox", "checkpoint": str(checkpoint), "encoder": "t5", "fps": 8, "sampling": sampling}
    richspace = {"module": "pipeline/methods/richspace.py", "model": "tiny"}
    values["generate"] |= {"models": {"tiny": model}, "methods": {"richspace": richspace}, "workers": 1}
    values["evaluate"] |= {"comparisons": []}
    values["report"] |= {"strip": "richspace", "guide": "richspace"}
    values["harivo"] |= {"ablation": {}}
    values["richspace"] = {"oracle": {"method": "richspace", "k": K, "seeds": SEEDS, "limit": LIMIT}}
    return values


def wanted_of(params: Params) -> Oracle:
    assert params.richspace.oracle is not None
    return params.richspace.oracle


def method_of(params: Params) -> Method:
    return every_step(context_of(params, wanted_of(params)), K)


def test_the_ends_are_the_parts_and_the_guide_is_the_guide(params: Params) -> None:
    context = context_of(params, wanted_of(params))
    mixture = judged(context)[0]
    found = {request.job.variant: request.embedding for request in every_step(context, K).rule.requests()[: K + 2]}
    a, b = (context.embeddings.of(part) for part in mixture.parts)
    assert list(found) == [*(f"i{step}" for step in range(K + 1)), "guide"]
    assert torch.equal(found["i0"], b) and torch.equal(found[f"i{K}"], a)
    assert torch.allclose(found["i1"], 0.25 * a + 0.75 * b)
    assert torch.equal(found["guide"], context.embeddings.of(mixture.guide))


def test_all_clips_of_a_mixture_and_seed_start_from_one_noise_that_of_richspaces_own_clip(params: Params) -> None:
    method = method_of(params)
    jobs = method.jobs()
    assert len(jobs) == ROWS
    noises: dict[tuple[str, int], list[torch.Tensor]] = {}
    for job, noise in zip(jobs, method.noise_of(jobs), strict=True):
        noises.setdefault((job.mixture, job.seed), []).append(noise)
    assert len(noises) == LIMIT * SEEDS
    assert all(torch.equal(own[0], other) for own in noises.values() for other in own[1:])
    assert len({float(own[0].sum()) for own in noises.values()}) == len(noises)
    richspace = build(Context.of(params, "richspace"))
    (job,) = (job for job in richspace.jobs() if (job.mixture, job.seed) == (jobs[0].mixture, 0))
    assert torch.equal(richspace.noise_of([job])[0], noises[jobs[0].mixture, 0][0])


def test_every_choice_but_a_random_one_takes_a_step_of_the_oracle(params: Params) -> None:
    """The optimum is the search's own, the foot's step the nearest to it."""
    chosen = steps(params).set_index(["mixture", "choice"])
    context = context_of(params, wanted_of(params))
    for mixture in judged(context):
        own = chosen.loc[mixture.id]
        assert own.step["optimum"] == search_mixture(mixture, context.embeddings, K).optimum.step
        assert own.step["midpoint"] == K / 2 and "random" not in own.index
        assert own.step["foot"] == min(range(K + 1), key=lambda step: abs(step / K - own.weight["foot"]))


def test_mixtures_of_three_parts_and_of_other_sets_are_left_out(params: Params) -> None:
    every = context_of(params, Oracle(method="richspace", k=K, seeds=1))
    assert {len(mixture.parts) for mixture in every.mixtures} == {2, 3}
    assert {len(mixture.parts) for mixture in judged(every)} == {2}
    assert len(every_step(every, K).jobs()) == len(judged(every)) * (K + 2)
    other = params.model_copy(update={"generate": params.generate.model_copy(update={"set": "richspace"})})
    assert judged(context_of(other, wanted_of(params))) == []


def test_variants_are_read_back() -> None:
    assert [step_of(variant) for variant in ("i0", "i10", "guide")] == [0, 10, None]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A model that renders scenes of the world instead; the clips that it was asked for, in order."""
    asked: list[str] = []

    def rendered(_: Method, jobs: list) -> np.ndarray:
        asked.extend(job.clip for job in jobs)
        return np.stack([render(draw(1, len(job.clip) + 10 * job.seed)[1])[0] for job in jobs])

    monkeypatch.setattr(Method, "generate", rendered)
    return asked


def test_a_row_for_every_clip(params: Params, shown: list[str], tmp_path: Path) -> None:
    oracle.run(params, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    table = pd.read_csv(tmp_path / "oracle/verdicts.csv", dtype={"step": "Int64"})
    assert tuple(table) == oracle.COLUMNS
    assert len(table) == len(shown) == ROWS
    assert table.groupby(["mixture", "seed"]).step.agg(list).map(lambda steps: steps[:-1]).tolist() == [
        list(range(K + 1))
    ] * (LIMIT * SEEDS)
    assert table.step.isna().sum() == LIMIT * SEEDS
    assert table.attribute.unique().tolist() == ["colour", "shape"] and (table.k == K).all() and table.scored.all()
    context = context_of(params, wanted_of(params))
    for mixture in judged(context):
        found = search_mixture(mixture, context.embeddings, K).optimum.step
        assert table[table.mixture == mixture.id].optimum.unique().tolist() == [found]
    assert (table.success == table[["present_a", "present_b", "shared", "one_object"]].all(axis=1)).all()


def test_what_was_sampled_before_a_kill_is_kept(
    params: Params, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, stored = tmp_path / "oracle/verdicts.csv", generation._store
    count = 0

    def killed(*arguments: object) -> ledger.Entry:
        nonlocal count
        count += 1
        if count > ROWS // 2:
            raise KeyboardInterrupt
        return stored(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(generation, "_store", killed)
        oracle.run(params, tmp_path / "scratch", target)
    assert not target.exists()
    shown.clear()
    oracle.run(params, tmp_path / "scratch", target)
    assert len(shown) == ROWS - ROWS // 2
    before = target.read_bytes()
    shown.clear()
    oracle.run(params, tmp_path / "scratch", target)
    assert shown == [] and target.read_bytes() == before


def test_a_clip_that_failed_or_has_another_size_shows_nothing(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(_: Method, jobs: list) -> np.ndarray:
        if any(job.variant == "i1" for job in jobs):
            raise RuntimeError("no")
        return np.zeros((len(jobs), 9, 16, 16, 3), np.uint8)

    monkeypatch.setattr(Method, "generate", some)
    oracle.run(params, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    table = pd.read_csv(tmp_path / "oracle/verdicts.csv")
    assert len(table) == ROWS
    assert not table[["scored", "present_a", "shared", "one_object", "success"]].any(axis=None)
    assert table.position.isna().all()


def test_a_clip_that_cannot_be_decoded_shows_nothing_and_is_named(
    params: Params, shown: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target, clips = tmp_path / "oracle/verdicts.csv", tmp_path / "scratch/clips"
    oracle.run(params, tmp_path / "scratch", target)
    before = pd.read_csv(target)
    whole, cut, empty = (clips / f"{clip}.mkv" for clip in shown[:3])
    cut.write_bytes(cut.read_bytes()[:200])
    empty.write_bytes(b"")
    oracle.run(params, tmp_path / "scratch", target)
    table = pd.read_csv(target)
    said = capfd.readouterr().err
    assert str(cut) in said and str(empty) in said and str(whole) not in said
    assert table.scored.tolist() == [True, False, False, *[True] * (ROWS - 3)]
    pd.testing.assert_frame_equal(table[table.scored], before[table.scored])
    assert not table[~table.scored][["present_a", "shared", "one_object", "success"]].any(axis=None)


def test_a_clip_of_which_half_is_there_shows_nothing(
    params: Params, shown: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    oracle.run(params, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    cut = tmp_path / "scratch/clips" / f"{shown[0]}.mkv"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    oracle.run(params, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    assert pd.read_csv(tmp_path / "oracle/verdicts.csv").scored.tolist() == [False, *[True] * (ROWS - 1)]
    assert f"oracle: 1 of {ROWS} clips failed, cannot be decoded" in capfd.readouterr().err


def test_a_part_that_the_judge_cannot_name_is_said_before_anything_is_sampled(
    params: Params, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise ValueError("the judge knows the world's prompts only")

    monkeypatch.setattr(oracle, "world_mixture", unknown)
    with pytest.raises(ValueError, match="the world's prompts only"):
        oracle.run(params, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    assert shown == []


def test_the_small_model_itself_makes_clips(params: Params, tmp_path: Path) -> None:
    few = params.model_copy(
        update={
            "richspace": params.richspace.model_copy(
                update={"oracle": Oracle(method="richspace", k=2, seeds=1, limit=1)}
            )
        }
    )
    oracle.run(few, tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    entries = ledger.read(tmp_path / "scratch/clips")
    assert [entry.variant for entry in entries.values()] == ["i0", "i1", "i2", "guide"]
    assert {entry.outcome for entry in entries.values()} == {ledger.OK}


@pytest.mark.parametrize("without", ["names", "mixtures", "oracle"])
def test_where_nothing_can_be_judged_there_are_no_rows(params: Params, tmp_path: Path, without: str) -> None:
    changes = {
        "names": {"generate": params.generate.model_copy(update={"set": "richspace"})},
        "mixtures": {"generate": params.generate.model_copy(update={"set": "vbench"})},
        "oracle": {"richspace": params.richspace.model_copy(update={"oracle": None})},
    }
    oracle.run(params.model_copy(update=changes[without]), tmp_path / "scratch", tmp_path / "oracle/verdicts.csv")
    assert (tmp_path / "oracle/verdicts.csv").read_text() == ",".join(oracle.COLUMNS) + "\n"
    assert not (tmp_path / "scratch").exists()


def test_the_check_builds_the_oracle(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unbuilt_methods(params) == []
    monkeypatch.setattr("pipeline.sweeps.steps.interpolate", lambda *_: 1 / 0)
    (said,) = unbuilt_methods(params)
    assert said.startswith("params.yaml: richspace.oracle: ZeroDivisionError")
