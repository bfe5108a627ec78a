"""Points of Make-A-Video's, and its parts alone, on networks of a few channels."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.protocol import named
from pipeline.config import paths
from pipeline.config.make_a_video import PartsQuality
from pipeline.config.params import Params
from pipeline.evaluation import evaluated
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.make_a_video import decoder, upscaling
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.interpolation import FURTHER, blended
from pipeline.make_a_video.loading import save
from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.pyramid import clips_of, scaled
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.sweeps import cascade, cascade_parts, new_frames
from pipeline.world.rates import at_rates
from pipeline.world.scene import FRAMES, SHADING, draw
from tests.emptied import without_points
from tests.pipeline.sweeps.folder import run_folder

PROMPTS = 2
PARTS = {"clips": 2, "factors": [2, 4], "rates": [8], "extrapolated": 4}


@pytest.fixture(scope="module")
def params(root: Path, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded, and an untrained cascade."""
    folder = tmp_path_factory.mktemp("cascade")
    with run_folder(root, folder, small(root, minilm)) as wanted:
        torch.manual_seed(0)
        images, schedule = decoder.build(16, [16, 16], 2, 16, 128), noise_schedule()
        videos = PseudoVideoUNet.of(images, 2, 16, rated=True)
        low, high = (upscaling.build(size, [16, 16]) for size in (32, 64))
        save(paths.world_model("prior"), Prior(128, 20, 384, 4.0, 2, 8, 1), noise_schedule("sample"))
        save(paths.world_model("interpolation"), videos.widened(FURTHER), schedule)
        save(paths.world_model("video_decoder"), videos, schedule)
        save(paths.world_model("video_upscaler"), PseudoVideoUNet.of(low, 1, 16, rated=False), schedule)
        save(paths.world_model("upscaler_high"), high, schedule)
        save(paths.world_model("decoder"), images, schedule)
        yield wanted


def small(root: Path, minilm: Path) -> dict[str, Any]:
    """The shipped parameters with Make-A-Video alone, one step of sampling for every part."""
    values = without_points(yaml.safe_load((root / "params.yaml").read_text()))
    values["embed"]["encoders"]["minilm"] |= {"checkpoint": str(minilm)}
    values["train"] = {}
    method = values["generate"]["methods"]["make_a_video"] | {"clip": str(root / "models/world/clip")}
    method["text_tower"] = str(minilm)
    for part in ("prior", "interpolation", "sr_t", "sr_h"):
        method[part] |= {"steps": 1}
    model = values["generate"]["models"]["cascade"]
    model["sampling"] |= {"steps": 1}
    values["generate"] |= {
        "models": {"cascade": model, "other": model | {"fps": 4}},
        "methods": {"make_a_video": method},
        "workers": 1,
    }
    values["evaluate"] |= {"comparisons": []}
    values["report"] |= {"strip": "make_a_video", "guide": "make_a_video", "controls": {}}
    values["harivo"] |= {"ablation": {}}
    values["richspace"] = {"oracle": None}
    points = {
        "whole": {"label": "the whole"},
        "low": {"label": "small", "model": "other", "options": {"sr_t": None, "sr_h": None}},
        "true": {"label": "true", "options": {"prior": None, "image": "true"}},
    }
    values["make_a_video"] |= {"prompts": PROMPTS, "points": points, "parts": PARTS}
    return values


def test_a_point_changes_what_it_names_and_nothing_else(params: Params) -> None:
    base = params.generate.methods["make_a_video"]
    for name, model, changes in (
        ("whole", "cascade", {}),
        ("low", "other", {"sr_t": None, "sr_h": None}),
        ("true", "cascade", {"prior": None, "image": "true"}),
    ):
        ((named_as, own),) = cascade.with_point(params, name).generate.methods.items()
        assert (named_as, own.model, own.limit, own.seeds) == (name, model, PROMPTS, 1)
        assert own.options == base.options | changes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "none"}, r"points\.low\.model names 'none'"),
        ({"options": {"sr": None}}, r"points\.low\.options: no such key: 'sr'"),
        ({"options": {"sr_t": None}}, "sr_h without sr_t"),
        ({"options": {"prior": {"folder": "x"}}}, "steps"),
    ],
)
def test_a_point_that_cannot_be_is_refused(params: Params, change: dict[str, Any], said: str) -> None:
    values = params.model_dump()
    values["make_a_video"]["points"]["low"] |= change
    with pytest.raises(ValueError, match=said):
        Params.model_validate(values)


def test_points_are_sampled_and_measured(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run again, one makes no clip anew."""
    usual = Measurer([JudgeReadings()], named("reelbench"), FeatureCache(None), workers=0)
    monkeypatch.setattr(cascade, "measurer", lambda features: usual)
    for name in params.make_a_video.points:
        cascade.run(params, name, tmp_path / name, paths.cascade_point(name))
    found = {name: evaluated.read(paths.cascade_point(name)) for name in params.make_a_video.points}
    for name, one in found.items():
        assert one.counts == {"requested": PROMPTS, "generated": PROMPTS, "scored": PROMPTS}, name
    assert len({one.table.content.iloc[0] for one in found.values()}) == 3
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "low/clips").rglob("*.mkv")}
    cascade.run(params, "low", tmp_path / "low", paths.cascade_point("low"))
    assert made == {file: file.stat().st_mtime_ns for file in (tmp_path / "low/clips").rglob("*.mkv")}


def test_interpolation_is_held_against_the_new_frames_alone(params: Params) -> None:
    """Blending's PSNR by numpy, from the clips themselves."""
    table = new_frames.interpolation(params)
    assert set(table.way) == {"↑F", "linear blending"}
    assert (table.clips == PARTS["clips"]).all()
    assert len(table) == 2 * 2 * 2  # ways, factors, metrics
    _, scenes = draw(PARTS["clips"], cascade_parts.SEED)
    for factor in PARTS["factors"]:
        frames = (FRAMES - 1) // factor * factor + 1
        true = scaled(clips_of(at_rates(scenes, 8), SHADING, 64, 16)).movedim(2, 1)[:, :, :frames]
        made = blended(true[:, :, ::factor], factor)
        new = np.arange(frames) % factor != 0
        a, b = (np.round((x[:, :, new].clamp(-1, 1).numpy() + 1) * 127.5) for x in (made, true))
        errors = ((a - b) ** 2).mean(axis=(1, 3, 4))  # of every frame of (N, 3, T, h, w)
        expected = (10 * np.log10(255**2 / errors)).mean()
        own = table[(table.way == "linear blending") & (table.factor == factor) & (table.metric == "psnr")]
        assert own.value.item() == pytest.approx(expected, rel=1e-4)


def test_extrapolation_is_held_against_frames_that_stand_still(params: Params) -> None:
    """Their PSNR by numpy, frame by frame: each new frame is the known one that is nearest."""
    table = new_frames.extrapolation(params)
    assert set(table.way) == {"↑F", "nearest known frame"}
    assert len(table) == 2 * 2  # ways, metrics
    side = PARTS["extrapolated"]
    _, scenes = draw(PARTS["clips"], cascade_parts.SEED)
    true = clips_of(at_rates(scenes, 8), SHADING, 64, 16).numpy().astype(float)  # (N, T, 3, 16, 16)
    errors = []
    for frame in (*range(side), *range(FRAMES - side, FRAMES)):
        nearest = side if frame < side else FRAMES - side - 1
        errors.append(((true[:, frame] - true[:, nearest]) ** 2).reshape(PARTS["clips"], -1).mean(axis=1))
    expected = (10 * np.log10(255**2 / np.array(errors))).mean()
    own = table[(table.way == "nearest known frame") & (table.metric == "psnr")]
    assert own.value.item() == pytest.approx(expected, rel=1e-4)


def test_one_noise_flickers_less_than_many(params: Params) -> None:
    """Also of an untrained network: equal noise is an equal mistake."""
    table = cascade_parts.consistency(params)
    flicker = table[table.metric == "flicker"].set_index("way").value
    assert flicker["one noise for all frames"] < flicker["a noise for each frame"]
    assert flicker["bicubic"] < flicker["a noise for each frame"]
    assert set(table.metric) == {"psnr", "ssim", "flicker"}


def test_true_frames_are_passed_on_in_both_worlds(params: Params) -> None:
    table = cascade_parts.passed_on(params)
    assert table[["shading", "metric"]].to_numpy().tolist() == [
        [SHADING, "motion"],
        [SHADING, "heading"],
        [0.0, "motion"],
        [0.0, "heading"],
    ]
    assert table.value.between(0, 1).all()


def test_an_embedding_tells_the_motion_of_shaded_frames_alone(params: Params) -> None:
    """The shipped dual encoder reads the shading; without it, place tells little more than one in four."""
    parts = PartsQuality.model_validate(PARTS | {"clips": 30})
    wanted = params.make_a_video.model_copy(update={"parts": parts})
    table = cascade_parts.told(params.model_copy(update={"make_a_video": wanted})).set_index("shading")
    assert table.clips.tolist() == [300, 300]
    assert table.value[SHADING] > 0.8
    assert 0.15 < table.value[0.0] < 0.5


@pytest.mark.parametrize(
    ("part", "measure"),
    [
        ("interpolation", new_frames.interpolation),
        ("interpolation", new_frames.extrapolation),
        ("sr_h", cascade_parts.consistency),
    ],
)
def test_what_is_not_there_is_not_measured(
    params: Params, part: str, measure: Callable[[Params], pd.DataFrame]
) -> None:
    values = params.model_dump()
    values["generate"]["methods"]["make_a_video"][part] = None
    values["make_a_video"]["points"] = {}
    without = Params.model_validate(values)
    with pytest.raises(ValueError, match=rf"make_a_video\.{part} is null"):
        measure(without)


def test_nothing_is_measured_without_parts(params: Params) -> None:
    section = params.make_a_video.model_copy(update={"parts": None})
    with pytest.raises(ValueError, match=r"make_a_video\.parts is null"):
        new_frames.interpolation(params.model_copy(update={"make_a_video": section}))


def test_tables_are_numbers(params: Params) -> None:
    measures = (new_frames.interpolation, new_frames.extrapolation, cascade_parts.consistency)
    for table in (measure(params) for measure in measures):
        assert table[["value", "low", "high"]].map(np.isfinite).all().all()
        assert isinstance(table, pd.DataFrame)
