"""What the grid and the mixed embedding cost in a sampling step of the shipped ETC model.

    python -m benchmarks.grid [--rounds 20] [--batch 1]

A step is the UNet on the prompt and on the negative, guidance, and DDIM. With and without the mixed embedding take
turns. The parts are too short for such a difference and are timed alone too. CPU time, unless there is a GPU.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
import torch

from pipeline.config import params, paths
from pipeline.etc.embedding import mixed_embedding
from pipeline.etc.grid import from_grid, to_grid
from pipeline.etc.timing import in_turns
from pipeline.etc.unet import GridUNet, load_rated
from pipeline.samplers import stable_diffusion
from pipeline.samplers.denoising import denoise
from pipeline.samplers.guidance import Guidance

FRAMES, SIDE, TOKENS = 16, 8, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1)
    wanted = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = measured(works(wanted.batch), wanted.rounds, device)
    found["share of a step"] = [f"{100 * best / found['best ms'].iloc[0]:.2f} %" for best in found["best ms"]]
    print(f"{wanted.batch} clips a step on {device}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print(found.to_markdown(index=False, floatfmt=".3f"))


def works(batch: int) -> dict[str, Callable[[], object]]:
    """What is timed, the whole step first."""
    spec = params.load().generate.models["grid"]
    scheduler, codec = stable_diffusion.load_around(spec.checkpoint, spec.codec)
    models = {mixed: load_rated(paths.world_model("etc")).to(codec.device) for mixed in (True, False)}
    for mixed, model in models.items():
        assert isinstance(model, GridUNet)
        model.mixed = mixed
    config, generator = models[True].unet.config, torch.Generator().manual_seed(0)
    noise = torch.randn(batch, config.in_channels, FRAMES, SIDE, SIDE, generator=generator).to(codec.device)
    text = torch.randn(2 * batch, TOKENS, config.cross_attention_dim, generator=generator).to(codec.device)
    both = torch.cat([noise, noise])
    grid, size = to_grid(both), (config.in_channels, FRAMES, SIDE, SIDE)
    rate = torch.full((1,), 8.0, device=codec.device)

    def step(mixed: bool) -> torch.Tensor:
        return denoise(partial(models[mixed], fps=rate), scheduler, text, noise, 1, Guidance(4.0), "float32")

    return {
        "step": lambda: step(True),
        "step without the mixed embedding": lambda: step(False),
        "mixed embedding": lambda: grid + mixed_embedding(*size).to(grid),
        "to the grid and back": lambda: from_grid(to_grid(both), FRAMES),
    }


def measured(works: Mapping[str, Callable[[], object]], rounds: int, device: str) -> pd.DataFrame:
    """Best and median of every call, in turns."""
    seconds = in_turns(works, rounds, device, "a step on the grid")
    rows = [(name, 1e3 * min(own), 1e3 * statistics.median(own), len(own)) for name, own in seconds.items()]
    return pd.DataFrame(rows, columns=["what", "best ms", "median ms", "calls"])


if __name__ == "__main__":
    main()
