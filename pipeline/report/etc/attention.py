"""ETC's Figure 11: how much the frames of a grid attend to one another in the UNet's mid block, by step and head."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report import plots
from pipeline.report.formatting import fixed
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Column, Table, row

KINDS = {
    "own": "Own frame",
    "next": "Next in time",
    "beside": "Beside in the grid",
    "other": "Others",
}
_MISSING = "Figure 11 needs the stage attention_maps (etc.attention)."
_REMARKS = (
    "Share of its attention that a frame gives to one frame of the kind, mean over heads and frames. Next in time: "
    "|i − j| = 1, most of them above or below in the grid. Beside in the grid: left or right, |i − j| = √T.",
)
_CAPTION = (
    "Self-attention of the mid block after the softmax: row i, column j is the share of its attention that frame i "
    "gives to frame j, so that rows sum to 1; mean over {prompts} unseen prompts, the prediction with the prompt. The "
    "paper's caption prints y ∈ Frame_i in its sum; Frame_j is meant. Its maps are 4 × 4, of 20 heads and 50 "
    "steps of DDPM; here {heads} heads, sampled with DDIM. All maps have the same colour scale."
)


def section(results: Results, _printed: Mapping[str, Any]) -> Content:
    """A picture for each trained model, what it shows in numbers, and a table of them; or that it is missing."""
    wanted, maps = results.params.etc.attention, results.attention_maps
    if wanted is None or maps is None or maps.empty:
        return Content(missing=[_MISSING])
    top = float(maps.share.max())
    own = {str(name): table for name, table in maps.groupby("training", sort=False)}
    figures = {f"attention_{name}": plots.attention_maps(table, top) for name, table in own.items()}
    caption = _CAPTION.format(prompts=wanted.prompts, heads=maps["head"].nunique())
    seen = {name: described(table) for name, table in own.items()}
    return Content({"attention_maps": seen, "attention_maps_caption": caption}, [_table(maps)], figures)


def described(maps: pd.DataFrame) -> list[str]:
    """What the maps of one model show, in numbers: a sentence each.

    Args:
        maps: step, head, from_frame, to_frame, share; a row for each pair of the frames of every map.
    """
    return [_where(maps), _over_steps(maps), _received(maps)]


def _where(maps: pd.DataFrame) -> str:
    """Own frame, frames next in time, others; and what chance is."""
    gap = (maps.from_frame - maps.to_frame).abs()
    groups = [gap == 0, gap == 1, gap > 1]
    found = [_percent(maps.share[group].sum() / maps.share.sum()) for group in groups]
    even = [_percent(group.mean()) for group in groups]
    return (
        f"Of all attention {found[0]} stays in the own frame, {found[1]} goes to the frames next in time "
        f"(|i − j| = 1), {found[2]} to the others. Spread evenly over the {maps.to_frame.max()} frames it would be "
        f"{even[0]}, {even[1]} and {even[2]}."
    )


def _over_steps(maps: pd.DataFrame) -> str:
    own = maps[maps.from_frame == maps.to_frame]
    by_step, by_map = own.groupby("step").share.mean(), own.groupby(["step", "head"]).share.mean()
    ends = " and ".join(f"{_percent(by_step[step])} at step {step}" for step in by_step.index[[0, -1]])
    return (
        f"The own frame has {ends}; in single maps {_percent(by_map.min())} to {_percent(by_map.max())}. "
        f"In {(by_map > 0.5).sum()} of {len(by_map)} maps it has more than half."
    )


def _received(maps: pd.DataFrame) -> str:
    """What each frame gets from all, which makes vertical stripes; the mean of every map is an even spread."""
    received = maps.groupby(["step", "head", "to_frame"]).share.mean()
    step, head, frame = received.idxmax()
    of_all = ((maps.share - maps.share.mean()) ** 2).mean()
    stripes = ((received - maps.share.mean()) ** 2).mean() / of_all if of_all else 0.0
    return (
        f"The most that one frame receives from all, on average, is {_percent(received.max())}: frame {frame} in head "
        f"{head} at step {step}. Which frame receives makes {_percent(stripes)} of the variance within these maps "
        "(vertical stripes); the rest depends on who gives."
    )


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 2)}\u00a0%"


def _table(maps: pd.DataFrame) -> Table:
    """A row for each model and step, below what an even spread would be."""
    parts = {str(name): _of_kinds(own) for name, own in maps.groupby("training", sort=False)}
    data = pd.concat(parts, names=["training"]).reset_index()
    columns = [Column("Training", numeric=False), Column("Step"), *(Column(title, "%") for title in KINDS.values())]
    even = fixed(100 / int(maps.to_frame.max()), 2)
    rows = [row("an even spread", "", *(even for _ in KINDS))]
    for one in data.itertuples():
        rows.append(row(one.training, str(one.step), *(fixed(100 * getattr(one, kind), 2) for kind in KINDS)))
    long = data.melt(["training", "step"], list(KINDS), var_name="kind", value_name="share")
    return Table("etc_attention", "Attention that one frame gets, by step (Figure 11)", columns, rows, long, _REMARKS)


def _of_kinds(maps: pd.DataFrame) -> pd.DataFrame:
    """The mean share of one frame of each kind, by step: index step, columns KINDS; NaN where there is none."""
    gap = (maps.from_frame - maps.to_frame).abs()
    beside = math.isqrt(int(maps.to_frame.max()))
    kinds = np.select([gap == 0, gap == 1, gap == beside], ["own", "next", "beside"], "other")
    return maps.groupby(["step", kinds]).share.mean().unstack().reindex(columns=list(KINDS))
