"""Labels in the judge's place: checked whole before they are used, and counted as its verdicts are."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.labels import LabelError, Labels

HEAD = "method,clip,shown,model\n"


def method(name: str, *outcomes: str) -> Evaluated:
    """A method with a clip of a mixture for each outcome, and one of a prompt."""
    rows = [(f"m-s{i}", "set/m", i, outcome) for i, outcome in enumerate(outcomes)]
    table = pd.DataFrame([*rows, ("p-s0", "", 0, "ok")], columns=["clip", "mixture", "seed", "outcome"])
    return Evaluated(name, table, measured=None, protocol=None, parameters=0)  # of labels, the table decides


def read(folder: Path, text: str) -> Labels:
    (folder / "labels.csv").write_text(text)
    return Labels.read(folder / "labels.csv")


def test_every_requested_clip_of_a_mixture_has_a_verdict(tmp_path: Path) -> None:
    labels = read(tmp_path, HEAD + "a,m-s0,1,x\na,m-s1,0,x\n")
    own = method("a", "ok", "ok", "RuntimeError: no")
    labels.check([own])
    rows = labels.verdicts(own)
    assert [(row["clip"], row["success"]) for row in rows] == [("m-s0", True), ("m-s1", False), ("m-s2", False)]
    assert {row["by"] for row in rows} == {labels.by}


def test_a_clip_that_failed_shows_nothing_whatever_its_label(tmp_path: Path) -> None:
    labels = read(tmp_path, HEAD + "a,m-s0,1,x\n")
    own = method("a", "RuntimeError: no")
    labels.check([own])
    assert [row["success"] for row in labels.verdicts(own)] == [False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method,clip\n", "no column shown; found method, clip"),
        (HEAD + "a,m-s0,yes,x\n", "line 2, field shown: found 'yes', expected 0 or 1"),
        (HEAD + "a,m-s0,1,x\na,m-s0,0,x\n", "line 3: m-s0 of a is there already"),
        (HEAD + "a,m-s0,,x\n", "line 2, field shown: found ''"),
        ("", "no CSV"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,m-s0,1,x\n", r"no label for m-s1 of a \(1 in all\)"),
        ("a,m-s0,1,x\na,m-s1,1,x\nb,m-s0,1,x\n", r"a label, but no clip: m-s0 of b \(1 in all\)"),
        ("a,m-s0,1,x\na,m-s1,1,x\na,p-s0,1,x\n", r"a label, but no clip: p-s0 of a"),
    ],
)
def test_labels_of_other_clips_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read(tmp_path, HEAD + rows).check([method("a", "ok", "ok")])


def test_other_labels_have_another_name(tmp_path: Path) -> None:
    one, other = (read(tmp_path, HEAD + f"a,m-s0,{value},x\n") for value in (0, 1))
    assert one.by != other.by
