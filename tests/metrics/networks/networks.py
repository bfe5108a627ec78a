"""Small networks with random weights, in the layouts that users have: transformers folders, and TorchScript files."""

import json
from pathlib import Path

import torch
from torch import nn
from transformers import (
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    VideoMAEImageProcessorPil,
    ViTConfig,
    ViTImageProcessorPil,
    ViTModel,
    VJEPA2Config,
    VJEPA2ForVideoClassification,
)

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
VJEPA2_PROCESSOR = {  # as facebook/vjepa2's folders have it, smaller
    "crop_size": {"height": 32, "width": 32},
    "do_center_crop": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 36},
    "video_processor_type": "VJEPA2VideoProcessor",
}


def videomae(folder: Path) -> VideoMAEForVideoClassification:
    """A classifier of clips of 4 frames of 32 x 32, with its processor."""
    torch.manual_seed(0)
    sizes = {"image_size": 32, "patch_size": 8, "num_frames": 4, "tubelet_size": 2, "intermediate_size": 32}
    model = VideoMAEForVideoClassification(VideoMAEConfig(**TINY, **sizes, num_labels=5)).eval()
    model.save_pretrained(folder)
    VideoMAEImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return model


def vjepa2(folder: Path) -> VJEPA2ForVideoClassification:
    """V-JEPA 2 with an attentive probe, clips of 4 frames of 32 x 32 cut from a shorter side of 36."""
    torch.manual_seed(0)
    sizes = {"crop_size": 32, "patch_size": 8, "frames_per_clip": 4, "tubelet_size": 2, "mlp_ratio": 2.0}
    predictor = {"pred_hidden_size": 24, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
    config = VJEPA2Config(**{**TINY, "hidden_size": 24}, **sizes, **predictor, num_pooler_layers=1)
    model = VJEPA2ForVideoClassification(config).eval()
    model.save_pretrained(folder)
    (folder / "video_preprocessor_config.json").write_text(json.dumps(VJEPA2_PROCESSOR))
    return model


def vit(folder: Path) -> ViTModel:
    """A network of images of 32 x 32."""
    torch.manual_seed(0)
    model = ViTModel(ViTConfig(**TINY, image_size=32, patch_size=8, intermediate_size=32)).eval()
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return model


class Moments(nn.Module):
    """Mean and standard deviation of each channel: (B, 3, ...) -> (B, 6), or in a dictionary, or with space."""

    def forward(self, x: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        flat = x.flatten(2)
        return scale * torch.cat([flat.mean(2), flat.std(2)], dim=1)


class Named(nn.Module):
    """The input itself under one name, and its mean under another."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"map": x, "mean": x.flatten(2).mean(2)}


def scripted(path: Path, module: nn.Module) -> Path:
    """The module as a TorchScript file."""
    torch.jit.script(module.eval()).save(path)
    return path
