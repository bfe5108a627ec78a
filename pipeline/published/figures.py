"""The published figures as they lie in the repository."""

from collections.abc import Sequence

import pandas as pd

from pipeline.config import paths
from pipeline.evaluation import evaluated
from pipeline.evaluation.evaluated import Evaluated
from pipeline.evaluation.results import Evaluation
from pipeline.published import manifest
from pipeline.published.manifest import Manifest
from pipeline.published.reproduced import compared


def read(name: str) -> Evaluated:
    """What was measured of a method at full size.

    Raises:
        FileNotFoundError: if it has no figures, or lacks a file of them.
        ValueError: if a file is not the one that its manifest names.
    """
    folder = paths.published(name)
    if not (folder / manifest.FILE).is_file():
        raise FileNotFoundError(f"{folder / manifest.FILE} not found: run `reelbench publish {name}`")
    manifest.check_files(folder)
    return evaluated.read(folder)


def reproduced(evaluation: Evaluation, methods: Sequence[Evaluated], names: Sequence[str]) -> pd.DataFrame:
    """The run's methods beside the published figures of those that are named, see `compared`."""
    return compared(evaluation, methods, [read(name) for name in published(names)])


def manifests(names: Sequence[str]) -> list[Manifest]:
    """What stands behind the published figures of each named method that has some."""
    return [manifest.read(paths.published(name)) for name in published(names)]


def published(names: Sequence[str]) -> list[str]:
    """Those of the named methods that have figures."""
    tables = (paths.PUBLISHED_RESULTS / "metrics.csv").is_file()
    return [name for name in names if tables and (paths.published(name) / manifest.FILE).is_file()]
