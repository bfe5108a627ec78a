"""A method at full size, on a Stable Diffusion folder made small: what is kept, and what stands behind it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.clips import ledger
from pipeline.config import paths
from pipeline.config.params import Params
from pipeline.evaluation import evaluated
from pipeline.published import figures, full_size, manifest
from tests.pipeline.sweeps.folder import run_folder
from tests.pipeline.sweeps.test_sweeps import small

PROMPTS = 3
NAME = "frames"


@pytest.fixture(scope="module")
def params(root: Path, stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    """A folder with the toy world's prompts, embedded; the run itself asks for one prompt, twice."""
    values = small(root, stable_diffusion_folder)
    values["harivo"]["sweep"]["points"] = {}
    frames = {"module": "pipeline/methods/frames.py", "model": "sd", "limit": 1, "seeds": 2}
    values["generate"]["methods"][NAME] = frames
    values["published"] = {"methods": [NAME], "prompts": {"limit": PROMPTS, "seeds": 1}}
    values["features"] |= {
        "clip": str(root / "models/world/clip"),
        "clip_text_tower": str(root / "models/public/minilm"),
    }
    with run_folder(root, tmp_path_factory.mktemp("published"), values) as wanted:
        paths.code_digest("publish").parent.mkdir(parents=True)
        paths.code_digest("publish").write_text("c0de\n")
        yield wanted


def test_a_method_is_asked_for_as_much_as_is_published(params: Params) -> None:
    whole = full_size.full_size(params, NAME)
    assert list(whole.generate.methods) == [NAME] and whole.generate.prompts == params.published.prompts
    own = whole.generate.methods[NAME]
    assert whole.generate.limit_of(own, "prompts") == PROMPTS and own.seeds is None
    assert params.generate.methods[NAME].limit == 1  # the run's own stay


def test_what_is_measured_is_kept_small_and_is_what_a_run_measures(
    params: Params, i3d_weights: Path, minilm: Path
) -> None:
    _link(i3d_weights)
    full_size.run(params, NAME, Path("scratch"), paths.published(NAME))
    found, usual = evaluated.read(paths.published(NAME)), evaluated.read(Path("scratch/measured") / NAME)
    assert found.counts["scored"] == PROMPTS and found.measured.logits.dtype == np.float16
    np.testing.assert_allclose(found.measured.logits, usual.measured.logits, rtol=1e-3, atol=1e-3)
    assert found.table["clip"].tolist() == usual.table["clip"].tolist()
    np.testing.assert_allclose(found.table.clipsim, usual.table.clipsim, rtol=1e-5)
    assert set(found.table.weights) == set(usual.table.weights) and found.protocol == usual.protocol
    behind = manifest.read(paths.published(NAME))
    assert figures.manifests([NAME, "none"]) == []  # not evaluated yet
    paths.PUBLISHED_RESULTS.mkdir(parents=True, exist_ok=True)
    (paths.PUBLISHED_RESULTS / "metrics.csv").write_text("method\n")
    assert figures.manifests([NAME, "none"]) == [behind]
    assert (behind.requested, behind.weights) == (PROMPTS, usual.table.weights[0])
    assert behind.code == "c0de" and behind.parameters == manifest.parameters_of(params, NAME)
    assert behind.parameters["method"]["module"] == "pipeline/methods/frames.py"
    assert behind.parameters["model"]["sampling"]["steps"] == params.generate.models["sd"].sampling.steps
    assert behind.parameters["features"]["clip"] == params.features.clip
    assert behind.seconds > 0 and behind.machine.processor and behind.machine.device == found.device
    assert figures.read(NAME).content == found.content


def test_started_again_it_makes_no_clip_twice(params: Params, i3d_weights: Path, minilm: Path) -> None:
    clips = Path("scratch/clips")
    if not (clips / ledger.FILE).is_file():  # alone
        test_what_is_measured_is_kept_small_and_is_what_a_run_measures(params, i3d_weights, minilm)
    before = {file.name: file.stat().st_mtime_ns for file in clips.glob("*.mkv")}
    assert len(before) == PROMPTS
    lost = sorted(clips.glob("*.mkv"))[0]
    lost.unlink()
    full_size.run(params, NAME, Path("scratch"), paths.published(NAME))
    after = {file.name: file.stat().st_mtime_ns for file in clips.glob("*.mkv")}
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == [lost.name]


def _link(i3d_weights: Path) -> None:
    if not Path("models/public").is_symlink():
        Path("models").mkdir(exist_ok=True)
        Path("models/public").symlink_to(i3d_weights.parent)
