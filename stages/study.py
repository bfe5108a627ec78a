"""study: votes of raters, or of simulated ones where params.yaml names none -> tables of the user studies."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.study import collected

    collected.write(collected.collect(params.load()), paths.STUDY)


if __name__ == "__main__":
    main()
