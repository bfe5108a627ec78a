"""Does it matter that a frame shows the heading? Trainings beside their controls, whose frames show none."""

from pathlib import Path

import pandas as pd

from metrics.statistics.proportions import wilson
from pipeline.config import paths
from pipeline.config.specs import Conditioned
from pipeline.evaluation.dvc_metrics import last_validation
from pipeline.report.formatting import interval
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.world.attributes import ATTRIBUTES, HEADING

SHOWN = (HEADING, *ATTRIBUTES)
_REMARK = (
    "The judge on one clip, or image, of each unseen prompt, after the training. Chance is 25 % for action. FVD and "
    "CLIPSIM do not compare with a control: the reference videos and the dual encoder have seen headings. Nor does "
    "the share that is not weird: what shows no heading cannot be seen to move against it."
)


def table(results: Results) -> Table | None:
    """Every training of `report.controls` above its control, with Wilson's intervals over the prompts; None where no
    pair has been trained."""
    pairs = [pair for pair in results.params.report.controls.items() if all(map(_is_trained, pair))]
    if not pairs:
        return None
    data = pd.concat([_measured(results, name) for pair in pairs for name in pair], ignore_index=True)
    columns = [
        Column("Training", numeric=False),
        Column("Cue", numeric=False),
        *(Column(name.replace("_", " ").capitalize(), "%") for name in SHOWN),
        Column("Prompts"),
    ]
    rows = []
    for name, own in data.groupby("training", sort=False):
        cells = [_cell(own[own.metric == metric]) for metric in SHOWN]
        rows.append(row(str(name), "yes" if own.shading.iloc[0] else "no", *cells, str(own.prompts.iloc[0])))
    remarks = [f"In brackets: {100 * results.params.evaluate.confidence:g} % intervals. {_REMARK}"]
    return Table("harivo_cue", "What the last validation found, with the cue and without", columns, rows, data, remarks)


def _is_trained(name: str) -> bool:
    return _history(name).is_file()


def _history(name: str) -> Path:
    return paths.world_model(name) / paths.HISTORY


def _measured(results: Results, name: str) -> pd.DataFrame:
    """A row for each attribute that the training's validation measures."""
    spec = results.params.train[name].spec
    assert isinstance(spec, Conditioned)  # params.py refuses other controls
    shares, n = last_validation(_history(name)), spec.validation_prompts
    rows = []
    for metric in SHOWN:
        if (share := shares.get(f"judge_{metric}")) is not None:
            rate = wilson(round(share * n), n, results.params.evaluate.confidence)
            found = {"metric": metric, "value": rate.value, "low": rate.low, "high": rate.high}
            rows.append({"training": name, "shading": spec.shading, "prompts": n, **found})
    return pd.DataFrame(rows, columns=["training", "shading", "prompts", "metric", "value", "low", "high"])


def _cell(own: pd.DataFrame) -> Cell:
    if own.empty:
        return Cell()
    return Cell(interval(*(100 * own.iloc[0][["value", "low", "high"]]), 1))
