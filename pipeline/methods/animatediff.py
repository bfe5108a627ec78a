"""animatediff: the baseline, temporal layers trained on the denoising loss alone. Option: `motion`, their folder."""

from pipeline.methods.base import Context
from pipeline.methods.prompted import Animated


def build(context: Context) -> Animated:
    return Animated(context)
