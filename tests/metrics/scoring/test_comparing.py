"""Two sides compared: tables against numbers by hand, results that were written, and what cannot be compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.distances import fvd as frechet
from metrics.scoring import compared, result
from metrics.scoring.comparing import CompareError, Side, compare_sides, of_file, of_videos
from metrics.scoring.protocol import named
from metrics.scoring.scorer import Scorer
from metrics.statistics.bootstrap import Uncertainty
from metrics.statistics.clusters import paired_rate_difference

HOW = Uncertainty(200)
PROMPTS = np.repeat([f"prompt {i}" for i in range(8)], 3)


def table(path: Path, seed: int, gain: float = 0.0, **columns: object) -> Path:
    """24 clips of 8 prompts: a number and a yes or no."""
    rng = np.random.default_rng(seed)
    own = pd.DataFrame({"clip": [f"{i:03}" for i in range(24)], "prompt": PROMPTS})
    own = own.assign(number=rng.normal(gain, 1, 24), shown=(rng.random(24) < 0.4 + gain / 3).astype(int), **columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    own.to_csv(path, index=False) if path.suffix == ".csv" else own.to_parquet(path, index=False)
    return path


def side(path: Path, cluster: str = "prompt") -> Side:
    return of_file(path, cluster, named("reelbench"), HOW)


def test_columns_are_compared_pair_by_pair(tmp_path: Path) -> None:
    a, b = side(table(tmp_path / "a.csv", 0, 1.0)), side(table(tmp_path / "b.parquet", 1))
    number, shown = compare_sides(a, b).differences
    tables = [one.sample.gen.table for one in (a, b)]
    difference = tables[0].number - tables[1].number
    assert (number.metric.name, number.metric.unit, shown.metric.unit) == ("number", "", "%")
    assert (number.pairs, number.clusters) == (24, 8)
    assert (number.a, number.b) == pytest.approx([one.number.mean() for one in tables])
    assert number.difference == pytest.approx(difference.mean())
    sums = difference.groupby(PROMPTS).sum().to_numpy()
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    assert number.p == pytest.approx((np.abs(signs @ sums) >= abs(sums.sum()) - 1e-9).mean())
    outcomes = [one.shown.to_numpy(bool) for one in tables]
    expected = paired_rate_difference(*outcomes, pd.factorize(PROMPTS)[0])
    assert (shown.difference, shown.low, shown.high) == (expected.value, expected.low, expected.high)
    low, high = sorted([number, shown], key=lambda one: one.p)
    assert (low.p_holm, high.p_holm) == pytest.approx((min(1, 2 * low.p), max(high.p, min(1, 2 * low.p))))


def test_clusters_are_prompts_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    paths = [table(tmp_path / f"{i}.csv", i, group=np.repeat(["x", "y", "z"], 8)) for i in range(2)]
    counts = {}
    for cluster in ("prompt", "none", "group"):
        found = compare_sides(*(side(path, cluster) for path in paths)).differences
        counts[cluster] = {one.clusters for one in found}
    assert counts == {"prompt": {8}, "none": {24}, "group": {3}}
    with pytest.raises(CompareError, match=r"0\.csv: no column 'other' \(--cluster\), found clip, prompt"):
        side(paths[0], "other")


def test_what_is_not_paired_is_named(tmp_path: Path) -> None:
    a, b = table(tmp_path / "a.csv", 0, extra=1.5), table(tmp_path / "b.csv", 1)
    pd.read_csv(b, dtype={"clip": str}).iloc[2:].to_csv(b, index=False)
    found = compare_sides(side(a), side(b))
    assert found.alone == (["000", "001"], [])
    assert {one.pairs for one in found.differences} == {22}
    assert found.missing == {"extra": f"{b} does not have it"}
    chosen = compare_sides(side(a), side(b), ["shown", "fvd", "fvd_inf"])
    assert [one.metric.name for one in chosen.differences] == ["shown"]
    assert chosen.missing["fvd"] == f"{a} has no features: give its videos"
    assert chosen.missing["fvd_inf"] == "has no paired comparison"


def test_a_side_against_itself_is_no_different(tmp_path: Path) -> None:
    own = side(table(tmp_path / "a.csv", 0))
    for one in compare_sides(own, own).differences:
        assert (one.difference, one.p, one.p_holm) == (0, 1, 1)
        assert one.low <= 0 <= one.high


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,x\na,1\na,2\n", "field clip: 'a' is there twice"),
        ("what,x\na,1\n", "expected a row per clip, and one of file, clip, stem"),
        ("clip,x\n", "found 0 rows"),
        ("clip,x\na,1\nb,-inf\n", "row 3, field x: infinite, expected a number or nothing"),
        ("", "cannot be read as a table"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(CompareError, match=message):
        side(tmp_path / "t.csv")


def test_sides_that_share_nothing_are_refused(tmp_path: Path) -> None:
    a = side(table(tmp_path / "a.csv", 0))
    (tmp_path / "b.csv").write_text("clip,number\nx,1\ny,2\n")
    with pytest.raises(CompareError, match=r"no clip is in both: .*a\.csv has '000', .*b\.csv has 'x'"):
        compare_sides(a, side(tmp_path / "b.csv"))
    (tmp_path / "c.csv").write_text("clip,word\n000,one\n001,two\n")
    with pytest.raises(CompareError, match=r"nothing to compare: number: .*c\.csv does not have it"):
        compare_sides(a, side(tmp_path / "c.csv"))
    (tmp_path / "r.json").write_text('{"schema": "reelbench.score/1"}')
    with pytest.raises(CompareError, match="no result that `reelbench score --out` wrote"):
        side(tmp_path / "r.json")


def test_videos_their_result_and_other_choices(scorer: Scorer, folders: Path, tmp_path: Path) -> None:
    """Videos have distances; what `score` wrote of them has the same values of every clip, and no distance."""
    names = ["fvd", "frame_consistency"]
    sides = []
    for name in ("gen", "real"):
        sample = scorer.sample(names, folders / name, folders / "real")
        sides.append(of_videos(name, sample, names))
    found = compare_sides(*sides)
    fvd, consistency = found.differences
    assert (fvd.pairs, fvd.flag) == (3, "n = 3 < 401")
    assert consistency.flag == "toy world's own encoder"
    assert fvd.difference == pytest.approx(fvd.a - fvd.b)
    logits = [own.sample.gen.logits for own in sides]
    assert (fvd.a, fvd.b) == pytest.approx([frechet.fvd(of[:3], logits[1]) for of in logits])
    scored, clips = scorer.score(["frame_consistency"], folders / "gen")
    result.write(scored, clips, tmp_path / "gen.json")
    written = side(tmp_path / "gen.json")
    (again,) = compare_sides(written, sides[1]).differences
    assert again.difference == pytest.approx(consistency.difference)
    assert again.flag == consistency.flag
    other = {"frame_consistency": dict(written.choices["frame_consistency"]) | {"frames": 5}}
    (unlike,) = compare_sides(replace(written, choices=other), sides[1]).differences
    assert unlike.flag == "toy world's own encoder; made with another frames"
    out = compared.result_of(found, *sides, "prompt")
    compared.write(out, tmp_path / "c.json")
    assert compared.read(tmp_path / "c.json") == out
    assert out.real == 5 and out.b.alone == ["c3", "c4"]
