"""train@model: the world, rendered on the fly from a seed -> models/world/<model>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.tracking.store import live_run
    from pipeline.training.run import run

    wanted = pick("train", params.load().train, name)
    with live_run(name, {"spec": wanted.spec, "schedule": wanted.schedule}) as report:
        run(name, wanted, paths.world_model(name), paths.SCRATCH / "checkpoints", report)


if __name__ == "__main__":
    main()
