"""Make-A-Video in the toy world: what its parts buy, motion without pairs of video and caption, its parts alone."""

from itertools import chain

from pipeline.report.cards import cards
from pipeline.report.make_a_video import alone, pairs, parts
from pipeline.report.page import Content, Page
from pipeline.report.results import Results

CLIPS = ("make_a_video", "modelscope", "etc", "animatediff", "cogvideox_prompts")
CUE = ("make_a_video", "make_a_video_cueless")
_SECTIONS = (parts, pairs, alone)


def build(results: Results) -> Content:
    """What every section has, and clips of the same prompts and noise."""
    found = [one.section(results) for one in _SECTIONS]
    return Content(
        {key: value for part in found for key, value in part.context.items()}
        | {
            "tests": results.attribute_tests({results.params.make_a_video.method}),
            "confidence": results.params.evaluate.confidence,
            "family": results.family("attribute_tests"),
        },
        list(chain.from_iterable(part.tables for part in found)),
        clips={"all": cards(results, CLIPS), "cue": cards(results, CUE)},
        missing=list(dict.fromkeys(chain.from_iterable(part.missing for part in found))),
    )


PAGE = Page(
    "paper_make_a_video",
    "Make-A-Video",
    "What each part of the cascade buys, and motion without captions.",
    build,
    of_run=True,
)
