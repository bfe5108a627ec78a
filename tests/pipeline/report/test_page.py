"""The page from small result files: everything that it shows is in its folder, and no text can break it."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.config import paths
from pipeline.config.generate import Method
from pipeline.config.params import Params
from pipeline.harivo.sweeps import LAMBDAS
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables
from pipeline.report import harivo
from pipeline.report.page import Results, write_report
from pipeline.richspace.optima import CURVES, TABLE, search_key, strip_steps
from pipeline.world.attributes import ATTRIBUTES

K, STEP = 30, 12


@pytest.fixture
def results(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Two world mixtures, the paper's seventeen, four evaluated methods; one clip of the strip failed."""
    monkeypatch.chdir(tmp_path)
    data = yaml.safe_load((root / "params.yaml").read_text())
    data["generate"]["mixtures"]["limit"] = 2
    data["harivo"]["sweep"]["points"] = {name: {"mg_scale": 1} for name in "abcd"}
    shutil.copytree(root / "prompts", "prompts")
    prompts, mixtures = read_sets(Path("prompts"), ["richspace", "world"])
    shown = [m for m in mixtures if m.set == "world"][:2]
    texts = {shown[0].guide: 'A "<b>bold</b>" prompt & more'}
    prompts = [p if p.id not in texts else type(p)(p.id, p.set, p.category, texts[p.id], p.extra) for p in prompts]
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    _write_search(mixtures)
    generate = Params.model_validate(data).generate
    for name, method in generate.methods.items():
        _write_clips(generate.folder(name), name, shown, "i" if "strip" in method.module else "")
    asked = {name: _asked(generate.methods[name]) for name in generate.evaluated}
    _write_results(shown, asked)
    _write_analyses()
    paths.world_model("codec").mkdir(parents=True)
    history = pd.DataFrame({"step": [20, 40, 40], "loss": [1.0, 0.5, np.nan], "psnr_db": [np.nan, np.nan, 30.0]})
    history[["lr", "grad_norm", "loss_kl"]] = 0.1
    history.to_csv(paths.world_model("codec") / "history.csv", index=False)
    return Results.read(Params.model_validate(data))


def _write_search(mixtures: list) -> None:
    folder = paths.search("minilm")
    folder.mkdir(parents=True)
    rows = [(m.id, K, STEP, STEP / K, 0.41, 1.9, None) for m in mixtures]
    columns = ["mixture", "k", "step", "weight", "continuous_weight", "similarity", "first_step"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / TABLE, index=False)
    curve = {name: np.linspace(0, 1, K).tolist() for name in ("full", "truncated", "total")}
    (folder / CURVES).write_text(json.dumps({search_key(m.id, K): curve for m in mixtures}))


def _asked(method: Method) -> str:
    """What a shipped method is asked for."""
    mixed = method.options.get("ask") == "mixtures" or Path(method.module).stem in ("richspace", "endpoint")
    return "mixtures" if mixed else "prompts"


def _write_clips(folder: Path, name: str, shown: list, prefix: str) -> None:
    variants = [f"i{step}" for step in strip_steps(STEP, K)] if prefix else [""]
    for mixture in shown:
        for variant in variants:
            clip = "-".join(filter(None, (mixture.name, "s0", variant)))
            failed = mixture is shown[1] and variant == "i1"
            outcome = "RuntimeError: no" if failed else ledger.OK
            entry = ledger.Entry(clip, name, mixture.id, 0, variant, "p", "c", "w" * 64, "f", 0.5, outcome)
            ledger.append(folder, entry)
            if not failed:
                write_clip(folder / f"{clip}.mkv", np.full((4, 16, 16, 3), 99, np.uint8), 8)
    (folder / ledger.ABOUT).write_text(json.dumps({"weights": "w" * 64, "parameters": 7, "origin": "a folder"}))


def _write_analyses() -> None:
    """Table A1, Figure A1, and two points of each sweep."""
    paths.NORMALITY.parent.mkdir(parents=True)
    row = {"noise": "mixed", "weight": 1.0, "frames": 24, "correlation": 0.5, "shape": "4x24x8x8", "videos": 10}
    pd.DataFrame([row | {"share": 0.6, "low": 0.5, "high": 0.7}]).to_csv(paths.NORMALITY, index=False)
    effect = [{"timestep": t, "change": 0.2, "change_sd": 0.1, "mean_shift": 0.0, "sd_change": 0.1} for t in (999, 1)]
    pd.DataFrame(effect).to_csv(paths.MAPPING_EFFECT, index=False)
    paths.SWEEPS.mkdir(parents=True)
    lambdas = dict.fromkeys(LAMBDAS, 0.1)
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    metrics = dict.fromkeys((*ATTRIBUTES, "average", "roughness", "speed"), interval)
    for name, change, steps in (("a", {}, 0), ("b", {"mg_scale": 40}, 0), ("c", {}, 9), ("d", {"lambda_dc": 0}, 9)):
        point = {"mg_scale": 0.0, **lambdas, **change, "steps": steps, "clips": 4, "metrics": metrics}
        paths.sweep(name).write_text(json.dumps(point))


def _write_results(shown: list, asked: dict[str, str]) -> None:
    methods = list(asked)
    counts = {"requested": 2, "generated": 2, "scored": 2}
    rows = [
        {
            "method": m,
            "asked": asked[m],
            "metric": k,
            "value": 0.5,
            "low": 0.1,
            "high": 0.9,
            **counts,
            "flag": "n = 2 < 400",
            "fingerprint": "abc",
        }
        for m in methods
        for k in ("fvd", "kvd", "clipsim", "frames_per_second", "parameters")
        + ((*ATTRIBUTES, "average") if asked[m] == "prompts" else ("success_rate",))
    ]
    paths.RESULTS.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(paths.RESULTS / "metrics.csv", index=False)
    verdicts = [{"method": m, "mixture": x.id, "seed": 0, "success": m == "richspace"} for m in methods for x in shown]
    pd.DataFrame(verdicts).to_csv(paths.RESULTS / "verdicts.csv", index=False)
    _write_comparisons(methods)
    test = {
        "candidate": "richspace",
        "baseline": "cogvideox",
        "pairs": 2,
        "only_candidate": 2,
        "only_baseline": 0,
        "p": 0.5,
    }
    average = {"candidate": "harivo", "baseline": "animatediff", "pairs": 2, "better": 1, "worse": 0}
    average |= {"difference": 0.1, "low": -0.1, "high": 0.2, "p": 0.4}
    summary = {"protocols": {"abc": {"name": "x"}}, "success_tests": [test], "attribute_tests": [average]}
    (paths.RESULTS / "evaluation.json").write_text(json.dumps(summary))


def _write_comparisons(methods: list[str]) -> None:
    pair = {"candidate": "richspace", "baseline": "cogvideox", "pairs": 2}
    seeds = {"clips": 40, "seeds": 2, "mean": 9.0, "sd": 1.0, "minimum_of_3": np.nan, "flag": "n = 40 < 400"}
    points = [{"n": n, "seed": s, "fvd": 100 / n + s, "flag": f"n = {n} < 400"} for n in (2, 4) for s in range(2)]
    tables = {
        "differences": [
            {"metric": "fvd", **pair, "difference": -12.5, "low": -20.0, "high": -1.0, "flag": "n = 2 < 400"}
        ],
        "fvd_by_seed": [{"method": method, **seeds} for method in methods],
        "fvd_by_clips": [{"method": method, **point} for method in methods for point in points],
    }
    for name, rows in tables.items():
        pd.DataFrame(rows).to_csv(paths.RESULTS / f"{name}.csv", index=False)


def test_the_page_needs_nothing_outside_its_folder(results: Results) -> None:
    page = write_report(results, paths.REPORTS)
    text = page.read_text()
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    for reference in re.findall(r"(?:src|href)=\"([^\"#]+)\"", text):
        assert (paths.REPORTS / reference).is_file(), reference
    for name in (
        "comparison",
        "differences",
        "fvd_by_seed",
        "fvd_by_clips",
        "mixtures",
        "richspace_steps",
        "steps_by_k",
        "mixtures_by_attribute",
        "harivo_table1",
        "harivo_table_a1",
        "harivo_table_a2",
        "harivo_sweep_mg_scale",
        "harivo_sweep_lambda_dc",
    ):
        for suffix in ("csv", "md", "tex"):
            assert (paths.REPORTS / "tables" / f"{name}.{suffix}").is_file()


def test_harivos_tables_stand_beside_the_papers(results: Results) -> None:
    text = write_report(results, paths.REPORTS).read_text()
    assert '<td class="num">60.0<small>50.0 – 70.0</small></td><td class="num">63.01</td>' in text  # Table A1
    assert "paper 1934.72" in text
    assert "paper 80.5" in text
    assert "+10.0 points (-10.0 … +20.0)" in text.replace("\n", " ")
    assert "No difference is shown" in text
    assert "Each λ off and on" in text
    table = pd.read_csv(paths.REPORTS / "tables/harivo_table_a2.csv").set_index("variant")
    assert table.content.tolist() == [50] * 6
    assert table.paper_average["+ mapping"] == 71.5


@pytest.mark.parametrize(
    "change", [{"ablation": {}}, {"ablation": {"ours": "harivo"}}, {"ablation": {"baseline": "richspace"}}]
)
def test_other_ablations_are_shown_as_far_as_they_go(results: Results, change: dict) -> None:
    harivo = results.params.harivo.model_copy(update=change)
    params = results.params.model_copy(update={"harivo": harivo})
    text = write_report(replace(results, params=params), paths.REPORTS).read_text()
    assert ("Tables 1 and A2" in text) == ("ours" in change["ablation"])


def test_prompts_cannot_break_the_page(results: Results) -> None:
    text = write_report(results, paths.REPORTS).read_text()
    assert "<b>bold</b>" not in text
    assert "A &#34;&lt;b&gt;bold&lt;/b&gt;&#34; prompt &amp; more" in text


def test_every_plot_is_there(results: Results) -> None:
    text = write_report(results, paths.REPORTS).read_text()
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', text, re.DOTALL).group(1))
    assert set(plots) == set(re.findall(r'data-plot="([^"]+)"', text))
    assert sum(name.startswith("paper-") for name in plots) == 17


def test_failed_clips_and_flags_are_shown(results: Results) -> None:
    text = write_report(results, paths.REPORTS).read_text()
    assert text.count(">failed<") == 1
    assert "n = 2 &lt; 400" in text
    assert "richspace 1/1" in text


def test_comparisons_between_methods_are_shown(results: Results) -> None:
    text = write_report(results, paths.REPORTS).read_text()
    assert "richspace − cogvideox" in text
    assert "-12.5" in text
    assert "9.0 ± 1.0" in text
    assert text.count("n = 40 &lt; 400") == len(results.params.generate.evaluated)


def test_without_comparisons_their_parts_are_left_out(results: Results) -> None:
    """As when nothing could be scored: the tables have their columns and no rows."""
    for name, table in results.comparisons.items():
        results.comparisons[name] = table.iloc[:0]
    text = write_report(results, paths.REPORTS).read_text()
    assert "Paired bootstrap" not in text
    assert 'data-plot="fvd"' not in text
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', text, re.DOTALL).group(1))
    assert set(plots) == set(re.findall(r'data-plot="([^"]+)"', text))


def test_a_new_report_replaces_the_old_one(results: Results) -> None:
    write_report(results, paths.REPORTS)
    (paths.REPORTS / "stale.txt").write_text("")
    write_report(results, paths.REPORTS)
    assert not (paths.REPORTS / "stale.txt").exists()


def test_the_page_says_what_each_method_is(results: Results) -> None:
    """From the methods' own files, so that a new one needs no word here."""
    text = write_report(results, paths.REPORTS).read_text()
    assert "any model on the optimal interpolation of a mixture&#39;s parts (RichSpace, Algorithm 1)." in text


def test_methods_are_grouped_by_what_they_were_asked_for(results: Results) -> None:
    write_report(results, paths.REPORTS)
    mixed = set(results.mixed.method)
    assert {"cogvideox", "richspace", "end_a"} <= mixed
    assert not {"frames", "animatediff", "harivo"} & mixed
    assert set(harivo.prompted(results.metrics)) == set(results.metrics.method) - mixed
