"""bounds: RichSpace's Theorem A.6 in numbers, on the words of a text encoder and the clips of a model."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.sweeps.bounds import run

    run(params.load(), paths.BOUNDS_TABLE)


if __name__ == "__main__":
    main()
