"""Which point of the line between two parts is sampled: Algorithm 2's step, each part of that, and what knows less.

`optimum` is Algorithm 2. `full` and `truncated` take the largest of one of the two curves that it adds, `foot` the
point that the curves measure similarity to: the guide's projection on the line, which may lie beyond its ends.
`midpoint` knows the two parts alone, `random` not even these: a step 1 … k, drawn once for each mixture.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:  # files of methods, which name a choice, are imported to check params.yaml, without torch
    from collections.abc import Mapping

    from torch import Tensor

Choice = Literal["optimum", "full", "truncated", "midpoint", "random", "foot"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
OPTIMUM: Choice = "optimum"
RANDOM: Choice = "random"
_CURVES = {"optimum": "total", "full": "full", "truncated": "truncated"}


@dataclass(frozen=True)
class Line:
    """Where a mixture is looked for. name: the mixture's id. a, b, guide: embeddings (n, d). curves: full, truncated
    and total, (k,) each, entry i - 1 for step i."""

    name: str
    a: Tensor
    b: Tensor
    guide: Tensor
    curves: Mapping[str, np.ndarray]

    @property
    def k(self) -> int:
        """How many steps there are."""
        return len(self.curves["total"])

    def weight(self, choice: Choice) -> float:
        """The share of a: in (0, 1], but for the foot, which may have any."""
        from pipeline.richspace.interpolation import foot_weight

        if choice == "foot":
            return foot_weight(self.a, self.b, self.guide)
        if choice == "midpoint":
            return 0.5
        return self._step(choice) / self.k

    def _step(self, choice: Choice) -> int:
        if choice == "random":
            drawn = hashlib.sha256(self.name.encode()).digest()
            return 1 + int(np.random.default_rng(list(drawn)).integers(self.k))
        return int(np.argmax(self.curves[_CURVES[choice]])) + 1
