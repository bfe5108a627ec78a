"""make_a_video: Make-A-Video's cascade on texts as they are, or from true image embeddings in place of its prior's.

Options: the parts of the cascade; `image`, where embeddings come from.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.clips.jobs import Asked
from pipeline.config.methods import Cascade
from pipeline.config.section import Share
from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import Prompts, Request, TextOptions, texts

if TYPE_CHECKING:
    import torch


class Options(TextOptions):
    """`image`: of the prior, or true: of the middle frame of a clip that shows what the prompt names, rendered for it;
    of the toy world's own prompts alone. `shading`: of that clip."""

    image: Literal["prior", "true"] = "prior"
    shading: Share = 0.35


@dataclass(frozen=True)
class TrueImages:
    """The prompts of the method's set, each with the image embedding (1, d) of a clip that shows what it names."""

    context: Context
    asked: Asked = "prompts"

    def requests(self) -> list[Request]:
        asked = Prompts(self.context).requests()
        embedded = self._embedded(list(dict.fromkeys(request.job.prompt_id for request in asked)))
        return [Request(request.job, embedded[request.job.prompt_id]) for request in asked]

    def _embedded(self, prompts: list[str]) -> dict[str, torch.Tensor]:
        import numpy as np

        from pipeline.make_a_video.pyramid import embeddings_of, joint_space
        from pipeline.world.scene import ATTRIBUTES, FRAMES, Names, realise

        own, wanted = self.context.own(Options), self.context.own(Cascade)
        space = joint_space(wanted.clip, wanted.text_tower)
        table, found = self.context.inputs.tables[0], {}
        for prompt in prompts:
            extra = table[prompt].extra
            if not all(extra.get(attribute) for attribute in ATTRIBUTES):
                raise ValueError(f"{prompt} names no {', '.join(ATTRIBUTES)}: no true clip of it can be rendered")
            names = Names(*(extra[attribute] for attribute in ATTRIBUTES))
            scene = realise([names], np.random.default_rng(zlib.crc32(prompt.encode())))
            found[prompt] = embeddings_of(scene, own.shading, 2 * space.encoder.image_size, space, (FRAMES // 2,))[0]
        return found


def build(context: Context) -> Method:
    own = context.own(Options)
    if own.image == "true":
        if context.own(Cascade).prior:
            raise ValueError("image is true with a prior, expected prior: null")
        if own.ask != "prompts":
            raise ValueError(f"ask is {own.ask} with image: true, expected ask: prompts")
        return Method.of(context, TrueImages(context), context.sampler())
    if not context.own(Cascade).prior:
        raise ValueError("prior is null with image: prior, expected a prior, or image: true")
    return Method.of(context, texts(context), context.sampler())
