"""reference: clips that the world renders -> the features and measurements that methods are compared with."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.evaluation.measuring import measurer
    from pipeline.evaluation.reference import make

    wanted = params.load()
    make(wanted.reference, measurer(wanted.features), paths.SCRATCH / "reference", paths.REFERENCE)


if __name__ == "__main__":
    main()
