"""train@model: the world, rendered on the fly from a seed -> models/world/<model>/."""

from pipeline import params, paths
from pipeline.stage import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.training.run import run

    run(name, pick("train", params.load().train, name), paths.world_model(name), paths.SCRATCH / "checkpoints")


if __name__ == "__main__":
    main()
