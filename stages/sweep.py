"""sweep@point: one value of HARIVO's α or λ -> what the judge finds, models/sweeps/<point>.json."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.training.point import run

    wanted = params.load()
    sweep = wanted.harivo.sweep
    point = pick("harivo.sweep.points", sweep.points, name)
    run(name, point, sweep, wanted.train[sweep.model], paths.SCRATCH / "checkpoints", paths.sweep(name))


if __name__ == "__main__":
    main()
