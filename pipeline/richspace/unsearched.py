"""What the search stage leaves where there was nothing to search: sets of prompts without mixtures."""

import json
from pathlib import Path

import pandas as pd
from safetensors.torch import save_file

from pipeline.richspace.optima import CURVES, EMBEDDINGS, TABLE

_COLUMNS = ("mixture", "k", "step", "weight", "continuous_weight", "similarity", "first_step")


def write_none(folder: Path) -> None:
    """The files of `search.write_searches`, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns=list(_COLUMNS)).to_csv(folder / TABLE, index=False)
    (folder / CURVES).write_text(json.dumps({}))
    save_file({}, folder / EMBEDDINGS)
