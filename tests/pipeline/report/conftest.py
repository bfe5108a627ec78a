"""A small run: two mixtures of the toy world, the paper's seventeen, every shipped method; one clip failed."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.clips import ledger
from pipeline.clips.files import write_clip
from pipeline.config import params, paths
from pipeline.config.etc import Etc
from pipeline.config.generate import Method
from pipeline.config.harivo import Trials
from pipeline.evaluation.choices import COLUMNS as CHOICES_TABLE
from pipeline.evaluation.comparisons import FAMILIES
from pipeline.evaluation.leaders import COLUMNS as LEADERS
from pipeline.evaluation.oracle import COLUMNS as ORACLE
from pipeline.evaluation.oracle import RATES, STEP_COLUMNS
from pipeline.prompts.sets import Mixture, read_sets, spread
from pipeline.prompts.tables import write_tables
from pipeline.report.results import Results
from pipeline.report.site import write_report
from pipeline.richspace.optima import CURVES, TABLE, search_key, strip_steps
from pipeline.sweeps.etc_tables import LARGER
from pipeline.world.attributes import ATTRIBUTES, AVERAGE, HEADING
from tests.pipeline.report.cascade_results import write_cascade_parts
from tests.pipeline.report.published_results import write_published
from tests.pipeline.report.study_results import write_studies

K, STEP = 30, 12
INTERVAL = {"value": 0.5, "low": 0.25, "high": 0.75}
COUNTS = {"requested": 2, "generated": 2, "scored": 2}
FEW = "n = 2 < 400"


@pytest.fixture(scope="session")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as the earlier stages leave it, to be read only. The guide of the first mixture holds signs that could
    break a page."""
    folder = tmp_path_factory.mktemp("run")
    with chdir(folder):
        for name in ("pipeline", "stages", "metrics"):
            Path(name).symlink_to(root / name)
        data = params.read(root / paths.PARAMS)
        data["generate"]["mixtures"]["limit"] = 2
        data["harivo"]["remark"] = None  # a run whose ablation may be compared
        params.write(data)
        generate, mixtures = params.load().generate, _write_prompts(root)
        shown = spread([mixture for mixture in mixtures if mixture.set == "world"], 2)
        _write_search(mixtures)
        for name, method in generate.methods.items():
            _write_clips(generate.folder(name), name, shown, is_strip="strip" in method.module)
        _write_sweeps(params.load().harivo.sweep.points)
        _write_trials(params.load().harivo.trials)
        _write_etc(params.load().etc)
        _write_make_a_video(params.load().make_a_video.points)
        _write_attention_maps()
        _write_results(shown, {name: _asked(generate.methods[name]) for name in generate.evaluated})
        _write_analyses()
        _write_attention()
        write_studies(params.load())
        write_published(params.load())
    return folder


@pytest.fixture
def results(run: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """The results of the run, each time anew."""
    monkeypatch.chdir(run)
    return Results.read(params.load())


@pytest.fixture(scope="session")
def report(run: Path) -> Path:
    """The folder of the whole report, to be read only."""
    with chdir(run):
        return write_report(Results.read(params.load()), paths.REPORTS.absolute()).parent


def _write_prompts(root: Path) -> list[Mixture]:
    shutil.copytree(root / "prompts", "prompts")
    prompts, mixtures = read_sets(Path("prompts"), ["richspace", "world"])
    first = next(mixture for mixture in mixtures if mixture.set == "world")
    unsafe = {first.guide: 'A "<b>bold</b>" prompt & more'}
    prompts = [type(p)(p.id, p.set, p.category, unsafe.get(p.id, p.text), p.extra) for p in prompts]
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)
    return mixtures


def _write_search(mixtures: Sequence[Mixture]) -> None:
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


def _write_clips(folder: Path, name: str, shown: Sequence[Mixture], is_strip: bool) -> None:
    variants = [f"i{step}" for step in strip_steps(STEP, K)] if is_strip else [""]
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


def _write_trials(trials: Trials) -> None:
    """Each a half in all; validation losses that fall with the learning rate; what the seeds of training come to."""
    metrics = ("fvd", AVERAGE, *ATTRIBUTES, HEADING, "roughness")
    _write(paths.TRIALS.stem, [metric_row(name, "prompts", metric) for name in trials.points for metric in metrics])
    for name, point in trials.points.items():
        folder = paths.trial(name)
        folder.mkdir(parents=True)
        queue = point.queue or 256  # values that tell points apart
        over = np.array([-1.0, -2.0, -3.0]) * queue / 256
        curves = {"step": [100, 500, 3000], "loss": 0.1, "dc_over_chance": over, "loss_dc": over + np.log(queue)}
        curves |= {"dc_positive": 0.9, "dc_negative": 0.1, "grad_norm_simple": 2.0, "grad_norm_dc": [4.0, 4.0, 9.0]}
        history = pd.DataFrame(curves).assign(validation_loss=0.2 - (point.learning_rate or 0))
        history.to_csv(folder / "history.csv", index=False)
    seeds = {
        "seeds": 3,
        "prompts": 2,
        "baseline_mean": 0.5,
        "baseline_sd": 0.01,
        "candidate_mean": 0.6,
        "candidate_sd": 0.02,
    }
    seeds |= {"difference": 0.1, "low": -0.1, "high": 0.3, "between_seeds": 0.05, "p": 0.2, "p_holm": 0.4}
    attributes = (AVERAGE, *ATTRIBUTES, HEADING)
    pd.DataFrame([{"attribute": name, **seeds} for name in attributes]).to_csv(paths.TRAINING_SEEDS, index=False)


def _write_analyses() -> None:
    """Table A1, Figure A1, the histories of a codec, and of temporal layers with the cue and without; and what was
    measured of two autoencoders, on grids better by 0.1 on each clip."""
    paths.NORMALITY.parent.mkdir(parents=True)
    paths.MAPPING_EFFECT.parent.mkdir(parents=True)
    row = {"noise": "mixed", "weight": 1.0, "frames": 24, "correlation": 0.5, "shape": "4x24x8x8", "videos": 10}
    pd.DataFrame([row | {"share": 0.6, "low": 0.5, "high": 0.7}]).to_csv(paths.NORMALITY, index=False)
    effect = [{"timestep": t, "change": 0.2, "change_sd": 0.1, "mean_shift": 0.0, "sd_change": 0.1} for t in (999, 1)]
    pd.DataFrame(effect).to_csv(paths.MAPPING_EFFECT, index=False)
    paths.world_model("codec").mkdir(parents=True)
    history = pd.DataFrame({"step": [20, 40, 40], "loss": [1.0, 0.5, np.nan], "psnr_db": [np.nan, np.nan, 30.0]})
    history[["lr", "grad_norm", "loss_kl"]] = 0.1
    history.to_csv(paths.world_model("codec") / "history.csv", index=False)
    for name, action in (("animatediff", 0.5), ("animatediff_cueless", 0.25)):
        paths.world_model(name).mkdir()
        values = {"step": [1], "loss": [0.1], "judge_action": [action], "judge_heading": [1.0]}
        pd.DataFrame(values).to_csv(paths.world_model(name) / "history.csv", index=False)
    for name, ssim in (("autoencoder", (0.7, 0.9)), ("autoencoder_grids", (0.8, 1.0))):
        paths.world_model(name).mkdir()
        others = {"ssim_seam": 0.75, "ssim_inside": 0.85, "apart": 0.95, "apart_seam": 0.95, "kl": 1.5}
        table = pd.DataFrame({"ssim": ssim, **others}).rename_axis("clip")
        table.to_csv(paths.similarities(paths.world_model(name)))


def _write_attention() -> None:
    """Spatial attention takes 3 ms and temporal 1 ms; the image's twice as long as both. 4 sequences take least."""
    paths.ATTENTION.mkdir(parents=True)
    about = {"channels": 4, "calls": 9, "cpus": 2, "threads": 1, "torch": "2.0"}
    shapes = {"image": (1, 64, 0.008), "spatial": (4, 16, 0.003), "temporal": (16, 4, 0.001)}
    table = [
        {"setting": setting, "part": part, "batch": b, "tokens": n, "operations": 512 * (16 + n), "best_s": s} | about
        for setting in ("base", "high_quality")
        for part, (b, n, s) in shapes.items()
    ]
    pd.DataFrame(table).to_csv(paths.ATTENTION_TABLE, index=False)
    sweep = [(1, 64, 0.008), (4, 16, 0.003), (64, 1, 0.004)]
    rows = [(b, n, 512 * (16 + n), 1 / b, s) for b, n, s in sweep]
    columns = ["batch", "tokens", "operations", "receptive_field", "best_s"]
    pd.DataFrame(rows, columns=columns).to_csv(paths.ATTENTION_SWEEP, index=False)


def _write_results(shown: Sequence[Mixture], asked: Mapping[str, str]) -> None:
    of_videos = ("fvd", "kvd", "clipsim", "frames_per_second", "parameters")
    judged = {"prompts": (*ATTRIBUTES, AVERAGE), "mixtures": ("success_rate",)}
    rows = [metric_row(m, asked[m], metric) for m in asked for metric in (*of_videos, *judged[asked[m]])]
    verdicts = [{"method": m, "mixture": x.id, "seed": 0, "success": m == "richspace"} for m in asked for x in shown]
    _write("metrics", rows)
    _write("verdicts", verdicts)
    _write_comparisons(list(asked))
    _write_oracle()
    protocols = {row["fingerprint"]: {"name": row["metric"], "code": "x"} for row in rows}
    summary = {"protocols": protocols, "success_tests": [SUCCESS], "attribute_tests": [AVERAGES], "families": FAMILIES}
    (paths.RESULTS / "evaluation.json").write_text(json.dumps(summary))


def _write_sweeps(points: Iterable[str]) -> None:
    paths.RESULTS.mkdir(parents=True)
    metrics = (*ATTRIBUTES, AVERAGE, "roughness", "object_speed")
    _write(paths.SWEPT.stem, [metric_row(point, "prompts", metric) for point in points for metric in metrics])


def _write_etc(etc: Etc) -> None:
    """Every point, the losses of the grid and of temporal attention, which fall to 1 and to 2, and larger clips."""
    metrics = ("fvd", "clipsim", "cut_wrongly", *ATTRIBUTES, "object_speed")
    rows = [metric_row(point, "prompts", metric) for point in etc.measured for metric in metrics]
    _write(paths.ETC_POINTS.stem, rows)
    for name, last in (("etc", 1.0), ("temporal_attention", 2.0)):
        paths.world_model(name).mkdir(parents=True)
        steps = np.arange(250, 5001, 250)
        loss = np.where(steps <= 2000, 4.0, last)
        history = pd.DataFrame({"step": [*steps, 5000], "loss": [*loss, np.nan]})
        history["judge_content"] = [*[np.nan] * len(steps), 0.9]
        history.to_csv(paths.world_model(name) / "history.csv", index=False)
    for name, point in etc.larger.points.items():
        measured = {"cut_wrongly": 0.05, "judge_content": 0.9, "judge_action": 0.8, "judge_not_weird": 0.7}
        paths.etc_larger(name).mkdir(parents=True)
        table = pd.DataFrame({"metric": measured.keys(), "value": measured.values(), "clips": 20})
        table.to_csv(paths.etc_larger(name) / LARGER, index=False)
        clip = np.full((point.frames, point.height, point.height, 3), 99, np.uint8)
        write_clip(paths.etc_larger(name) / "world-001-s0.mkv", clip, 8)


def _write_make_a_video(points: Iterable[str]) -> None:
    """Every point, a CogVideoX whose validation calls the action motion, and the parts alone."""
    metrics = ("fvd", "clipsim", *ATTRIBUTES, HEADING, "frames_per_second", "parameters")
    _write(paths.CASCADE_POINTS.stem, [metric_row(point, "prompts", metric) for point in points for metric in metrics])
    paths.world_model("cogvideox").mkdir(parents=True)
    values = {"step": [1], "loss": [0.1], "judge_motion": [0.99]}
    pd.DataFrame(values).to_csv(paths.world_model("cogvideox") / "history.csv", index=False)
    write_cascade_parts()


def _write_attention_maps() -> None:
    """Of 16 frames: etc looks at the own frame alone, etc_plain at all alike."""
    frames = range(1, 17)
    rows = [
        {"training": name, "step": step, "timestep": t, "head": head, "from_frame": i, "to_frame": j, "share": share}
        for name in ("etc", "etc_plain")
        for step, t in ((1, 999), (25, 39))
        for head in (1, 2)
        for i in frames
        for j in frames
        for share in [float(i == j) if name == "etc" else 1 / 16]
    ]
    paths.ATTENTION_MAPS.parent.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(paths.ATTENTION_MAPS, index=False)


def metric_row(method: str, asked: str, metric: str) -> dict[str, Any]:
    """A row of metrics.csv; speed and size have no interval."""
    values = INTERVAL if metric not in ("frames_per_second", "parameters") else {"value": 7.0}
    flag = FEW if metric == "fvd" else ""
    return {
        "method": method,
        "asked": asked,
        "metric": metric,
        **values,
        **COUNTS,
        "flag": flag,
        "fingerprint": f"of-{metric}",
    }


def _write_oracle() -> None:
    """Colours are below the goal, shapes above their own; textures, sizes and motions were not asked for."""
    rates = {"colour": (75.0, 50.0, 25.0, 0.0), "shape": (62.5, 25.0, 50.0, 12.5), "all": (70.0, 40.0, 35.0, 5.0)}
    about = {"n": 8, "mixtures": 2, "mixtures_shown": 100.0, "between": 60.0, "share": 50.0}
    rows = [
        {"attribute": name, **about, **dict(zip(RATES, values, strict=True))}
        | {f"{rate}_{end}": 10.0 if end == "low" else 90.0 for rate in (*RATES, "share") for end in ("low", "high")}
        for name, values in rates.items()
    ]
    _write(paths.ORACLE_TABLE.stem, pd.DataFrame(rows).reindex(columns=list(ORACLE)).to_dict("records"))
    _write(paths.CHOICES_TABLE.stem, choices())
    steps = [(name, step, step / 2, 8, 10.0 * step, 90.0, 80.0, 70.0, 0.5) for name in rates for step in range(3)]
    _write(paths.ORACLE_STEPS.stem, pd.DataFrame(steps, columns=list(STEP_COLUMNS)).to_dict("records"))


def choices() -> list[dict[str, Any]]:
    """RichSpace's step is that of both curves; the midpoint shows more."""
    about = {"attribute": "all", "n": 8, "mixtures": 6}
    none = dict.fromkeys(CHOICES_TABLE)
    same = {"value": 25.0, "difference": 0.0, "better": 0, "worse": 0}
    rows = {
        "optimum": {"value": 25.0, "low": 10.0, "high": 50.0},
        **dict.fromkeys(("full", "truncated"), same),
        "foot": {"value": 50.0, "difference": -25.0, "better": 1, "worse": 2},
        "midpoint": {"value": 75.0, "difference": -50.0, "better": 0, "worse": 5, "p_holm": 0.03},
        "random": {"value": 20.0, "difference": 5.0, "better": 3, "worse": 2, "p_holm": 0.5},
    }
    return [none | about | {"choice": name} | row for name, row in rows.items()]


PAIR = {"candidate": "richspace", "baseline": "cogvideox", "pairs": 2, "clusters": 1}
SUCCESS = PAIR | {
    "only_candidate": 2,
    "only_baseline": 0,
    "clusters_better": 1,
    "clusters_worse": 0,
    "p": 0.25,
    "p_holm": 0.5,
}
AVERAGES = {
    "candidate": "harivo",
    "baseline": "harivo_base",
    "pairs": 2,
    "clusters": 2,
    "better": 1,
    "worse": 0,
    "difference": 0.1,
    "low": -0.1,
    "high": 0.2,
    "p": 0.2,
    "p_holm": 0.4,
}


def _write_comparisons(methods: Sequence[str]) -> None:
    of_two = {"clips": 40, "seeds": 2, "best_of": 2}
    seeds = [
        of_two | {"metric": "fvd", "mean": 9.0, "sd": 1.0, "best_value": 8.3, "flag": "n = 40 < 400"},
        of_two | {"metric": "kvd", "mean": 0.5, "sd": 0.25, "best_value": np.nan, "flag": ""},
    ]
    points = [{"n": n, "seed": s, "fvd": 100 / n + s, "flag": f"n = {n} < 400"} for n in (2, 4) for s in range(2)]
    difference = {"difference": -12.5, "low": -20.0, "high": -1.0, "p": 0.01, "p_holm": 0.04, "flag": FEW}
    _write("differences", [{"metric": "fvd", **PAIR, **difference}])
    _write("over_seeds", [{"method": method, **own} for method in methods for own in seeds])
    _write("fvd_by_clips", [{"method": method, **point} for method in methods for point in points])
    leaders = [
        ("mixtures", "success_rate", "richspace", "cogvideox", True),
        ("mixtures", "fvd", "end_a", "end_b", False),
        ("ablation", "average", "harivo", "harivo_trs", True),
    ]
    rows = [dict(zip(("table", "metric", "best", "second", "separated"), leader, strict=True)) for leader in leaders]
    _write("leaders", pd.DataFrame(rows).reindex(columns=list(LEADERS)).to_dict("records"))


def _write(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    pd.DataFrame(rows).to_csv(paths.RESULTS / f"{name}.csv", index=False)
