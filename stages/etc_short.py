"""etc_short@point: a short training of ETC's, and what is measured of its clips, in models/etc/<point>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.etc import run_short

    wanted = params.load()
    pick("etc.short.points", wanted.etc.short.points, name)
    run_short(wanted, name, paths.SCRATCH / "etc" / name, paths.etc_point(name))


if __name__ == "__main__":
    main()
