"""pyoco-noise: animatediff trained and sampled with PYoCo's mixed noise, which HARIVO argues against (Section 3.2).

Options: `motion`; `noise_weight`, PYoCo's a, the one it was trained with.
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.noise import Noise
from pipeline.methods.rules import texts


def build(context: Context) -> Method:
    context.options.require("motion")
    weight = context.options.take("noise_weight", int | float, "a number from 0", 1.0)
    if weight < 0:
        raise context.options.wrong("noise_weight", weight, "a number from 0")
    return Method.of(context, texts(context), context.sampler(), Noise("mixed", float(weight)))
