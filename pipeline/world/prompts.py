"""The world's own prompt set and mixtures as tables, made from the grammar by a fixed seed.

`prompts/world.csv` and `prompts/world.mixtures.csv` are these tables, written once (`python -m pipeline.world.prompts`)
and frozen by the hashes in `prompts/sets.yaml`: a later change of the grammar does not change what was measured on.
"""

from argparse import ArgumentParser

import pandas as pd

from pipeline.config import paths
from pipeline.world.captions import captions
from pipeline.world.mixtures import part_prompt, slug, world_mixtures
from pipeline.world.scene import ATTRIBUTES, draw

IN_DISTRIBUTION, SEED = 200, 4_000_001  # prompts of scenes that no training seed draws
TRAINING = (8000, 0)  # scenes and seed of the shipped text-to-video model: none of its captions is a prompt


def prompt_table() -> pd.DataFrame:
    """In-distribution prompts with the names they state, then the parts and guides of the mixtures."""
    known = set(captions(draw(*TRAINING)[0], TRAINING[1]))
    names, _ = draw(8 * IN_DISTRIBUTION, SEED)
    unseen = [pair for pair in zip(names, captions(names, SEED), strict=True) if pair[1] not in known]
    rows = [
        {"id": f"world-{i:03d}", "category": "in-distribution", "text": text, **vars(name)}
        for i, (name, text) in enumerate(unseen[:IN_DISTRIBUTION], 1)
    ]
    for mixture in world_mixtures():
        parts = [{"category": "part", "text": part_prompt(part), **vars(part)} for part in mixture.parts]
        for row in [*parts, {"category": "guide", "text": mixture.guide}]:
            rows.append({"id": slug(row["text"]), **row})
    return pd.DataFrame(rows, columns=["id", "category", "text", *ATTRIBUTES]).drop_duplicates("id")


def mixture_table() -> pd.DataFrame:
    """One row per mixture: its parts and guide by prompt id, and the attributes in which the parts differ."""
    return pd.DataFrame(
        {
            "id": mixture.id,
            "parts": " ".join(slug(part_prompt(part)) for part in mixture.parts),
            "guide": slug(mixture.guide),
            "attributes": " ".join(mixture.attributes),
        }
        for mixture in world_mixtures()
    )


if __name__ == "__main__":
    ArgumentParser(description="Write prompts/world.csv and its mixtures anew; sets.yaml freezes them.").parse_args()
    prompt_table().to_csv(paths.PROMPT_SETS / "world.csv", index=False, lineterminator="\n")
    mixture_table().to_csv(paths.PROMPT_SETS / "world.mixtures.csv", index=False, lineterminator="\n")
