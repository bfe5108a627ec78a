"""ETC's Figure 11, on a Stable Diffusion folder made small."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.etc.attention import recorded
from pipeline.etc.unet import GridUNet, load_rated
from pipeline.methods.base import build
from pipeline.methods.context import Context
from pipeline.sweeps.attention_maps import COLUMNS, run
from pipeline.sweeps.etc_variants import with_etc_point
from pipeline.training import etc
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.sweeps.test_etc import PROMPTS, small

STEPS, FRAMES = [1, 2], 16
TRAININGS = ("etc", "etc_plain")


@pytest.fixture(scope="module")
def params(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded, and two models whose mid blocks do not attend evenly."""
    values = small(root, stable_diffusion_folder)
    values["etc"] |= {"attention": {"trainings": list(TRAININGS), "prompts": PROMPTS, "steps": STEPS}}
    with run_folder(root, tmp_path_factory.mktemp("attention"), values) as wanted:
        for name in wanted.train:
            task = etc.build_task(wanted.train[name].spec, wanted.embed, 0, "cpu")
            attention = task.model.unet.mid_block.attentions[0].transformer_blocks[0].attn1
            for layer in (attention.to_q, attention.to_k):
                torch.nn.init.normal_(layer.weight, std=0.5)
            paths.world_model(name).mkdir(parents=True)
            etc.export(task, paths.world_model(name))
        yield wanted


@pytest.fixture(scope="module")
def maps(params: Params) -> pd.DataFrame:
    run(params, paths.ATTENTION_MAPS)
    return pd.read_csv(paths.ATTENTION_MAPS)


def test_there_is_a_row_for_each_pair_of_frames(maps: pd.DataFrame) -> None:
    assert maps.columns.tolist() == list(COLUMNS)
    own = maps.set_index(["training", "step", "head", "from_frame", "to_frame"])
    heads, frames = range(1, 3), range(1, FRAMES + 1)
    assert own.index.tolist() == pd.MultiIndex.from_product([TRAININGS, STEPS, heads, frames, frames]).tolist()
    sums = maps.groupby(["training", "step", "head", "from_frame"]).share.sum()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-3)  # five digits of each of 16
    assert maps.share.std() > 0.001


@torch.no_grad()
@pytest.mark.parametrize("training", TRAININGS)
def test_the_first_step_is_the_prediction_of_the_noise_with_the_prompt(
    params: Params, maps: pd.DataFrame, training: str
) -> None:
    """Without the sampler: noise and embeddings of the same clips, once through the model, without guidance's other
    half."""
    context = Context.of(with_etc_point(params, training, paths.world_model(training)), training)
    method, model = build(context), load_rated(paths.world_model(training))
    assert isinstance(model, GridUNet)
    text = torch.stack([context.embeddings.of(prompt.id) for prompt in context.prompts])
    scheduler = method.sampler.model.scheduler
    scheduler.set_timesteps(len(STEPS))
    with recorded(model) as found:
        model(method.noise_of(method.jobs()), scheduler.timesteps[0], text, torch.tensor([8.0]))
    first = maps[(maps.training == training) & (maps.step == 1)]
    assert set(first.timestep) == {found[0].timestep}
    wanted = found[0].shares.mean(0).flatten().tolist()
    assert first.share.tolist() == pytest.approx(wanted, abs=2e-5)


def test_asked_for_nothing_there_is_no_row(params: Params, tmp_path: Path) -> None:
    none = params.model_copy(update={"etc": params.etc.model_copy(update={"attention": None})})
    run(none, tmp_path / "maps/maps.csv")
    table = pd.read_csv(tmp_path / "maps/maps.csv")
    assert (table.columns.tolist(), len(table)) == (list(COLUMNS), 0)
