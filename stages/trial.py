"""trial@point: a training of HARIVO's with another rate, queue, timesteps or seed -> its curves, and what is
measured of its clips, in models/trials/<point>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.sweeps.trials import run

    wanted = params.load()
    pick("harivo.trials.points", wanted.harivo.trials.points, name)
    run(wanted, name, paths.SCRATCH / "trials" / name, paths.trial(name))


if __name__ == "__main__":
    main()
