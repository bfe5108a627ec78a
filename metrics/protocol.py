"""Protocols: every choice behind a value, and the fingerprint that is printed with it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Protocol:
    """Choices that change a value. `weights` maps a network to the sha256 of its weights."""

    name: str
    network: str
    weights: str
    frames: int
    stride: int
    resize: str
    value_range: str
    n_real: int
    n_gen: int
    ddof: int
    decoder: str

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when any choice does."""
        return fingerprint(asdict(self))


def fingerprint(choices: Mapping[str, object]) -> str:
    """Twelve hex digits of a sha256 over the choices, whatever their order."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:12]
