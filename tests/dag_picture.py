"""The DAG as DVC reads it, drawn for people: stages of a kind are one box.

`python -m tests.dag_picture` puts it into docs/dag.md.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import networkx as nx

from pipeline.config.paths import ROOT

PAGE = Path("docs/dag.md")
# Boxes of several stages; each other stage is a box of its own.
KINDS = {
    "trainings": re.compile(r"train_.*"),
    "measured once": re.compile(
        r"oracle|bounds|sweep|trial|etc|etc_short|etc_larger|make_a_video|cascade_parts|attention_maps|attention|normality|mapping"
    ),
    "published figures": re.compile(r"publish|published"),
}
_SHIPPED = ("trainings", "measured once", "published figures", "reference")  # what travels in git
_BLOCK = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
_IN_A_LINE = 3


def of_dvc(root: Path) -> nx.DiGraph:
    """An edge from each stage to one that depends on it; the stages of a foreach are one."""
    from dvc.repo import Repo

    graph = nx.DiGraph()
    with Repo(str(root)) as repo:
        for stage in repo.index.graph:
            graph.add_node(_name(stage.addressing))
        for stage, on in repo.index.graph.edges:
            graph.add_edge(_name(on.addressing), _name(stage.addressing))
    return graph


def boxes(graph: nx.DiGraph) -> nx.DiGraph:
    """An edge between boxes where stages have one, less those that follow from others. A box has its `stages`.

    Raises:
        ValueError: if there is a circle between boxes.
    """
    kinds = {stage: next((kind for kind, names in KINDS.items() if names.fullmatch(stage)), stage) for stage in graph}
    between = nx.DiGraph((kinds[a], kinds[b]) for a, b in graph.edges if kinds[a] != kinds[b])
    between.add_nodes_from(kinds.values())
    if not nx.is_directed_acyclic_graph(between):
        raise ValueError(f"tests/dag_picture.py: KINDS make a circle: {nx.find_cycle(between)}")
    reduced = nx.transitive_reduction(between)
    for kind in reduced:
        reduced.nodes[kind]["stages"] = sorted(stage for stage, own in kinds.items() if own == kind)
    return reduced


def mermaid(graph: nx.DiGraph) -> str:
    """The boxes and arrows in Mermaid's language, in an order that does not depend on DVC's."""
    order = list(nx.lexicographical_topological_sort(graph))
    lines = ["flowchart TD"]
    lines += [f'    {_id(kind)}["{_label(kind, graph.nodes[kind]["stages"])}"]' for kind in order]
    lines += [f"    {_id(a)} --> {_id(b)}" for a, b in sorted(graph.edges, key=lambda e: [order.index(n) for n in e])]
    shipped = ",".join(_id(kind) for kind in order if kind in _SHIPPED)
    lines += ["    classDef shipped stroke-width:3px", f"    class {shipped} shipped"] if shipped else []
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def drawn(page: str) -> str:
    """The picture on a page.

    Raises:
        ValueError: if there is none.
    """
    if not (found := _BLOCK.search(page)):
        raise ValueError(f"{PAGE} has no block of Mermaid")
    return found[0]


def _name(address: str) -> str:
    return address.partition("@")[0]


def _id(kind: str) -> str:
    return kind.replace(" ", "_")


def _label(kind: str, stages: Iterable[str]) -> str:
    """A kind's name above its stages, a few in a line."""
    names = list(stages)
    rows = [", ".join(names[i : i + _IN_A_LINE]) for i in range(0, len(names), _IN_A_LINE)]
    return kind if names == [kind] else "<br/>".join([f"{kind}:", *rows])


def main() -> None:
    page = ROOT / PAGE
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(drawn(text), mermaid(boxes(of_dvc(ROOT)))), encoding="utf-8")


if __name__ == "__main__":
    main()
