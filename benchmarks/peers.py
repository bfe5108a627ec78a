"""FVD and CLIPSIM the way of the widely used implementations, with our weights and protocol, to compare with.

The whole set decoded into one float32 array for FVD and once more for CLIPSIM (PIL, frame by frame), I3D with its batch
norms and explicit padding in batches of ten, the moments by numpy, `scipy.linalg.sqrtm`.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.linalg import sqrtm
from torch import nn
from torch.nn import functional as F

from metrics.distances.clipsim import clipsim
from metrics.networks import i3d
from metrics.networks.clip import DualEncoder
from metrics.reading import video
from metrics.reading.captions import read_captions
from pipeline.config import paths

FRAMES, BATCH = 16, 10
CLIP, TOWER = paths.world_model("clip"), paths.MINILM


class PeerConv(nn.Module):
    """A unit of the ported I3D as it is usually written: explicit padding, convolution, batch norm, ReLU."""

    def __init__(self, tensors: dict[str, torch.Tensor], scope: str, stride: int) -> None:
        super().__init__()
        self.weight, self.stride = tensors[f"{scope}/weight"], stride
        self.norm = nn.BatchNorm3d(len(self.weight), eps=i3d.BATCH_NORM_EPS)
        self.norm.running_mean, self.norm.running_var = (tensors[f"{scope}/{name}"] for name in ("mean", "var"))
        self.norm.bias.data = tensors[f"{scope}/beta"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = pad(x, self.weight.shape[2:], (self.stride,) * 3)
        return F.relu(self.norm(F.conv3d(padded, self.weight, stride=self.stride)))


def pad(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
    pads = i3d._padding(x.shape, kernel, stride)
    return F.pad(x, [side for pair in reversed(pads) for side in pair])


class PeerPool(nn.Module):
    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool3d(pad(x, self.kernel, self.stride), self.kernel, self.stride)


def peer_i3d(weights: Path) -> nn.Module:
    """The same network with nothing folded: our modules with their units replaced."""
    tensors, network = load_file(weights), i3d.I3D.from_pretrained(weights).to(memory_format=torch.contiguous_format)
    for theirs, ours in i3d.UNITS.items():
        parent, name = f"trunk.{ours}".rsplit(".", 1)
        own = network.get_submodule(f"trunk.{ours}")
        setattr(network.get_submodule(parent), name, PeerConv(tensors, theirs, own.stride[0]))
    for path, module in list(network.named_modules()):
        if isinstance(module, i3d._MaxPool):
            parent, name = path.rsplit(".", 1)
            setattr(network.get_submodule(parent), name, PeerPool(module.kernel, module.stride))
    return network.eval().requires_grad_(False)


def whole_set(folder: Path) -> np.ndarray:
    """Every clip of a folder, resized, in one float32 array (N, T, 224, 224, 3) in [0, 1]: how the peers begin."""
    clips = []
    for path in sorted(folder.iterdir()):
        frames = torch.from_numpy(video.read_all(path)[:FRAMES]).movedim(-1, 1).float() / 255
        clips.append(F.interpolate(frames, (i3d.SIZE, i3d.SIZE), mode="bilinear").movedim(1, -1).numpy())
    return np.stack(clips)


@torch.inference_mode()
def peer(folder: Path, device: str) -> dict[str, float]:
    """FVD, then CLIPSIM, each with its own decoding of everything."""
    network, sides = peer_i3d(paths.I3D).to(device), []
    for side in ("gen", "real"):
        clips = whole_set(folder / side)
        parts = [torch.from_numpy(clips[i : i + BATCH]) * 2 - 1 for i in range(0, len(clips), BATCH)]
        inputs = (part.permute(0, 4, 1, 2, 3).to(device) for part in parts)
        sides.append(np.concatenate([peer_forward(network, x).cpu().numpy() for x in inputs]).astype(np.float64))
    (mu1, cov1), (mu2, cov2) = ((side.mean(axis=0), np.cov(side, rowvar=False)) for side in sides)
    distance = float(((mu1 - mu2) ** 2).sum() + np.trace(cov1 + cov2 - 2 * sqrtm(cov1 @ cov2).real))
    encoder, captions = DualEncoder(CLIP, TOWER, device), read_captions(folder / "captions.json")
    values = []
    for path in sorted((folder / "gen").iterdir()):
        frames = [Image.fromarray(frame) for frame in video.read_all(path)[:FRAMES]]
        small = [np.array(frame.resize((32, 32), Image.Resampling.BICUBIC)) for frame in frames]
        squares = [torch.from_numpy(frame).movedim(-1, 0)[None].float() / 255 for frame in small]
        features = torch.cat([encoder.frame_features(square) for square in squares])
        values.append(float(clipsim(features[None], encoder.text_features([captions[path.stem]]))[0]))
    return {"fvd": distance, "clipsim": float(np.mean(values))}


def peer_forward(network: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """The head as ours, without our change of memory layout."""
    pooled = F.avg_pool3d(network.trunk(clips), (2, 7, 7), stride=1)
    return network.logits(pooled).flatten(2).mean(dim=2)
