"""The records of a run's metrics: their order and titles, and that results hold no metric where it does not apply."""

import re

import pytest
from typer.testing import CliRunner

from metrics.scoring.catalogue import METRICS as OF_VIDEOS
from metrics.scoring.metric import ASKED
from pipeline.commands.cli import app
from pipeline.evaluation.catalogue import METRICS, OWN
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING

JUDGED = ["success_rate", *ATTRIBUTES, AVERAGE, HEADING]


def test_the_catalogue_is_the_union_in_display_order() -> None:
    assert list(METRICS) == [*OF_VIDEOS, *(metric.name for metric in OWN)]
    assert list(METRICS)[len(OF_VIDEOS) :][: len(JUDGED)] == JUDGED
    assert all(metric.name == name and set(metric.asked) <= set(ASKED) for name, metric in METRICS.items())


def test_metrics_of_the_judge_are_shares_that_can_be_tested() -> None:
    for metric in (METRICS[name] for name in JUDGED):
        assert (metric.unit, metric.higher_is_better, metric.comparable) == ("%", True, True)
    assert not any(METRICS[name].comparable for name in ("fvd_inf", "frames_per_second", "parameters"))
    assert METRICS["parameters"].higher_is_better is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("success_rate", "15.2 % (9–24)"),
        ("content", "15 % (9–24)"),
        ("average", "15.2 % (9–24)"),
    ],
)
def test_shares_are_printed_in_percent(name: str, cell: str) -> None:
    assert METRICS[name].cell(0.1515, 0.0853, 0.2423) == cell


def test_help_names_the_metrics_of_videos() -> None:
    words = re.findall(r"\w+", CliRunner().invoke(app, ["score", "--help"], env={"COLUMNS": "200"}).output)
    assert list(dict.fromkeys(word for word in words if word in OF_VIDEOS)) == list(OF_VIDEOS)  # --precision is one too
    assert not {metric.name for metric in OWN} & set(words)
