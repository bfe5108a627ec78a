"""etc: a video model with a frame rate, ETC's on the grid of frames or the baseline with temporal attention.

Options: `trained`, the folder of a training with `module: etc`; `rate`, the frames a second that it is asked for.
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts

Options = TextOptions


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler())
