"""personalised: HARIVO with a LoRA of the text-to-image model in its frozen part (HARIVO, Section 4.3).

Options: those of harivo; `lora`, a folder or hub id that diffusers' loader reads. Nothing is retrained.
"""

from functools import cached_property
from pathlib import Path

from pipeline.animatediff import VideoModel, personalise
from pipeline.checkpoints import resolve
from pipeline.methods.base import Context
from pipeline.methods.harivo import Harivo


class Personalised(Harivo):
    """The style is the LoRA's, the motion is the video model's."""

    @property
    def _lora(self) -> str:
        return str(self.context.params.options["lora"])

    @property
    def origin(self) -> str:
        return f"{super().origin} + {self._lora}"

    @property
    def _folders(self) -> list[Path]:
        return [*super()._folders, resolve(self._lora)]

    @cached_property
    def _model(self) -> VideoModel:
        return personalise(super()._model, self._lora)


def build(context: Context) -> Personalised:
    """Raises:
    ValueError: if no `lora` is named.
    """
    if "lora" not in context.params.options:
        raise ValueError(f"params.yaml: generate.methods.{context.name}.lora is missing: a folder or hub id")
    return Personalised(context)
