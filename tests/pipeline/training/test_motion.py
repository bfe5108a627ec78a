"""Training the temporal layers, on a Stable Diffusion folder made small."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from pipeline.config.specs import MotionSpec
from pipeline.config.train import Schedule
from pipeline.harivo.noise import correlate
from pipeline.harivo.unet import load_video_unet
from pipeline.training import motion
from pipeline.training.loop import silent, train
from pipeline.training.motion_source import MotionBatch, MotionSource, spread
from pipeline.training.task import Share, step_generator
from pipeline.world.scene import draw
from tests.pipeline.training.small import check_start, embed_by, losses_of, motion_spec, moved

PARTS = {"mapping": True, "tokens": 3, "lambda_trs": 0.1, "lambda_reg": 0.1, "lambda_dc": 0.1}


@pytest.fixture(scope="module")
def spec(stable_diffusion_folder: Path) -> MotionSpec:
    return motion_spec(stable_diffusion_folder)


def task_of(spec: MotionSpec) -> motion.MotionTask:
    return motion.build_task(spec, embed_by("clip", Path(spec.checkpoint), 77), 0, "cpu")


def test_weights_begin_as_the_seed_says(spec: MotionSpec) -> None:
    embed = embed_by("clip", Path(spec.checkpoint), 77)
    check_start(lambda seed: motion.build_task(spec, embed, seed, "cpu"))


def test_training_moves_every_trained_weight_and_no_other(spec: MotionSpec) -> None:
    task = task_of(spec)
    before = {name: value.detach().clone() for name, value in task.unet.named_parameters()}
    has_moved = moved(task)
    assert [name for name in has_moved if not has_moved[name]] == []
    trained = {id(parameter) for parameter in task.model.parameters() if parameter.requires_grad}
    for name, value in task.unet.named_parameters():
        assert (id(value) in trained) != torch.equal(value, before[name]), name
    source = task.images.unet.state_dict()
    inside = {name: value for name, value in task.unet.state_dict().items() if name in source}
    assert len(inside) == len(source)
    assert all(torch.equal(value, source[name]) for name, value in inside.items())


def test_trained_weights_come_first(spec: MotionSpec) -> None:
    """The order in which the gradient's norm is summed, on whose last bits shipped curves rest."""
    task = task_of(spec)
    trained = [name for name, value in task.model.named_parameters() if value.requires_grad]
    assert {name.split(".")[0] for name in trained} == {"video", "contrast"}
    assert trained == [name for name, _ in task.model.named_parameters()][: len(trained)]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_off_is_not_there(spec: MotionSpec, part: str) -> None:
    off = {"mapping": False, "tokens": 0}.get(part, 0.0)
    task = task_of(spec.model_copy(update={part: off}))
    losses = losses_of(task, 0)
    expected = {"lambda_trs": "trs", "lambda_reg": "reg", "lambda_dc": "dc"}
    assert set(losses.parts) == {"simple"} | {name for key, name in expected.items() if key != part}
    assert (task.unet.mapping is None) == (part == "mapping")
    assert (task.unet.tokens is None) == (part == "tokens")
    assert (task.model.contrast is None) == (part == "lambda_dc")


def test_the_total_is_equation_5(spec: MotionSpec) -> None:
    weights = {"lambda_trs": 0.5, "lambda_reg": 2.0, "lambda_dc": 0.25}
    task = task_of(spec.model_copy(update=weights))
    moved(task, 1)  # off the text-to-image model, where L_reg is 0, and with negatives in the queue
    losses = losses_of(task, 1)
    found = {name: value.item() for name, value in losses.parts.items()}
    assert min(found["trs"], found["reg"]) > 0
    expected = found["simple"] + 0.5 * found["trs"] + 2 * found["reg"] + 0.25 * found["dc"]
    assert losses.total.item() == pytest.approx(expected, rel=1e-5)


def test_what_shows_whether_the_contrast_learns_is_measured(spec: MotionSpec) -> None:
    task = task_of(spec.model_copy(update={"other_content": False}))
    losses_of(task, 0)  # four projections of two videos are negatives now
    losses = losses_of(task, 1)
    measures = {name: value.item() for name, value in losses.measures.items()}
    assert set(measures) == {"dc_over_chance", "dc_positive", "dc_negative"}
    assert measures["dc_over_chance"] == pytest.approx(losses.parts["dc"].item() - np.log(4), abs=1e-4)
    assert all(-1.001 <= measures[f"dc_{sign}"] <= 1.001 for sign in ("positive", "negative"))
    assert losses_of(task_of(spec.model_copy(update={"lambda_dc": 0.0})), 0).measures == {}


def test_the_contrast_is_clipped_by_itself(spec: MotionSpec) -> None:
    task = task_of(spec)
    assert task.apart == {"contrast": task.model.contrast}
    assert task_of(spec.model_copy(update={"lambda_dc": 0.0})).apart == {}


def test_content_is_colour_and_shape(spec: MotionSpec) -> None:
    task = task_of(spec.model_copy(update={"scenes": 64, "used": 64}))
    names, _ = draw(64, 0)
    shown = {(name.colour, name.shape): set() for name in names}
    for name, content in zip(names, task.data.content_of.tolist(), strict=True):
        shown[name.colour, name.shape].add(content)
    assert all(len(contents) == 1 for contents in shown.values())
    assert len(set.union(*shown.values())) == len(shown)
    batch = task.source.batch(3)
    rows = torch.stack([(task.data.latents.float().movedim(2, 1) == clip).flatten(1).all(1) for clip in batch.clean])
    assert batch.content.tolist() == task.data.content_of[rows.int().argmax(dim=1)].tolist()


def test_the_validation_loss_is_of_the_same_clips_timesteps_and_noise(spec: MotionSpec) -> None:
    """Whatever a variant is trained on, at which timesteps, with which losses and from which seed."""
    plain = {"mapping": False, "tokens": 0, "lambda_trs": 0.0, "lambda_reg": 0.0, "lambda_dc": 0.0}
    other = {"timestep_power": 1.0, "drop": 0.9, "lambda_dc": 0.1, "lambda_reg": 0.1, "lambda_trs": 0.1, "used": 2}
    first, second = (task_of(spec.model_copy(update=plain | changed)) for changed in ({}, other))
    with torch.no_grad():  # untrained, so that both are the text-to-image model
        losses = [task.validate(final=False)["validation_loss"] for task in (first, second)]
    assert losses[0] == losses[1]
    assert losses[0] > 0


def test_a_seed_of_training_sees_the_same_scenes(spec: MotionSpec) -> None:
    tasks = [motion.build_task(spec, embed_by("clip", Path(spec.checkpoint), 77), seed, "cpu") for seed in (0, 1)]
    assert torch.equal(tasks[0].data.latents, tasks[1].data.latents)
    assert not torch.equal(tasks[0].source.batch(0).noise, tasks[1].source.batch(0).noise)


def test_untrained_it_is_the_text_to_image_model(spec: MotionSpec) -> None:
    reg = losses_of(task_of(spec.model_copy(update={"mapping": False, "tokens": 0})), 0).parts["reg"]
    assert reg.item() == pytest.approx(0, abs=1e-12)


def test_the_simple_loss_is_equation_1(spec: MotionSpec) -> None:
    """Epsilon prediction, as Stable Diffusion v1.5: noise that was added against noise that was found."""
    task = task_of(
        spec.model_copy(update={"mapping": False, "tokens": 0, "lambda_trs": 0.0, "lambda_reg": 0.0, "lambda_dc": 0.0})
    )
    batch = task.source.batch(5)
    alpha = task.images.scheduler.alphas_cumprod[batch.timestep][:, None, None, None, None]
    noisy = alpha.sqrt() * batch.clean + (1 - alpha).sqrt() * batch.noise
    errors = []
    for i, t in enumerate(batch.timestep):  # untrained temporal layers: the image model, frame by frame
        for frame in range(16):
            found = task.images.unet(noisy[i : i + 1, :, frame], t, batch.text[i : i + 1]).sample[0]
            errors.append((batch.noise[i, :, frame] - found).square().mean().item())
    assert losses_of(task, 5).total.item() == pytest.approx(np.mean(errors), rel=1e-4)


@pytest.mark.parametrize(("power", "mean"), [(1.0, 500), (0.5, 667)])
def test_timesteps_are_spread_over_a_batch(power: float, mean: float) -> None:
    """u and u + 1/2 for two videos; T u^power is T / (1 + power) on average."""
    timesteps = spread(DDIMScheduler(), power)
    drawn = torch.stack([timesteps(2, step_generator(0, step)) for step in range(400)])
    assert drawn.min() >= 0
    assert drawn.max() <= 999
    assert drawn.float().mean().item() == pytest.approx(mean, abs=20)
    uniform = ((drawn + 0.5) / 1000) ** (1 / power)
    apart = (uniform[:, 0] - uniform[:, 1]).abs()
    torch.testing.assert_close(apart, torch.full((400,), 0.5), atol=0.01, rtol=0)


def test_mixed_noise_is_trained_with(spec: MotionSpec) -> None:
    iid, mixed = task_of(spec), task_of(spec.model_copy(update={"noise": "mixed", "noise_weight": 3.0}))
    own, shared = (task.source.batch(0).noise for task in (iid, mixed))
    assert not torch.allclose(own, shared)
    common = (shared - correlate(own, torch.zeros(1), 3.0)) * 10**0.5 / 3
    torch.testing.assert_close(common, common[:, :, :1].expand_as(common), rtol=1e-3, atol=1e-3)


class Killed(Exception):
    pass


def test_a_killed_training_continues_with_its_queue(
    spec: MotionSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Schedule(steps=5, learning_rate=1e-3, checkpoint_every=2, validate_every=50)

    def run(folder: str, killed_at: int | None = None) -> motion.MotionTask:
        task = task_of(spec.model_copy(update={"validation_prompts": 1}))
        whole = MotionSource.batch

        def batch(self: MotionSource, step: int, *others: Share) -> MotionBatch:
            if step == killed_at:
                raise Killed
            return whole(self, step, *others)

        with monkeypatch.context() as patch:
            patch.setattr(MotionSource, "batch", batch)
            train(task, schedule, tmp_path / folder / "x.safetensors", "x", silent)
        return task

    with pytest.raises(Killed):
        run("killed", killed_at=3)
    continued, whole = run("killed"), run("whole")
    for (name, ours), theirs in zip(
        continued.model.state_dict().items(), whole.model.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    assert int(continued.model.contrast.filled) == 8


def test_exported_it_samples_as_before(spec: MotionSpec, tmp_path: Path) -> None:
    task = task_of(spec)
    assert any(moved(task).values())
    noisy, text = torch.randn(1, 4, 16, 8, 8), torch.randn(1, 77, 16).repeat_interleave(16, dim=0)
    with torch.no_grad():
        before = task.unet(noisy, 10, text).sample
        motion.export(task, tmp_path)
        after = load_video_unet(task.images.unet, tmp_path)(noisy, 10, text).sample
    torch.testing.assert_close(after, before, rtol=0.02, atol=0.02)
