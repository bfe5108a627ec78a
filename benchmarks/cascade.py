"""What the parts of the shipped Make-A-Video cost, and a pseudo-3D convolution beside one in three dimensions.

    python -m benchmarks.cascade [--rounds 3] [--batch 2]

Parts take turns, each on the output of the one before; so do the two convolutions of each width, of 16 frames of 16 x
16. Best and median time; CPU time, unless there is a GPU.
"""

import argparse
from collections.abc import Callable

import pandas as pd
import torch
from torch import nn

from benchmarks.grid import measured
from pipeline.config import params
from pipeline.make_a_video.pseudo3d import FrameCount, PseudoConv3d
from pipeline.methods.context import Context
from pipeline.samplers.cascade import CascadeSampler

FRAMES, SIDE, WIDTHS = 16, 16, (32, 64, 320)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2)
    wanted = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{wanted.batch} clips on {device}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    parts = measured(parts_of(wanted.batch), wanted.rounds, device)
    parts["share"] = [f"{100 * best / parts['best ms'].sum():.0f} %" for best in parts["best ms"]]
    print(parts.to_markdown(index=False, floatfmt=".1f"), "\n")
    print(convolutions(wanted.rounds, device).to_markdown(index=False, floatfmt=".2f"))


def parts_of(batch: int) -> dict[str, Callable[[], object]]:
    """The parts of `make_a_video.method`, on what the ones before make of random tokens."""
    everything = params.load()
    sampler = Context.of(everything, everything.make_a_video.method).sampler()
    assert isinstance(sampler, CascadeSampler)  # checked with params.yaml
    prior, _ = sampler.model.prior or (None, None)
    assert prior is not None
    tokens = torch.randn(batch, prior.config.tokens, prior.config.token_width).to(prior.device)
    drawn = sampler.drawn(torch.randn(batch, *sampler.noise_shape).to(prior.device))
    with torch.inference_mode():
        image = sampler.image(tokens, drawn["prior"])
        video = sampler.decoded_video(image, drawn["video"]).clamp(-1, 1)
        longer = sampler.interpolated(video, image, drawn)
    return {
        "P": lambda: sampler.image(tokens, drawn["prior"]),
        "D_t": lambda: sampler.decoded_video(image, drawn["video"]),
        "↑F": lambda: sampler.interpolated(video, image, drawn),
        "SR_t and SR_h": lambda: sampler.enlarged(longer, drawn),
    }


def convolutions(rounds: int, device: str) -> pd.DataFrame:
    """Forward passes, 3 x 3 and then 3 in time beside 3 x 3 x 3, and how many weights each has."""
    rows = []
    for width in WIDTHS:
        pseudo = PseudoConv3d(nn.Conv2d(width, width, 3, padding=1), FrameCount(FRAMES)).to(device)
        whole = nn.Conv3d(width, width, 3, padding=1).to(device)
        rows_in = torch.randn(FRAMES, width, SIDE, SIDE, device=device)
        video = rows_in[None].movedim(1, 2).contiguous()
        with torch.inference_mode():
            times = measured(
                {"pseudo": lambda p=pseudo, x=rows_in: p(x), "whole": lambda w=whole, x=video: w(x)}, rounds, device
            ).set_index("what")["best ms"]
        weights = {name: sum(p.numel() for p in one.parameters()) for name, one in (("p", pseudo), ("w", whole))}
        ratio = times["whole"] / times["pseudo"]
        rows.append((width, times["pseudo"], times["whole"], ratio, weights["w"] / weights["p"]))
    return pd.DataFrame(rows, columns=["channels", "pseudo-3D ms", "3-D ms", "ratio of times", "ratio of weights"])


if __name__ == "__main__":
    main()
