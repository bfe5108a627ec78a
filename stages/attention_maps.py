"""attention_maps: ETC's Figure 11, how much the frames of a grid attend to one another in the UNet's mid block."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.sweeps.attention_maps import run

    run(params.load(), paths.ATTENTION_MAPS)


if __name__ == "__main__":
    main()
