"""How much the frames of a grid attend to one another while it is sampled, by trained model, step and head."""

from pathlib import Path

import pandas as pd
import torch

from pipeline.config import paths
from pipeline.config.etc import EtcAttention
from pipeline.config.folders import replaced
from pipeline.config.params import Params
from pipeline.etc.attention import recorded
from pipeline.methods.base import Method, build
from pipeline.methods.context import Context
from pipeline.sweeps.etc_variants import with_etc_point

COLUMNS = ("training", "step", "timestep", "head", "from_frame", "to_frame", "share")
_DIGITS = 5


def run(params: Params, target: Path) -> None:
    """Leave the shares of `pipeline.etc.attention.frame_shares` as the table `target`, in a folder of its own, which is
    replaced.

    A row for each training, step, head and pair of frames, all counted from 1 in their order; share: mean over the
    prompts of etc.attention, one clip each. Of the two predictions that guidance combines it is the one with the
    prompt. Without etc.attention there is no row.
    """
    wanted = params.etc.attention
    found = [] if wanted is None else [_of_training(params, wanted, name) for name in wanted.trainings]
    with replaced(target.parent) as aside:
        pd.concat([pd.DataFrame(columns=list(COLUMNS)), *found]).to_csv(aside / target.name, index=False)


def _of_training(params: Params, wanted: EtcAttention, training: str) -> pd.DataFrame:
    method = _method(params, wanted, training)
    with recorded(method.sampler.model.unet) as predictions:
        method.generate(method.jobs())
    steps = {step: predictions[step - 1] for step in wanted.steps}
    shares = torch.stack([one.shares.chunk(2)[1].mean(0) for one in steps.values()])  # after guidance's other half
    heads, frames = (range(1, n + 1) for n in shares.shape[1:3])
    index = pd.MultiIndex.from_product([steps, heads, frames, frames], names=["step", "head", "from_frame", "to_frame"])
    table = pd.DataFrame({"share": shares.double().flatten().numpy(force=True).round(_DIGITS)}, index).reset_index()
    timesteps = table.step.map({step: one.timestep for step, one in steps.items()})
    return table.assign(training=training, timestep=timesteps)[list(COLUMNS)]


def _method(params: Params, wanted: EtcAttention, training: str) -> Method:
    """etc.method with another trained model, asked for few prompts."""
    variant = with_etc_point(params, training, paths.world_model(training), prompts=wanted.prompts)
    method = build(Context.of(variant, training))
    method.prepare()
    return method
