"""The picture in docs/dag.md is of the DAG as it is."""

from pathlib import Path

import networkx as nx
import pytest

from tests.dag_picture import KINDS, PAGE, boxes, drawn, mermaid, of_dvc


def test_the_picture_is_of_the_dag_that_dvc_reads(root: Path) -> None:
    graph = of_dvc(root)
    assert all(any(names.fullmatch(stage) for stage in graph) for names in KINDS.values())
    assert drawn((root / PAGE).read_text()) == mermaid(boxes(graph)), "run python -m tests.dag_picture"


def test_stages_of_a_kind_are_a_box_and_arrows_that_follow_are_left_out() -> None:
    graph = nx.DiGraph(
        [("prompts", "train_a"), ("train_a", "train_b"), ("train_b", "generate"), ("prompts", "generate")]
    )
    picture = boxes(graph)
    assert set(picture.edges) == {("prompts", "trainings"), ("trainings", "generate")}
    assert picture.nodes["trainings"]["stages"] == ["train_a", "train_b"]
    lines = mermaid(picture).split("\n")
    assert '    trainings["trainings:<br/>train_a, train_b"]' in lines
    assert "    trainings --> generate" in lines and "    class trainings shipped" in lines


def test_a_circle_between_boxes_is_refused() -> None:
    graph = nx.DiGraph([("train_a", "generate"), ("generate", "train_b")])
    with pytest.raises(ValueError, match="circle"):
        boxes(graph)


def test_a_page_without_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no block of Mermaid"):
        drawn("# The DAG\n")
