"""The pages of the report, in the order of the navigation; the first is the overview."""

from pipeline.report.page import Page
from pipeline.report.pages import (
    methods,
    mixtures,
    overview,
    paper_etc,
    paper_harivo,
    paper_make_a_video,
    paper_richspace,
    protocol,
    published,
    sweeps,
    training,
    user_study,
)

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    published.PAGE,
    methods.PAGE,
    mixtures.PAGE,
    paper_richspace.PAGE,
    paper_harivo.PAGE,
    paper_etc.PAGE,
    paper_make_a_video.PAGE,
    user_study.PAGE,
    sweeps.PAGE,
    training.PAGE,
    protocol.PAGE,
)
