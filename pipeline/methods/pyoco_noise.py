"""pyoco_noise: animatediff trained and sampled with PYoCo's mixed noise, which HARIVO argues against (Section 3.2).

Options: `motion`; `noise_weight`, PYoCo's a, the one it was trained with.
"""

from pipeline.config.section import Weight
from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.noise import Noise
from pipeline.methods.rules import TextOptions, texts


class Options(TextOptions):
    motion: str
    noise_weight: Weight = 1.0


def build(context: Context) -> Method:
    noise = Noise("mixed", context.own(Options).noise_weight)
    return Method.of(context, texts(context), context.sampler(), noise)
