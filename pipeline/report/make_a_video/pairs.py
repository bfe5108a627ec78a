"""Motion without pairs of video and caption: how often it follows the words, where a frame shows the heading and where
none does, beside models that were trained on pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from metrics.statistics.proportions import wilson
from pipeline.config import paths
from pipeline.config.specs import Conditioned
from pipeline.evaluation.dvc_metrics import last_validation
from pipeline.report.formatting import interval
from pipeline.report.make_a_video.parts import measured
from pipeline.report.metric_tables import INTERVALS
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.world.attributes import HEADING
from pipeline.world.scene import DIRECTIONS

NAME = "make_a_video_pairs"
ALONE = ("modelscope", "cogvideox", "etc")  # trainings on pairs that have no control
# Columns of a history, by metric; a validation that judges no other attribute of HARIVO's calls the action motion.
_SHOWN = {"action": ("judge_action", "judge_motion"), HEADING: ("judge_heading",)}
_KEYS = ("value", "low", "high", "clips")
_CHANCE = (
    "Action: the judged motion is the one that the words name; one direction of {} is right in {:.0f} % by chance. "
    "Heading: the shading of single frames shows it."
)
_WITHOUT = (
    "Without the cue no frame shows a heading: unlabelled videos then cannot tell which words mean which way, so "
    "little more than chance is what is expected of a model that has seen no pairs."
)
_PROMPTS = (
    "The numbers of the two sources are of different prompts: Make-A-Video's are of its points' clips, all others of "
    "the last validation after their training, a clip each of prompts that were not learnt from."
)


@dataclass(frozen=True)
class _Row:
    """A row of the table: with the cue and without, for each metric {value, low, high, clips}."""

    name: str
    paired: bool
    cue: Mapping[str, Mapping[str, float]]
    control: Mapping[str, Mapping[str, float]]


def section(results: Results) -> Content:
    """The table; it is missing without the point of the whole cascade. `passed_on` for the template: None where it was
    not measured."""
    points, wanted = measured(results), results.params.make_a_video
    said = _passed_on(results.passed_on)
    missing = [] if said else ["What the later parts do to a clip without shading needs the stage cascade_parts."]
    if wanted.whole not in points:
        text = "Motion without pairs needs the point make_a_video.whole, and make_a_video.cueless beside it."
        return Content({"passed_on": said}, missing=[text, *missing])
    if wanted.cueless not in points:
        missing.insert(0, "The control of motion without pairs needs the point make_a_video.cueless.")
    return Content({"passed_on": said}, tables=[_table(results)], missing=missing)


def _table(results: Results) -> Table:
    found = [_cascade(results), *_trained(results)]
    titles = ("Action", "Heading")
    columns = [
        Column("Model", numeric=False),
        Column("Trained on pairs of video and caption", numeric=False),
        *(Column(title, "%") for title in titles),
        Column("Clips"),
        *(Column(f"Without the cue: {title.lower()}", "%") for title in titles),
        Column("Without the cue: clips"),
    ]
    rows = [
        row(one.name, "yes" if one.paired else "no", *_cells(one.cue), _clips(one.cue), *_cells(one.control),
            _clips(one.control))
        for one in found
    ]  # fmt: skip
    intervals = INTERVALS.format(100 * results.params.evaluate.confidence)
    chance = _CHANCE.format(len(DIRECTIONS), 100 / len(DIRECTIONS))
    caption = "How often motion follows the words"
    return Table(NAME, caption, columns, rows, _data(found), [intervals, chance, _WITHOUT, _PROMPTS])


def _cascade(results: Results) -> _Row:
    """Make-A-Video: its points with the cue and without."""
    wanted = results.params.make_a_video
    return _Row("Make-A-Video", False, _point(results, wanted.whole), _point(results, wanted.cueless))


def _point(results: Results, name: str | None) -> dict[str, dict[str, float]]:
    own = results.make_a_video[results.make_a_video.method == name]
    found = own[own.metric.isin(list(_SHOWN))].rename(columns={"requested": "clips"}).set_index("metric")
    return {str(metric): values[list(_KEYS)].to_dict() for metric, values in found.iterrows()}


def _trained(results: Results) -> Iterator[_Row]:
    """Video models that were trained on pairs: those with a control, then those without one."""
    controls = results.params.report.controls
    for name, control in [*controls.items(), *((name, "") for name in ALONE if name not in controls)]:
        if "action" in (cue := _validated(results, name)):
            yield _Row(name, True, cue, _validated(results, control))


def _validated(results: Results, name: str) -> dict[str, dict[str, float]]:
    """What the last validation of a training found, with Wilson's intervals; nothing where it is not there."""
    training, history = results.params.train.get(name), paths.world_model(name) / paths.HISTORY
    if training is None or not isinstance(training.spec, Conditioned) or not history.is_file():
        return {}
    shares, n = last_validation(history), training.spec.validation_prompts
    found = {}
    for metric, columns in _SHOWN.items():
        if (share := next((shares[key] for key in columns if key in shares), None)) is not None:
            rate = wilson(round(share * n), n, results.params.evaluate.confidence)
            found[metric] = {"value": rate.value, "low": rate.low, "high": rate.high, "clips": n}
    return found


def _cells(found: Mapping[str, Mapping[str, float]]) -> list[Cell]:
    return [Cell(_percent(found[metric])) if metric in found else Cell() for metric in _SHOWN]


def _clips(found: Mapping[str, Mapping[str, float]]) -> Cell:
    return Cell(f"{next(iter(found.values()))['clips']:.0f}") if found else Cell()


def _percent(found: Mapping[str, float]) -> str:
    return interval(*(100 * found[key] for key in ("value", "low", "high")), 1)


def _data(rows: list[_Row]) -> pd.DataFrame:
    """A row for each model, metric, and cue or none."""
    return pd.DataFrame(
        [
            {"model": one.name, "pairs": one.paired, "cue": cue, "metric": metric, **values}
            for one in rows
            for cue, found in ((True, one.cue), (False, one.control))
            for metric, values in found.items()
        ]
    )


def _passed_on(table: pd.DataFrame | None) -> dict[str, str] | None:
    """Percentages of clips that went through the later parts, with the intervals of the stage. kept: of clips without
    shading, those with their true motion; kept_shaded: of shaded ones; appeared: of those without, those that show a
    shading."""
    if table is None or table.empty:
        return None
    found = {(one.shading > 0, one.metric): one for one in table.itertuples()}
    kept, shaded, none = (found[key] for key in ((False, "motion"), (True, "motion"), (False, HEADING)))
    return {
        "kept": interval(100 * kept.value, 100 * kept.low, 100 * kept.high, 1),
        "kept_shaded": interval(100 * shaded.value, 100 * shaded.low, 100 * shaded.high, 1),
        "appeared": interval(100 * (1 - none.value), 100 * (1 - none.high), 100 * (1 - none.low), 1),
        "clips": f"{kept.clips:,.0f}",
        "told": _told(found),
    }


def _told(found: Mapping[tuple[bool, str], Any]) -> str | None:
    """How often the frame with the nearest embedding, without shading, is of a clip that moves the same way; None where
    it was not measured."""
    own = found.get((False, "neighbour"))
    return own and interval(100 * own.value, 100 * own.low, 100 * own.high, 1)
