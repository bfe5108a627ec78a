"""The results of ETC's points: a row per point, and which points each sweep has."""

import pandas as pd

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.config.train import EtcTraining
from pipeline.sweeps.tables import measured, results_of

SWEPT = ("rate", "used", "filter_ratio")
LARGER = "measured.csv"  # of a point of Figure 6: metric, value, clips; beside the first clips


def read(params: Params) -> pd.DataFrame:
    """A row for every point that was measured: `point`; `rate`, frames a second that it is asked for; `used`, clips
    that its training learns from, and `steps`; `filter_ratio`, NaN without a filter; `clips`; and metric, metric_low,
    metric_high of each metric that the evaluate stage found.

    Raises:
        FileNotFoundError: if a point has no results.
    """
    results = results_of(paths.ETC_POINTS)
    rows = []
    for name, about in (_shipped(params) | _short(params)).items():
        if name not in results:
            raise FileNotFoundError(f"{paths.ETC_POINTS} lacks the point {name}: run its stage and the evaluate stage")
        rows.append({"point": name, **about, **measured(results[name])})
    return pd.DataFrame(rows).astype({"rate": float, "filter_ratio": float}) if rows else pd.DataFrame()


def sweeps(params: Params, points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The points of each sweep, in the order of the swept value: the frame rate that is asked for; the clips of short
    trainings, and their steps; and what the filter keeps. No sweep where there are no points."""
    if not len(points):
        return {}
    etc = params.etc
    rated = [name for name, point in etc.points.items() if point.rate is not None]
    short = points[points.point.isin(list(etc.short.points))]
    filtered = short.filter_ratio.notna()
    found = {
        "rate": points[points.point.isin(rated)].sort_values("rate"),
        "used": short[~filtered].sort_values(["used", "steps"]),
        "filter_ratio": short[filtered].sort_values("filter_ratio"),
    }
    return {name: own.reset_index(drop=True) for name, own in found.items() if len(own)}


def read_larger(params: Params) -> pd.DataFrame:
    """What was measured of longer and larger clips: point, metric, value, clips; of points that were made."""
    files = {name: paths.etc_larger(name) / LARGER for name in params.etc.larger.points}
    tables = [pd.read_csv(file).assign(point=name) for name, file in files.items() if file.is_file()]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["point", "metric", "value", "clips"])
    )


def _shipped(params: Params) -> dict[str, dict[str, float | None]]:
    own = _own_rate(params)
    about = {}
    for name, point in params.etc.points.items():
        training = _training(params, point.training)
        rate = own if point.rate is None else point.rate
        steps, used = training.schedule.steps, training.spec.used
        about[name] = {"rate": rate, "used": used, "steps": steps, "filter_ratio": None}
    return about


def _short(params: Params) -> dict[str, dict[str, float | None]]:
    if not params.etc.short.points:
        return {}
    rate = _own_rate(params)
    used = _training(params, params.etc.short.training).spec.used
    return {
        name: {"rate": rate, "used": point.used or used, "steps": point.steps, "filter_ratio": point.filter_ratio}
        for name, point in params.etc.short.points.items()
    }


def _own_rate(params: Params) -> float | None:
    """What the method is asked for; None where it is in no run, as of videos of others alone."""
    method = params.generate.methods.get(params.etc.method)
    return method.options["rate"] if method else None


def _training(params: Params, name: str) -> EtcTraining:
    training = params.train[name]
    assert isinstance(training, EtcTraining)  # checked with params.yaml
    return training
