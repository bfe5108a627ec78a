"""animatediff: the baseline, temporal layers trained on the denoising loss alone. Option: `motion`, their folder."""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts


class Options(TextOptions):
    motion: str


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler())
