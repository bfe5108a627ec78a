"""Training the video UNet from scratch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet3DConditionModel
from pydantic import ValidationError
from torch import nn

from pipeline.config.params import load
from pipeline.config.specs import VideoUNetSpec
from pipeline.config.train import Schedule
from pipeline.samplers import unet3d
from pipeline.samplers.guidance import Guidance
from pipeline.training import codec, modelscope
from pipeline.training.latents import CaptionEncoder
from pipeline.training.loop import silent, train
from tests.pipeline.training.small import CODEC, TEXT, VIDEO_UNET, by_hand, check, check_start, embed_by, losses_of

LARGEST = 3_000_000  # parameters; float16 and its header stay below 6 MB


@pytest.fixture(scope="module")
def encoder(minilm: Path) -> CaptionEncoder:
    return CaptionEncoder.of(TEXT, embed_by("minilm", minilm, 20, zero_padding=True, scale=4.0))


def task_of(encoder: CaptionEncoder, seed: int = 0, **own: Any) -> modelscope.VideoUNetTask:
    spec = VIDEO_UNET.model_copy(update=own)
    return modelscope.VideoUNetTask(spec, codec.build(CODEC), encoder, seed, "cpu")


def test_it_is_a_task(encoder: CaptionEncoder) -> None:
    """Also that a step alone decides its loss: diffusers' dropout would not."""
    task = task_of(encoder)
    task.model.train()
    check(task)
    assert task.picture().shape == (3 * 32, 8 * 32, 3)


def test_the_loss_is_that_of_v_example_by_example(encoder: CaptionEncoder) -> None:
    task = task_of(encoder)
    expected = by_hand(task, task.video.scheduler, lambda *inputs: task.model(*inputs).sample)
    assert losses_of(task, 0).total.item() == pytest.approx(expected, rel=1e-4)
    assert losses_of(task, 0).parts == {}


def test_weights_begin_as_the_seed_says(encoder: CaptionEncoder) -> None:
    check_start(lambda seed: task_of(encoder, seed))


def test_a_batch_is_of_whole_clips_with_the_frames_behind_the_channels(encoder: CaptionEncoder) -> None:
    task = task_of(encoder, batch=4)
    batch = task.source.batch(3)
    assert batch.clean.shape == batch.noise.shape == (4, 5, 16, 8, 8)
    clips = task.data.latents.float().movedim(2, 1)
    assert all(any(torch.equal(clean, clip) for clip in clips) for clean in batch.clean)
    share = torch.sort(batch.timestep).values / 1000
    assert (share**2).diff().numpy() == pytest.approx(np.full(3, 0.25), abs=0.01)  # t = T u^0.5, u spread evenly


def test_no_dropout_is_left(encoder: CaptionEncoder) -> None:
    rates = {layer.p for layer in task_of(encoder).model.modules() if isinstance(layer, nn.Dropout)}
    assert rates == {0.0}


def test_attention_is_below_the_first_resolution_only() -> None:
    unet = modelscope.build(VIDEO_UNET, 5, 384)
    kinds = [type(block).__name__ for block in (*unet.down_blocks, *unet.up_blocks)]
    assert kinds == ["DownBlock3D", "CrossAttnDownBlock3D", "CrossAttnUpBlock3D", "UpBlock3D"]


def test_it_is_trained_validated_and_written(encoder: CaptionEncoder, tmp_path: Path) -> None:
    """The loss of what it has seen falls to a part, and the folder that is written samples what the model does."""
    task = task_of(encoder, scenes=2, drop=0.0, batch=4)
    with torch.no_grad():
        before = np.mean([losses_of(task, step).total.item() for step in range(4)])
    schedule = Schedule(steps=30, learning_rate=3e-3, warmup=5, ema=0.9, validate_every=1000)
    history = train(task, schedule, tmp_path / "checkpoint.safetensors", "x", silent)
    with torch.no_grad():
        after = np.mean([losses_of(task, step).total.item() for step in range(4)])
    assert after < 0.6 * before, (before, after)
    judged = {name for name in history.rows[-1] if name.startswith("judge_")}
    assert {"judge_action", "judge_content", "judge_smooth", "judge_heading", "judge_colour"} <= judged

    modelscope.export(task, tmp_path / "out")
    task.video.codec.save_pretrained(tmp_path / "codec")
    loaded = unet3d.load(tmp_path / "out", tmp_path / "codec")
    assert loaded.scheduler.config.prediction_type == "v_prediction"
    texts = encoder.scaled(task.data.texts[:2])
    noise = torch.randn(len(texts), 5, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    kept = replace(task.video, unet=task.model.float().eval())
    ours, theirs = (unet3d.sample(model, texts, noise, 2, Guidance(2.0)) for model in (kept, loaded))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"channels": []}, "at least 1 item"),
        ({"channels": [32, 40]}, "multiple of 16"),
        ({"channels": [32, 16]}, "greater than or equal to 32"),
        ({"heads": 3}, "channels has 32, expected a multiple of heads, which is 3"),
        ({"heads": 0}, "heads"),
        ({"drop": 1.5}, "drop"),
        ({"timestep_power": 0}, "timestep_power"),
        ({"shading": 2}, "shading"),
        ({"frames": 16}, "frames"),
    ],
)
def test_specifications_that_make_no_sense_are_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        VideoUNetSpec.model_validate(VIDEO_UNET.model_dump() | own)


def test_the_shipped_specification_is_small(root: Path) -> None:
    spec = load(root / "params.yaml").train["modelscope"].spec
    unet = modelscope.build(spec, 8, 384)
    assert isinstance(unet, UNet3DConditionModel)
    assert sum(p.numel() for p in unet.parameters()) <= LARGEST
