"""sweep@point: one value of HARIVO's α or λ -> what the judge measures of its clips, in models/sweeps/<point>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.point import run

    wanted = params.load()
    pick("harivo.sweep.points", wanted.harivo.sweep.points, name)
    run(wanted, name, paths.SCRATCH / "sweeps" / name, paths.sweep(name))


if __name__ == "__main__":
    main()
