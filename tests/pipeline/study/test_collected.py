"""The stage: what it simulates of a run, what it leaves out with a sentence, and votes that replace simulated ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from metrics.user_study.votes import VotesError, real
from pipeline.config import params, paths
from pipeline.config.params import Params
from pipeline.prompts.sets import Mixture, Prompt
from pipeline.prompts.tables import write_tables
from pipeline.study import votes as export
from pipeline.study.collected import collect, write
from pipeline.study.design import StudyError
from pipeline.study.measured import Judged, values
from pipeline.world.attributes import ATTRIBUTES
from tests.pipeline.study.small import study, wanted

PROMPTED, MIXED = ("animatediff", "harivo", "frames"), ("richspace", "cogvideox")
CLIPS = 5


@pytest.fixture
def run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """What earlier stages left of five prompts, and five mixtures, of which the last has three parts."""
    loaded = params.load(root / paths.PARAMS)
    monkeypatch.chdir(tmp_path)
    prompts = [Prompt(f"world/p{i}", "world", "part", f"Thing {i}.") for i in range(CLIPS)]
    ids = [prompt.id for prompt in prompts]
    mixtures = [
        Mixture(f"world/m{i}", "world", tuple(ids[: 3 if i == CLIPS - 1 else 2]), ids[-1]) for i in range(CLIPS)
    ]
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    paths.RESULTS.mkdir(parents=True)
    pd.DataFrame([attributes(name, i) for name in PROMPTED for i in range(CLIPS)]).to_csv(
        paths.RESULTS / "attributes.csv", index=False
    )
    pd.DataFrame([verdict(name, i) for name in MIXED for i in range(CLIPS)]).to_csv(
        paths.RESULTS / "verdicts.csv", index=False
    )
    for name in PROMPTED:
        paths.features(name).mkdir(parents=True)
        rows = [{"clip": f"p{i}-s0", "clipsim": 0.1 * i, "roughness": ""} for i in range(CLIPS)]
        pd.DataFrame(rows).to_csv(paths.features(name) / "clips.csv", index=False)
    return loaded.model_copy(update={"evaluate": loaded.evaluate.model_copy(update={"resamples": 30})})


def attributes(method: str, i: int) -> dict[str, Any]:
    good = method == "animatediff"
    findings = dict.fromkeys(ATTRIBUTES, good) | {"average": float(good)}
    return {"method": method, "prompt_id": f"world/p{i}", "seed": 0, "clip": f"p{i}-s0", **findings}


def verdict(method: str, i: int) -> dict[str, Any]:
    good = method == "richspace"
    found = {"present_a": good, "present_b": True, "shared": True, "one_object": good, "success": good}
    return {"method": method, "mixture": f"world/m{i}", "seed": 0, "clip": f"m{i}-s0", **found}


def designed(loaded: Params, *studies: dict[str, Any], votes: Sequence[Path] = ()) -> Params:
    """With these studies to simulate, and votes."""
    files = []
    for values_ in studies:
        files.append(Path(f"{values_['name']}.yaml"))
        files[-1].write_text(yaml.safe_dump(values_))
    simulated = loaded.study.simulated.model_copy(update={"designs": files})
    own = loaded.study.model_copy(update={"simulated": simulated, "votes": list(votes)})
    return loaded.model_copy(update={"study": own})


BEST = wanted("best_of", clips={"methods": list(PROMPTED)}, name="best")
SHOWS = wanted("mixture", clips={"methods": list(MIXED)}, name="shows")


def test_every_study_of_the_run_is_simulated_and_says_so(run: Params, tmp_path: Path) -> None:
    found = collect(designed(run, BEST, SHOWS))
    assert found.simulated and not found.missing
    assert found.tables["studies"].study.tolist() == ["best", "shows"]
    for name, table in found.tables.items():
        assert name == "votes" or table.simulated.all()
    shares = found.tables["shares"].query("group == 'overall'").set_index("method").value
    assert shares["animatediff"] > shares["harivo"]
    success = found.tables["mixture"].query("question == 'success'").set_index("method").value
    assert success["richspace"] > success["cogvideox"]
    write(found, tmp_path / "out")
    assert json.loads((tmp_path / "out/about.json").read_text()) == {"simulated": True, "missing": []}
    for name, table in found.tables.items():
        assert len(pd.read_csv(tmp_path / f"out/{name}.csv")) == len(table)


def test_what_a_run_has_no_clips_of_is_left_out_with_a_sentence(run: Params) -> None:
    other = wanted("rating", clips={"methods": ["animatediff", "etc"]}, name="other")
    found = collect(designed(run, other, BEST))
    assert found.tables["studies"].study.tolist() == ["best"]
    (said,) = found.missing
    assert said == "Not simulated: other: this run has no clips of prompts, with the judge's verdict, by etc."
    nothing = collect(designed(run, other))
    assert not nothing.tables and len(nothing.missing) == 1
    assert not collect(designed(run)).tables


def test_a_small_run_has_shorter_studies(run: Params) -> None:
    """Of the mixtures four have two parts, so that eight clips can be judged."""
    found = collect(designed(run, SHOWS | {"raters": {"expected": 3, "trials": 24}}))
    votes = real(found.tables["votes"])
    assert votes.groupby("rater").trial.nunique().tolist() == [8, 8, 8]
    assert "world/m4" not in set(votes.prompt)


def test_a_study_that_is_wrong_stops_the_stage(run: Params) -> None:
    with pytest.raises(StudyError, match=r"best\.yaml: no such key: 'desing'"):
        collect(designed(run, BEST | {"desing": "best_of"}))


def test_votes_replace_simulated_ones(run: Params, tmp_path: Path) -> None:
    simulated = collect(designed(run, BEST, SHOWS)).tables["votes"]
    file = tmp_path / "votes.csv"
    own = simulated[simulated.study == "best"]
    own = own.assign(rater=own.rater.str.replace("sim", "r"), passed=own.passed.map({True: "true", False: "false"}))
    own.to_csv(file, index=False)
    found = collect(designed(run, SHOWS, votes=[file]))
    assert not found.simulated and found.tables["studies"].study.tolist() == ["best"]
    assert not any(table.simulated.any() for name, table in found.tables.items() if name != "votes" and len(table))
    with pytest.raises(VotesError, match=r"gone\.csv: no such file of votes"):
        collect(designed(run, votes=[Path("gone.csv")]))


def test_simulated_votes_stay_simulated_wherever_they_come_from(run: Params, tmp_path: Path) -> None:
    write(collect(designed(run, BEST)), tmp_path)
    assert collect(designed(run, votes=[tmp_path / "votes.csv"])).simulated


def test_votes_on_clips_without_measurements_have_no_agreement(run: Params, tmp_path: Path) -> None:
    votes = collect(designed(run, BEST)).tables["votes"]
    votes = votes.assign(shown="x|y|z", answer="x", passed=None, check="")
    export.write(export.table(votes.to_dict("records")), tmp_path / "others.csv")
    (paths.RESULTS / "attributes.csv").unlink()
    found = collect(designed(run, votes=[tmp_path / "others.csv"]))
    assert not len(found.tables["agreement"]) and len(found.tables["shares"])


def test_what_the_judge_found_is_read_with_captions(run: Params) -> None:
    judged = Judged.read()
    items, seen = judged.of(study("attributes", clips={"methods": ["harivo", "animatediff"], "prompts": 2}))
    assert [(item.id, item.prompt, item.caption) for item in items] == [
        ("p0-s0", "world/p0", "Thing 0."),
        ("p1-s0", "world/p1", "Thing 1."),
    ]
    assert seen["animatediff", "p0-s0"]["smooth"] == 1 and seen["harivo", "p0-s0"]["smooth"] == 0
    items, seen = judged.of(study("mixture", clips={"methods": list(MIXED)}))
    assert items[0].parts == ("Thing 0.", "Thing 1.") and len(items) == CLIPS - 1
    assert seen["richspace", "m0-s0"] == {"present_a": 1, "present_b": 1, "one_object": 1}


def test_metrics_of_clips_and_their_directions(run: Params) -> None:
    table, higher = values([*PROMPTED, "unknown"], ["fvd", "clipsim"])
    assert higher == {"clipsim": True, "average": True}  # nothing has a roughness or a verdict
    own = table.set_index(["method", "clip"])
    assert own.clipsim["frames", "p3-s0"] == pytest.approx(0.3)
    assert own.average["animatediff", "p0-s0"] == 1
