"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the tests between methods."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.evaluation import evaluated, files
    from pipeline.evaluation.cache import ResultCache
    from pipeline.evaluation.results import Evaluation, write
    from pipeline.prompts.tables import read_tables

    wanted = params.load()
    methods = [evaluated.read(paths.features(name)) for name in wanted.generate.evaluated]
    reference = files.read_reference(paths.REFERENCE)
    tables = read_tables(paths.PROMPTS, paths.MIXTURES)
    cache = ResultCache(paths.SCRATCH / "evaluation")
    write(*Evaluation(reference, *tables, wanted.evaluate, cache).tables(methods), paths.RESULTS)


if __name__ == "__main__":
    main()
