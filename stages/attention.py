"""attention: times of attention on a video as one image and as frames -> ETC's Table 3 and Figure 10."""

from pipeline.config import paths
from pipeline.config.entry import stage
from pipeline.config.folders import replaced


@stage
def main() -> None:
    from pipeline.etc.timing import figure_10, table_3

    with replaced(paths.ATTENTION) as folder:
        table_3().to_csv(folder / paths.ATTENTION_TABLE.name, index=False, float_format="%.6g")
        figure_10().to_csv(folder / paths.ATTENTION_SWEEP.name, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
