"""A training from its section of params.yaml to its folder."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from pipeline.codec.loading import load_codec
from pipeline.config.embed import Embed
from pipeline.config.paths import HISTORY
from pipeline.config.train import CodecTraining, Schedule
from pipeline.training.codec import VALIDATION_SEED
from pipeline.training.pixels import to_model
from pipeline.training.run import run
from pipeline.world.render import render
from pipeline.world.scene import ATTRIBUTES, draw
from tests.pipeline.training.small import CODEC

SCHEDULE = Schedule(steps=5, learning_rate=1e-3, log_every=2, validate_every=4)


def test_it_leaves_weights_and_curves_and_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[tuple[int, list[str]]] = []
    wanted = CodecTraining(module="codec", spec=CODEC, schedule=SCHEDULE)
    reporter = nullcontext(lambda step, values, _: said.append((step, list(values))))
    run("x", wanted, Embed(encoders={}), tmp_path / "x", tmp_path / "ck", lambda: reporter)
    history = pd.read_csv(tmp_path / "x" / HISTORY)
    logged = ["loss", "loss_l1", "loss_mse", "loss_free", "loss_size", "grad_norm", "lr"]
    shares = [f"judge_{name}" for name in (*ATTRIBUTES, "one_object")]
    validated = ["psnr_db", *shares, "hue_error"]
    assert history.columns.tolist() == ["step", *logged, *validated]
    assert history.step.tolist() == [2, 4, 5]
    assert np.isfinite(history[logged]).all(axis=None)
    assert history.psnr_db.notna().tolist() == [False, True, True]
    assert [step for step, _ in said] == [2, 4, 4, 5, 5]
    assert [values for _, values in said if "lr" not in values] == [validated, validated]
    assert list((tmp_path / "ck").iterdir()) == []
    weights = load_file(tmp_path / "x/diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    codec, frames = load_codec(tmp_path / "x"), to_model(render(draw(2, VALIDATION_SEED)[1])[:, ::4]).flatten(0, 1)
    with torch.no_grad():  # the scale is saved with the weights
        assert codec.encode(frames).latent_dist.mean.std().item() == pytest.approx(1, abs=0.02)
