from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from pipeline.report.results import Results
from pipeline.report.site import write_report
from tests.pipeline.report.reading import Reader, words


def test_the_run_is_told(report: Path, results: Results) -> None:
    page = Reader(report / "protocol.html")
    assert f"torch {version('torch')}" in words(page)
    run = page.tables["table 0"]
    assert ["cogvideox", "a folder", "w" * 12, "2", "0", "1"] in run
    assert len(run) == 1 + len(results.params.generate.methods)
    assert next(row for row in run if row[0] == "strip")[3:5] == ["10", "1"]  # one clip failed


def test_what_protocols_share_is_told_once(results: Results, tmp_path: Path) -> None:
    metrics = results.metrics
    metrics.loc[(metrics.metric == "fvd") & (metrics.method == "harivo"), "fingerprint"] = "other"
    protocols = {"of-fvd": {"name": "fvd", "ddof": 1, "n_gen": 66}, "other": {"name": "fvd", "ddof": 1, "n_gen": 16}}
    own = replace(results, evaluation=results.evaluation | {"protocols": results.evaluation["protocols"] | protocols})
    page = Reader(write_report(own, tmp_path).parent / "protocol.html")
    assert [["Fingerprint", "n_gen"], ["of-fvd", "66"], ["other", "16"]] in page.tables.values()
    assert {"p-of-fvd", "p-other"} <= set(page.ids)


def test_digests_are_short_in_tables_and_whole_in_tooltips_and_below(results: Results, tmp_path: Path) -> None:
    mark, weights = "a1" * 32, "b2" * 32
    results.metrics.loc[results.metrics.metric == "fvd", "fingerprint"] = mark
    protocols = results.evaluation["protocols"] | {mark: {"weights": weights}}
    own = replace(results, evaluation=results.evaluation | {"protocols": protocols})
    page = Reader(write_report(own, tmp_path).parent / "protocol.html")
    assert f"p-{mark}" in page.ids
    assert [["Fingerprint"], [mark[:12]]] in page.tables.values()
    assert {mark, weights} <= set(page.tooltips)
    tables, whole = words(page).rsplit("Digests in full", 1)
    assert weights[:12] in tables
    assert not {mark, weights} & set(tables.split())
    assert f"{mark[:12]} {mark} {weights[:12]} {weights}" in whole
    assert mark not in (tmp_path / "tables/fingerprints.md").read_text()
