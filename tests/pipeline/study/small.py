"""Small studies for tests: their YAML as a mapping, and their items."""

from typing import Any

from pipeline.study.design import Study
from pipeline.study.plan import Item

METHODS = ("ours", "theirs", "baseline", "another")


def wanted(kind: str, methods: int = 2, **changes: Any) -> dict[str, Any]:
    """The YAML of a study of a design, with changes of its keys."""
    sided = kind in ("best_of", "pairwise")
    values: dict[str, Any] = {
        "name": f"small-{kind.replace('_', '-')}",
        "title": "A small study",
        "design": kind,
        "clips": {"methods": list(METHODS[:methods])},
        "raters": {"expected": 4, "trials": 4},
        "practice": 1,
        "checks": {"identical": 1, "obvious": 1},
        "consent": "Your answers are kept without your name.",
        "background": {"professions": ["AI", "Art"], "years": True},
        "seed": 7,
    }
    return values | ({"ties": True} if sided else {}) | changes


def study(kind: str, methods: int = 2, **changes: Any) -> Study:
    """A study of a design, with changes of its keys."""
    return Study.model_validate(wanted(kind, methods, **changes))


def items(count: int, parts: bool = False) -> list[Item]:
    """So many items, each of a prompt of its own."""
    both = ("A red circle.", "A blue circle.") if parts else None
    return [Item(f"clip-{i:03d}-s0", f"set/clip-{i:03d}", f"A thing of kind {i} moves.", both) for i in range(count)]
