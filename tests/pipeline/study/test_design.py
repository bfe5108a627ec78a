"""A study's file is checked in full: each mistake gets a sentence of its own."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.study import design
from pipeline.study.design import StudyError
from pipeline.study.questions import DEFAULTS
from tests.pipeline.study.small import study, wanted

SHIPPED = sorted((Path(__file__).parents[3] / "studies").glob("*.yaml"))


def written(folder: Path, values: Any) -> Path:
    path = folder / "study.yaml"
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_studies_that_ship_are_whole(path: Path) -> None:
    assert design.read(path).name == path.stem


def test_every_design_ships_as_an_example() -> None:
    assert {design.read(path).design for path in SHIPPED} == set(DEFAULTS)


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_a_file_says_what_the_study_is(kind: str, tmp_path: Path) -> None:
    read = design.read(written(tmp_path, wanted(kind)))
    assert read == study(kind)
    assert read.asked == DEFAULTS[kind]


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("best_of", {"titel": "x"}, "no such key: 'titel' (did you mean 'title'?)"),
        ("best_of", {"name": "a b"}, "name: "),
        ("best_of", {"design": "best"}, "design: "),
        ("best_of", {"consent": "  "}, "consent: "),
        ("best_of", {"consent": None}, "consent: "),
        ("best_of", {"seed": -1}, "seed: "),
        ("best_of", {"seed": True}, "seed: expected a number, found true"),
        ("best_of", {"ties": "no"}, "ties: "),
        ("best_of", {"practice": 1.5}, "practice: "),
        ("best_of", {"raters": {"expected": 4, "trials": 0}}, "raters.trials: "),
        ("best_of", {"raters": {"expected": 4}}, "raters.trials: is missing"),
        ("best_of", {"raters": {"expected": 4, "trials": 4, "trial": 4}}, "raters: no such key: 'trial'"),
        ("best_of", {"clips": {"methods": ["ours"]}}, "clips names 1 methods, expected 2 to 9 for the design best_of"),
        ("best_of", {"clips": {"methods": ["a", "b", "a"]}}, "clips names a twice"),
        ("best_of", {"clips": {"methods": ["a", "broken"]}}, "clips names a method 'broken'"),
        ("best_of", {"clips": {"methods": ["a", "tie"]}}, "clips names a method 'tie'"),
        ("rating", {"questions": {f"q{i}": "?" for i in range(31)}}, "questions: found 31, expected at most 30"),
        ("best_of", {"clips": {"methods": ["a", "b|c"]}}, "clips names a method 'b|c'"),
        ("best_of", {"clips": {"methods": [f"m{i}" for i in range(10)]}}, "clips names 10 methods, expected 2 to 9"),
        (
            "best_of",
            {"pairs": {"candidate": "ours", "against": ["theirs"]}},
            "pairs: belongs to the design pairwise, this one is best_of",
        ),
        ("best_of", {"questions": {"better": "?"}}, "questions: found better, the design best_of asks best"),
        ("best_of", {"ties": False}, "checks.identical: shows the same clip on all sides and needs `ties: true`"),
        ("best_of", {"checks": {"identical": 3, "obvious": 2}}, "checks: found 5 of them, expected at most as many as"),
        ("best_of", {"background": {"professions": [""]}}, "background.professions.0: "),
        ("best_of", {"enrolment": "closed"}, "enrolment: "),
        ("pairwise", {"pairs": {"candidate": "mine", "against": ["theirs"]}}, "pairs names 'mine', expected one of"),
        ("pairwise", {"pairs": {"candidate": "ours", "against": []}}, "pairs.against: "),
        ("pairwise", {"pairs": "every"}, "pairs: found 'every', expected all, or a candidate and whom it is against"),
        ("pairwise", {"pairs": {"candidate": "ours", "against": ["ours"]}}, "pairs: names a method twice: ours, ours"),
        ("pairwise", {"questions": {"shows_a": "{a}?"}}, "'shows_a' is a question of the design mixture"),
        ("pairwise", {"questions": {"Best one": "?"}}, "questions: found the key 'Best one'"),
        ("attributes", {"ties": True}, "ties: belongs to the designs best_of and pairwise, this one is attributes"),
        ("attributes", {"questions": {"motion": "?"}}, "'motion' is a question of the design pairwise"),
        ("mixture", {"questions": {"shows_a": "A?"}}, "questions: found shows_a, the design mixture asks"),
        (
            "mixture",
            {"questions": {"shows_a": "A?", "shows_b": "{b}?", "one_object": "?"}},
            "questions.shows_a: found 'A?', expected {a}",
        ),
        ("rating", {"clips": {"methods": ["a"], "parts": "x.csv"}}, "clips.parts: belongs to the design mixture"),
    ],
)
def test_a_mistake_is_named(kind: str, changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, wanted(kind, **changes))
    with pytest.raises(StudyError) as error:
        design.read(path)
    assert f"{path}: " in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_method_that_is_in_no_pair_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, wanted("pairwise", 3, pairs={"candidate": "ours", "against": ["theirs"]}))
    with pytest.raises(StudyError, match="leaves out baseline, expected every method of clips"):
        design.read(path)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        design.read(written(tmp_path, wanted("best_of", seed=-1, practice=-1)))
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "found list, expected keys such as name, design and clips"),
        ("", "found NoneType"),
        ("name: a\nname: b\n", "line 2: the key 'name' is there already, in line 1"),
        ("name: [\n", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_study_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"study\.yaml") as error:
        design.read(written(tmp_path, text))
    assert said in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.yaml: no such file"):
        design.read(tmp_path / "none.yaml")


def test_contrasts_are_what_trials_show_together() -> None:
    against = {"candidate": "baseline", "against": ["ours", "theirs"]}
    assert study("best_of", 3).contrasts == [("ours", "theirs", "baseline")]
    assert study("pairwise", 3).contrasts == [("ours", "theirs"), ("ours", "baseline"), ("theirs", "baseline")]
    assert study("pairwise", 3, pairs=against).contrasts == [("baseline", "ours"), ("baseline", "theirs")]
    assert study("attributes", 2).contrasts == [("ours",), ("theirs",)]


def test_answers_are_those_of_the_design() -> None:
    assert study("best_of", 3).answers == ("1", "2", "3", "tie")
    assert study("pairwise", 3, ties=False, checks={}).answers == ("1", "2")
    assert study("mixture").answers == ("yes", "no")
    assert study("rating").answers == ("1", "2", "3", "4", "5")


def test_what_an_organiser_may_change_is_not_fixed() -> None:
    before = study("best_of").fixed
    assert study("best_of", enrolment="open", raters={"expected": 99, "trials": 4}).fixed == before
    assert study("best_of", questions=DEFAULTS["best_of"]).fixed == before
    assert study("best_of", consent="Another text.").fixed != before
    assert study("best_of", raters={"expected": 4, "trials": 3}).fixed != before


def test_paragraphs_of_the_consent_are_joined_lines() -> None:
    assert study("best_of", consent="One\ntwo.\n\nThree\n  four.\n").paragraphs == ["One two.", "Three four."]
