"""The section `make_a_video` of params.yaml: what is measured of Make-A-Video once, and travels in git."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from pipeline.config.cascade import FRAMES
from pipeline.config.section import Above, Positive, Section


class CascadePoint(Section):
    """A variant of the method. options: of its entry, in place of the method's own. model: of generate.models; null:
    the method's own. label: what the report calls it."""

    label: str
    model: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class PartsQuality(Section):
    """What the parts are measured on, beside simple ways: `clips` unseen ones of the toy world.

    factors: of ↑F, at each of the frame rates, of what comes out. extrapolated: frames before and as many after, which
    it makes of those between.
    """

    clips: Positive
    factors: Annotated[list[Annotated[Positive, Field(ge=2)]], Field(min_length=1)]
    rates: Annotated[list[Above], Field(min_length=1)]
    extrapolated: Annotated[Positive, Field(lt=FRAMES / 2)]


class MakeAVideo(Section):
    """`points`: what is sampled and measured, variants of `method`, of generate.methods. `prompts`: how many, a clip
    each, of every point. `whole`, `cueless`: the points of the whole cascade and of the control whose frames show no
    heading. `parts`: what ↑F and SR_h are measured on alone; null: nothing."""

    method: str
    prompts: Positive
    whole: str | None = None
    cueless: str | None = None
    points: Mapping[str, CascadePoint]
    parts: PartsQuality | None = None
