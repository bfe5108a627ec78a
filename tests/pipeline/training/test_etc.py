"""Training videos as grids, and the baseline with temporal attention, on a Stable Diffusion folder made small."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.config.specs import EtcSpec
from pipeline.config.train import Schedule
from pipeline.etc.fps import STILL, UNRELATED, VIDEO_FPS
from pipeline.etc.unet import load_rated
from pipeline.training import etc
from pipeline.training.denoising import target
from pipeline.training.latents import encode_clips
from pipeline.training.loop import silent, train
from pipeline.world.rates import at_rates
from pipeline.world.render import render
from pipeline.world.scene import draw
from tests.pipeline.training.small import check_start, embed_by, etc_spec, losses_of, moved

KINDS = {"grid": {}, "temporal": {"frames": "temporal", "mixed": False}}


def task_of(folder: Path, **own: Any) -> etc.EtcTask:
    return etc.build_task(etc_spec(folder, **own), embed_by("clip", folder, 77), 0, "cpu")


def test_weights_begin_as_the_seed_says(stable_diffusion_folder: Path) -> None:
    embed = embed_by("clip", stable_diffusion_folder, 77)
    spec = etc_spec(stable_diffusion_folder, **KINDS["temporal"])
    check_start(lambda seed: etc.build_task(spec, embed, seed, "cpu"))


@pytest.mark.parametrize("kind", KINDS)
def test_training_moves_every_weight(stable_diffusion_folder: Path, kind: str) -> None:
    """The text-to-image model's too: that is ETC, and the baseline is trained alike."""
    task = task_of(stable_diffusion_folder, **KINDS[kind])
    has_moved = moved(task)
    assert [name for name in has_moved if not has_moved[name] and "pos_embed" not in name] == []
    assert set(has_moved) == {name for name, _ in task.model.named_parameters()}


def test_all_variants_learn_from_the_same_batches(stable_diffusion_folder: Path) -> None:
    grid, temporal = (task_of(stable_diffusion_folder, **own).source.batch(5) for own in KINDS.values())
    for name in ("clean", "noise", "timestep", "text", "fps"):
        assert torch.equal(getattr(grid, name), getattr(temporal, name)), name


def test_the_loss_is_that_of_the_prediction_at_each_rate(stable_diffusion_folder: Path) -> None:
    """Row by row, the frame rate of each; an untrained FPS embedding would hide a wrong one."""
    task = task_of(stable_diffusion_folder)
    moved(task, 2)
    batch = task.source.batch(0)
    noisy = task.scheduler.add_noise(batch.clean, batch.noise, batch.timestep)
    wanted = target(task.scheduler, batch.clean, batch.noise, batch.timestep)
    errors = []
    with torch.no_grad():
        for i in range(len(noisy)):
            row = slice(i, i + 1)
            found = task.model(noisy[row], batch.timestep[row], batch.text[row], batch.fps[row]).sample
            errors.append((found - wanted[row]).square().mean().item())
        assert losses_of(task, 0).total.item() == pytest.approx(np.mean(errors), rel=1e-4)


def test_the_world_is_seen_at_the_papers_frame_rates(stable_diffusion_folder: Path) -> None:
    """Each clip at one rate, which its row of a batch names; rendered and encoded here once more."""
    task = task_of(stable_diffusion_folder, scenes=40, used=30, batch=60)
    source, spec = task.source, task.spec
    rates = source.rates.numpy()
    assert len(rates) == 30
    assert set(rates) <= set(VIDEO_FPS)
    assert len(set(rates)) >= 5
    clips = render(at_rates(draw(40, 0)[1][:30], rates), spec.shading)
    assert torch.equal(source.data.latents, encode_clips(task.codec, clips, "cpu"))
    assert {UNRELATED, STILL} < set(source.batch(0).fps.tolist())


def test_prompts_of_a_validation_are_no_captions_of_unused_scenes(stable_diffusion_folder: Path) -> None:
    task = task_of(stable_diffusion_folder, scenes=40, used=2)
    assert len(task.data.captions) == 2
    assert len(task.data.known) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_trained_validated_and_written(stable_diffusion_folder: Path, tmp_path: Path, kind: str) -> None:
    task = task_of(stable_diffusion_folder, **KINDS[kind])
    schedule = Schedule(steps=2, learning_rate=1e-3, warmup=1, validate_every=1)
    history = train(task, schedule, tmp_path / "checkpoint.safetensors", "x", silent)
    last = history.rows[-1]
    assert all(np.isfinite(last[name]) for name in ("loss", "judge_action", "judge_content", "judge_colour"))
    assert task.picture().dtype == np.uint8
    etc.export(task, tmp_path / "out")
    loaded = load_rated(tmp_path / "out")
    assert type(loaded) is type(task.model)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"used": 13}, "used is 13, expected at most scenes, which is 12"),
        ({"frames": "temporal"}, "mixed is true with frames: temporal, expected a grid"),
        ({"shares": {"label_images": 0, "videos": 0, "caption_images": 0}}, "are all 0, expected one above"),
        ({"frames": "row"}, "grid"),
    ],
)
def test_specifications_that_make_no_sense_are_refused(tmp_path: Path, own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EtcSpec.model_validate(etc_spec(tmp_path).model_dump() | own)


def test_a_trained_model_is_trained_on_and_another_kind_refused(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    before = task_of(stable_diffusion_folder)
    moved(before, 1)
    etc.export(before, tmp_path)
    after = task_of(stable_diffusion_folder, starts_from=str(tmp_path))
    pairs = zip(after.model.parameters(), before.model.parameters(), strict=True)
    assert all(torch.equal(a, b.float()) for a, b in pairs)
    assert all(moved(after, 1).values())
    for other in ({"mixed": False}, KINDS["temporal"]):
        with pytest.raises(ValueError, match=r"starts_from: .* expected frames: .*, mixed: false"):
            task_of(stable_diffusion_folder, starts_from=str(tmp_path), **other)
