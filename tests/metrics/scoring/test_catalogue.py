"""The records of metrics: printed numbers, names that documents share, and all that a new record brings."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metrics.reading.sources import find
from metrics.scoring import catalogue, measuring
from metrics.scoring.catalogue import EVALUATED, METRICS, checked
from metrics.scoring.extraction import VideoInput
from metrics.scoring.metric import Metric, Sample
from metrics.scoring.scorer import Scorer
from metrics.scoring.summary import compare, summarise
from metrics.statistics.bootstrap import Uncertainty

FVD, SHARE = METRICS["fvd"], Metric("share", "Share", True, 1, "%")


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "cell"),
    [
        (FVD, 227.66, 141.2, 333.9, "227.7 (141–334)"),
        (FVD, 4045.61, 3891.4, 4213.2, "4,045.6 (3,890–4,210)"),
        (FVD, 9.94, 8.72, 11.31, "9.9 (9–11)"),
        (METRICS["kvd"], 0.03, 0.012, 0.048, "0.0300 (0.012–0.048)"),
        (METRICS["kvd"], 0.03, -1.981, 2.112, "0.03 (-2.0 to 2.1)"),  # near zero, not small
        (FVD, 0.003123, 0.00123, 0.00561, "0.00312 (0.0012–0.0056)"),  # features of a small scale
        (FVD, 0.96, 0.87, 1.06, "1.0 (0.9–1.1)"),
        (FVD, 3.1234e-9, math.nan, math.nan, "3.12e-09"),
        (FVD, 3.1234e-9, 1.234e-9, 5.678e-9, "3.12e-09 (1.23e-09–5.68e-09)"),
        (Metric("seconds", "Seconds", None, 0), 4.2, 3.8, 4.6, "4 (4–5)"),
        (METRICS["clipsim"], 0.0012, 0.0004, 0.0021, "0.0012 (0.0004–0.0021)"),
        (FVD, -0.01, -1.0, 1.0, "0.0 (-1 to 1)"),
        (SHARE, 0.1515, 0.0853, 0.2423, "15.2 % (9–24)"),
        (SHARE, 1.0, 0.9, 1.0, "100.0 % (90–100)"),
        (SHARE, 0.0, 0.0, 0.0, "0.0 % (0–0)"),
        (METRICS["kvd"], 10.234, -1.967, 25.587, "10.23 (-2.0 to 25.6)"),
        (METRICS["clipsim"], 0.73262, 0.68264, 0.7734, "0.7326 (0.683–0.773)"),
        (METRICS["psnr"], 31.234, math.nan, 40.0, "31.23"),
        (FVD, math.nan, math.nan, math.nan, "–"),
        (FVD, None, None, None, "–"),
    ],
)
def test_a_cell_is_a_value_with_its_interval(
    metric: Metric, value: float | None, low: float | None, high: float | None, cell: str
) -> None:
    assert metric.cell(value, low, high) == cell


def test_titles_point_to_the_better() -> None:
    assert (FVD.title, SHARE.title) == ("FVD ↓", "Share ↑")
    assert Metric("p", "Parameters", None, 0).title == "Parameters"
    assert Metric("p", "Parameters", None, 0).number(3724416) == "3,724,416"


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(0, 4), st.booleans())
def test_what_is_printed_is_the_value_rounded(low: float, width: float, digits: int, percent: bool) -> None:
    """To the metric's digits, small values to three significant ones; a bound to three significant digits, and no digit
    more than the value."""
    metric = Metric("m", "M", True, digits, "%" if percent else "")
    scale = 100 if percent else 1
    shown = float(metric.number(low).removesuffix(" %").replace(",", ""))
    if not percent and 0 < abs(low) < min(10.0 ** (1 - digits), 1):
        assert shown == pytest.approx(low, rel=0.0051)
    if not percent and 0 < max(abs(low), abs(low + width)) < min(10.0 ** (1 - digits), 1):
        return  # the table above has such bounds
    assert shown == pytest.approx(low * scale, abs=0.51 * 10.0**-digits, rel=1e-12)
    bounds = [float(text.replace(",", "")) for text in re.split("–| to ", metric.range(low, low + width))]
    tolerance = max(10.0 ** -max(digits - 1, 0), max(abs(low), abs(low + width)) * scale / 100)
    assert bounds == pytest.approx([low * scale, (low + width) * scale], abs=0.51 * tolerance, rel=1e-12)
    assert bounds[0] <= bounds[1]
    for bound, exact in zip(bounds, (low * scale, (low + width) * scale), strict=True):
        assert len(f"{bound:.6f}".rstrip("0").partition(".")[2]) <= digits
        assert bound or not round(exact, digits)  # 0 is printed for what is 0 to the value's digits


def test_names_are_checked_and_those_on_pairs_are_not_evaluated() -> None:
    assert set(METRICS) - set(EVALUATED) == {"ssim", "psnr"}
    assert all(metric.name == name for name, metric in METRICS.items())
    with pytest.raises(ValueError, match="no metric 'fid', 'x', expected some of fvd, fvd_inf, kvd, jedi"):
        checked(["fvd", "fid", "x"])


def test_documents_name_every_metric(root: Path) -> None:
    """The table of docs/score.md, in the catalogue's order, with what each needs."""
    rows = [line.split("|") for line in (root / "docs/score.md").read_text().splitlines() if line.startswith("| `")]
    needs = {"": "nothing", "real": "real clips", "captions": "captions", "pairs": "of the same names"}
    found = {name: row[2] for row in rows for name in re.findall("`(.*?)`", row[1]) if name in METRICS}
    assert list(found) == list(METRICS)
    for name, said in found.items():
        assert needs[METRICS[name].needs] in said, name


def test_a_new_metric_is_a_function_and_a_record(
    scorer: Scorer, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured, summed up, fingerprinted and compared without another line."""

    def largest(frames: torch.Tensor, _: torch.Tensor | None) -> torch.Tensor:
        return frames.amax(dim=(1, 2))

    record = Metric("largest", "Largest", True, 3, network="clip", of_frames=largest)
    monkeypatch.setattr(measuring, "PER_CLIP", (*measuring.PER_CLIP, record))
    monkeypatch.setitem(catalogue.METRICS, record.name, record)
    result, table = scorer.score(["largest"], folders / "gen")
    (value,) = result.values
    assert value.value == pytest.approx(table.largest.mean())
    assert result.fingerprints[value.fingerprint]["network"].startswith("dual encoder")
    own = scorer.measure([VideoInput(source) for source in find(folders / "real")], "own")
    sample = Sample(own, None, scorer.protocol, Uncertainty(20))
    (real,) = summarise(["largest"], sample)
    fewer = replace(own, table=own.table.iloc[1:], logits=own.logits[1:])
    found = compare(record, sample, replace(sample, gen=fewer))
    assert found is not None
    assert (real.n_gen, found.pairs, found.difference.value) == (5, 4, 0)


def test_records_of_video_metrics_measure_what_they_say() -> None:
    """Each metric on frames has a value of every window, whatever the others need."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.nn.functional.normalize(torch.randn(2, 3, 4, generator=generator), dim=-1)
    columns = measuring._of_frames(frames, None)
    assert set(columns) == {"frame_consistency"}
    columns = measuring._of_frames(frames, frames[0, 0].numpy())
    assert set(columns) == {"clipsim", "clip_score", "frame_consistency"}
    assert all(column.shape == (2,) and np.isfinite(column).all() for column in columns.values())
    assert set(measuring._of_frames(frames[:, :1], None)) == set()
