"""Loss curve and last validation of every model that was trained in the toy world."""

from typing import Any

import pandas as pd

from pipeline.config import paths
from pipeline.report import plots
from pipeline.report.formatting import number
from pipeline.report.page import Content, Page
from pipeline.report.results import Results


def build(results: Results) -> Content:
    """A card for every model with a history."""
    histories = {path.parent.name: pd.read_csv(path) for path in paths.histories()}
    models = [_model(name, history) for name, history in histories.items()]
    figures = {f"training-{name}": plots.training(history) for name, history in histories.items()}
    missing = [] if models else ["No model of the toy world is here."]
    return Content({"models": models}, plots=figures, missing=missing)


def _model(name: str, history: pd.DataFrame) -> dict[str, Any]:
    curves = [column for column in history if column in ("lr", "grad_norm") or column.startswith("loss")]
    validated = history.drop(columns=[*curves, "step"]).dropna()
    last = validated.iloc[-1].to_dict() if len(validated) else {}
    values = {key.replace("_", " "): number(float(value)) for key, value in last.items()}
    return {"name": name, "steps": int(history.step.max()), "validation": values}


PAGE = Page(
    "training", "Training", "Loss curves of the toy world's models, and what each reaches on unseen scenes.", build
)
