"""ETC's Figure 11: how much the frames of a grid attend to one another in the UNet's mid block, by step and head."""

import math

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
    "steps of DDPM; here are {heads} heads and {of} steps of DDIM. Both pictures have one scale of colours."
)


def section(results: Results) -> Content:
    """A picture for each trained model, what it shows in numbers, and a table of them; or that it is missing."""
    wanted, maps = results.params.etc.attention, results.attention_maps
    if wanted is None or maps is None or maps.empty:
        return Content(missing=[_MISSING])
    top = float(maps.share.max())
    own = {str(name): table for name, table in maps.groupby("training", sort=False)}
    figures = {f"attention_{name}": plots.attention_maps(table, top) for name, table in own.items()}
    steps = results.params.generate.models[results.params.generate.methods[results.params.etc.method].model]
    caption = _CAPTION.format(prompts=wanted.prompts, heads=maps["head"].nunique(), of=steps.sampling.steps)
    seen = {name: described(table) for name, table in own.items()}
    return Content({"attention": seen, "attention_caption": caption}, [_table(maps)], figures)


def described(maps: pd.DataFrame) -> list[str]:
    """What the maps of one model show, in numbers: a sentence each.

    Args:
        maps: step, head, from_frame, to_frame, share; a row for each pair of the frames of every map.
    """
    shares, frames = _of_kinds(maps), int(maps.to_frame.max())
    even, percent = 1 / frames, "{:.2f}\u00a0%".format
    gap = (maps.from_frame - maps.to_frame).abs()
    totals = [maps.share[gap == 0].sum(), maps.share[gap == 1].sum(), maps.share[gap > 1].sum()]
    uniform = [(gap == 0).mean(), (gap == 1).mean(), (gap > 1).mean()]
    found = [percent(100 * value / maps.share.sum()) for value in totals]
    spread = [percent(100 * value) for value in uniform]
    by_map = maps[gap == 0].groupby(["step", "head"]).share.mean()
    received = maps.groupby(["step", "head", "to_frame"]).share.mean()
    step, head, frame = received.idxmax()
    columns = ((received - even) ** 2).mean() / ((maps.share - even) ** 2).mean() if maps.share.std() else 0.0
    return [
        f"Of all attention {found[0]} stays in the own frame, {found[1]} goes to the frames next in time (|i − j| = 1), "
        f"{found[2]} to the others. Spread evenly over the {frames} frames it would be {spread[0]}, {spread[1]} and "
        f"{spread[2]}.",
        f"The own frame has {percent(100 * shares.own.iloc[0])} at step {shares.index[0]} and "
        f"{percent(100 * shares.own.iloc[-1])} at step {shares.index[-1]}; in single maps {percent(100 * by_map.min())} "
        f"to {percent(100 * by_map.max())}. In {(by_map > 0.5).sum()} of {len(by_map)} maps it has more than half.",
        f"The most that one frame receives from all, on average, is {percent(100 * received.max())}: frame {frame} in "
        f"head {head} at step {step}. Which frame receives makes {percent(100 * columns)} of the variance "
        "within these maps (vertical stripes); the rest depends on who gives.",
    ]


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
