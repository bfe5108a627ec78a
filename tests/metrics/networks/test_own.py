"""Networks of the user's: fed as their own processors feed them, and the feature that was asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import VideoMAEImageProcessorPil, ViTImageProcessorPil

from metrics.networks.own import fitted, load_own
from metrics.networks.spec import Spec, SpecError, read_spec
from tests.metrics.networks.networks import Moments, Named, scripted, videomae, vit, vjepa2

SIZED = {"kind": "torchscript", "path": "net.pt", "layout": "BCTHW", "size": 8, "range": [0, 1]}


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    """Five frames, wider than high, smooth: at edges the last bit of a resize matters."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 12, 20, 3)).astype(np.uint8)
    frames = [Image.fromarray(frame).resize((60, 44), Image.Resampling.BICUBIC) for frame in noise]
    return np.stack([np.asarray(frame) for frame in frames])


def written(folder: Path, **fields: Any) -> Path:
    path = folder / "net.yaml"
    path.write_text(yaml.safe_dump(SIZED | fields))
    return path


def values(place: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    network = load_own(place, len(clips[0]))
    return [one["features"] for one in network.features([network.prepare(clip) for clip in clips])]


def test_videomae_is_fed_as_its_processor_does(tmp_path: Path, clip: np.ndarray) -> None:
    """From the folder alone: the classifier's input, which content-debiased FVD is made of."""
    model, processor = videomae(tmp_path), VideoMAEImageProcessorPil.from_pretrained(tmp_path)
    (ours,) = values(tmp_path, [clip[:4]])
    pixels = torch.from_numpy(np.stack(processor(list(clip[:4]), return_tensors="np")["pixel_values"]))
    pixels = pixels if pixels.ndim == 5 else pixels[None]
    theirs: list[torch.Tensor] = []
    model.classifier.register_forward_pre_hook(lambda _, given: theirs.append(given[0]))
    with torch.inference_mode():
        model(pixel_values=pixels)
    np.testing.assert_allclose(ours, theirs[0][0].numpy(), atol=2e-3)
    prepared = load_own(tmp_path, 4).prepare(clip[:4])
    assert float((prepared - pixels[0]).abs().max()) < 2.1 / 127.5  # of [-1, 1]: two of 255, as torch and PIL round


def test_images_are_fed_as_their_processor_does(tmp_path: Path, clip: np.ndarray) -> None:
    """A vector for every frame, of however many frames: the mean over the tokens."""
    model, processor = vit(tmp_path), ViTImageProcessorPil.from_pretrained(tmp_path)
    (ours,) = values(tmp_path, [clip])
    assert ours.shape == (5, 16)
    pixels = torch.from_numpy(np.stack(processor(list(clip), return_tensors="np")["pixel_values"]))
    with torch.inference_mode():
        theirs = model(pixel_values=pixels).last_hidden_state.mean(dim=1)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)


def test_vjepa_gives_what_its_probe_sees(tmp_path: Path, clip: np.ndarray) -> None:
    """JEDi's features: the attentive pooler's; and, if that is asked for, the mean over the encoder's tokens."""
    model = vjepa2(tmp_path / "jepa")
    (ours,) = values(tmp_path / "jepa", [clip[:4]])
    network = load_own(tmp_path / "jepa", 4)
    assert network.preparation[0] == "short side to 36, centre crop, 32x32, bilinear, antialias"
    given = network.prepare(clip[:4])[None]
    with torch.inference_mode():
        tokens = model.vjepa2(pixel_values_videos=given, skip_predictor=True).last_hidden_state
        np.testing.assert_allclose(ours, model.pooler(tokens)[0].numpy(), atol=1e-5)
    spec = {"kind": "transformers", "path": "jepa", "output": "last_hidden_state", "frames": None}
    (tmp_path / "mean.json").write_text(json.dumps(spec))
    (mean,) = values(tmp_path / "mean.json", [clip[:4]])
    np.testing.assert_allclose(mean, tokens[0].mean(dim=0).numpy(), atol=1e-5)
    assert values(tmp_path / "mean.json", [clip[:2]])[0].shape == (24,)  # its positions are relative
    (logits,) = values(written_spec(tmp_path, spec | {"output": "logits"}), [clip[:4]])
    with torch.inference_mode():
        np.testing.assert_allclose(logits, model(pixel_values_videos=given).logits[0].numpy(), atol=1e-5)


def written_spec(folder: Path, spec: dict[str, Any]) -> Path:
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return path


def test_torchscript_by_every_layout(tmp_path: Path, clip: np.ndarray) -> None:
    """Against the numbers of the resized pixels themselves."""
    scripted(tmp_path / "net.pt", Moments())
    pixels = fitted(torch.from_numpy(clip), read_spec(written(tmp_path)))
    normal = {"range": [-1, 1], "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}
    mean, std = (torch.tensor(normal[key])[:, None, None] for key in ("mean", "std"))
    expected = (pixels / 127.5 - 1 - mean) / std
    (of_clip,) = values(written(tmp_path, **normal), [clip])
    np.testing.assert_allclose(of_clip[:3], expected.mean(dim=(0, 2, 3)), atol=1e-5)
    assert of_clip.shape == (6,)
    (of_frames,) = values(written(tmp_path, **normal, layout="BCHW"), [clip])
    np.testing.assert_allclose(of_frames[:, :3], expected.mean(dim=(2, 3)), atol=1e-5)
    (scaled,) = values(written(tmp_path, **normal, arguments={"scale": 10.0}), [clip])
    np.testing.assert_allclose(scaled, 10 * of_clip, rtol=1e-5)
    scripted(tmp_path / "net.pt", Named())
    first, second = values(written(tmp_path, output="map", pool="space", layout="BCHW"), [clip, clip[::-1].copy()])
    np.testing.assert_allclose(first, pixels.mean(dim=(2, 3)) / 255, atol=1e-5)
    np.testing.assert_allclose(first, second[::-1], atol=1e-6)


def test_frames_as_they_are(tmp_path: Path, clip: np.ndarray) -> None:
    """A network that resizes by itself takes clips of unlike sizes, in values of [0, 255]."""
    scripted(tmp_path / "net.pt", Moments())
    found = values(written(tmp_path, size=None, range=[0, 255]), [clip, clip[:, :30]])
    np.testing.assert_allclose(
        [one[:3] for one in found], [clip.mean((0, 1, 2)), clip[:, :30].mean((0, 1, 2))], rtol=1e-5
    )


@given(st.integers(9, 40), st.integers(9, 40), st.sampled_from([None, 8, 11]), st.sampled_from(["bilinear", "bicubic"]))
def test_resizing_is_pils(height: int, width: int, short: int | None, interpolation: str) -> None:
    rng = np.random.default_rng(height * 100 + width)
    frames = rng.integers(0, 256, (1, height, width, 3)).astype(np.uint8)
    spec = Spec(**{**SIZED, "size": [8, 6], "short": short, "interpolation": interpolation})  # type: ignore[arg-type]
    ours = fitted(torch.from_numpy(frames), spec)[0]
    target = (6, 8) if short is None else tuple(int(short * n / min(height, width)) for n in (width, height))
    image = Image.fromarray(frames[0]).resize(target, Image.Resampling[interpolation.upper()])
    left, top = (image.width - 6) // 2, (image.height - 8) // 2
    theirs = np.asarray(image.crop((left, top, left + 6, top + 8)))
    assert tuple(ours.shape) == (3, 8, 6)
    differences = np.abs(ours.numpy() - theirs.transpose(2, 0, 1))
    assert differences.mean() < 0.7 and (differences > 3).mean() < 0.03  # on noise, the hardest to resize


def test_identity_follows_every_choice(tmp_path: Path) -> None:
    scripted(tmp_path / "net.pt", Moments())
    changes = [{}, {"size": 9}, {"range": [0, 2]}, {"mean": [1, 0, 0]}, {"layout": "BTCHW"}, {"pool": "space"}]
    changes += [{"arguments": {"scale": 2.0}}, {"short": 9}, {"antialias": False}, {"output": 0}]
    found = [load_own(written(tmp_path, **change), 4).identity for change in changes]
    scripted(tmp_path / "net.pt", Named())
    found.append(load_own(written(tmp_path), 4).identity)
    assert len(set(found)) == len(changes) + 1
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "net.pt").rename(tmp_path / "elsewhere/net.pt")
    assert load_own(written(tmp_path, path="elsewhere/net.pt"), 4).identity == found[-1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size": None, "short": 5}, "short is 5, expected at least the larger side"),
        ({"range": [1, 0]}, r"range: .*expected \[low, high\]"),
        ({"std": [1, 0, 1]}, "expected no zero"),
        ({"layout": "BTHWC"}, "layout: Input should be 'BCTHW', 'BTCHW' or 'BCHW'"),
        ({"sise": 8}, "sise: Extra inputs are not permitted"),
        ({"path": "none.pt"}, "none.pt: no such file"),
        ({"frames": 16}, "takes 16 frames, and clips have 4: --frames 16"),
    ],
)
def test_a_wrong_specification_is_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    scripted(tmp_path / "net.pt", Moments())
    with pytest.raises(SpecError, match=said):
        load_own(written(tmp_path, **fields), 4)


def test_what_is_no_specification_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file or folder"):
        read_spec(tmp_path / "none")
    with pytest.raises(SpecError, match=r"has no config.json"):
        read_spec(tmp_path)
    scripted(tmp_path / "net.pt", Moments())
    with pytest.raises(SpecError, match="a TorchScript file needs one: kind: torchscript, path, layout, size, range"):
        read_spec(tmp_path / "net.pt")
    (tmp_path / "net.toml").write_text('kind = "torchscript"\npath = "net.pt"\nlayout = "BCHW"\n')
    with pytest.raises(SpecError, match="size: Field required; range: Field required"):
        read_spec(tmp_path / "net.toml")
    (tmp_path / "net.json").write_text("[1]")
    with pytest.raises(SpecError, match="found list, expected fields"):
        read_spec(tmp_path / "net.json")
    (tmp_path / "net.json").write_text("{")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path / "net.json")


def test_what_a_network_does_not_do_is_said(tmp_path: Path, clip: np.ndarray) -> None:
    scripted(tmp_path / "net.pt", Named())
    with pytest.raises(SpecError, match="its output is a dict: say which part is the feature in `output`"):
        values(written(tmp_path), [clip])
    with pytest.raises(SpecError, match=r"makes \(1, 3, 5, 8, 8\) of 1, expected \(B, d\): say `output`, and `pool`"):
        values(written(tmp_path, output="map"), [clip])
    scripted(tmp_path / "net.pt", torch.nn.Linear(7, 7))
    with pytest.raises(SpecError, match=r"does not take \(B, C, T, H, W\) = \(1, 3, 5, 8, 8\): .*cannot be multiplied"):
        values(written(tmp_path), [clip])
    (tmp_path / "net.pt").write_bytes(b"no")
    with pytest.raises(SpecError, match="cannot be loaded"):
        values(written(tmp_path), [clip])
    videomae(tmp_path / "mae")
    (tmp_path / "mae/preprocessor_config.json").unlink()
    with pytest.raises(SpecError, match=r"range: Field required .*mae has no video_preprocessor_config\.json or"):
        load_own(tmp_path / "mae", 4)


def test_missing_weights_are_no_random_ones(tmp_path: Path, clip: np.ndarray) -> None:
    from safetensors.torch import load_file, save_file

    videomae(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in weights if "attention" in name)
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SpecError, match="lacks 1 weights of VideoMAEForVideoClassification, such as"):
        values(tmp_path, [clip[:4]])
