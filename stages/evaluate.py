"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the tests between methods."""

from dataclasses import replace
from pathlib import Path

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.evaluation import choices, evaluated, oracle, real, training_seeds
    from pipeline.evaluation.cache import ResultCache
    from pipeline.evaluation.dvc_metrics import write_summary
    from pipeline.evaluation.labels import Labels
    from pipeline.evaluation.results import Evaluation, write
    from pipeline.prompts.tables import read_tables
    from pipeline.published.figures import reproduced
    from pipeline.sweeps.choices import steps

    wanted = params.load()
    named = wanted.evaluate.reference
    methods = [evaluated.read(paths.features(name)) for name in wanted.generate.evaluated if name != named]
    if wanted.evaluate.place:
        reference = real.read(paths.FEATURES / real.FOLDER)
    else:
        reference = evaluated.reference(paths.features(named) if named else None) if wanted.evaluate.compares else None
    labels = Labels.read(Path(wanted.evaluate.labels)) if wanted.evaluate.labels else None
    if labels:
        labels.check(methods)
    tables = read_tables(paths.PROMPTS, paths.MIXTURES)
    cache = ResultCache(paths.SCRATCH / "evaluation")
    evaluation = Evaluation(reference, *tables, wanted.evaluate, cache, labels)
    results, summary = evaluation.tables(methods, {"ablation": list(wanted.harivo.ablation.values())})
    points = [evaluated.read(paths.sweep(name)) for name in wanted.harivo.sweep.points]
    trials = [evaluated.read(paths.trial(name)) for name in wanted.harivo.trials.points]
    by_name = {trial.name: trial for trial in trials}
    of_etc = [evaluated.read(paths.etc_point(name)) for name in wanted.etc.measured]
    cascade = [evaluated.read(paths.cascade_point(name)) for name in wanted.make_a_video.points]
    verdicts = oracle.read(paths.ORACLE_VERDICTS)
    further = {
        paths.SWEPT.stem: evaluation.points(points),
        paths.TRIALS.stem: evaluation.points(trials, wanted.evaluate.metrics),
        paths.TRAINING_SEEDS.stem: training_seeds.table(
            [(by_name[one], by_name[other]) for one, other in wanted.harivo.trials.pairs],
            tables[0],
            wanted.evaluate.confidence,
        ),
        paths.ETC_POINTS.stem: evaluation.points(of_etc, wanted.evaluate.metrics),
        paths.CASCADE_POINTS.stem: evaluation.points(cascade, wanted.evaluate.metrics),
        paths.ORACLE_TABLE.stem: oracle.table(verdicts, evaluation.uncertainty),
        paths.ORACLE_STEPS.stem: oracle.by_step(verdicts),
        paths.REPRODUCED.stem: reproduced(replace(evaluation, labels=None), methods, wanted.published.methods),
        paths.CHOICES_TABLE.stem: choices.table(verdicts, steps(wanted), evaluation.uncertainty),
    }
    write(results | further, summary, paths.RESULTS)
    write_summary(results, paths.histories(), paths.SUMMARY)


if __name__ == "__main__":
    main()
