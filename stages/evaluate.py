"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the tests between methods."""

from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from metrics.forking import garbage_left_behind
from pipeline.config import params, paths
from pipeline.config.entry import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from pipeline.config.params import Params
    from pipeline.evaluation.files import Reference
    from pipeline.evaluation.results import Evaluation

T = TypeVar("T")


@stage
def main() -> None:
    from pipeline.evaluation import evaluated
    from pipeline.evaluation.cache import ResultCache
    from pipeline.evaluation.dvc_metrics import write_summary
    from pipeline.evaluation.labels import Labels
    from pipeline.evaluation.results import Evaluation, write
    from pipeline.prompts.tables import read_tables
    from pipeline.published.figures import reproduced

    wanted = params.load()
    real = wanted.evaluate.reference
    methods = [evaluated.read(paths.features(name)) for name in wanted.generate.evaluated if name != real]
    reference = _reference(wanted)
    labels = Labels.read(Path(wanted.evaluate.labels)) if wanted.evaluate.labels else None
    if labels:
        labels.check(methods)
    tables = read_tables(paths.PROMPTS, paths.MIXTURES)
    cache = ResultCache(paths.SCRATCH / "evaluation")
    evaluation = Evaluation(reference, *tables, wanted.evaluate, cache, labels)
    with _beside(_of_points, wanted, evaluation) as points:  # half of the work, on another core
        results, summary = evaluation.tables(methods, {"ablation": list(wanted.harivo.ablation.values())})
        own = replace(evaluation, labels=None)  # the judge gave the published figures
        results[paths.REPRODUCED.stem] = reproduced(own, methods, wanted.published.methods)
        results |= points.result() | _of_steps(wanted, evaluation)
    write(results, summary, paths.RESULTS)
    write_summary(results, paths.histories(), paths.SUMMARY)


@contextmanager
def _beside(function: "Callable[..., T]", *arguments: object) -> "Iterator[Future[T]]":
    """A call in a process of its own, forked here: it has all that is in memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        with garbage_left_behind():
            called = pool.submit(function, *arguments)
        yield called


def _reference(wanted: "Params") -> "Reference | None":
    """The real side: of a place or a name that evaluate.reference gives, or of the toy world; None where no metric
    wants one."""
    from pipeline.evaluation import evaluated, real

    named = wanted.evaluate.reference
    if wanted.evaluate.place:
        return real.read(paths.FEATURES / real.FOLDER)
    if wanted.evaluate.compares:
        return evaluated.reference(paths.features(named) if named else None)
    return None


def _of_points(wanted: "Params", evaluation: "Evaluation") -> "dict[str, pd.DataFrame]":
    """Tables of sweeps, trials and their seeds, of ETC's and of Make-A-Video's points."""
    from pipeline.evaluation import evaluated, training_seeds

    metrics, trials = wanted.evaluate.metrics, wanted.harivo.trials
    sweep = [evaluated.read(paths.sweep(name)) for name in wanted.harivo.sweep.points]
    tried = {name: evaluated.read(paths.trial(name)) for name in trials.points}
    etc = [evaluated.read(paths.etc_point(name)) for name in wanted.etc.measured]
    cascade = [evaluated.read(paths.cascade_point(name)) for name in wanted.make_a_video.points]
    pairs = [(tried[one], tried[other]) for one, other in trials.pairs]
    return {
        paths.SWEPT.stem: evaluation.points(sweep),
        paths.TRIALS.stem: evaluation.points(list(tried.values()), metrics),
        paths.TRAINING_SEEDS.stem: training_seeds.table(pairs, evaluation.prompts, wanted.evaluate.confidence),
        paths.ETC_POINTS.stem: evaluation.points(etc, metrics),
        paths.CASCADE_POINTS.stem: evaluation.points(cascade, metrics),
    }


def _of_steps(wanted: "Params", evaluation: "Evaluation") -> "dict[str, pd.DataFrame]":
    """Tables of the verdicts on every step of RichSpace's interpolation."""
    from pipeline.evaluation import choices, oracle
    from pipeline.sweeps.choices import steps

    verdicts = oracle.read(paths.ORACLE_VERDICTS)
    return {
        paths.ORACLE_TABLE.stem: oracle.table(verdicts, evaluation.uncertainty),
        paths.ORACLE_STEPS.stem: oracle.by_step(verdicts),
        paths.CHOICES_TABLE.stem: choices.table(verdicts, steps(wanted), evaluation.uncertainty),
    }


if __name__ == "__main__":
    main()
