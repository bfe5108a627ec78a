"""What tests of trainings share: the shipped models and parameters, and what Make-A-Video's made small start from."""

from pathlib import Path

import pytest

from pipeline.config.params import Params, load
from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.loading import save
from tests.pipeline.make_a_video.small import SIZE, upscaler
from tests.pipeline.training.cascade import Place


@pytest.fixture(scope="session")
def place(
    cascade_folders: dict[str, str],
    world_clip_folder: Path,
    sentence_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    """Folders of the networks that trainings start from, and of the dual encoder."""
    folder = tmp_path_factory.mktemp("upscaler")
    save(folder, upscaler(2 * SIZE), noise_schedule())
    towers = {"clip": str(world_clip_folder), "text_tower": str(sentence_folder)}
    return cascade_folders | towers | {"upscaler": str(folder)}


@pytest.fixture(scope="session")
def models(root: Path) -> Path:
    """The folder of the shipped models."""
    return root / "models/world"


@pytest.fixture(scope="session")
def params(root: Path) -> Params:
    """As they are shipped."""
    return load(root / "params.yaml")
