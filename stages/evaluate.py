"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the tests between methods."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import params, paths
from pipeline.config.entry import stage

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.params import Params
    from pipeline.evaluation.files import Reference
    from pipeline.evaluation.results import Evaluation


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
    results, summary = evaluation.tables(methods, {"ablation": list(wanted.harivo.ablation.values())})
    own = replace(evaluation, labels=None)  # the judge gave the published figures
    beside = {paths.REPRODUCED.stem: reproduced(own, methods, wanted.published.methods)}
    further = beside | _of_points(wanted, evaluation) | _of_steps(wanted, evaluation)
    write(results | further, summary, paths.RESULTS)
    write_summary(results, paths.histories(), paths.SUMMARY)


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
