"""The validated tables of prompts and mixtures: what the prompts stage writes, and every later stage reads."""

from pathlib import Path

import pandas as pd

from pipeline.prompts.sets import MIXTURE_COLUMNS, Mixture, Prompt, extra


def write_tables(prompts: list[Prompt], mixtures: list[Mixture], prompt_path: Path, mixture_path: Path) -> None:
    """Write the validated tables as CSV; further columns of the sets become columns, empty where a set has none."""
    prompt_path.parent.mkdir(parents=True, exist_ok=True)
    prompt_rows = [{"id": p.id, "set": p.set, "category": p.category, "text": p.text, **p.extra} for p in prompts]
    pd.DataFrame(prompt_rows).to_csv(prompt_path, index=False)
    mixture_rows = [
        {"id": m.id, "set": m.set, "parts": " ".join(m.parts), "guide": m.guide, **m.extra} for m in mixtures
    ]
    pd.DataFrame(mixture_rows, columns=None if mixture_rows else [*MIXTURE_COLUMNS, "set"]).to_csv(
        mixture_path, index=False
    )


def read_tables(prompt_path: Path, mixture_path: Path) -> tuple[dict[str, Prompt], list[Mixture]]:
    """The tables that `write_tables` wrote: prompts by id, and mixtures in order.

    Raises:
        FileNotFoundError: if the prompts stage has not run.
    """
    if not prompt_path.is_file():
        raise FileNotFoundError(f"{prompt_path} not found: run the prompts stage")
    prompts = pd.read_csv(prompt_path, dtype=str, keep_default_na=False)
    mixtures = pd.read_csv(mixture_path, dtype=str, keep_default_na=False)
    known = ("id", "set", "category", "text")
    by_id = {
        str(row["id"]): Prompt(**{key: row[key] for key in known}, extra=extra(row, known))
        for row in prompts.to_dict("records")
    }
    return by_id, [
        Mixture(row["id"], row["set"], tuple(row["parts"].split()), row["guide"], extra(row, (*MIXTURE_COLUMNS, "set")))
        for row in mixtures.to_dict("records")
    ]
