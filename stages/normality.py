"""normality: HARIVO's Table A1, the share of noises that the Jarque-Bera test takes for Gaussian."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.harivo.normality import table_a1

    wanted = params.load().harivo.normality
    paths.NORMALITY.parent.mkdir(parents=True, exist_ok=True)
    cases = [(case.shape, weight) for case in wanted.cases for weight in case.weights]
    table_a1(cases, wanted.videos).to_csv(paths.NORMALITY, index=False)


if __name__ == "__main__":
    main()
