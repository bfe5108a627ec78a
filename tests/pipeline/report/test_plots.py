import json

import numpy as np
import pandas as pd
import pytest

from pipeline.report import plots
from pipeline.world.attributes import ATTRIBUTES, AVERAGE


def test_curves_show_both_steps() -> None:
    curve = {name: np.linspace(0, 1, 30) for name in ("full", "truncated", "total")}
    text = plots.curve(curve, 12, 14)
    assert "ours 12" in text and "paper 14" in text
    assert "paper 1" not in plots.curve(curve, 12, None)


def test_rates_are_dots_with_their_bounds_the_first_method_on_top() -> None:
    rows = [("first", "success_rate", 0.2, 0.1, 0.4), ("second", "success_rate", 0, 0, 0.3), ("first", "fvd", 9, 8, 10)]
    metrics = pd.DataFrame(rows, columns=["method", "metric", "value", "low", "high"])
    figure = json.loads(plots.rates(metrics, "success_rate", "shown"))
    (dots,) = figure["data"]
    assert dots["y"] == ["second", "first"]  # plotly counts from below
    assert dots["error_x"]["array"] == pytest.approx([0.3, 0.2])
    assert dots["error_x"]["arrayminus"] == pytest.approx([0, 0.1])
    low, high = figure["layout"]["xaxis"]["range"]
    assert low <= 0 and 0.4 <= high <= 1
    assert figure["layout"]["yaxis"]["automargin"]  # else long names are cut


def test_fvd_by_clips_is_the_mean_over_draws() -> None:
    points = pd.DataFrame({"method": "m", "n": [16, 16, 32], "fvd": [10.0, 30.0, 5.0]})
    (line,) = json.loads(plots.fvd_by_clips(points))["data"]
    assert (line["x"], line["y"]) == ([16, 32], [20, 5])
    assert line["error_y"]["array"] == [10, 0]
    assert line["error_y"]["arrayminus"] == [10, 0]


def test_a_sweep_shows_shares_and_where_it_was_measured_the_roughness() -> None:
    shares = {
        name: [0.5, 1.0] for column in (*ATTRIBUTES, AVERAGE) for name in (column, f"{column}_low", f"{column}_high")
    }
    points = pd.DataFrame({"mg_scale": [0.0, 5.0], **shares})
    rough = points.assign(roughness=0.4, roughness_low=0.3, roughness_high=0.6)
    without, figure = (json.loads(plots.sweep(table, "mg_scale", "α")) for table in (points, rough))
    assert [line["name"] for line in without["data"]] == ["content", "action", "smooth", "not weird", "average"]
    assert figure["data"][-1]["yaxis"] == "y2" and figure["data"][-1]["x"] == ["0", "5"]
    assert figure["data"][-1]["error_y"]["array"] == pytest.approx([0.2, 0.2])


def test_the_cost_of_attention_is_in_percent_of_the_largest() -> None:
    columns = {"batch": [1, 16], "best_s": [0.5, 0.125], "operations": [80, 8], "receptive_field": [1.0, 0.0625]}
    figure = json.loads(plots.attention_cost(pd.DataFrame(columns), {"image": 1, "spatial": 16}))
    assert {line["name"]: line["y"] for line in figure["data"]} == {
        "time": [100, 25],
        "operations": [100, 10],
        "receptive field": [100, 6.25],
    }
    assert [line["x0"] for line in figure["layout"]["shapes"]] == [1, 16]
    places = {note["text"]: note["x"] for note in figure["layout"]["annotations"]}
    assert places == {"image": 0, "spatial": pytest.approx(1.204, abs=1e-3)}  # on logarithmic axes these are powers


def test_a_legend_has_room_for_all_its_names() -> None:
    def room(methods: int) -> int:
        points = pd.DataFrame([{"method": str(m), "n": n, "fvd": 1.0} for m in range(methods) for n in (2, 4)])
        layout = json.loads(plots.fvd_by_clips(points))["layout"]
        return layout["margin"]["t"]

    assert room(9) - room(1) == 80


def test_plotlys_script_is_there() -> None:
    assert plots.script().stat().st_size > 1e6


PAIRS = [(1, 1), (1, 2), (2, 1), (2, 2)]  # of frames


def test_maps_of_attention_are_rows_of_heads_and_columns_of_steps() -> None:
    rows = [(s, 1000 - s, h, i, j, s + 0.1 * h + 0.01 * (i < j)) for s in (5, 1, 25) for h in (1, 2) for i, j in PAIRS]
    maps = pd.DataFrame(rows, columns=["step", "timestep", "head", "from_frame", "to_frame", "share"])
    figure = json.loads(plots.attention_maps(maps, 30.0))
    found = {place(figure, trace): trace["z"] for trace in figure["data"]}
    assert sorted(found) == [(row, column) for row in range(2) for column in range(3)]
    for (row, column), table in found.items():
        value = (1, 5, 25)[column] + 0.1 * (row + 1)
        assert np.array(table) == pytest.approx(np.array([[value, value + 0.01], [value, value]]))  # rows give
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert titles == ["step 1<br>t = 999", "step 5<br>t = 995", "step 25<br>t = 975", "head 1", "head 2"]
    axes = [value for name, value in figure["layout"].items() if name.startswith("yaxis")]
    assert {axis["autorange"] for axis in axes} == {"reversed"}  # the first frame on top, as in a matrix
    colours = figure["layout"]["coloraxis"]
    assert (colours["cmin"], colours["cmax"]) == (0, 30.0)
    assert {trace["coloraxis"] for trace in figure["data"]} == {"coloraxis"}


def place(figure: dict, trace: dict) -> tuple[int, int]:
    """Row from the top and column of a small multiple, by where its axes lie."""
    layout = figure["layout"]
    domains = {
        axis: sorted({tuple(v["domain"]) for k, v in layout.items() if k.startswith(f"{axis}axis")}) for axis in "xy"
    }
    x, y = (tuple(layout[trace[f"{axis}axis"].replace(axis, f"{axis}axis")]["domain"]) for axis in "xy")
    return domains["y"][::-1].index(y), domains["x"].index(x)
