"""Parameters without what is measured once and travels in git, for tests of other things."""

from typing import Any


def without_points(values: dict[str, Any]) -> dict[str, Any]:
    """params.yaml's values without points of any kind, in place and returned."""
    etc, cascade = values["etc"], values["make_a_video"]
    values["harivo"]["trials"] |= {"points": {}, "choices": {}, "ablation": {}, "pairs": []}
    for points in (values["harivo"]["sweep"], etc, etc["short"], etc["larger"], cascade):
        points["points"] = {}
    etc["attention"] = None
    cascade |= {"whole": None, "cueless": None, "parts": None}
    return values
