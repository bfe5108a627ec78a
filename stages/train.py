"""train@model: the world, rendered on the fly from a seed -> models/world/<model>/."""

import sys

from pipeline import params, paths
from pipeline.stage import stage


@stage
def main(name: str) -> None:
    from pipeline.training.run import run

    run(name, params.load().train[name], paths.world_model(name), paths.SCRATCH / "checkpoints")


if __name__ == "__main__":
    main(sys.argv[1])
