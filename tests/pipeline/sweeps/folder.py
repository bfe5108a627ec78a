"""A folder in which stages run on small models: the toy world's prompts, embedded."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.text.embeddings import embed_set
from pipeline.text.encoders import TextEncoder


@contextmanager
def run_folder(
    root: Path, folder: Path, values: Mapping[str, Any], sets: Sequence[str] = ("world",)
) -> Iterator[Params]:
    """Go there. values: parameters with one encoder, which embeds the toy world's prompts; sets: of the tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "pipeline").symlink_to(root / "pipeline")
        wanted = Params.model_validate(values)
        prompts, mixtures = read_sets(root / "prompts", sets)
        write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
        ((name, encoder),) = wanted.embed.encoders.items()
        store = paths.embeddings(name) / "world.safetensors"
        own = [prompt for prompt in prompts if prompt.set == "world"]
        embed_set(TextEncoder(encoder.kind, encoder.checkpoint), own, encoder.sets["world"], store)
        yield wanted
