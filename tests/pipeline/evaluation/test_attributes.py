"""Table A2's attributes by the judge, and the paired test of two methods' averages."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.scoring.measured import Measured, Provenance
from metrics.scoring.protocol import named
from metrics.statistics.bootstrap import Uncertainty
from pipeline.config.params import load
from pipeline.evaluation.attributes import attribute_test, average, compare, judge_prompts, rate
from pipeline.evaluation.evaluated import Evaluated, read
from pipeline.evaluation.sample import MethodSample
from pipeline.prompts.sets import Prompt, read_sets
from pipeline.training.latents import training_captions
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING, attributes, states
from pipeline.world.captions import captions
from pipeline.world.judge import judge
from pipeline.world.render import render
from pipeline.world.scene import Names, draw

HOW = Uncertainty(resamples=200)


def sample(name: str, columns: dict[str, list[float]]) -> MethodSample:
    """A method with these columns of judged clips, one for each prompt."""
    judged = pd.DataFrame(columns)
    judged = judged.assign(prompt_id=[f"p{i}" for i in range(len(judged))], seed=0)
    method = replace(method_of(judged), name=name)
    return MethodSample(method.measured, None, method.protocol, HOW, method, pd.DataFrame(), judged)


def test_rendered_clips_have_every_attribute() -> None:
    names, scenes = draw(100, 31)
    found = attributes(names, captions(names, 31), judge(render(scenes)))
    for name in (*ATTRIBUTES, HEADING):
        assert getattr(found, name).mean() >= 0.98


def test_each_error_costs_its_attribute_and_no_other() -> None:
    names, scenes = draw(40, 32)
    texts, clips = captions(names, 32), render(scenes)
    clean = attributes(names, texts, judge(clips))
    reversed_ = attributes(names, texts, judge(clips[:, ::-1].copy()))
    assert not reversed_.action.any()
    assert reversed_.heading.all()  # the shading is as it was
    assert (reversed_.content == clean.content).all()
    assert not reversed_.not_weird.any()  # it moves against its shading
    cueless = attributes(names, texts, judge(render(scenes, shading=0)[:, ::-1]))
    assert (cueless.not_weird == clean.not_weird).all()
    assert not cueless.heading.any()
    others = attributes(names[1:] + names[:1], texts[1:] + texts[:1], judge(clips))
    assert others.content.mean() < 0.2
    assert (others.smooth == clean.smooth).all()
    shuffled = clips[:, np.random.default_rng(0).permutation(16)]
    assert attributes(names, texts, judge(shuffled)).smooth.mean() < 0.05
    gone = clips.copy()
    gone[:, 8:] = gone[:, 8:, :1, :1]
    assert not attributes(names, texts, judge(gone)).not_weird.any()


@given(st.sampled_from(["red", "blue"]), st.sampled_from(["plain", "striped"]), st.sampled_from(["small", "large"]))
def test_what_a_caption_leaves_unsaid_is_not_asked_for(colour: str, texture: str, size: str) -> None:
    names = Names(colour, "circle", texture, size, "up")
    text = f"A {colour} disc moves to the top."
    assert states(text, "colour", names)
    assert states(text, "shape", names)  # by its synonym
    assert states(text, "motion", names)
    assert not states(text, "texture", names)
    assert not states(text, "size", names)
    assert states(f"A {size} {texture} {colour} circle moves up.", "size", names)


def test_the_average_is_of_the_papers_four() -> None:
    names, scenes = draw(10, 34)
    cueless = attributes(names, captions(names, 34), judge(render(scenes, shading=0)))
    assert not cueless.heading.any()
    assert (cueless.average == 1).all()


def test_clips_without_names_or_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.evaluation.attributes.readings_of", lambda own: judge(render(scenes)[: len(own)]))
    names, scenes = draw(2, 33)
    extra = dict(vars(names[0]))
    prompts = {"w/a": Prompt("w/a", "w", "", "x", extra), "o/b": Prompt("o/b", "o", "", "y")}
    own = pd.DataFrame({"prompt_id": ["w/a", "w/a", "o/b", ""], "clip": list("abcd"), "seed": [0, 1, 0, 0]})
    own = own.assign(method="m", caption="A thing.", scored=[True, False, True, True], objects=1.0, heading_x=1.0)
    found = judge_prompts(method_of(own), prompts)
    assert found["clip"].tolist() == ["a", "b"]
    assert found.average.tolist() == [1.0, 0.0]
    assert found.heading.tolist() == [True, False]
    assert judge_prompts(method_of(own[2:]), prompts).empty
    assert judge_prompts(method_of(own.assign(objects=np.nan)), prompts).empty


def method_of(own: pd.DataFrame) -> Evaluated:
    nothing = Measured(own, np.empty((0, 400)), len(own), [], Provenance({}, {}))
    return Evaluated("m", own, nothing, named("reelbench"), 0)


def test_the_test_is_the_exact_sign_flip_test_on_few_pairs() -> None:
    """Against all 2^n flips."""
    first, second = [1.0, 0.75, 1.0, 0.5, 1.0, 0.75, 0.25], [0.5, 0.5, 0.75, 0.75, 0.25, 0.5, 0.0]
    found = attribute_test(sample("new", {"average": first}), sample("old", {"average": second}))
    assert found is not None
    difference = np.subtract(first, second)
    means = np.array([np.mean(difference * signs) for signs in product([1, -1], repeat=len(first))])
    exact = 2 * min((means >= difference.mean() - 1e-12).mean(), (means <= difference.mean() + 1e-12).mean())
    assert found["p"] == pytest.approx(exact, abs=1e-9)
    assert (found["pairs"], found["better"], found["worse"]) == (7, 6, 1)
    assert found["difference"] == pytest.approx(difference.mean())
    assert found["low"] <= found["difference"] <= found["high"]


def test_methods_without_common_clips_are_not_compared() -> None:
    one, none = sample("new", {"average": [1.0], "content": [True]}), sample("old", {})
    assert attribute_test(one, none) is attribute_test(none, none) is compare("content", none, one) is None


def test_one_attribute_is_compared_by_flips_of_prompts() -> None:
    found = compare("smooth", sample("new", {"smooth": [True] * 6}), sample("old", {"smooth": [True] + [False] * 4}))
    assert found is not None
    assert (found.difference.value, found.pairs) == (0.8, 5)
    assert found.p == pytest.approx(2 * 0.5**4)
    assert 0 < found.difference.low < 0.8 < found.difference.high <= 1
    assert found.clusters == 5


def test_intervals_hold_their_share() -> None:
    own = pd.DataFrame({name: [True] * (i + 1) + [False] * (9 - i) for i, name in enumerate(ATTRIBUTES)})
    own["average"] = own[list(ATTRIBUTES)].mean(axis=1)
    judged = sample("m", {name: own[name].tolist() for name in (*ATTRIBUTES, "average")})
    found = [*(rate(name, judged) for name in ATTRIBUTES), average(judged)]
    intervals = [estimate.interval for estimate in found if estimate]
    assert [interval.value for interval in intervals] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.25])
    assert all(interval.low < interval.value < interval.high for interval in intervals)
    assert rate("smooth", sample("m", {})) is average(sample("m", {})) is None


def test_the_worlds_prompts_carry_the_names_that_are_judged(root: Path) -> None:
    prompts, _ = read_sets(root / "prompts", ["world"])
    own = [prompt for prompt in prompts if prompt.category == "in-distribution"]
    assert len(own) == 200
    for prompt in own:
        names = Names(**{key: prompt.extra[key] for key in vars(Names("", "", "", "", ""))})
        assert all(states(prompt.text, key, names) for key in ("colour", "shape", "motion"))


def test_no_world_prompt_is_a_caption_of_the_models_that_are_judged(root: Path) -> None:
    """t2i and the temporal layers see the scenes that params.yaml names, from seed 0."""
    prompts, _ = read_sets(root / "prompts", ["world"])
    train = load(root / "params.yaml").train
    texts = {prompt.text for prompt in prompts if prompt.category == "in-distribution"}
    for model in ("t2i", "animatediff", "harivo"):
        assert not texts & set(training_captions(train[model].spec.scenes, 0)), model


def test_the_heading_is_unknown_where_an_earlier_judge_did_not_read_it(root: Path) -> None:
    prompts = {prompt.id: prompt for prompt in read_sets(root / "prompts", ["world"])[0]}
    today = read(root / "models/sweeps/lambdas")
    assert judge_prompts(today, prompts)[HEADING].notna().all()
    judged = judge_prompts(replace(today, table=today.table.drop(columns=["heading_x", "heading_y"])), prompts)
    assert len(judged) > 0
    assert judged[HEADING].isna().all()
    assert judged[AVERAGE].notna().all()
