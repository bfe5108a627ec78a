"""Training the temporal layers: on the world's text-to-image model, and on a Stable Diffusion folder made small."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.config import paths
from pipeline.config.params import Sweep, SweepPoint, Training, load
from pipeline.harivo import sweeps
from pipeline.harivo.noise import correlate
from pipeline.harivo.unet import load_video_unet
from pipeline.training import lora, motion, point
from pipeline.training.loop import Schedule, step_generator, train
from pipeline.training.motion import MotionSpec

SHIPPED = ("t2i", "animatediff", "pyoco_noise", "harivo_trs", "harivo_trs_dc", "harivo_mapping", "harivo", "lora")
PARTS = {"mapping": True, "tokens": 3, "lambda_trs": 0.1, "lambda_reg": 0.1, "lambda_dc": 0.1}


@pytest.fixture(scope="module")
def spec(stable_diffusion_folder: Path) -> MotionSpec:
    """The paper's kind of checkpoint, every part on; 16 frames of the world."""
    return MotionSpec(
        checkpoint=str(stable_diffusion_folder), codec=None, encoder="clip",
        encoder_checkpoint=str(stable_diffusion_folder), text_tokens=77, embedding_scale=1.0, zeros=False, heads=2,
        noise="iid", noise_weight=1.0, queue=8, drop=0.3, timestep_power=0.5, batch=2, scenes=6, used=4,
        sampling_steps=2, guidance=2.0, validation_prompts=3, **PARTS,
    )  # fmt: skip


def task_of(spec: MotionSpec) -> motion.MotionTask:
    return motion.build_task(asdict(spec), 0, "cpu")


def test_one_step_moves_every_trained_weight_and_no_other(spec: MotionSpec) -> None:
    task = task_of(spec)
    before = {name: value.detach().clone() for name, value in task.unet.named_parameters()}
    optimizer = torch.optim.AdamW(task.model.parameters(), 1e-2)
    for step in range(3):  # layers behind a zero one move from the second step on
        task.loss(step).backward()
        optimizer.step()
        optimizer.zero_grad()
    trained = {id(parameter) for parameter in task.model.parameters()}
    for name, value in task.unet.named_parameters():
        assert (id(value) in trained) != torch.equal(value, before[name]), name
    source = task.images.unet.state_dict()
    inside = {name: value for name, value in task.unet.state_dict().items() if name in source}
    assert len(inside) == len(source)
    assert all(torch.equal(value, source[name]) for name, value in inside.items())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_off_is_not_there(spec: MotionSpec, part: str) -> None:
    off = {"mapping": False, "tokens": 0}.get(part, 0.0)
    task = task_of(replace(spec, **{part: off}))
    _, others = task.losses(task._batch(task.data, step_generator(0, 0)))
    expected = {"lambda_trs": "trs", "lambda_reg": "reg", "lambda_dc": "dc"}
    assert set(others) == {name for key, name in expected.items() if key != part}
    assert (task.unet.mapping is None) == (part == "mapping")
    assert (task.unet.tokens is None) == (part == "tokens")
    assert ("contrast" in task.model) == (part != "lambda_dc")


def test_the_simple_loss_is_equation_1(spec: MotionSpec) -> None:
    """Epsilon prediction, as Stable Diffusion v1.5: noise that was added against noise that was found."""
    task = task_of(replace(spec, mapping=False, tokens=0, lambda_trs=0.0, lambda_reg=0.0, lambda_dc=0.0))
    batch = task._batch(task.data, step_generator(0, 5))
    alpha = task.images.scheduler.alphas_cumprod[batch.timestep][:, None, None, None, None]
    noisy = alpha.sqrt() * batch.clean + (1 - alpha).sqrt() * batch.noise
    errors = []
    for i, t in enumerate(batch.timestep):  # untrained temporal layers: the image model, frame by frame
        for frame in range(16):
            found = task.images.unet(noisy[i : i + 1, :, frame], t, batch.text[i : i + 1]).sample[0]
            errors.append((batch.noise[i, :, frame] - found).square().mean().item())
    assert task.losses(batch)[0].item() == pytest.approx(np.mean(errors), rel=1e-4)


@pytest.mark.parametrize(("power", "mean"), [(1.0, 500), (0.5, 667)])
def test_timesteps_are_spread_over_a_batch(spec: MotionSpec, power: float, mean: float) -> None:
    """u and u + 1/2 for two videos; T u^power is T / (1 + power) on average."""
    task = task_of(replace(spec, timestep_power=power))
    drawn = torch.stack([task._timesteps(step_generator(0, step)) for step in range(400)])
    assert drawn.min() >= 0
    assert drawn.max() <= 999
    assert drawn.float().mean().item() == pytest.approx(mean, abs=20)
    uniform = ((drawn + 0.5) / 1000) ** (1 / power)
    apart = (uniform[:, 0] - uniform[:, 1]).abs()
    torch.testing.assert_close(apart, torch.full((400,), 0.5), atol=0.01, rtol=0)


def test_mixed_noise_is_trained_with(spec: MotionSpec) -> None:
    iid, mixed = task_of(spec), task_of(replace(spec, noise="mixed", noise_weight=3.0))
    own, shared = (task._batch(task.data, step_generator(0, 0)).noise for task in (iid, mixed))
    assert not torch.allclose(own, shared)
    common = (shared - correlate(own, torch.zeros(1), 3.0)) * 10**0.5 / 3
    torch.testing.assert_close(common, common[:, :, :1].expand_as(common), rtol=1e-3, atol=1e-3)


class Killed(Exception):
    pass


def test_a_killed_training_continues_with_its_queue(spec: MotionSpec, tmp_path: Path) -> None:
    schedule = Schedule(steps=5, learning_rate=1e-3, checkpoint_every=2, validate_every=50)

    def run(folder: str, killed_at: int | None = None) -> motion.MotionTask:
        task = task_of(spec)
        whole = task.loss

        def loss(step: int) -> torch.Tensor:
            if step == killed_at:
                raise Killed
            return whole(step)

        task.loss = loss
        train(task, schedule, tmp_path / folder / "x.safetensors", "x", lambda *_: None)
        return task

    with pytest.raises(Killed):
        run("killed", killed_at=3)
    continued, whole = run("killed"), run("whole")
    for (name, ours), theirs in zip(
        continued.model.state_dict().items(), whole.model.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    assert int(continued.model["contrast"].filled) == 8


def test_exported_it_samples_as_before(spec: MotionSpec, tmp_path: Path) -> None:
    task = task_of(spec)
    task.loss(0).backward()
    torch.optim.SGD(task.model.parameters(), 0.1).step()
    noisy, text = torch.randn(1, 4, 16, 8, 8), torch.randn(1, 77, 16).repeat_interleave(16, dim=0)
    with torch.no_grad():
        before = task.unet(noisy, 10, text).sample
        motion.export(task, tmp_path)
        after = load_video_unet(task.images.unet, tmp_path)(noisy, 10, text).sample
    torch.testing.assert_close(after, before, rtol=0.02, atol=0.02)


def test_a_point_of_each_kind_of_sweep(spec: MotionSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    training = Training(spec=asdict(spec), schedule={"steps": 50, "learning_rate": 1e-3})
    motion.export(task_of(spec), paths.world_model("harivo"))
    wanted = Sweep(steps=2, batch=2, prompts=3, points={"x": SweepPoint(mg_scale=1)})
    for name, values in {"mg-20": {"mg_scale": 20}, "all": {"lambda_trs": 0.1}, "none": {"lambda_trs": 0}}.items():
        point.run(name, SweepPoint(**values), wanted, training, tmp_path / "ck", paths.sweep(name))
    found = sweeps.read(paths.SWEEPS, ["mg-20", "all", "none"]).set_index("point")
    assert found.steps.to_dict() == {"mg-20": 0, "all": 2, "none": 2}
    assert found.mg_scale.to_dict() == {"mg-20": 20, "all": 0, "none": 0}
    assert found.lambda_trs.to_dict() == {"mg-20": 0.1, "all": 0.1, "none": 0}
    assert (found.content_low <= found.content).all()
    by_sweep = sweeps.sweeps(found.reset_index(), dict.fromkeys(sweeps.LAMBDAS, 0.1))
    assert {name: own.point.tolist() for name, own in by_sweep.items()} == {
        "mg_scale": ["mg-20"], "lambda_trs": ["none", "all"], "lambda_reg": ["all"], "lambda_dc": ["all"],
        "lambda_grid": ["none", "all"],
    }  # fmt: skip
    assert json.loads(paths.sweep("all").read_text())["clips"] == 3
    with pytest.raises(FileNotFoundError, match=r"other\.json not found: run the sweep stage"):
        sweeps.read(paths.SWEEPS, ["other"])


def test_a_lora_learns_and_is_read_by_diffusers(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    own = lora.LoraSpec(
        checkpoint=str(stable_diffusion_folder), codec=None, encoder="clip",
        encoder_checkpoint=str(stable_diffusion_folder), text_tokens=77, embedding_scale=1.0, zeros=False, rank=2,
        layers=["to_q", "to_v"], batch=2, scenes=4, sampling_steps=2, guidance=2.0, validation_prompts=2,
    )  # fmt: skip
    task = lora.build_task(asdict(own), 0, "cpu")
    base = {name: value.clone() for name, value in task.images.unet.state_dict().items() if "lora" not in name}
    optimizer = torch.optim.AdamW(task.model.parameters(), 1e-2)
    for step in range(2):
        task.loss(step).backward()
        optimizer.step()
        optimizer.zero_grad()
    after = task.images.unet.state_dict()
    assert all(torch.equal(after[name], value) for name, value in base.items())
    assert all(parameter.abs().sum() > 0 for parameter in task.model.parameters())
    lora.export(task, tmp_path)
    from diffusers import StableDiffusionPipeline

    layers, _ = StableDiffusionPipeline.lora_state_dict(tmp_path)
    assert len(layers) == len(list(task.model.parameters()))
    assert all(name.startswith("unet.") for name in layers)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_small_and_finished(root: Path, name: str) -> None:
    folder = root / "models/world" / name
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in files) <= 6e6
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".csv"}
    history = pd.read_csv(folder / "history.csv")
    assert history.step.iloc[-1] == load(root / "params.yaml").train[name].schedule["steps"]


def test_the_shipped_image_model_is_as_good_as_documented(root: Path) -> None:
    last = pd.read_csv(root / "models/world/t2i/history.csv").iloc[-1]
    assert last.judge_colour >= 0.95
    assert last.judge_shape >= 0.95
