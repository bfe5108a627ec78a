"""The command `filter`: a folder of captioned videos -> a table of what is kept, and what is dropped and why."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.commands.inputs import Inputs, prepare_out
from pipeline.commands.setup import Setup, needs_clip

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # dropped videos


def run(
    setup: Setup, videos: Path, captions: Path, ratio: float, out: Path | None, kept: Path | None
) -> "pd.DataFrame":
    """Filter, write the tables that are named, and print what was dropped.

    Args:
        out: CSV of all videos, see `filter_videos`. kept: CSV of clip and caption of those that are kept, which a
            training or `reelbench score` reads as captions.

    Raises:
        ValueError, FileNotFoundError: before anything is decoded, if options or places do not fit, as without --clip;
            after it if no video could be scored.
    """
    if not setup.clip:
        raise ValueError(needs_clip(["the filter"]))
    setup.check(["clipsim"])
    Inputs(captions=captions).check([videos], ["clipsim"])
    prepare_out(out, kept)
    from pipeline.etc.filter import COLUMNS, filter_videos

    table = filter_videos(setup.scorer(["clipsim"]).measurer, videos, captions, ratio)
    for path, part in ((out, table[list(COLUMNS)]), (kept, table.loc[table.kept, ["clip", "caption"]])):
        if path:
            part.to_csv(path, index=False, float_format="%.6g")
    _show(table, out, kept)
    return table


def _show(table: "pd.DataFrame", out: Path | None, kept: Path | None) -> None:
    import pandas as pd

    console, dropped = Console(), table[~table.kept]
    shown = Table("clip", "score", "dropped because", title=f"{table.kept.sum()} of {len(table)} videos are kept")
    for row in dropped.sort_values("score", na_position="first").head(SHOWN).itertuples():
        score = "–" if pd.isna(row.score) else f"{row.score:.2f}"
        shown.add_row(escape(str(row.clip)), score, escape(row.reason))
    console.print(shown)
    if len(dropped) > SHOWN:
        console.print(f"… and {len(dropped) - SHOWN} more (all are in --out)", style="yellow")
    for path in filter(None, (out, kept)):
        console.print(f"written: {path}", markup=False, highlight=False)
