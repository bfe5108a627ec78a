"""Every metric of a run, one record each, by name in the order of tables: those of videos, the judge's, speed and size.

Loads neither torch nor a model.
"""

from functools import partial

from metrics.scoring.catalogue import METRICS as OF_VIDEOS
from metrics.scoring.metric import Metric
from pipeline.evaluation import attributes, cost, cuts, mixtures, motion

SUCCESS_RATE = Metric(
    "success_rate",
    "Mixture shown",
    higher_is_better=True,
    digits=1,
    unit="%",
    needs="mixtures",
    asked=("mixtures",),
    estimate=mixtures.success_rate,
    compare=mixtures.compare,
)
AVERAGE = Metric(
    attributes.AVERAGE,
    "Average",
    higher_is_better=True,
    digits=1,
    unit="%",
    needs="attributes",
    asked=("prompts",),
    estimate=attributes.average,
    compare=attributes.compare_average,
)
ROUGHNESS = Metric(
    "roughness",
    "Roughness",
    higher_is_better=False,
    digits=2,
    unit="px",
    needs="attributes",
    asked=("prompts",),
    estimate=motion.roughness,
)
OBJECT_SPEED = Metric(
    "object_speed",
    "Object speed",
    higher_is_better=None,
    digits=2,
    unit="px a frame",
    needs="attributes",
    asked=("prompts",),
    estimate=motion.object_speed,
)
CUT = Metric(
    cuts.COLUMN,
    "Err.",
    higher_is_better=False,
    digits=1,
    unit="%",
    needs="attributes",
    asked=("prompts",),
    estimate=cuts.rate,
)
SPEED = Metric(
    "frames_per_second",
    "Speed",
    higher_is_better=True,
    digits=1,
    unit="frames/s",
    asked=("prompts", "mixtures"),
    estimate=cost.speed,
)
PARAMETERS = Metric(
    "parameters",
    "Parameters",
    higher_is_better=None,
    digits=0,
    asked=("prompts", "mixtures"),
    estimate=cost.parameters,
)


def _attribute(name: str, label: str) -> Metric:
    """The share of clips with one of HARIVO's attributes, or with the heading."""
    return Metric(
        name,
        label,
        higher_is_better=True,
        digits=0,
        unit="%",
        needs="attributes",
        asked=("prompts",),
        estimate=partial(attributes.rate, name),
        compare=partial(attributes.compare, name),
    )


OWN = (
    SUCCESS_RATE,
    _attribute("content", "Content"),
    _attribute("action", "Action"),
    _attribute("smooth", "Smooth"),
    _attribute("not_weird", "Not weird"),
    AVERAGE,
    _attribute(attributes.HEADING, "Heading"),
    ROUGHNESS,
    OBJECT_SPEED,
    CUT,
    SPEED,
    PARAMETERS,
)
METRICS = OF_VIDEOS | {metric.name: metric for metric in OWN}
