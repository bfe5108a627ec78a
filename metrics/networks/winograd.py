"""Convolutions over time and space in float32 on a CPU with fewer multiplications, by Winograd's minimal filtering.

m outputs of a filter of r taps need m + r - 1 multiplications instead of m r (Winograd 1980; Lavin and Gray 2016,
Fast Algorithms for Convolutional Neural Networks, section 4.1). It is applied along time alone: frames are mixed, each
mixture is convolved over space, and what comes out is mixed again. The points of the interpolation are pairs +p and -p,
which share their sums; their values were chosen for small rounding errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import torch

_WORTH = 0.8  # of the multiplications: mixing takes the rest
_FEW = 900  # multiplications for each value that is mixed, below which nothing is saved


@dataclass(frozen=True)
class Filtering:
    """F(m, r): m outputs of r taps; the points are zero (if `zero`), +p and -p of each of the pairs, and infinity."""

    outputs: int
    taps: int
    zero: bool
    pairs: tuple[float, ...]

    @property
    def inputs(self) -> int:
        """How many frames a tile of m outputs reads, and how many convolutions over space it costs."""
        return self.outputs + self.taps - 1

    @cached_property
    def _finite(self) -> list[float]:
        return [0.0] * self.zero + [sign * p for p in self.pairs for sign in (1, -1)]

    def weights(self, taps: torch.Tensor) -> torch.Tensor:
        """Filters (r, ...) in float64 -> those of the convolutions (m + r - 1, ...), in the order of the points."""
        rows = [
            [p**j / prod(p - q for q in self._finite if q != p) for j in range(self.taps)] for p in self._finite
        ] + [[0.0] * (self.taps - 1) + [1.0]]
        return torch.tensordot(torch.tensor(rows, dtype=taps.dtype), taps, dims=1)

    def mixed(self, frames: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The m + r - 1 inputs of a tile -> what is convolved, in the order of the points."""
        shift = int(self.zero)
        found = []
        if self.zero:
            found.append(_sum(frames, _polynomial(self.pairs)))
        for p in self.pairs:
            others = _polynomial([q for q in self.pairs if q != p])
            even = _sum(frames[shift:], others)
            odd = _sum(frames[shift + 1 :], others)
            found += [torch.add(odd, even, alpha=p), odd.sub_(even, alpha=p)]
        return [*found, _sum(frames[shift:], _polynomial(self.pairs))]

    def outputs_of(self, products: list[torch.Tensor]) -> list[torch.Tensor]:
        """What the convolutions gave, which is overwritten -> the tile's m outputs."""
        *finite, infinity = products
        sums, differences = [], []
        for i in range(int(self.zero), len(finite), 2):
            sums.append(finite[i] + finite[i + 1])
            differences.append(finite[i].sub_(finite[i + 1]))
        found = [_sum(differences if i % 2 else sums, [p**i for p in self.pairs]) for i in range(self.outputs)]
        if self.zero:
            found[0].add_(finite[0])
        found[-1].add_(infinity)
        return found


def _polynomial(roots: Sequence[float]) -> list[float]:
    """Coefficients of the product of (x² - q²), lowest power first; odd ones are zero."""
    return [float(c) for c in np.poly([sign * q for q in roots for sign in (1, -1)])[::-1]] if roots else [1.0]


def _sum(parts: Sequence[torch.Tensor], factors: Sequence[float]) -> torch.Tensor:
    """Of parts times factors, as a new tensor, in as few passes as there are factors."""
    (first, factor), *rest = sorted(
        ((part, factor) for part, factor in zip(parts, factors, strict=False) if factor), key=lambda one: one[1] != 1
    )
    if factor == 1 and rest:
        (second, other), *rest = rest
        total = torch.add(first, second, alpha=other)
    else:
        total = first * factor
    for part, other in rest:
        total.add_(part, alpha=other)
    return total


FILTERINGS = {
    filtering.taps: filtering
    for filtering in (Filtering(4, 3, True, (2 / 3, 3 / 2)), Filtering(4, 4, False, (1 / 2, 7 / 8, 3 / 2)))
}


def worthwhile(weight: Sequence[int]) -> bool:
    """Whether a convolution with weights of this shape is large enough to be filtered."""
    channels_out, channels_in, *kernel = weight
    return kernel[0] > 1 and channels_out * channels_in * prod(kernel) > _FEW * (channels_out + channels_in)


def convolve(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, stride: tuple[int, ...], padding: tuple[int, ...]
) -> torch.Tensor:
    """A convolution over two or three axes. On a CPU torch would leave single clips, and whatever runs on one thread,
    to an implementation that is 1.6 times slower: oneDNN's is asked for by name."""
    if x.is_cpu and torch.backends.mkldnn.is_available():
        return torch.mkldnn_convolution(x, weight, bias, padding, stride, (1,) * len(stride), 1)
    return torch.convolution(x, weight, bias, stride, padding, (1,) * len(stride), False, (0,) * len(stride), 1)


def pays(outputs: int, kernel: int, stride: int) -> bool:
    """Whether so many frames of output cost clearly less by filtering than by the convolution itself."""
    filtering = FILTERINGS[-(-kernel // stride)]
    tiles = -(-outputs // filtering.outputs)
    padding = kernel // stride - 1  # taps that meet nothing else
    return tiles * filtering.inputs * stride < _WORTH * (outputs * kernel - padding)


class TemporalFiltering:
    """A convolution of a clip with a cubic kernel, computed by filtering along time.

    Frames of a stride's phases lie beside one another as channels, and are filtered as one with stride one.

    Args:
        weight: (channels out, channels in, k, k, k), float32. bias: (channels out,). stride: of all three axes.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, stride: int) -> None:
        self.bias, self.stride, self.kernel = bias, stride, weight.shape[2]
        self.filtering = FILTERINGS[-(-self.kernel // stride)]
        taps = weight.double().movedim(2, 0)  # (k, out, in, k, k)
        taps = torch.cat([taps, taps.new_zeros(-len(taps) % stride, *taps.shape[1:])])
        phases = taps.unflatten(0, (-1, stride)).movedim(1, 2).flatten(2, 3)  # (r, out, stride in, k, k)
        self.weights = [w.float().contiguous(memory_format=torch.channels_last) for w in self.filtering.weights(phases)]

    def __call__(self, x: torch.Tensor, pads: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Clips (B, C, T, H, W) -> the convolution with the padding (before, after) of each axis, channels last."""
        size = [(n + sum(pad) - self.kernel) // self.stride + 1 for n, pad in zip(x.shape[2:], pads, strict=True)]
        frames, tile = self._phases(x, pads, size[0]), self.filtering
        inner = (0, 0) if self.stride > 1 else (pads[1][0], pads[2][0])
        found = torch.empty(len(x), size[0], *size[1:], len(self.bias), dtype=x.dtype).movedim(-1, 2)
        for start in range(0, size[0], tile.outputs):
            mixed = tile.mixed([frames[:, start + i] for i in range(tile.inputs)])
            products = [
                convolve(v, w, None, (self.stride,) * 2, inner) for v, w in zip(mixed, self.weights, strict=True)
            ]
            for i, one in enumerate(tile.outputs_of(products)[: size[0] - start], start):
                torch.add(one, self.bias[:, None, None], out=found[:, i])
        return found.movedim(1, 2)

    def _phases(self, x: torch.Tensor, pads: Sequence[tuple[int, int]], outputs: int) -> torch.Tensor:
        """Frames (B, N, stride C, H, W) as filtering reads them, the ends of time padded, and of space where the
        padding differs from side to side."""
        tiles = -(-outputs // self.filtering.outputs)
        steps = (tiles - 1) * self.filtering.outputs + self.filtering.inputs
        (before, _), *space = pads if self.stride > 1 else (pads[0], (0, 0), (0, 0))
        height, width = (n + sum(pad) for n, pad in zip(x.shape[3:], space, strict=True))
        padded = x.new_zeros(len(x), steps, height, width, self.stride, x.shape[1])
        rows, columns = (slice(pad[0], pad[0] + n) for n, pad in zip(x.shape[3:], space, strict=True))
        for i in range(min(x.shape[2], steps * self.stride - before)):
            step, phase = divmod(before + i, self.stride)
            padded[:, step, rows, columns, phase] = x[:, :, i].movedim(1, -1)
        return padded.flatten(4).movedim(-1, 2)
