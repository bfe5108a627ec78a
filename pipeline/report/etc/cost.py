"""What attention costs on a video as one image and on a video as frames: ETC's Table 3 and Figure 10, as timed here."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.report import plots
from pipeline.report.formatting import fixed
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row

PARTS = ("image", "spatial", "temporal")
_NAMES = {
    "base": "Base",
    "long_video": "Long video",
    "high_res": "High resolution",
    "high_quality": "High quality",
}
_TIMES = (
    "CPU time of one call of attention ({threads} of {cpus} threads, torch {torch}), the best of {calls} or more in "
    "turns. The paper's times are of 1,000 calls on another machine: compare the ratios."
)
_RATIOS = (
    "Image/video: the time of attention on a video as one image, divided by that of spatial and temporal attention "
    "together. Operations: (4C + THW) / (8C + HW + T), C = {channels} (Appendix A.1.3)."
)


def section(results: Results, printed: Mapping[str, Any]) -> Content:
    """The table, the figure, and what the page says of them; what was not timed is missing.

    printed: table_3, the paper's seconds of 1,000 calls, by setting and part.
    """
    missing = "Table 3 and Figure 10 need the stage attention."
    if results.attention is None or results.attention_sweep is None:
        return Content(context={"attention": None}, missing=[missing])
    sweep, base = results.attention_sweep, results.attention[results.attention.setting == "base"]
    figures = {"attention": plots.attention_cost(sweep, dict(zip(base.part, base.batch.map(int), strict=True)))}
    return Content({"attention": _said(sweep)}, [_table_3(results.attention, printed["table_3"])], figures)


def _said(sweep: pd.DataFrame) -> dict[str, object]:
    """Figure 10 in words. fastest: the number of sequences that takes least; overhead: whether more take longer."""
    tokens, fastest = int(sweep.tokens.max()), int(sweep.batch[sweep.best_s.idxmin()])
    return {"tokens": f"{tokens:,}", "fastest": f"{fastest:,}", "overhead": fastest < int(sweep.batch.max())}


def _table_3(timed: pd.DataFrame, theirs: Mapping[str, Mapping[str, float]]) -> Table:
    """A row for each setting: our times, the paper's, and the ratios of both and of the operations."""
    columns = [
        Column("Setting", numeric=False),
        Column("T"),
        Column("H×W"),
        *(Column(part.capitalize(), "ms") for part in PARTS),
        Column("Image/video"),
        *(Column(f"Paper: {part}", "s") for part in PARTS),
        Column("Paper: image/video"),
        Column("Operations: image/video"),
    ]
    rows = []
    for setting, own in timed.groupby("setting", sort=False):
        parts, printed = own.set_index("part"), theirs.get(str(setting), {})
        times = {part: parts.best_s[part] for part in PARTS}
        rows.append(
            row(
                _NAMES.get(str(setting), str(setting)),
                f"{parts.tokens['temporal']}",
                f"{parts.tokens['spatial']:,}",
                *(fixed(1000 * times[part], 1) for part in PARTS),
                fixed(_ratio(times), 2),
                *(Cell(f"{printed[part]:.3f}") if printed else Cell() for part in PARTS),
                fixed(_ratio(printed), 2) if printed else Cell(),
                fixed(_ratio(parts.operations), 2),
            )
        )
    places = zip(timed.setting, timed.part, strict=True)
    data = timed.assign(paper_s_of_1000_calls=[theirs.get(name, {}).get(part) for name, part in places])
    first = timed.iloc[0]
    about = {"threads": first.threads, "cpus": first.cpus, "torch": first.torch, "calls": timed.calls.min()}
    remarks = [_TIMES.format(**about), _RATIOS.format(channels=first.channels)]
    return Table(
        "etc_table3", "Attention on a video as one image and as frames (Table 3)", columns, rows, data, remarks
    )


def _ratio(of: Mapping[str, float] | pd.Series) -> float:
    """The image's, for one of the other two together."""
    return float(of["image"] / (of["spatial"] + of["temporal"]))
