"""report: result files, clips and curves -> reports/."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.report.results import Results
    from pipeline.report.site import write_report

    write_report(Results.read(params.load()), paths.REPORTS)


if __name__ == "__main__":
    main()
