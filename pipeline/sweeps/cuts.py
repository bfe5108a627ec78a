"""Whether clips were cut out of their grid in the right places, read from pixels as one more network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from pipeline.config.code import code_hash
from pipeline.config.section import is_square
from pipeline.evaluation.cuts import COLUMN
from pipeline.world.cuts import cut_wrongly
from pipeline.world.scene import HEIGHT, WIDTH


@dataclass(frozen=True)
class CutReadings:
    """1 for a clip that is cut wrongly, 0 for another, NaN for one of another size than the toy world's, or of no
    square number of frames."""

    name: str = "cuts"
    device: str = "cpu"

    @cached_property
    def identity(self) -> str:
        """Hash of the code that judges cuts."""
        return code_hash("pipeline.world.cuts")

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The reading: it is made in the worker, so that no clip is handed over."""
        if clip.shape[1:3] != (HEIGHT, WIDTH) or not is_square(len(clip)):
            return torch.tensor([torch.nan], dtype=torch.float64)
        return torch.from_numpy(cut_wrongly(clip[None]).astype(np.float64))

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The same by name."""
        return [{COLUMN: reading.numpy()[0]} for reading in prepared]
