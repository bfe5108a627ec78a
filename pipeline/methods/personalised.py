"""personalised: HARIVO with a LoRA of the text-to-image model in its frozen part (HARIVO, Section 4.3).

Options: those of harivo; `lora`, a folder or hub id that diffusers' loader reads. Nothing is retrained: the style is
the LoRA's, the motion is the video model's.
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts


class Options(TextOptions):
    motion: str
    lora: str


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler(mg=True))
