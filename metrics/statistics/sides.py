"""One side of a distance: feature vectors, and which clip each belongs to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)  # a side is itself: what is computed of it can be kept
class Features:
    """Feature vectors (n, d) of one side, and the clip that each belongs to (n,), 0 … clips - 1.

    clusters: (clips,) the cluster of each clip, any integers, where clips are not independent (those of one prompt);
    None: every clip is its own.
    """

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

    @cached_property
    def units(self) -> np.ndarray:
        """(n,) what each vector was drawn with, 0 … units - 1: its cluster, or its clip."""
        codes = self.groups if self.clusters is None else np.asarray(self.clusters)[self.groups]
        return np.unique(codes, return_inverse=True)[1]

    @property
    def drawn(self) -> int:
        """Number of units."""
        return int(self.units.max()) + 1 if len(self.units) else 0

    @cached_property
    def by_content(self) -> np.ndarray:
        """(units,) the order of the units by their mean vectors, which no order of files or rows changes."""
        sums = np.zeros((self.drawn, self.values.shape[1]))
        np.add.at(sums, self.units, self.values)
        return np.lexsort((sums / np.bincount(self.units)[:, None]).T[::-1])

    @cached_property
    def apart(self) -> "Features":
        """The same with every clip its own unit."""
        return Features(self.values, self.groups)
