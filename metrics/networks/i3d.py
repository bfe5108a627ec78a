"""The feature network of FVD: Inflated 3D Inception (Carreira & Zisserman 2017) trained on Kinetics-400.

A port of the TF-Hub network on which FVD is defined (Unterthiner et al. 2018), with its quirks: TensorFlow's SAME
padding, which is asymmetric; batch norm with eps 1e-3 and no scale; a head that averages (2, 7, 7) windows, maps them
to 400 logits and averages the logits over time.

What makes it faster leaves the output equal to 1e-4: batch norm is folded into the convolutions when the weights are
loaded, padding that happens to be symmetric is left to the layer, pooling reads past the edge (`ceil_mode`) where
TensorFlow pads, and on a CPU the large convolutions take fewer multiplications (`metrics.networks.winograd`). On
request the trunk computes in bfloat16, which is no longer exact (docs/precision.md).
"""

from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from metrics.networks import places
from metrics.networks.float32 import full_float32
from metrics.networks.resize import resize
from metrics.networks.rules import Resize
from metrics.networks.winograd import TemporalFiltering, convolve, pays, worthwhile

BATCH_NORM_EPS = 1e-3
FEATURES = 400
SIZE = 224
MIN_FRAMES = 9
_SLACK = 1e-3  # beyond [-1, 1], where frames were resized with rounding
DEFAULT_WEIGHTS = places.CHECKOUT / places.I3D
_INCEPTIONS: dict[str, tuple[int, int, int, int, int, int, int]] = {
    # name: channels in, branch 0, branch 1 (reduce, 3x3), branch 2 (reduce, 3x3), branch 3
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of one axis: (before, after), the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _padding(shape: torch.Size, kernel: tuple[int, ...], stride: tuple[int, ...]) -> list[tuple[int, int]]:
    return [_same_padding(n, k, s) for n, k, s in zip(shape[2:], kernel, stride, strict=True)]


def _on_cpu_alone(x: torch.Tensor) -> bool:
    """Whether what is fast on a CPU, and overwrites what a gradient would need, may be done."""
    return x.is_cpu and not x.requires_grad


class _Conv(nn.Module):
    """Convolution with folded batch norm, SAME padding and ReLU."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, kernel, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(channels_out))
        self.stride = (stride,) * 3
        self.filtered = False  # whether fewer multiplications may do, on a CPU

    @cached_property
    def _filtering(self) -> TemporalFiltering:
        return TemporalFiltering(self.weight, self.bias, self.stride[0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads = _padding(x.shape, self.weight.shape[2:], self.stride)
        kernel, stride = self.weight.shape[2], self.stride[0]
        if self.filtered and _on_cpu_alone(x) and pays(-(-x.shape[2] // stride), kernel, stride):
            return F.relu_(self._filtering(x, pads))
        inner = tuple(before for before, _ in pads)
        if any(before != after for before, after in pads):
            x, inner = F.pad(x, [side for pair in reversed(pads) for side in pair]), (0, 0, 0)
        return F.relu_(convolve(x, self.weight, self.bias, self.stride, inner))


class _MaxPool(nn.Module):
    """Max pooling with SAME padding. The layer pads with -inf and TensorFlow with zeros: the same after a ReLU, which
    every pool of the network follows. With stride one the neighbours are compared axis by axis, three times faster."""

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if (self.kernel, self.stride) == ((3, 3, 3), (1, 1, 1)) and _on_cpu_alone(x):
            for axis in (2, 3, 4):
                x = _highest_of_three(x, axis)
            return x
        pads = _padding(x.shape, self.kernel, self.stride)
        return F.max_pool3d(x, self.kernel, self.stride, tuple(before for before, _ in pads), ceil_mode=True)


def _highest_of_three(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Each value, or the higher one of its neighbours along the axis."""
    highest, n = x.clone(), x.shape[axis] - 1
    for own, other in ((0, 1), (1, 0)):
        part = highest.narrow(axis, own, n)
        torch.maximum(part, x.narrow(axis, other, n), out=part)
    return highest


class _Inception(nn.Module):
    def __init__(self, c_in: int, b0: int, b1a: int, b1b: int, b2a: int, b2b: int, b3: int) -> None:
        super().__init__()
        self.branch_0 = _Conv(c_in, b0, 1)
        self.branch_1 = nn.Sequential(_Conv(c_in, b1a, 1), _Conv(b1a, b1b, 3))
        self.branch_2 = nn.Sequential(_Conv(c_in, b2a, 1), _Conv(b2a, b2b, 3))
        self.branch_3 = nn.Sequential(_MaxPool((3, 3, 3), (1, 1, 1)), _Conv(c_in, b3, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.branch_0(x), self.branch_1(x), self.branch_2(x), self.branch_3(x)], dim=1)


class I3D(nn.Module):
    """Clips (B, 3, T, 224, 224) in [-1, 1], T >= 9 -> logits (B, 400)."""

    def __init__(self) -> None:
        super().__init__()
        mixed = {name: _Inception(*channels) for name, channels in _INCEPTIONS.items()}
        self.trunk = nn.Sequential()
        for name, layer in {
            "Conv3d_1a_7x7": _Conv(3, 64, 7, stride=2),
            "MaxPool3d_2a_3x3": _MaxPool((1, 3, 3), (1, 2, 2)),
            "Conv3d_2b_1x1": _Conv(64, 64, 1),
            "Conv3d_2c_3x3": _Conv(64, 192, 3),
            "MaxPool3d_3a_3x3": _MaxPool((1, 3, 3), (1, 2, 2)),
            **{n: mixed[n] for n in ("Mixed_3b", "Mixed_3c")},
            "MaxPool3d_4a_3x3": _MaxPool((3, 3, 3), (2, 2, 2)),
            **{n: mixed[n] for n in mixed if n.startswith("Mixed_4")},
            "MaxPool3d_5a_2x2": _MaxPool((2, 2, 2), (2, 2, 2)),
            **{n: mixed[n] for n in ("Mixed_5b", "Mixed_5c")},
        }.items():
            self.trunk.add_module(name, layer)
        self.logits = nn.Conv3d(1024, FEATURES, 1)

    @classmethod
    def from_pretrained(cls, path: Path | None = None, dtype: torch.dtype = torch.float32) -> "I3D":
        """Load the converted weights (safetensors with the names of the original network) and fold batch norm.

        Args:
            path: the file; None takes the one that the weights stage fetches.
            dtype: in which the trunk computes, float32 or bfloat16; input, head and logits are float32 either way.

        Raises:
            FileNotFoundError: if there is no such file.
            KeyError: if a tensor of the network is missing in it.
        """
        network = cls()
        network.load_state_dict(_folded(load_file(weights_file(path))))
        network.trunk.to(dtype)
        for unit in network.trunk.modules():
            if isinstance(unit, _Conv):
                unit.filtered = dtype == torch.float32 and worthwhile(unit.weight.shape)
        return network.eval().requires_grad_(False).to(memory_format=torch.channels_last_3d)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits (B, 400), float32, of clips (B, 3, T, 224, 224) in [-1, 1].

        Raises:
            ValueError: if the clips are not of that shape or range, or have fewer than 9 frames.
        """
        if clips.ndim != 5 or clips.shape[1] != 3 or clips.shape[3:] != (SIZE, SIZE) or clips.shape[2] < MIN_FRAMES:
            raise ValueError(f"I3D wants (B, 3, T >= {MIN_FRAMES}, {SIZE}, {SIZE}), found {tuple(clips.shape)}")
        low, high = float(clips.amin()), float(clips.amax())  # `aminmax` is ten times slower where channels are last
        if not (low >= -1 - _SLACK and high <= 1 + _SLACK):  # also true of NaN
            raise ValueError(f"I3D wants clips in [-1, 1], found [{low:g}, {high:g}]: i3d.prepare makes them of uint8")
        dtype = next(self.trunk.parameters()).dtype
        x = self.trunk(clips.to(dtype=dtype, memory_format=torch.channels_last_3d)).float()
        pooled = F.avg_pool3d(x, (2, 7, 7), stride=1)
        return self.logits(pooled).flatten(2).mean(dim=2)


def weights_file(path: Path | None) -> Path:
    """The file of the converted weights; None takes the one that the weights stage fetches.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    path = DEFAULT_WEIGHTS if path is None else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"I3D weights not found at {path}: run the weights stage, or give a local file")
    return path


# Original name of every convolution -> ours, below the trunk; those of an inception module are "<module>/<branch>".
_BRANCHES = {
    "Branch_0/Conv3d_0a_1x1": "branch_0",
    "Branch_1/Conv3d_0a_1x1": "branch_1.0",
    "Branch_1/Conv3d_0b_3x3": "branch_1.1",
    "Branch_2/Conv3d_0a_1x1": "branch_2.0",
    "Branch_2/Conv3d_0b_3x3": "branch_2.1",
    "Branch_3/Conv3d_0b_1x1": "branch_3.1",
}


UNITS = {name: name for name in ("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3")} | {
    f"{mixed}/{scope}": f"{mixed}.{ours}" for mixed in _INCEPTIONS for scope, ours in _BRANCHES.items()
}


def _folded(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The network's state from the original's tensors: w' = w / sqrt(var + eps), b' = beta - mean / sqrt(var + eps)."""
    state = {
        "logits.weight": tensors["Logits/Conv3d_0c_1x1/weight"],
        "logits.bias": tensors["Logits/Conv3d_0c_1x1/bias"],
    }
    for theirs, ours in UNITS.items():
        scale = torch.rsqrt(tensors[f"{theirs}/var"].double() + BATCH_NORM_EPS)
        weight = tensors[f"{theirs}/weight"].double() * scale[:, None, None, None, None]
        state[f"trunk.{ours}.weight"] = weight.float()
        state[f"trunk.{ours}.bias"] = (tensors[f"{theirs}/beta"].double() - tensors[f"{theirs}/mean"] * scale).float()
    return state


def prepare(clips: torch.Tensor, rule: Resize = Resize.SQUASH_BILINEAR) -> torch.Tensor:
    """uint8 clips (B, T, H, W, 3) -> (B, 3, T, 224, 224) in [-1, 1], resized by the protocol's rule."""
    frames = resize(clips.flatten(0, 1), SIZE, rule)
    return frames.div_(127.5).sub_(1).unflatten(0, clips.shape[:2]).movedim(2, 1)


@torch.inference_mode()
def extract(network: I3D, prepared: torch.Tensor) -> torch.Tensor:
    """I3D logits (B, 400), float32 on the CPU, of clips that `prepare` made, without TF32."""
    with full_float32():
        return network(prepared.to(next(network.parameters()).device)).cpu()
