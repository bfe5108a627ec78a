from pathlib import Path

import pytest

from tests.pipeline import tiny
from tests.pipeline.make_a_video import small


@pytest.fixture(scope="session")
def tokenizers(shared: Path) -> Path:
    """The real T5 and CLIP tokenizers."""
    return shared / "data/tokenizers"


@pytest.fixture(scope="session")
def cogvideox_folder(tokenizers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of the layout of CogVideoX-2B."""
    return tiny.cogvideox_checkpoint(tmp_path_factory.mktemp("cogvideox"), tokenizers)


@pytest.fixture(scope="session")
def clip_folder(tokenizers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of CLIP's layout."""
    return tiny.clip_checkpoint(tmp_path_factory.mktemp("clip"), tokenizers)


@pytest.fixture(scope="session")
def stable_diffusion_folder(tokenizers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of the layout of Stable Diffusion v1.5."""
    return tiny.stable_diffusion_checkpoint(tmp_path_factory.mktemp("stable_diffusion"), tokenizers)


@pytest.fixture(scope="session")
def stable_diffusion_21_folder(tokenizers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of the layout of Stable Diffusion 2.1."""
    return tiny.stable_diffusion_21_checkpoint(tmp_path_factory.mktemp("stable_diffusion_21"), tokenizers)


@pytest.fixture(scope="session")
def text_to_video_folder(tokenizers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of the layout of ModelScope's text-to-video-ms-1.7b."""
    return tiny.text_to_video_checkpoint(tmp_path_factory.mktemp("text_to_video"), tokenizers)


@pytest.fixture(scope="session")
def sentence_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sentence encoder that knows the words of the toy world."""
    return tiny.sentence_encoder(tmp_path_factory.mktemp("sentence"))


@pytest.fixture(scope="session")
def world_clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dual encoder of the toy world, on the tokens of `sentence_folder`."""
    return tiny.world_clip(tmp_path_factory.mktemp("world_clip"))


@pytest.fixture(scope="session")
def cascade_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of Make-A-Video's networks made small, by the part of the cascade."""
    return small.write_cascade(tmp_path_factory.mktemp("cascade"))
