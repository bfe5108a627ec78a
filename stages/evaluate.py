"""evaluate: features -> metrics with counts and fingerprints, verdicts on mixtures, and the test between methods."""

import json
from dataclasses import asdict

import pandas as pd
from safetensors import safe_open

from pipeline import params, paths
from pipeline.prompts import read_tables
from pipeline.stage import stage


@stage
def main() -> None:
    from pipeline import evaluation, features

    wanted = params.load().evaluate

    def read(name: str) -> evaluation.Evaluated:
        folder = paths.features(name)
        with safe_open(folder / features.TENSORS, "np") as file:
            description = file.metadata()
        return evaluation.Evaluated(name, features.read_table(folder), features.read_tensors(folder), description)

    prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    methods = [read(name) for name in wanted.methods]
    judged = [mixture for mixture in mixtures if "attributes" in mixture.extra]
    verdicts = evaluation.judge_mixtures(methods, judged, prompts)
    values, protocols = evaluation.evaluate(methods, read(wanted.reference), verdicts, wanted.confidence)
    paths.RESULTS.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(asdict(value) for value in values).to_csv(paths.RESULTS / "metrics.csv", index=False)
    verdicts.to_csv(paths.RESULTS / "verdicts.csv", index=False)
    summary = {"protocols": protocols, "test": evaluation.compare(verdicts, wanted.candidate, wanted.baseline)}
    (paths.RESULTS / "evaluation.json").write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
