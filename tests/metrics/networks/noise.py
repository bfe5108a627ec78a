"""I3D's logits of the noise whose FVD is published, kept in a file: computing them takes a minute and a half.

`python -m tests.metrics.networks.noise` makes the file anew. It is needed if the network's weights change, and then the
published value of FVD no longer holds either.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from metrics.networks.i3d import I3D, extract

FILE = Path(__file__).with_suffix(".safetensors")
SEEDS = (1, 2)
CLIPS = 128
_BATCH = 2


def computed(network: I3D, seed: int, clips: int) -> np.ndarray:
    """Logits (clips, 400) of the first clips of a seed: numpy's uniform noise, fed to the network as it is."""
    return torch.cat([extract(network, noise.movedim(-1, 1)) for noise in _batches(seed, clips)]).numpy()


def _batches(seed: int, clips: int) -> Iterator[torch.Tensor]:
    rng = np.random.RandomState(seed)
    for _ in range(0, clips, _BATCH):
        yield torch.from_numpy(rng.rand(_BATCH, 16, 224, 224, 3).astype(np.float32))


def kept() -> list[np.ndarray]:
    """The file's logits (128, 400), a seed each."""
    stored = load_file(FILE)
    return [stored[str(seed)] for seed in SEEDS]


def main() -> None:
    network = I3D.from_pretrained()
    save_file({str(seed): computed(network, seed, CLIPS) for seed in SEEDS}, FILE)


if __name__ == "__main__":
    main()
