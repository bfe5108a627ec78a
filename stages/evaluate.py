"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the tests between methods."""

import json
from dataclasses import asdict

import pandas as pd

from pipeline.config import params, paths
from pipeline.config.entry import stage
from pipeline.prompts.tables import read_tables


@stage
def main() -> None:
    from metrics.statistics.bootstrap import Uncertainty
    from pipeline.evaluation import features
    from pipeline.evaluation import values as evaluation
    from pipeline.evaluation.attributes import compare_averages, judge_prompts

    wanted = params.load().evaluate
    how = Uncertainty(wanted.resamples, wanted.confidence, wanted.seed)
    prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    methods = [features.read(paths.features(name)) for name in wanted.methods]
    reference = features.read(paths.features(wanted.reference))
    judged = [mixture for mixture in mixtures if "attributes" in mixture.extra]
    verdicts = evaluation.judge_mixtures(methods, judged, prompts)
    attributes = judge_prompts(methods, prompts)
    values, protocols = evaluation.evaluate(methods, reference, verdicts, attributes, wanted.metrics, how)
    tables = {
        "metrics": pd.DataFrame(asdict(value) for value in values),
        "verdicts": verdicts,
        "attributes": attributes,
        "differences": evaluation.differences(methods, reference, wanted.comparisons, wanted.metrics, how),
        "fvd_by_seed": evaluation.fvd_by_seed(methods, reference),
        "fvd_by_clips": evaluation.fvd_curves(methods, reference, wanted.curve_seeds),
    }
    paths.RESULTS.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(paths.RESULTS / f"{name}.csv", index=False)
    pairs = [(pair.candidate, pair.baseline) for pair in wanted.comparisons]
    summary = {
        "protocols": protocols,
        "success_tests": list(filter(None, (evaluation.compare(verdicts, *pair) for pair in pairs))),
        "attribute_tests": list(filter(None, (compare_averages(attributes, *pair, how) for pair in pairs))),
    }
    (paths.RESULTS / "evaluation.json").write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
