"""What clips are measured with: I3D, the dual encoder and the judge, as one set of networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from metrics.networks.features import Network, load_clip, load_i3d
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.readings import FlickerReadings, FlowReadings
from pipeline.config import paths
from pipeline.config.code import code_hash
from pipeline.config.params import Features
from pipeline.evaluation.readings import COLUMNS, numbers_of
from pipeline.weights.checkpoints import resolve
from pipeline.world.judge import judge
from pipeline.world.scene import FRAMES, HEIGHT, WIDTH


@dataclass(frozen=True)
class JudgeReadings:
    """The judge as one more network: its measurements of clips of the world's size; NaN for others."""

    name: str = "judge"
    device: str = "cpu"

    @cached_property
    def identity(self) -> str:
        """Hash of the judge's code and of the vocabulary that it knows."""
        return code_hash("pipeline.world.judge")

    def prepare(self, clip: np.ndarray) -> torch.Tensor:
        """The readings, one number each."""
        if clip.shape[:3] != (FRAMES, HEIGHT, WIDTH):
            return torch.full((len(COLUMNS),), torch.nan, dtype=torch.float64)
        return torch.tensor(numbers_of(judge(clip[None])))

    def features(self, prepared: Sequence[torch.Tensor]) -> list[dict[str, np.ndarray]]:
        """The same by name."""
        return [dict(zip(COLUMNS, numbers.numpy(), strict=True)) for numbers in prepared]


def measurer(wanted: Features) -> Measurer:
    """The networks that params.yaml names, on a GPU where there is one; they are loaded when a clip wants them.

    Raises:
        FileNotFoundError: if there are no weights where params.yaml says.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    protocol = wanted.chosen_protocol
    networks: list[Network] = [
        load_i3d(paths.I3D, protocol.i3d_resize, device),
        load_clip(resolve(wanted.clip), Path(wanted.clip_text_tower), protocol.clip_resize, device),
        JudgeReadings(),
        *([FlickerReadings(), FlowReadings()] if wanted.temporal else []),
    ]
    cache = FeatureCache(paths.SCRATCH / "features")
    return Measurer(networks, protocol, cache, batch=wanted.batch, workers=wanted.workers)
