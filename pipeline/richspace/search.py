"""RichSpace's search over whole mixtures: Algorithm 2 once for two parts, twice for three; results on disk."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pipeline.prompts.sets import Mixture
from pipeline.richspace.choices import Line
from pipeline.richspace.interpolation import Optimum, find_optimal
from pipeline.richspace.optima import CURVES, EMBEDDINGS, TABLE, read_curves, read_optima, search_key
from pipeline.text.embeddings import Embeddings

_COLUMNS = ["mixture", "k", "step", "weight", "continuous_weight", "similarity", "first_step"]


@dataclass(frozen=True)
class MixtureSearch:
    """The optimum of one mixture at one k.

    ends: the embeddings (n, d) between which the last interpolation runs: the first two parts, or the optimum of
    those and the third. optimum: of the last application of Algorithm 2. first_step: i_opt of the first application,
    for three parts; None for two.
    """

    mixture: Mixture
    k: int
    ends: tuple[torch.Tensor, torch.Tensor]
    optimum: Optimum
    first_step: int | None

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """The similarity curves: full, truncated and total, each (k,)."""
        return {name: getattr(self.optimum, name).numpy() for name in ("full", "truncated", "total")}


def search_mixture(mixture: Mixture, embeddings: Embeddings, k: int, first_guide: str | None = None) -> MixtureSearch:
    """Apply Algorithm 2 to a mixture (Section 5: three parts apply it twice, first to parts 1 and 2).

    Args:
        first_guide: prompt id of the guide of parts 1 and 2, for three parts; the paper's three-part mixtures start
            from the optimum of a two-part mixture, found with that mixture's own guide. None uses the mixture's.
    """
    parts = [embeddings.of(part) for part in mixture.parts]
    counts = [embeddings.count(part) for part in mixture.parts]
    guide, guide_count = embeddings.of(mixture.guide), embeddings.count(mixture.guide)
    if len(parts) == 2:
        optimum = find_optimal(*parts, guide, [*counts, guide_count], k)
        return MixtureSearch(mixture, k, (parts[0], parts[1]), optimum, None)
    first_guide = first_guide or mixture.guide
    first_lengths = [*counts[:2], embeddings.count(first_guide)]
    first = find_optimal(parts[0], parts[1], embeddings.of(first_guide), first_lengths, k)
    # the optimum has as many tokens as the longer of its parts: rows beyond both are padding in both
    second = find_optimal(first.embedding, parts[2], guide, [max(counts[:2]), counts[2], guide_count], k)
    return MixtureSearch(mixture, k, (first.embedding, parts[2]), second, first.step)


def first_guides(mixtures: Sequence[Mixture]) -> dict[str, str]:
    """For three-part mixtures: the guide of the two-part mixture of their first two parts, where there is one."""
    pairs = {mixture.parts: mixture.guide for mixture in mixtures if len(mixture.parts) == 2}
    triples = [mixture for mixture in mixtures if len(mixture.parts) == 3]
    return {mixture.id: pairs[mixture.parts[:2]] for mixture in triples if mixture.parts[:2] in pairs}


def write_searches(searches: Sequence[MixtureSearch], folder: Path) -> None:
    """Write optima.csv (a row per mixture and k), curves.json and embeddings.safetensors below `folder`; without a
    search all three are there, and empty.

    The embeddings are the optimum of every search and, for three parts, that of the first application.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, curves, tensors = [], {}, {}
    for search in searches:
        key = search_key(search.mixture.id, search.k)
        optimum = search.optimum
        rows.append(
            {
                "mixture": search.mixture.id,
                "k": search.k,
                "step": optimum.step,
                "weight": optimum.weight,
                "continuous_weight": optimum.continuous_weight,
                "similarity": float(optimum.total.max()),
                "first_step": search.first_step,
            }
        )
        curves[key] = {name: curve.tolist() for name, curve in search.curves.items()}
        tensors[key] = optimum.embedding.contiguous()
        if search.first_step is not None:
            tensors[f"{key}/first"] = search.ends[0].contiguous()
    pd.DataFrame(rows, columns=_COLUMNS).astype({"first_step": "Int64"}).to_csv(folder / TABLE, index=False)
    (folder / CURVES).write_text(json.dumps(curves))
    save_file(tensors, folder / EMBEDDINGS)


class SearchResults:
    """What the search stage found at one k, beside the embeddings that it searched; tensors are read when asked for."""

    def __init__(self, folder: Path, k: int, embeddings: Embeddings) -> None:
        self.folder, self.k, self.embeddings = folder, k, embeddings
        optima = read_optima(folder)
        self.steps: dict[str, int] = optima[optima.k == k].set_index("mixture").step.to_dict()

    @cached_property
    def _curves(self) -> dict[str, dict[str, np.ndarray]]:
        return read_curves(self.folder)

    def line(self, mixture: Mixture) -> Line:
        """The line that the mixture is looked for on, with the similarities along it."""
        curves = self._curves[search_key(mixture.id, self.k)]
        return Line(mixture.id, *self.ends(mixture), self.embeddings.of(mixture.guide), curves)

    def ends(self, mixture: Mixture) -> tuple[torch.Tensor, torch.Tensor]:
        """The embeddings a and b of the line that the optimum lies on (for three parts, a is the first optimum)."""
        b = self.embeddings.of(mixture.parts[-1])
        if len(mixture.parts) == 2:
            return self.embeddings.of(mixture.parts[0]), b
        return self._tensor(f"{search_key(mixture.id, self.k)}/first"), b

    def _tensor(self, key: str) -> torch.Tensor:
        with safe_open(self.folder / EMBEDDINGS, "pt") as file:
            return file.get_tensor(key)
