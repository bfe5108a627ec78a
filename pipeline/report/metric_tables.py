"""Tables of metrics: methods by metrics, with intervals, flags as footnotes, and the separated best in bold."""

from collections.abc import Sequence

import pandas as pd

from metrics.distances.fvd import MIN_CLIPS
from pipeline.evaluation.catalogue import METRICS, SPEED
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row, with_shared_notes
from pipeline.world.attributes import AVERAGE

MAIN = ("success_rate", AVERAGE)
NOTHING = float("nan")
BOLD = (
    "Bold: the best of a column, if a test on the same clips shows that it is better than the second best (corrected "
    "by Holm for all metrics of the table). For FVD only the methods with the most clips are compared, because its "
    "bias depends on the number of clips."
)
PAIRED = "Paired bootstrap: every resample holds the same pairs of both methods."
SEEDS = (
    "Each seed's clips alone: mean ± standard deviation over seeds. The best of the first three seeds is what ETC "
    "reports (Appendix E.3)."
)
FEW = (
    f"n < {MIN_CLIPS}: with few clips FVD is too large, by an amount that depends on the method. Do not compare it "
    "with values of papers; a difference between methods may have no other cause."
)
INTERVALS = "In brackets: {:g} % intervals."


def comparison(results: Results, methods: pd.DataFrame, name: str, caption: str) -> Table:
    """One row per method, one column per metric, and its clips.

    Args:
        methods: their rows of `Results.metrics`. name: of the table in leaders.csv; its files are comparison_<name>.
    """
    shown = present(methods)
    columns = [Column("Method", numeric=False), *(metric_column(metric) for metric in shown), Column("Clips")]
    best = separated(results, name)
    rows = []
    for method, own in methods.groupby("method", sort=False):
        values = own.set_index("metric")
        cells = [metric_cell(values, metric, (metric, method) in best) for metric in shown]
        rows.append(row(str(method), *cells, clips_cell(own.iloc[0])))
    remarks = [INTERVALS.format(100 * results.params.evaluate.confidence), BOLD, *few(methods)]
    remarks += not_compared(results, methods)
    return Table(f"comparison_{name}", caption, *with_shared_notes(columns, rows), data=methods, remarks=remarks)


def not_compared(results: Results, methods: pd.DataFrame) -> list[str]:
    """What a table that holds methods of a paper must say where they are not to be compared."""
    papers = {"HARIVO": results.params.harivo, "ETC": results.params.etc}
    shown = set(methods.method)
    return [f"{paper}: {section.remark}" for paper, section in papers.items() if section.not_compared & shown]


def metric_column(metric: str) -> Column:
    """The column of a metric: its title with its unit."""
    return Column(METRICS[metric].title, METRICS[metric].unit)


def cell_text(metric: str, value: float, low: float, high: float) -> str:
    """A value with its interval as the catalogue prints it; the per cent sign stands in the header."""
    return METRICS[metric].cell(value, low, high).replace(" %", "").replace("-", "−")


def metric_cell(values: pd.DataFrame, metric: str, bold: bool = False) -> Cell:
    """One metric of one method, from rows indexed by metric; a dash where it was not measured."""
    if metric not in values.index:
        return Cell()
    own = values.loc[metric]
    return Cell(cell_text(metric, own.value, own.low, own.high), bold, own.flag)


def clips_cell(counts: pd.Series) -> Cell:
    """The number of clips; where some failed, those scored of those requested, with a footnote."""
    requested, generated, scored = (int(counts[name]) for name in ("requested", "generated", "scored"))
    if requested == scored:
        return Cell(str(requested))
    return Cell(f"{scored} of {requested}", note=f"{requested} requested, {generated} generated, {scored} scored")


def separated(results: Results, table: str) -> set[tuple[str, str]]:
    """(metric, method) of every best that a paired test separates from the second."""
    leaders = results.comparisons["leaders"]
    own = leaders[(leaders.table == table) & leaders.separated.astype(bool)]
    return set(zip(own.metric, own.best, strict=True))


def differences(results: Results) -> Table:
    """One row per comparison, one column per metric: candidate - baseline on the clips that both scored."""
    paired = results.comparisons["differences"]
    shown, level = present(paired), 1 - results.params.evaluate.confidence
    columns = [Column("Methods", numeric=False), *(_difference_column(metric) for metric in shown), Column("Pairs")]
    rows = []
    for (candidate, baseline), own in paired.groupby(["candidate", "baseline"], sort=False):
        values = own.set_index("metric").rename(columns={"difference": "value"})
        cells = [metric_cell(values, metric, _differs(values, metric, level)) for metric in shown]
        rows.append(row(f"{candidate} − {baseline}", *cells, str(own.pairs.max())))
    caption = "Differences on the same prompts and noise"
    bold = f"Bold: p < {level:.2g}, corrected by Holm for {results.family('differences')}; the CSV has every p."
    remarks = [f"{PAIRED} {bold}", *few(paired)]
    return Table("differences", caption, *with_shared_notes(columns, rows), data=paired, remarks=remarks)


def _difference_column(metric: str) -> Column:
    return Column(METRICS[metric].label, "points" if METRICS[metric].unit == "%" else METRICS[metric].unit)


def _differs(values: pd.DataFrame, metric: str, level: float) -> bool:
    return metric in values.index and bool(values.p_holm[metric] < level)


def over_seeds(results: Results, methods: pd.DataFrame, name: str) -> Table:
    """One row per method, one column per metric: mean and standard deviation over seeds, and the best of three."""
    measured = results.of("over_seeds", methods)
    own = measured[measured.seeds > 1]
    shown = present(own)
    columns = [Column("Method", numeric=False), *map(metric_column, shown), Column("Clips a seed"), Column("Seeds")]
    rows = []
    for method, values in own.groupby("method", sort=False):
        of = values.set_index("metric")
        cells = [seeds_cell(metric, of.loc[metric]) if metric in of.index else Cell() for metric in shown]
        rows.append(row(str(method), *cells, str(values.clips.min()), str(values.seeds.max())))
    remarks = [SEEDS, *few(own)]
    return Table(f"over_seeds_{name}", "Over sampling seeds", *with_shared_notes(columns, rows), measured, remarks)


def seeds_cell(metric: str, own: pd.Series) -> Cell:
    """`227.7 ± 12.3 (best of 3: 210.1)`; no best where neither direction is better."""
    mean, sd, best = (cell_text(metric, own[name], NOTHING, NOTHING) for name in ("mean", "sd", "best_value"))
    return Cell(
        f"{mean} ± {sd}" + (f" (best of {own.best_of}: {best})" if own.best_value == own.best_value else ""),
        note=own.flag,
    )


def _drawn(spread: pd.DataFrame, method: str, n: int) -> Cell:
    """The mean of draws with their range; the value alone where there is one draw, of all clips."""
    if (method, n) not in spread.index:
        return Cell()
    mean, least, most = spread.loc[(method, n)]
    return Cell(cell_text("fvd", mean, least, most) if least < most else cell_text("fvd", mean, NOTHING, NOTHING))


def fvd_by_clips(results: Results, methods: pd.DataFrame, name: str) -> Table:
    """FVD against the number of clips: mean over draws, and their range."""
    measured = results.of("fvd_by_clips", methods)
    sizes = sorted(measured.n.unique())
    spread = measured.groupby(["method", "n"]).fvd.agg(["mean", "min", "max"])
    rows = [row(method, *(_drawn(spread, method, n) for n in sizes)) for method in dict.fromkeys(measured.method)]
    columns = [Column("Method", numeric=False), *(Column(f"n = {n}") for n in sizes)]
    remarks = ["In brackets: range over draws.", FEW]
    return Table(f"fvd_by_clips_{name}", "FVD by the number n of clips", columns, rows, measured, remarks)


def fingerprints(results: Results) -> Table:
    """One row per method, one column per metric: the fingerprint of the protocol, linked to its choices."""
    metrics = results.metrics
    shown = present(metrics)
    columns = [Column("Method", numeric=False), *(Column(METRICS[metric].label, numeric=False) for metric in shown)]
    by_place = {(entry.method, entry.metric): entry.fingerprint for entry in metrics.itertuples()}
    rows = []
    for method in dict.fromkeys(metrics.method):
        marks = [by_place.get((method, metric), "") for metric in shown]
        rows.append(row(method, *(Cell(mark, link=f"p-{mark}") if mark else Cell() for mark in marks)))
    data = metrics[["method", "metric", "fingerprint"]]
    return Table("fingerprints", "Fingerprints of the protocols", columns, rows, data=data)


def few(rows: pd.DataFrame) -> list[str]:
    """What the flag of a few clips means, if a row has one."""
    return [FEW] if ((rows.metric == "fvd") & (rows.flag != "")).any() else []


def devices(results: Results, rows: pd.DataFrame) -> str:
    """What made the clips whose speed stands in rows of metrics."""
    marks = rows[rows.metric == SPEED.name].fingerprint.unique()
    protocols = results.evaluation["protocols"]
    found = [device for mark in marks if (device := protocols.get(mark, {}).get("device"))]
    return "; ".join(found) or "device not recorded"


def present(table: pd.DataFrame) -> Sequence[str]:
    """The metrics of a table in the order of its columns: what the judge says in one number comes first."""
    measured = set(table.metric)
    return sorted((metric for metric in METRICS if metric in measured), key=_rank)


def _rank(metric: str) -> int:
    if metric in MAIN:
        return 0
    return 1 if METRICS[metric].needs == "attributes" else 2
