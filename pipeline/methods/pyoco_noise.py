"""pyoco-noise: animatediff trained and sampled with PYoCo's mixed noise, which HARIVO argues against (Section 3.2).

Options: `motion`; `noise_weight`, PYoCo's a, the one it was trained with.
"""

from pipeline.harivo.noise import NoiseKind
from pipeline.methods.base import Context
from pipeline.methods.prompted import Animated


class PyocoNoise(Animated):
    """AnimateDiff whose frames share a part of their noise."""

    @property
    def noise(self) -> tuple[NoiseKind, float]:
        return "mixed", float(self.context.params.options.get("noise_weight", 1.0))


def build(context: Context) -> PyocoNoise:
    return PyocoNoise(context)
