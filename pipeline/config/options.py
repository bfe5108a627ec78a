"""The keys of an entry that only its own code knows: whoever reads one takes it, and what nobody takes is an error."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Options:
    """Further keys of an entry of params.yaml.

    Args:
        key: of the entry, "generate.methods.harivo". values: its own keys.
    """

    def __init__(self, key: str, values: Mapping[str, Any]) -> None:
        self.key, self.values = key, dict(values)
        self.taken: dict[str, None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def take(self, name: str, kind: type[T], expected: str, default: T | None = None) -> T:
        """The value of an option.

        Raises:
            ValueError: if it is of another kind, or missing and without default.
        """
        self.taken[name] = None
        found = self.values.get(name, default)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise self.wrong(name, found, expected)
        return found

    def require(self, *names: str) -> None:
        """Refuse an entry without these options.

        Raises:
            ValueError: naming the first that is missing.
        """
        for name in names:
            if name not in self.values:
                raise ValueError(f"params.yaml: {self.key} needs the option {name}")

    def wrong(self, name: str, found: object, expected: str) -> ValueError:
        """The error about a value that is not what it should be."""
        return ValueError(f"params.yaml: {self.key}.{name} is {found!r}, expected {expected}")

    def refuse_unknown(self) -> None:
        """Refuse what nobody has taken.

        Raises:
            ValueError: naming the option and those that there are.
        """
        for name in sorted(set(self.values) - set(self.taken)):
            known = ", ".join(self.taken) or "none"
            raise ValueError(f"params.yaml: {self.key}.{name}: no such option, expected one of: {known}")
