"""ETC's tables and figures beside the printed ones, a section for each."""

from itertools import chain

from pipeline.report.cards import cards
from pipeline.report.etc import ablation, attention, autoencoder, cost, efficiency, losses, points
from pipeline.report.page import Content, Page
from pipeline.report.printed import published
from pipeline.report.results import Results

CLIPS = ("etc", "animatediff", "frames", "cogvideox_prompts")
_SECTIONS = (ablation, losses, points, efficiency, cost, attention, autoencoder)


def build(results: Results) -> Content:
    """What every section has, and clips of the same prompts and noise."""
    parts = [one.section(results, published(__file__)) for one in _SECTIONS]
    context = {"prompts": results.params.etc.prompts, "remark": results.params.etc.remark}
    return Content(
        context | {key: value for part in parts for key, value in part.context.items()},
        list(chain.from_iterable(part.tables for part in parts)),
        {name: plot for part in parts for name, plot in part.plots.items()},
        {"all": cards(results, CLIPS)} | {name: group for part in parts for name, group in part.clips.items()},
        list(chain.from_iterable(part.missing for part in parts)),
    )


PAGE = Page("paper_etc", "ETC", "The paper's tables and figures, as this toy world has them.", build, of_run=True)
