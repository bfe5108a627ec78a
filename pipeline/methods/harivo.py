"""harivo: temporal layers with HARIVO's parts, sampled with the mitigating gradient unless `mg` is false.

Options: `motion`, the folder of a trained variant; `mg: false` samples without the mitigating gradient, whose scale is
`harivo.mg_scale` of params.yaml; `mapping: false` leaves the mapping network out (Figure A2).
"""

from pipeline.methods.base import Method
from pipeline.methods.context import Context
from pipeline.methods.rules import TextOptions, texts


class Options(TextOptions):
    motion: str


def build(context: Context) -> Method:
    return Method.of(context, texts(context), context.sampler(mg=True))
