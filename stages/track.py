"""track: result files -> MLflow; run it again at any time to restore a deleted database."""

import json

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.tracking import runs as results
    from pipeline.tracking import store as tracking

    wanted = params.load()
    state = tracking.state_of([*results.result_files(wanted), *results.artifacts()])
    summary = {
        "k": wanted.search.default_k,
        "seeds": wanted.generate.mixtures.seeds,
        "encoder": list(wanted.embed.encoders),
    }
    run = tracking.track_results(state, results.children(wanted), summary, results.artifacts())
    paths.TRACKED.write_text(json.dumps({"state": state}, indent=2) + "\n")
    print(f"tracked as MLflow run {run}")


if __name__ == "__main__":
    main()
