"""What an experiment opens with in MLflow's pages: its kind, a description, and views with useful columns.

A view is what MLflow's own button "Share" makes: a tag of the experiment with a filter and columns, named in a link.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

RESULTS, TRAINING = "reelbench", "reelbench-training"
_KIND, _NOTE, _VIEW = "mlflow.experimentKind", "mlflow.note.content", "mlflow.sharedViewState."

_RESULTS_NOTE = """\
A run `results-…` for each state of the results, and below it one for every method, search, training, sweep and user
study. The tag `kind` says what a run is: *results*, *method*, *sweep*, *search* (one k), *point* (of a sweep),
*training* or *user-study*. The tag `results` names the state.
"""
_TRAINING_NOTE = "A run for each training, written while it goes on."

_WIDTH = 82  # pixels of a column, for a heading like success_rate
_SAMPLED = ("asked", "set", "model", "steps", "guidance", "k", "mg_scale", "seeds")
_POINT = ("method", "training", "mg_scale", "lambda_trs", "lambda_reg", "lambda_dc", "rate", "used", "filter_ratio")
_ATTRIBUTES = ("success_rate", "content", "action", "smooth", "not_weird", "average")


@dataclass(frozen=True)
class _View:
    """A table of runs: filter, columns, and the one by which it is in order; without one MLflow folds children away."""

    wanted: str
    params: Sequence[str]
    metrics: Sequence[str]
    order: str

    def tag(self) -> str:
        """As MLflow's pages read it."""
        columns = [*(f"params.`{name}`" for name in self.params), *(f"metrics.`{name}`" for name in self.metrics)]
        widths = dict.fromkeys(columns, _WIDTH)
        shown = {"selectedColumns": columns, "columnOrder": columns, "columnWidths": widths}
        return json.dumps({"searchFilter": self.wanted, "orderByKey": self.order, "orderByAsc": True, **shown})


_VIEWS = {
    RESULTS: {
        "methods": _View("tags.kind = 'method'", _SAMPLED, ("fvd", "clipsim", *_ATTRIBUTES), "params.`asked`"),
        "searches": _View(
            "tags.kind = 'search'",
            ("encoder", "k"),
            ("similarity", "weight_error", "mixtures"),
            "metrics.`weight_error`",
        ),
        "sweeps": _View("tags.kind = 'point'", _POINT, ("fvd", "average"), "params.`method`"),
        "trainings": _View(
            "tags.kind = 'training'", ("steps", "batch", "learning_rate"), ("loss", "validation_loss"), "params.`steps`"
        ),
    },
    TRAINING: {
        "trainings": _View(
            "", ("schedule.steps", "schedule.learning_rate"), ("loss", "validation_loss"), "params.`schedule.steps`"
        ),
    },
}


def opens_with(name: str, experiment: str) -> dict[str, str]:
    """The tags of an experiment. experiment: its id."""
    links = " · ".join(f"[{view}](#{route(experiment, view)})" for view in _VIEWS[name])
    note = _RESULTS_NOTE if name == RESULTS else _TRAINING_NOTE
    views = {f"{_VIEW}{key}": view.tag() for key, view in _VIEWS[name].items()}
    return {_KIND: "custom_model_development", _NOTE: f"Views: {links}\n\n{note}", **views}


def route(experiment: str, view: str) -> str:
    """The part of a view's address behind `#`."""
    return f"/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={view}"
