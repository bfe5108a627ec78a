"""Loss curve and last validation of every model that was trained in the toy world."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config import paths
from pipeline.evaluation.dvc_metrics import last_validation
from pipeline.report import plots
from pipeline.report.opening import is_toy_world
from pipeline.report.page import Content, Page
from pipeline.report.results import Results


def build(results: Results) -> Content:
    """A card for every model with a history."""
    histories = {path.parent.name: path for path in paths.histories()}
    models = [_model(name, path) for name, path in histories.items()]
    figures = {f"training-{name}": plots.training(pd.read_csv(path)) for name, path in histories.items()}
    missing = [] if models else ["No model of the toy world is here."]
    return Content({"models": models, "world": is_toy_world(results)}, plots=figures, missing=missing)


def _model(name: str, history: Path) -> dict[str, Any]:
    values = {key.replace("_", " "): f"{value:.3g}" for key, value in last_validation(history).items()}
    return {"name": name, "steps": int(pd.read_csv(history).step.max()), "validation": values}


PAGE = Page(
    "training", "Training", "Loss curves of the toy world's models, and what each reaches on unseen scenes.", build
)
