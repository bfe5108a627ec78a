"""oracle: every step of the interpolation of two-part mixtures -> the judge's verdicts on their clips, which say
whether any step shows a mixture."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.sweeps.oracle import run

    run(params.load(), paths.SCRATCH / "oracle", paths.ORACLE_VERDICTS)


if __name__ == "__main__":
    main()
