"""personalised: HARIVO with a LoRA of the text-to-image model in its frozen part (HARIVO, Section 4.3).

Options: those of harivo; `lora`, a folder or hub id that diffusers' loader reads. Nothing is retrained.
"""

from functools import cached_property
from pathlib import Path

from pipeline.methods.base import Context
from pipeline.methods.harivo import Harivo
from pipeline.samplers.animatediff import VideoModel, personalise
from pipeline.weights.checkpoints import resolve


class Personalised(Harivo):
    """The style is the LoRA's, the motion is the video model's."""

    OPTIONS = (*Harivo.OPTIONS, "lora")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.lora = self.option("lora", str, "a folder or hub id")

    @property
    def origin(self) -> str:
        return f"{super().origin} + {self.lora}"

    @property
    def _folders(self) -> list[Path]:
        return [*super()._folders, resolve(self.lora)]

    @cached_property
    def _model(self) -> VideoModel:
        return personalise(super()._model, self.lora)


def build(context: Context) -> Personalised:
    return Personalised(context)
