"""What differs between two designs of a study, said in words."""

from collections.abc import Mapping, Sequence
from typing import Any

_SHOWN = 5


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A phrase for each key whose value changed, at most the first few, and how many more there are."""
    found = list(_differences(before, now, ""))
    return found[:_SHOWN] + ([f"and {len(found) - _SHOWN} more changes"] if len(found) > _SHOWN else [])


def reordered(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """A phrase if the same names stand in another order, with the first place that changed."""
    if sorted(before) != sorted(now):
        return []
    places = enumerate(zip(before, now, strict=True), 1)
    moved = [f"the order of clips changed: number {place} was {a}, is {b}" for place, (a, b) in places if a != b]
    return moved[:1]


def _differences(before: Any, now: Any, key: str) -> list[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = [*before, *(name for name in now if name not in before)]
        dotted = {name: f"{key}.{name}" if key else str(name) for name in names}
        return [said for name in names for said in _differences(before.get(name), now.get(name), dotted[name])]
    return [] if before == now else [f"{key} was {_short(before)}, is {_short(now)}"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
