"""Protocols: every choice behind a value, and the fingerprint that is printed with it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Protocol:
    """Choices that change a value of FVD. `weights` is the sha256 of the network's; `real` names the real clips."""

    name: str
    network: str
    weights: str
    frames: int
    stride: int
    resize: str
    value_range: str
    real: str
    n_real: int
    n_gen: int
    ddof: int
    decoder: str

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change when any choice does."""
        return fingerprint(asdict(self))


def fingerprint(choices: Mapping[str, object] | Sequence[object]) -> str:
    """Twelve hex digits of a sha256 over the choices; the order of a mapping does not matter."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:12]
