"""What validations of video models in the toy world report of their clips."""

from collections.abc import Sequence

import numpy as np

from pipeline.training.validation import judged_shares
from pipeline.world.attributes import ATTRIBUTES, HEADING, attributes
from pipeline.world.judge import judge
from pipeline.world.scene import Names


def judged_videos(names: Sequence[Names], texts: Sequence[str], clips: np.ndarray) -> dict[str, float]:
    """Shares of clips (N, T, H, W, 3) that show what their prompts name, by the judge: HARIVO's attributes (Table A2),
    the heading, colours and shapes; and the median roughness."""
    readings = judge(clips)
    shown, seen = attributes(names, texts, readings), readings.names()
    shares = {name: np.mean(getattr(shown, name)) for name in (*ATTRIBUTES, HEADING)}
    shares["roughness"] = np.nanmedian(readings.roughness)
    judged = {f"judge_{name}": float(value) for name, value in shares.items()}
    return judged | judged_shares(names, seen, ("colour", "shape"))
