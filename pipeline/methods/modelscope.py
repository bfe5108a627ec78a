"""modelscope: a latent video UNet trained on paired data, on texts as they are: prompts, or the guides of mixtures
(`ask`)."""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts

Options = TextOptions


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler())
