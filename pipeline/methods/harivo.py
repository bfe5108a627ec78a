"""harivo: temporal layers with HARIVO's parts, sampled with the mitigating gradient.

Options: `motion`, the folder of a trained variant; `mg`, whether to sample with the mitigating gradient, whose scale is
`harivo.mg_scale` of params.yaml; `mapping`, false leaves the mapping network out (Figure A2).
"""

from functools import cached_property
from typing import Any

from pipeline.methods.base import Context
from pipeline.methods.prompted import Animated
from pipeline.samplers.animatediff import VideoModel


class Harivo(Animated):
    """A variant of HARIVO; what it was trained with is in its folder."""

    OPTIONS = ("motion", "mg", "mapping")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.mitigated = self.option("mg", bool, "true or false", True)
        self.mapped = self.option("mapping", bool, "true or false", True)

    @property
    def mg_scale(self) -> float:
        return self.context.mg_scale if self.mitigated else 0.0

    @property
    def choices(self) -> dict[str, Any]:
        return super().choices | {"mapping": self.mapped}

    @cached_property
    def _model(self) -> VideoModel:
        model = super()._model
        if not self.mapped:
            model.unet.equip(None, model.unet.tokens)
        return model


def build(context: Context) -> Harivo:
    return Harivo(context)
