"""One side of a distance: feature vectors, and which clip each belongs to."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)  # a side is itself: what is computed of it can be kept
class Features:
    """Feature vectors (n, d) of one side, and the clip that each belongs to (n,), 0 … clips - 1."""

    values: np.ndarray
    groups: np.ndarray
    clusters: np.ndarray | None = None

    @classmethod
    def of(cls, values: np.ndarray, groups: np.ndarray | None = None) -> "Features":
        """Features of one window a clip, unless `groups` says otherwise."""
        return cls(np.asarray(values, np.float64), np.arange(len(values)) if groups is None else groups)

    @property
    def clips(self) -> int:
        """Number of clips."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    def keep(self, clips: np.ndarray) -> "Features":
        """The vectors of the clips that a mask (clips,) keeps; their numbers stay what they are."""
        rows = clips[self.groups]
        return Features(self.values[rows], self.groups[rows])
