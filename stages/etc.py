"""etc@point: clips of a video model with a frame rate -> what is measured of them, in models/etc/<point>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.etc import run

    wanted = params.load()
    pick("etc.points", wanted.etc.points, name)
    run(wanted, name, paths.SCRATCH / "etc" / name, paths.etc_point(name))


if __name__ == "__main__":
    main()
