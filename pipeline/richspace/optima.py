"""What the search stage leaves on disk, for readers that need no tensors: optimal steps and similarity curves."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

TABLE, CURVES, EMBEDDINGS = "optima.csv", "curves.json", "embeddings.safetensors"


def search_key(mixture_id: str, k: int) -> str:
    """Name of a search's curves and embedding in these files."""
    return f"{mixture_id}/k{k}"


def read_optima(folder: Path) -> pd.DataFrame:
    """A row per mixture and k: step, weight, continuous_weight, similarity, first_step (nullable).

    Raises:
        FileNotFoundError: if the search stage has not run.
    """
    if not (folder / TABLE).is_file():
        raise FileNotFoundError(f"{folder / TABLE} not found: run the search stage")
    return pd.read_csv(folder / TABLE, dtype={"first_step": "Int64"})


def read_curves(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """The similarity curves by `search_key`: full, truncated and total, each (k,)."""
    curves = json.loads((folder / CURVES).read_text())
    return {key: {name: np.array(values) for name, values in curve.items()} for key, curve in curves.items()}


def strip_steps(optimum: int, k: int) -> list[int]:
    """The steps that a strip like the paper's Figure 3 shows: 1, opt - 1, opt, opt + 1, k, within 1 … k."""
    return sorted({step for step in (1, optimum - 1, optimum, optimum + 1, k) if 1 <= step <= k})
