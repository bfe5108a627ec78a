"""make_a_video@point: clips of a variant of Make-A-Video's cascade -> what is measured of them."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.cascade import run

    wanted = params.load()
    pick("make_a_video.points", wanted.make_a_video.points, name)
    run(wanted, name, paths.SCRATCH / "make_a_video" / name, paths.cascade_point(name))


if __name__ == "__main__":
    main()
