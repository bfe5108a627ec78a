"""What the mitigating gradient costs: the shipped HARIVO sampled with and without it, in turns.

`python -m benchmarks.mitigation` prints a table; HARIVO's Section 3.7 calls the cost negligible.
"""

import time

import pandas as pd
import torch

from metrics.progress import each
from pipeline.config import params, paths
from pipeline.config.specs import MotionSpec
from pipeline.harivo.mitigation import mitigating_gradient
from pipeline.samplers import animatediff
from pipeline.samplers.animatediff import AnimateDiffSampling
from pipeline.samplers.guidance import Guidance

CLIPS, ROUNDS = 8, 3


def main() -> None:
    wanted = params.load()
    spec = wanted.train["harivo"].spec
    assert isinstance(spec, MotionSpec)
    model = animatediff.load(spec.checkpoint, spec.codec, paths.world_model("harivo"))
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(CLIPS, 20, model.unet.config.cross_attention_dim, generator=generator)
    noise = torch.randn(CLIPS, model.unet.config.in_channels, 16, 8, 8, generator=generator)
    seconds: dict[float, list[float]] = {0.0: [], wanted.harivo.mg_scale: []}
    animatediff.sample(model, text, noise, AnimateDiffSampling(2, Guidance(4.0)))  # warm up
    for _ in each(range(ROUNDS), "mitigating gradient", "rounds"):
        for scale, times in seconds.items():
            start = time.perf_counter()
            guidance = Guidance(4.0, mg_scale=scale)
            animatediff.sample(model, text, noise, AnimateDiffSampling(spec.sampling_steps, guidance))
            times.append(time.perf_counter() - start)
    rows = [{"α": scale, "s per clip (best)": min(times) / CLIPS} for scale, times in seconds.items()]
    table = pd.DataFrame(rows)
    table["overhead"] = [f"{100 * (row / table.iloc[0, 1] - 1):+.2f} %" for row in table.iloc[:, 1]]
    print(table.to_markdown(index=False, floatfmt=("g", ".3f")))
    print(f"\nthe gradient alone: {_alone(noise):.4f} s per clip over {spec.sampling_steps} steps")


def _alone(noise: torch.Tensor, repeats: int = 200) -> float:
    """Seconds of 25 gradients for one clip."""
    start = time.perf_counter()
    for _ in range(repeats):
        mitigating_gradient(noise, 0.3)
    return (time.perf_counter() - start) / repeats / CLIPS * 25


if __name__ == "__main__":
    main()
