"""The `study` stage: votes that params.yaml names, or simulated ones, analysed, as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from metrics.statistics.bootstrap import Uncertainty
from metrics.user_study.votes import check, methods, read
from pipeline.config.params import Params
from pipeline.study import design
from pipeline.study.analysis import Measurements, tables
from pipeline.study.design import Raters, Study, StudyError
from pipeline.study.measured import Judged, values
from pipeline.study.simulated import is_simulated, simulate

VOTES, ABOUT = "votes", "about.json"


@dataclass(frozen=True)
class Collected:
    """Tables by name, the votes among them; whether they are simulated; and what could not be simulated, a sentence
    each."""

    tables: Mapping[str, pd.DataFrame]
    simulated: bool
    missing: tuple[str, ...] = ()


def collect(params: Params) -> Collected:
    """Analyse the votes of `study.votes`, or simulate every study of `study.simulated.designs`.

    Raises:
        ValueError: naming file, row and field, if votes or a study's file are wrong.
    """
    wanted, own = params.study, params.evaluate
    votes, missing = (read(wanted.votes), ()) if wanted.votes else _simulated(params)
    if votes is None:
        return Collected({}, True, missing)
    simulated = is_simulated(votes)
    measured = Measurements(*values(methods(votes), own.metrics))
    uncertainty = Uncertainty(own.resamples, own.confidence, own.seed)
    found = tables(votes, measured, simulated, uncertainty, wanted.most_failed)
    return Collected({VOTES: votes, **found}, simulated, missing)


def write(collected: Collected, folder: Path) -> None:
    """Write every table as <name>.csv, and about.json: whether votes are simulated, and what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in collected.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    about = {"simulated": collected.simulated, "missing": list(collected.missing)}
    (folder / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _simulated(params: Params) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """The votes of all studies that this run has clips for, None if there is none, and a sentence for each other."""
    if not params.study.simulated.designs:  # then nobody asks the judge, whom labels may have replaced
        return None, ()
    judged, found, missing = Judged.read(), [], []
    for file in params.study.simulated.designs:
        study = design.read(file)
        try:
            items, seen = judged.of(study)
        except StudyError as error:
            missing.append(f"Not simulated: {error}.")
            continue
        votes = simulate(_shortened(study, len(items)), items, seen, params.study.simulated)
        found.append(check(votes, str(file)))
    return (pd.concat(found, ignore_index=True) if found else None), tuple(missing)


def _shortened(study: Study, items: int) -> Study:
    """With as many trials as there is to ask, in a small run."""
    most = items * len(study.contrasts)
    if study.raters.trials <= most:
        return study
    return study.model_copy(update={"raters": Raters(expected=study.raters.expected, trials=most)})
