"""ETC's Table 1: what every method was trained on, how large and how fast it is, and what its clips are worth; and the
printed rows, which are other models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.generate import Method
from pipeline.report import lineage
from pipeline.report.formatting import fixed
from pipeline.report.lineage import Step
from pipeline.report.metric_tables import INTERVALS, clips_cell, devices, few, metric_cell, metric_column, not_compared
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import NOTHING, Cell, Column, Table, row, with_shared_notes
from pipeline.report.user_study import printed as volunteers
from pipeline.report.user_study.studies import Studies, percent
from pipeline.weights.parameters import parameters

NAME, PRINTED = "etc_table1", "etc_table1_paper"
SPEED, SIZE = "frames_per_second", "parameters"
VALUES = ("fvd", "clipsim")
STEPS = ("clips", "iterations", "batch")  # of a training
_TRAINED = (
    "Data, Iterations, Batch: one number for each training behind the denoiser, in their order; a clip counts for "
    "every training that uses it. A text-to-image model uses single frames of its clips, in batches of frames. "
    "A dash: weights that were trained elsewhere. The paper counts only the last training."
)
_SIZES = (
    "Parameters: of the denoiser, or of all networks of a cascade. Whole model: with the text encoder and the codec's "
    "encoder and decoder; for a cascade, which makes pixels, with the dual encoder."
)
_SPEED = (
    "Speed: frames divided by seconds of sampling and decoding, in batches, when each method's clips were made ({}). "
    "Other work may have run at the same time. So look at ratios between methods of one precision (bfloat16 is "
    "faster); methods of the same weights show how much times vary."
)
_GROUPS = (
    "Methods that were asked for mixtures and for prompts have different clips, and their FVD different numbers "
    "of clips."
)
_VOTES = "Share of votes as the best of several, in study {} (page User study)."
_SIMULATED = "Simulated raters, nobody voted. "
_ESTIMATED = "The paper's estimate."
_OTHERS = (
    "Models, data and hardware differ: compare only ratios with those of this project. Votes: how often "
    "volunteers picked the model as the best of five."
)


def section(results: Results, printed: Mapping[str, Any]) -> Content:
    """This project's Table 1, where methods were evaluated, and the paper's.

    Args:
        printed: the paper's values: table_1, by model; table_4, the votes of a volunteer by name.
    """
    theirs = _paper(printed)
    if not len(results.metrics):
        return Content(tables=[theirs], missing=["Table 1 needs a method that was evaluated."])
    return Content(tables=[_measured(results), theirs])


@dataclass(frozen=True)
class _Shown:
    """A method of the table. own: its metrics. method: its entry; None for videos of others. around: parameters of what
    the denoiser is sampled with, None where there are no weights here."""

    name: str
    own: pd.DataFrame
    method: Method | None
    steps: Sequence[Step]
    around: Mapping[str, int | None]


def _measured(results: Results) -> Table:
    metrics = results.metrics[results.metrics.metric.isin([SPEED, SIZE, *VALUES])]
    metrics = metrics.sort_values("asked", key=lambda asked: asked != "prompts", kind="stable")
    shown = [_shown(results, str(name), own) for name, own in metrics.groupby("method", sort=False)]
    columns = [
        Column("Method", numeric=False),
        Column("Parameters"),
        Column("Whole model"),
        metric_column(SPEED),
        *map(metric_column, VALUES),
        Column("User study", "%"),
        Column("Clips"),
        Column("Data", "clips"),
        Column("Iterations"),
        Column("Batch"),
        *(Column(name, numeric=False) for name in ("Asked for", "Trained")),
    ]
    rows = [_row(results, one) for one in shown]
    remarks = [
        *not_compared(results, metrics),
        _TRAINED,
        *_codecs(results, shown),
        _SIZES,
        _SPEED.format(devices(results, metrics)),
        _GROUPS,
        INTERVALS.format(100 * results.params.evaluate.confidence),
        *few(metrics),
    ]
    data = pd.DataFrame([*metrics.to_dict("records"), *(row for one in shown for row in _derived(one))])
    caption = "Data, size and speed of every method, and what its clips are worth (Table 1)"
    return Table(NAME, caption, *with_shared_notes(columns, rows), data, remarks)


def _shown(results: Results, name: str, own: pd.DataFrame) -> _Shown:
    method = results.params.generate.methods.get(name)
    if method is None:
        return _Shown(name, own, None, [], {})
    return _Shown(name, own, method, lineage.behind(results.params, method), _around(results, method))


def _row(results: Results, one: _Shown) -> list[Cell]:
    values = one.own.set_index("metric")
    data, iterations, batch = (_chain(one.steps, key) for key in STEPS)
    return row(
        one.name,
        metric_cell(values, SIZE),
        _whole(values, one.around),
        _speed(results, values, one.method),
        *(metric_cell(values, metric) for metric in VALUES),
        _votes(results.studies, one.name),
        clips_cell(one.own.iloc[0]),
        data,
        iterations,
        batch,
        one.own.asked.iloc[0],
        " + ".join(step.name for step in one.steps) or NOTHING,
    )


def _votes(studies: Studies | None, method: str) -> Cell:
    """How often raters picked a method, in the first study that asked for the best; a dash where none showed it."""
    for study, own in studies.by_study("shares") if studies else ():
        share = own[(own.group == "overall") & (own.method == method)]
        if len(share):
            note = (_SIMULATED if studies.simulated else "") + _VOTES.format(study)
            return Cell(percent(*share.iloc[0][["value", "low", "high"]]), note=note)
    return Cell()


def _derived(one: _Shown) -> Iterator[dict[str, Any]]:
    """Rows of the CSV file that are no metrics: of each training, and of each part around the denoiser."""
    about = {"method": one.name, "asked": one.own.asked.iloc[0]}
    for step in one.steps:
        yield from (about | {"training": step.name, "metric": key, "value": getattr(step, key)} for key in STEPS)
    for part, size in one.around.items():
        yield about | {"metric": f"{SIZE}_{part}", "value": size}


def _chain(steps: Sequence[Step], key: str) -> str:
    """`8,000 + 1,000`: one number for each training."""
    return " + ".join(_count(getattr(step, key)) for step in steps) or NOTHING


def _count(number: float | None) -> str:
    return NOTHING if number is None else fixed(number, 0)


def _around(results: Results, method: Method) -> dict[str, int | None]:
    model = results.params.generate.models[method.model]
    encoder = Path(results.params.embed.encoders[model.encoder].checkpoint)
    inside = encoder / "text_encoder"
    texts = {"text_encoder": parameters(inside if inside.is_dir() else encoder)}
    if model.family == "cascade":  # in pixels
        return texts | {"dual_encoder": parameters(Path(method.options["clip"]))}
    codec = Path(model.codec) if model.codec else Path(model.checkpoint) / "vae"
    return texts | {"codec": parameters(codec)}


def _whole(values: pd.DataFrame, around: Mapping[str, int | None]) -> Cell:
    """Denoiser, text encoder and codec together; a dash where one of them is not known."""
    sizes = [values["value"].get(SIZE), *around.values()]
    return Cell(_count(sum(sizes))) if around and None not in sizes else Cell()


def _speed(results: Results, values: pd.DataFrame, method: Method | None) -> Cell:
    """With what it depends on beside the network."""
    cell = metric_cell(values, SPEED)
    if method is None:
        return cell
    sampling = results.params.generate.models[method.model].sampling
    return Cell(cell.text, note=f"{sampling.steps} steps in {sampling.precision}.")


def _codecs(results: Results, shown: Sequence[_Shown]) -> list[str]:
    """What the codecs of this project were trained on, which is not in the columns."""
    models = [results.params.generate.models[one.method.model] for one in shown if one.method]
    places = dict.fromkeys(filter(None, (model.codec for model in models)))
    codecs = [lineage.step(results.params.train, place) for place in places]
    return [
        f"Not in them: the codec's training ({_count(one.clips)} clips, {_count(one.iterations)} iterations of "
        f"{_count(one.batch)} frames), and the text encoder's."
        for one in codecs
        if one.clips
    ]


def _paper(printed: Mapping[str, Any]) -> Table:
    """The printed rows, with the mean of the votes that Table 4 prints."""
    models, means = printed["table_1"], volunteers.means(printed)
    columns = [
        Column("Model", numeric=False),
        Column("Data", "videos"),
        Column("Parameters"),
        Column("Speed ↑", "frames/s"),
        Column("Iterations"),
        Column("Batch"),
        Column("FVD ↓ of MSR-VTT"),
        Column("CLIP ↑ of MSR-VTT", "×100"),
        Column("FVD ↓ of UCF-101"),
        Column("CLIP ↑ of VC", "×100"),
        Column("Votes ↑", "%"),
        Column("Votes by Table 4", "%"),
    ]
    rows = []
    for model, own in models.items():
        guessed = _ESTIMATED if own.get("estimated") else ""
        rows.append(
            row(
                model,
                own["data"],
                own["parameters"],
                fixed(own["speed"], 2),
                Cell(own["iterations"], note=guessed),
                Cell(fixed(own["batch"], 0), note=guessed),
                fixed(own["msrvtt_fvd"], 0),
                fixed(own["msrvtt_clip"], 2),
                fixed(own["ucf101_fvd"], 0),
                fixed(own["vc_clip"], 2),
                fixed(own["votes"], 2),
                fixed(means[model], 2),
            )
        )
    data = pd.DataFrame([{"model": model, **own, "votes_table_4": means[model]} for model, own in models.items()])
    remarks = [_OTHERS, *volunteers.contradictions(printed)]
    return Table(PRINTED, "The paper's Table 1", columns, rows, data, remarks)
