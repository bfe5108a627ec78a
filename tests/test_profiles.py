"""The profiles: what they say fits together, as far as it can be read without GPUs and checkpoints."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from accelerate.commands.config import config_args
from accelerate.utils import DeepSpeedPlugin
from accelerate.utils.deepspeed import HfDeepSpeedConfig

from pipeline.config import params, profiles
from pipeline.config.cascade import Pixels
from pipeline.config.methods import Cascade, typed
from pipeline.config.params import Params
from pipeline.config.train import EtcTraining

ETC, MAKE_A_VIDEO = "stable-diffusion-2-1-etc", "make-a-video"
LAUNCHED = f"profiles/{ETC}/accelerate.yaml"


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "profiles" / ETC


@pytest.fixture
def training(root: Path, monkeypatch: pytest.MonkeyPatch) -> EtcTraining:
    """Of params.yaml with the profile's changes."""
    monkeypatch.chdir(root)
    return merged(ETC).train["etc_sd21"]


def merged(profile: str) -> Params:
    """The parameters of a run with a profile; from the repository's root."""
    return params.checked(profiles.with_profile(params.read(), profile), profile)


def test_every_profile_is_whole_and_says_what_it_costs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    names = profiles.names()
    assert {"cogvideox-2b", "cogvideox-5b", "stable-diffusion-1-5-animatediff", "modelscope", ETC} < set(names)
    for name in set(names) - {"bare"}:
        wanted, about = merged(name), profiles.about(name)
        assert wanted.generate.evaluated, name
        assert "never" in about.tried or "nothing" in about.tried or "neither" in about.tried, name
        if name != MAKE_A_VIDEO:
            said = (about.measures, about.needs, about.memory, about.time, about.disk)
            assert all(said), name
            assert all("estimated" in text or "published" in text for text in said[2:]), name


def test_public_checkpoints_are_sampled_as_published(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model cards' and the papers' numbers: steps, guidance, frames, height, width, frames a second."""
    monkeypatch.chdir(root)
    published = {
        "cogvideox-2b": (50, 6, 49, 480, 720, 8, "float16"),
        "cogvideox-5b": (50, 6, 49, 480, 720, 8, "bfloat16"),
        "stable-diffusion-1-5-animatediff": (25, 7.5, 16, 512, 512, 8, "bfloat16"),
        "modelscope": (50, 9, 16, 256, 256, 8, "bfloat16"),
        ETC: (50, 7, 16, 256, 256, 8, "bfloat16"),
    }
    for name, numbers in published.items():
        (model,) = merged(name).generate.models.values()
        own = model.sampling
        found = (own.steps, own.guidance.late, own.frames, own.height, own.width, model.fps, own.precision)
        assert found == numbers, name


def test_make_a_video_has_the_papers_resolutions(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 -> 256 -> 768 pixels and 16 -> 76 frames (Algorithm 2), each part made for what comes before it."""
    monkeypatch.chdir(root)
    own = merged(MAKE_A_VIDEO)
    method, model = own.generate.methods["mav"], own.generate.models["mav"]
    parts = typed("mav", Cascade, method.options)
    trained = {name: training.spec for name, training in own.train.items()}
    sizes = {name: spec.size for name, spec in trained.items() if isinstance(spec, Pixels)}
    assert {sizes["mav_decoder"], sizes["mav_video_decoder"], sizes["mav_interpolation"]} == {64}
    assert (sizes["mav_upscaler"], sizes["mav_video_upscaler"], sizes["mav_upscaler_high"]) == (256, 256, 768)
    assert parts.sr_t.low == trained["mav_video_upscaler"].low == 64
    assert parts.sr_h.low == trained["mav_upscaler_high"].low == 256
    assert (model.sampling.frames, model.sampling.height) == (76, 768)
    assert (model.sampling.frames - 1) // parts.factor + 1 == trained["mav_video_decoder"].frames == 16
    assert parts.interpolation.window == trained["mav_interpolation"].frames
    assert trained["mav_video_upscaler"].frames == 76
    folders = [parts.prior.folder, parts.video, parts.interpolation.folder, parts.sr_t.folder, parts.sr_h.folder]
    assert {Path(folder).name for folder in folders} <= set(own.train)


def test_parameters_are_those_of_the_paper(training: EtcTraining) -> None:
    """Section 5.1 and Appendix E.2; in millions, Table 1's samples are 15K x 48."""
    spec, schedule = training.spec, training.schedule
    assert (spec.videos.size, spec.videos.frames, spec.batch) == (256, 16, 48)
    assert (schedule.steps, schedule.learning_rate, schedule.weight_decay) == (15_000, 1e-4, 0.03)
    assert (spec.frames, spec.mixed, spec.codec) == ("grid", True, None)


def test_deepspeed_is_told_what_the_parameters_say(root: Path, folder: Path, training: EtcTraining) -> None:
    launch = config_args.load_config_from_file(str(folder / "accelerate.yaml"))
    assert launch.distributed_type == "DEEPSPEED"
    named = root / launch.deepspeed_config["deepspeed_config_file"]
    told, schedule = HfDeepSpeedConfig(str(named)), training.schedule
    assert told.is_zero2()
    assert not told.is_offload()
    micro, parts = (told.get_value(key) for key in ("train_micro_batch_size_per_gpu", "gradient_accumulation_steps"))
    assert micro * parts * launch.num_processes == told.get_value("train_batch_size") == training.spec.batch
    assert parts == schedule.accumulate
    assert told.get_value("gradient_clipping") == schedule.clip
    autocast = {"enabled": True, "dtype": {"bf16": "bfloat16"}[schedule.precision]}
    assert told.get_value("torch_autocast") == autocast


def test_accelerate_takes_the_file_as_it_is(
    folder: Path, training: EtcTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fills in and changes nothing that decides how weights are kept: float32, which `ema` averages."""
    for name in [name for name in os.environ if name.startswith("ACCELERATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ACCELERATE_CONFIG_DS_FIELDS", "deepspeed_config_file,zero3_init_flag")
    plugin = DeepSpeedPlugin(hf_ds_config=str(folder / "deepspeed.json"))
    plugin.set_mixed_precision(training.schedule.precision)
    plugin.deepspeed_config_process(must_match=True, train_micro_batch_size_per_gpu=1, train_batch_size=48)
    assert (plugin.zero_stage, plugin.gradient_accumulation_steps, plugin.gradient_clipping) == (2, 6, 1.0)
    assert not plugin.is_auto("train_micro_batch_size_per_gpu")
    assert plugin.deepspeed_config["bf16"] == plugin.deepspeed_config["fp16"] == {"enabled": False}
    assert plugin.offload_optimizer_device == plugin.offload_param_device == "none"


@pytest.mark.skipif(find_spec("deepspeed") is not None, reason="DeepSpeed is there")
def test_the_command_gets_as_far_as_deepspeed(root: Path) -> None:
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", LAUNCHED, "-m", "stages.train"]
    done = subprocess.run([*command, "etc_sd21"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "DeepSpeed is not installed" in done.stderr.splitlines()[-1]
