"""frames: the text-to-image model, every frame sampled by itself (the StableDiffusion row of HARIVO's Table 2).

With `motion` and `temporal: false`, the frames pass that variant's mapping network first (HARIVO, Figure A2).
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts

Options = TextOptions


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler())
