"""pyoco-noise: animatediff trained and sampled with PYoCo's mixed noise, which HARIVO argues against (Section 3.2).

Options: `motion`; `noise_weight`, PYoCo's a, the one it was trained with.
"""

from pipeline.harivo.noise import NoiseKind
from pipeline.methods.base import Context
from pipeline.methods.prompted import Animated


class PyocoNoise(Animated):
    """AnimateDiff whose frames share a part of their noise."""

    OPTIONS = ("motion", "noise_weight")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.weight = self.option("noise_weight", int | float, "a number from 0", 1.0)
        if self.weight < 0:
            raise ValueError(f"{self._key('noise_weight')} is {self.weight}, expected a number from 0")

    @property
    def noise(self) -> tuple[NoiseKind, float]:
        return "mixed", float(self.weight)


def build(context: Context) -> PyocoNoise:
    return PyocoNoise(context)
