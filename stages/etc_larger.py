"""etc_larger@point: longer or larger clips after a few more steps, and what is measured of them, in
models/etc_larger/<point>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.larger import run

    wanted = params.load()
    pick("etc.larger.points", wanted.etc.larger.points, name)
    run(wanted, name, paths.SCRATCH / "etc_larger" / name, paths.etc_larger(name))


if __name__ == "__main__":
    main()
