"""personalised: HARIVO with off-the-shelf parts of the text-to-image model in its frozen part (HARIVO, Section 4.3).

Options: those of harivo; and at least one of `lora`, a folder or hub id that diffusers' loader reads, `controlnet` and
`image_prompt` (an IP-Adapter), whose keys are in pipeline/config/methods.py. Nothing is retrained: the style is theirs,
the motion is the video model's.
"""

from pydantic import model_validator

from pipeline.config.methods import Controlled, ImagePrompt
from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts


class Options(TextOptions):
    motion: str
    lora: str | None = None
    controlnet: Controlled | None = None
    image_prompt: ImagePrompt | None = None

    @model_validator(mode="after")
    def _something_is_personal(self) -> "Options":
        if self.lora is None and self.controlnet is None and self.image_prompt is None:
            raise ValueError("nothing is personalised: expected lora, controlnet or image_prompt")
        return self


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler(mg=True))
