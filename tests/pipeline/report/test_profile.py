"""The report of a profile's run says what was run there, and nothing of the toy world."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import paths
from pipeline.report import opening
from pipeline.report.results import Results
from pipeline.report.site import write_report
from tests.pipeline.report.profile_results import labelled, measured, of_profile
from tests.pipeline.report.reading import Reader, words

Profile = Callable[..., Results]
MODEL = (
    "Evaluated THUDM/CogVideoX-2b (cogvideox, richspace, richspace_midpoint): 1,693.8 M parameters, clips of "
    "49 × 480 × 720 (frames × height × width), 50 steps, prompt set richspace."
)


@pytest.fixture
def profile(results: Results, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Results of a profile with settings, in a folder without anything of the toy world."""
    monkeypatch.chdir(tmp_path)
    return lambda *settings: of_profile(results, root, *settings)


def page(results: Results, name: str) -> str:
    """The words of a page of the whole report."""
    return words(Reader(write_report(results, Path("report")).parent / f"{name}.html"))


def first_lines(results: Results) -> str:
    return page(results, "index").partition(" Pages #")[0]


def test_the_model_is_named_and_nothing_of_the_toy_world(profile: Profile) -> None:
    text = first_lines(profile())
    assert MODEL in text
    assert "RichSpace mixes two prompts. Evaluated" in text
    assert "Made by this run 6 clips of 3 methods (0 failed), of 2 mixtures, and all values. Main numbers" in text
    others = ("toy world", "HARIVO moves", "ETC makes", "Make-A-Video learns", "Came with the repository")
    assert not [said for said in others if said in text]


def test_what_is_not_known_of_a_model_is_not_said(profile: Profile) -> None:
    results = profile("generate.models.cogvideox.sampling={steps: 7, guidance: 6, frames: 9, precision: float16}")
    unknown = replace(results, metrics=results.metrics[results.metrics.metric != "parameters"])
    assert "richspace_midpoint): clips of 9 (frames), 7 steps, prompt set richspace." in first_lines(unknown)


def test_imported_videos_are_named_beside_the_model(profile: Profile) -> None:
    text = first_lines(profile("generate.external={lvdm: {clips: /data/lvdm, captions: /data/lvdm.csv}}"))
    assert MODEL in text
    assert "/data/lvdm (lvdm): imported videos." in text


def test_only_what_is_there_came_with_the_repository(profile: Profile) -> None:
    rendered = profile("evaluate.metrics=[fvd, clipsim]")  # against clips of the toy world
    said = "Came with the repository The features of the reference clips. A part of these"
    assert said in first_lines(rendered)
    further = replace(rendered, bounds=pd.DataFrame(), attention_maps=pd.DataFrame())
    came = str(opening.first_lines(further)["came"])
    assert came == "The features of the reference clips, attention maps, and the bounds of Theorem A.6"
    two = str(opening.first_lines(replace(further, bounds=None))["came"])
    assert two == "The features of the reference clips and attention maps"


def test_a_pair_has_a_number_without_a_judge_and_without_fvd(profile: Profile) -> None:
    """The first metric of the tables, not of the file."""
    text = first_lines(profile())
    assert "richspace against cogvideox CLIPSIM ↑ · 1,693.8 M parameters" in text
    assert "richspace against richspace_midpoint CLIPSIM ↑" in text
    assert "Difference on 2 pairs: 0.1250 (0.062–0.250); p = 0.02." in text
    assert "p: from a sign-flip test over whole prompts, corrected by Holm for its family (CLIPSIM: " in text
    assert "No two methods" not in text and "Frame consistency ↑" not in text and "FVD" not in text


def test_without_comparisons_there_is_no_main_number(profile: Profile) -> None:
    results = profile("evaluate.comparisons=[]")
    assert results.comparisons["differences"].empty
    text = first_lines(results)
    assert "No two methods of this run were compared (evaluate.comparisons)." in text
    assert "Main numbers" not in text


def test_comparisons_that_came_to_nothing_are_told_apart_from_none(profile: Profile) -> None:
    results = profile()
    none = results.comparisons | {"differences": results.comparisons["differences"].iloc[:0]}
    text = first_lines(replace(results, comparisons=none))
    assert "No metric of this run compares the methods of evaluate.comparisons." in text
    assert "No two methods" not in text


def test_fvd_names_what_it_compares_with(profile: Profile) -> None:
    own = page(measured(profile("evaluate.reference=/data/ucf101"), "fvd", "kvd"), "methods")
    assert "FVD compares with /data/ucf101 (evaluate.reference). KVD has no bias from few clips." in own
    assert "CLIPSIM is scored against the guide prompt. The intervals of FVD and KVD are for" in own
    assert "toy world" not in own
    rendered = page(measured(profile("evaluate.metrics=[fvd]"), "fvd"), "methods")
    assert "FVD compares with reference clips of the toy world whose prompts are not mixtures." in rendered
    assert "The intervals of FVD are for the value expected" in rendered


def test_without_fvd_and_judge_neither_is_explained(profile: Profile) -> None:
    results = profile()
    text = page(replace(results, metrics=results.metrics.assign(asked="prompts")), "methods")
    assert "Methods asked for prompts, from the same noise" in text
    assert not [said for said in ("FVD compares", "Content :", "shading", "Roughness") if said in text]
    assert "CLIPSIM is scored against the guide prompt." in page(results, "methods")


def test_labels_stand_in_the_judges_place(profile: Profile) -> None:
    text = page(labelled(profile("evaluate.labels=labels.csv")), "mixtures")
    assert "clips that show the mixture, by the labels in labels.csv; whiskers" in text
    assert "by the judge" not in text


def test_verdicts_that_did_not_come_are_not_explained(profile: Profile) -> None:
    assert "verdicts on every step" not in page(profile(), "protocol")


def test_a_training_of_ones_own_did_not_come_with_the_repository(profile: Profile) -> None:
    results = profile()
    history = paths.world_model("etc_sd21") / paths.HISTORY
    history.parent.mkdir(parents=True)
    pd.DataFrame({"step": [1], "loss": [0.5]}).to_csv(history, index=False)
    text = page(results, "training").partition("Training")[2]
    assert "etc_sd21" in text and "Validation is on data that training has not seen." in text
    assert "come with the repository" not in text and "toy world" not in text
