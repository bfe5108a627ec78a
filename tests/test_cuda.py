"""The GPU's results against the CPU's, on the shipped weights. All of it is skipped without a GPU."""

from pathlib import Path
from typing import Any

import pytest
import torch

from metrics.distances.stateful import features_of
from metrics.networks import i3d
from metrics.networks.environment import environment
from pipeline.config import params, paths
from pipeline.etc import timing
from pipeline.samplers import animatediff, cogvideox
from pipeline.samplers.guidance import Guidance
from pipeline.training import motion

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def on_both(monkeypatch: pytest.MonkeyPatch, make: Any) -> tuple[Any, Any]:
    """What `make` makes on the GPU, and what it makes where there seems to be none."""
    gpu = make()
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        return gpu, make()


def test_i3d() -> None:
    network, generator = i3d.I3D().eval(), torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.data = torch.randn(parameter.shape, generator=generator) * (2 / fan_in) ** 0.5
    clips = torch.rand(2, 3, 9, 224, 224, generator=generator) * 2 - 1
    cpu = i3d.extract(network, clips)
    gpu = i3d.extract(network.cuda(), clips)
    assert (gpu - cpu).norm() / cpu.norm() < 1e-4


def test_the_library_classes_compute_in_float32() -> None:
    """As I3D by itself does: with TF32 a product of 1,024 numbers is off by a thousandth."""
    generator = torch.Generator().manual_seed(0)
    convolution = torch.nn.Conv3d(64, 8, 3).requires_grad_(False)
    product = torch.nn.Linear(8, 8).requires_grad_(False)
    network = torch.nn.Sequential(convolution, torch.nn.AdaptiveAvgPool3d(1), torch.nn.Flatten(), product)
    clips = torch.rand(4, 64, 5, 16, 16, generator=generator)
    cpu = features_of(network, clips)
    torch.set_float32_matmul_precision("high")
    try:
        gpu = features_of(network.cuda(), clips.cuda()).cpu()
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert (gpu - cpu).abs().max() / cpu.abs().max() < 1e-5


def test_the_device_is_named_in_fingerprints() -> None:
    assert environment("cuda")["device"] == torch.cuda.get_device_name(0)


@pytest.mark.parametrize("name", ["animatediff", "harivo"])
def test_video_from_temporal_layers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = params.load().train[name].spec
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, 20, 384, generator=generator)
    noise = torch.randn(2, 8, 16, 8, 8, generator=generator)

    def clips() -> torch.Tensor:
        model = animatediff.load(spec.checkpoint, spec.codec, paths.world_model(name))
        sampling = animatediff.AnimateDiffSampling(5, Guidance(4.0, mg_scale=5.0))
        return animatediff.sample(model, text, noise, sampling).float()

    gpu, cpu = on_both(monkeypatch, clips)
    assert (gpu - cpu).abs().mean() < 1.0  # of 255


def test_one_training_step(monkeypatch: pytest.MonkeyPatch, minilm: Path) -> None:
    """Every loss of HARIVO, and the gradient of every trained weight, layers that start at zero moved off it."""
    wanted = params.load()
    spec = wanted.train["harivo"].spec.model_copy(update={"used": 4, "batch": 2})

    def step() -> tuple[float, torch.Tensor]:
        task = motion.build_task(spec, wanted.embed, 0, "")
        trained = [parameter for parameter in task.model.parameters() if parameter.requires_grad]
        generator = torch.Generator().manual_seed(0)
        for parameter in trained:
            parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator).to(parameter.device)
        for number in range(2):  # the second has negatives in its queue
            task.model.zero_grad()
            loss = task.loss(task.model, task.source.batch(number).to(task.unet.device)).total
            loss.backward()
        gradients = [p.grad.flatten().cpu() for p in trained]
        assert all(gradient.any() for gradient in gradients)
        return loss.item(), torch.cat(gradients)

    (gpu, gpu_gradient), (cpu, cpu_gradient) = on_both(monkeypatch, step)
    assert gpu == pytest.approx(cpu, rel=1e-2)
    assert (gpu_gradient - cpu_gradient).norm() / cpu_gradient.norm() < 5e-2


def test_video_transformer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = params.load().generate.models["world"]
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(1, 20, 384, generator=generator)
    sampling = cogvideox.CogVideoXSampling(4, 4.0, 16, 32, 32)

    def clips() -> torch.Tensor:
        video = cogvideox.load(model.checkpoint, model.codec)
        return cogvideox.sample(video, text, cogvideox.initial_noise(video, sampling, [0]), sampling).float()

    gpu, cpu = on_both(monkeypatch, clips)
    assert (gpu - cpu).abs().mean() < 4.0  # of 255; both compute in bfloat16


def test_attention_is_measured_there() -> None:
    """Its values are the CPU's, each call is waited for, and its memory holds Q, K, V and the output at least."""
    hidden, matrices = torch.randn(16, 64, 4), torch.randn(3, 4, 4)
    gpu = timing.attention(hidden.cuda(), matrices.cuda()).cpu()
    assert torch.allclose(gpu, timing.attention(hidden, matrices), atol=1e-2)
    table = timing.table_3(scale=16, rounds=2, device="cuda")
    assert set(table.device) == {"cuda"}
    assert (table.best_s > 0).all() and (table.calls >= 2).all()
    assert (table.memory_mib * 2**20 >= 4 * 4 * table.batch * table.tokens * table.channels).all()
