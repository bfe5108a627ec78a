"""published: what was measured at full size -> the tables of published figures, made as those of a run."""

from pipeline.config import params, paths
from pipeline.config.entry import stage
from pipeline.config.folders import replaced


@stage
def main() -> None:
    from pipeline.evaluation import evaluated
    from pipeline.evaluation.cache import ResultCache
    from pipeline.evaluation.results import Evaluation, write
    from pipeline.prompts.tables import read_tables
    from pipeline.published import figures

    wanted = params.load()
    names = wanted.published.methods
    methods = [figures.read(name) for name in names]
    pairs = [pair for pair in wanted.evaluate.comparisons if {pair.candidate, pair.baseline} <= set(names)]
    evaluate = wanted.evaluate.model_copy(update={"comparisons": pairs})
    cache = ResultCache(paths.SCRATCH / "evaluation")
    evaluation = Evaluation(evaluated.reference(None), *read_tables(paths.PROMPTS, paths.MIXTURES), evaluate, cache)
    ablation = [name for name in wanted.harivo.ablation.values() if name in names]
    results, summary = evaluation.tables(methods, {"ablation": ablation})
    with replaced(paths.PUBLISHED_RESULTS) as aside:
        write(results, summary | {"evaluate": evaluate.model_dump()}, aside)


if __name__ == "__main__":
    main()
