"""The command `superseded`: which clips are set aside, and how to be rid of them."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.clips.superseded import Superseded
from pipeline.config import paths


def show() -> None:
    """Print how many clips of each method are set aside, and their size."""
    kept = _superseded()
    rows = [(entry.method, file.stat().st_size) for entry, file in kept.entries()]
    rows += [("in no ledger", file.stat().st_size) for file in kept.unrecorded()]
    if not rows:
        print("no clips are set aside")
        return
    table = Table("method", "clips", "MB", title=f"set aside in {paths.SUPERSEDED}")
    for method, sizes in pd.DataFrame(rows, columns=["method", "bytes"]).groupby("method", sort=True).bytes:
        table.add_row(str(method), str(len(sizes)), f"{sizes.sum() / 1e6:.1f}")
    Console().print(table)
    print("they are taken back when their parameters are; `reelbench superseded --empty` deletes them")


def empty() -> None:
    """Delete all clips that are set aside, and print how many there were."""
    kept = _superseded()
    files = sum(1 for _ in kept.entries()) + len(kept.unrecorded())
    kept.empty()
    print(f"{files} clips deleted")


def _superseded() -> Superseded:
    return Superseded(paths.SUPERSEDED)
