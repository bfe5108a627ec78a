"""Plots as plotly figures in JSON; a page draws each when it comes into view, in its own colours."""

import math
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import plotly
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pipeline.world.attributes import ATTRIBUTES, AVERAGE

GREY, BLUE, ORANGE = "#8a8f98", "#4c8dff", "#ff8a3d"
_COLOURS = (BLUE, ORANGE, "#2fa97c", "#b06be0", GREY, "#d64550", "#c9a227", "#3bb8c4", "#8c6d4f", "#e07bb0")
_LAYOUT = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": GREY, "size": 12},
    "margin": {"l": 44, "r": 12, "t": 12, "b": 40},
    "legend": {"orientation": "h", "x": 0},
    "template": "none",
}
_AXIS = {"gridcolor": "rgba(138,143,152,0.25)", "zeroline": False, "automargin": True}


def _figure(x_title: str, y_title: str, height: int) -> go.Figure:
    figure = go.Figure(layout=_LAYOUT)
    return figure.update_layout(height=height, xaxis=_AXIS | {"title": x_title}, yaxis=_AXIS | {"title": y_title})


def script() -> Path:
    """Plotly's own script, which the report copies so that it needs no network."""
    return Path(str(plotly.__file__)).parent / "package_data" / "plotly.min.js"


def curve(similarity: dict[str, np.ndarray], step: int, paper_step: int | None) -> str:
    """Similarity with the foot along the interpolation: full, truncated and their mean; our step and the paper's.

    The mean, half the sum that Algorithm 2 maximises, lies on the scale of the other two.
    """
    k = len(similarity["total"])
    figure = _figure("interpolation step i (share of a: i / k)", "cosine similarity", 240)
    x = list(range(1, k + 1))
    for name, values, colour in (
        ("full", similarity["full"], GREY),
        ("truncated", similarity["truncated"], ORANGE),
        ("mean of both", similarity["total"] / 2, BLUE),
    ):
        figure.add_scatter(x=x, y=values.round(6).tolist(), name=name, line={"color": colour, "width": 2})
    figure.add_vline(
        x=step, line={"color": BLUE, "dash": "dot"}, annotation={"text": f"ours {step}", "yanchor": "bottom", "y": 0.14}
    )
    if paper_step is not None:
        figure.add_vline(
            x=paper_step,
            line={"color": ORANGE, "dash": "dash"},
            annotation={"text": f"paper {paper_step}", "yanchor": "bottom", "y": 0},
        )
    return _legend_above(figure).to_json()


def rates(metrics: pd.DataFrame, metric: str, title: str, even: float | None = None) -> str:
    """A share in [0, 1] of every method as a dot with its interval, the first method on top; a line at `even`."""
    own = metrics[metrics.metric == metric].iloc[::-1]
    figure = _figure(title, "", 70 + 26 * len(own))
    figure.add_scatter(
        x=own.value.tolist(),
        y=own.method.tolist(),
        mode="markers",
        marker={"color": BLUE, "size": 10},
        error_x={
            "array": (own.high - own.value).tolist(),
            "arrayminus": (own.value - own.low).tolist(),
            "color": BLUE,
            "thickness": 2,
        },
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    if even is not None:
        figure.add_vline(x=even, line={"color": GREY, "dash": "dot", "width": 1})
    upper = min(1.0, 1.08 * float(own.high.max())) if len(own) else 1.0
    figure.update_yaxes(type="category", gridcolor="rgba(0,0,0,0)", ticksuffix="  ")
    return figure.update_xaxes(tickformat=".0%", range=[-0.02 * upper, upper], nticks=6).to_json()


def fvd_by_clips(curves: pd.DataFrame) -> str:
    """FVD of each method against the number of its clips: mean over subsets, and their range, as in ETC's Figure 17."""
    figure = _figure("generated clips", "FVD", 320)
    for (method, own), colour in zip(curves.groupby("method", sort=False), cycle(_COLOURS), strict=False):
        spread = own.groupby("n").fvd.agg(["mean", "min", "max"])
        figure.add_scatter(
            x=spread.index.tolist(),
            y=spread["mean"].round(2).tolist(),
            name=str(method),
            mode="lines+markers",
            line={"width": 2, "color": colour},
            error_y={
                "array": (spread["max"] - spread["mean"]).tolist(),
                "arrayminus": (spread["mean"] - spread["min"]).tolist(),
                "width": 3,
            },
        )
    sizes = [2**i for i in range(1, 16)] if len(curves.n.unique()) > 2 else sorted(map(int, curves.n.unique()))
    figure.update_xaxes(type="log", tickvals=sizes, ticktext=[str(n) for n in sizes])
    return _legend_above(figure).to_json()


def sweep(points: pd.DataFrame, parameter: str, title: str) -> str:
    """Share of clips with each attribute by the swept value, and the roughness of their paths on an axis of its own;
    the average and the roughness with their intervals."""
    figure = _figure(title, "share of clips", 320)
    values = [f"{value:g}" for value in points[parameter]]
    for name, colour in zip((*ATTRIBUTES, AVERAGE), cycle(_COLOURS), strict=False):
        figure.add_scatter(
            x=values,
            y=points[name].round(4).tolist(),
            name=name.replace("_", " "),
            mode="lines+markers",
            line={"width": 3 if name == AVERAGE else 1.5, "color": colour},
            error_y=_spread(points, name) if name == AVERAGE else None,
        )
    figure.update_xaxes(type="category").update_yaxes(tickformat=".0%", range=[0, 1])
    if "roughness" in points:
        _add_roughness(figure, points, values)
    return _legend_above(figure).update_layout(margin={"r": 50}).to_json()


def _add_roughness(figure: go.Figure, points: pd.DataFrame, values: list[str]) -> None:
    figure.add_scatter(
        x=values,
        y=points.roughness.round(4).tolist(),
        name="roughness, px (right)",
        mode="lines+markers",
        line={"width": 2, "color": "#d64550", "dash": "dot"},
        error_y=_spread(points, "roughness"),
        yaxis="y2",
    )
    right = {"title": "roughness, px", "overlaying": "y", "side": "right", "rangemode": "tozero", "tickmode": "auto"}
    figure.update_layout(yaxis2=_AXIS | right | {"showgrid": False})


def by_step(steps: pd.DataFrame) -> str:
    """Percent of clips that show the mixture by the weight of part a, a line for each attribute and one for all."""
    figure = _figure("share of part a: i / k", "clips that show the mixture, %", 280)
    names = list(dict.fromkeys(steps.attribute))
    coloured = [colour for colour in _COLOURS if colour != GREY]  # the line of all is grey
    for name, colour in zip(names, cycle(coloured), strict=False):
        own, last = steps[steps.attribute == name], name == names[-1]
        figure.add_scatter(
            x=own.weight.tolist(),
            y=own.success.tolist(),
            name=name,
            mode="lines+markers",
            line={"width": 3, "color": GREY, "dash": "dot"} if last else {"width": 1.5, "color": colour},
        )
    return _legend_above(figure.update_yaxes(rangemode="tozero")).to_json()


def _legend_above(figure: go.Figure) -> go.Figure:
    """Room above the axes for the legend, two names a row, as on a phone."""
    room = 24 + 20 * -(-len(figure.data) // 2)
    figure.update_layout(height=figure.layout.height + room, margin={"t": room})
    return figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"})


def _spread(points: pd.DataFrame, name: str) -> dict[str, object]:
    value, low, high = (points[column] for column in (name, f"{name}_low", f"{name}_high"))
    return {"array": (high - value).tolist(), "arrayminus": (value - low).tolist(), "width": 3}


def mapping_effect(effect: pd.DataFrame) -> str:
    """Mean change with its standard deviation, shift of the mean, and change of the standard deviation, by timestep."""
    figure = _figure("timestep", "change of the latents", 280)
    timesteps = effect.timestep.tolist()
    edges = [effect.change + effect.change_sd, (effect.change - effect.change_sd)]
    figure.add_scatter(
        x=timesteps + timesteps[::-1],
        y=edges[0].tolist() + edges[1].tolist()[::-1],
        fill="toself",
        fillcolor="rgba(138,143,152,0.2)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    for column, label, colour in (
        ("change", "mean |after − before|", BLUE),
        ("mean_shift", "shift of the mean", ORANGE),
        ("sd_change", "change of the standard deviation", "#2fa97c"),
    ):
        figure.add_scatter(x=timesteps, y=effect[column].round(5).tolist(), name=label, line={"color": colour})
    return _legend_above(figure.update_xaxes(autorange="reversed")).to_json()


def by_training_steps(points: pd.DataFrame, metric: str, title: str) -> str:
    """A metric of trainings against their steps, with its interval, a line for each number of clips they learn from."""
    figure = _figure("training steps", title, 300)
    whole = points.used.max()
    for (used, own), colour in zip(points.groupby("used"), cycle(_COLOURS), strict=False):
        figure.add_scatter(
            x=own.steps.tolist(),
            y=own[metric].round(4).tolist(),
            name=f"{100 * used / whole:g} %, {used:,.0f} clips",
            mode="lines+markers",
            line={"width": 2, "color": colour},
            error_y=_spread(own, metric),
        )
    return _legend_above(figure.update_yaxes(rangemode="tozero")).to_json()


def losses(curves: Mapping[str, pd.Series]) -> str:
    """Smoothed losses of trainings by step, on a logarithmic axis."""
    figure = _figure("step", "loss", 300)
    for (name, curve), colour in zip(curves.items(), cycle(_COLOURS), strict=False):
        line = {"color": colour, "width": 2}
        figure.add_scatter(x=curve.index.tolist(), y=curve.round(5).tolist(), name=name.replace("_", " "), line=line)
    return _legend_above(figure.update_yaxes(type="log")).to_json()


def attention_cost(sweep: pd.DataFrame, marks: Mapping[str, int]) -> str:
    """Time and operations, in percent of the largest, and receptive field of the same tokens in ever more sequences, on
    logarithmic axes (ETC, Figure 10). marks: names of numbers of sequences."""
    figure = _figure("sequences B", "", 320)
    shares = {
        "time": (sweep.best_s / sweep.best_s.max(), BLUE, None),
        "operations": (sweep.operations / sweep.operations.max(), GREY, "dot"),
        "receptive field": (sweep.receptive_field, ORANGE, None),
    }
    for name, (share, colour, dash) in shares.items():
        percent = [float(f"{100 * value:.4g}") for value in share]
        line = {"width": 2, "color": colour, "dash": dash}
        figure.add_scatter(x=sweep.batch.tolist(), y=percent, name=name, mode="lines+markers", line=line)
    for name, batch in marks.items():
        figure.add_vline(x=batch, line={"color": GREY, "dash": "dash", "width": 1})
        figure.add_annotation(
            text=name, x=math.log10(batch), y=0, yref="paper", yanchor="bottom", xanchor="left", showarrow=False
        )
    ticks = sweep.batch.tolist()[::2]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{batch:,}" for batch in ticks])
    figure.update_yaxes(type="log", dtick=1, ticksuffix=" %")
    return _legend_above(figure).to_json()


def training(history: pd.DataFrame) -> str:
    """Training loss by step, on a logarithmic axis."""
    loss = history.dropna(subset="loss")
    figure = _figure("step", "loss", 240)
    figure.add_scatter(x=loss.step.tolist(), y=loss.loss.round(5).tolist(), line={"color": BLUE, "width": 1.5})
    return figure.update_yaxes(type="log").to_json()


def token_attention(places: pd.DataFrame, videos: int = 4) -> str:
    """Share of the attention to the text that frame-wise tokens have, as small heat maps: a row for each of the first
    videos, a column for each frame."""
    shown = places[places.video < videos]
    frames = sorted(set(shown.frame))
    rows = sorted(set(shown.video))
    figure = make_subplots(rows=len(rows), cols=len(frames), horizontal_spacing=0.004, vertical_spacing=0.03)
    for (video, frame), own in shown.groupby(["video", "frame"]):
        figure.add_heatmap(
            z=own.pivot(index="row", columns="column", values="share").round(4).to_numpy().tolist(),
            coloraxis="coloraxis",
            hovertemplate=f"clip {video + 1}, frame {frame + 1}: %{{z:.1%}}<extra></extra>",
            row=rows.index(video) + 1,
            col=frames.index(frame) + 1,
        )
    figure.update_layout(_LAYOUT | {"margin": {"l": 4, "r": 4, "t": 8, "b": 44}}, height=60 + 64 * len(rows))
    bar = {"orientation": "h", "y": 0, "yanchor": "top", "thickness": 8, "len": 0.6, "tickformat": ".0%", "nticks": 6}
    figure.update_layout(coloraxis={"colorscale": "Viridis", "colorbar": bar})
    figure.update_xaxes(visible=False)
    return figure.update_yaxes(visible=False, autorange="reversed").to_json()


def attention_maps(maps: pd.DataFrame, top: float) -> str:
    """Shares of attention from frame (down) to frame (across) as small heat maps, a row for each head and a column for
    each step; the lightest colour stands for `top`."""
    steps, heads = sorted(set(maps.step)), sorted(set(maps["head"]))
    timesteps = maps.groupby("step").timestep.first()
    figure = make_subplots(
        rows=len(heads),
        cols=len(steps),
        column_titles=[f"step {step}<br>t = {timesteps[step]}" for step in steps],
        row_titles=[f"head {head}" for head in heads],
        horizontal_spacing=0.012,
        vertical_spacing=0.02,
    )
    for (head, step), own in maps.groupby(["head", "step"]):
        table = own.pivot(index="from_frame", columns="to_frame", values="share")
        figure.add_heatmap(
            z=table.round(4).to_numpy().tolist(),
            x0=1,
            y0=1,
            coloraxis="coloraxis",
            hovertemplate=f"head {head}, step {step}<br>from frame %{{y}} to %{{x}}: %{{z:.1%}}<extra></extra>",
            row=heads.index(head) + 1,
            col=steps.index(step) + 1,
        )
    figure.update_layout(_LAYOUT | {"margin": {"l": 4, "r": 24, "t": 40, "b": 44}}, height=90 + 64 * len(heads))
    figure.update_annotations(font={"size": 11})
    bar = {"orientation": "h", "y": 0, "yanchor": "top", "thickness": 8, "len": 0.6, "tickformat": ".0%", "nticks": 6}
    figure.update_layout(coloraxis={"colorscale": "Viridis", "cmin": 0, "cmax": top, "colorbar": bar})
    figure.update_xaxes(visible=False)
    return figure.update_yaxes(visible=False, autorange="reversed").to_json()
