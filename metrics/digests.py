"""Whole digests: names of what is kept, where two that are alike would give one thing for another.

Apart from `metrics.hashing`, on whose code the fingerprints of generated clips depend: a change there has every clip
made anew.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

SHOWN = 12  # digits of a digest that tables print


def digest(choices: Mapping[str, object] | Sequence[object]) -> str:
    """sha256 over the choices, 64 hex digits; the order of a mapping does not matter."""
    return digest_of_text(json.dumps(choices, sort_keys=True))


def digest_of_text(text: str) -> str:
    """sha256 of a text in UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def shortened(text: str) -> str:
    """A text whose digests have as many digits as tables print."""
    return re.sub(rf"\b([0-9a-f]{{{SHOWN}}})[0-9a-f]{{{64 - SHOWN}}}\b", r"\1", text)
