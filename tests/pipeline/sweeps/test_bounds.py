"""Theorem A.6's quantities, measured on a CogVideoX folder made small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pytest import approx
from scipy.spatial.distance import cdist, pdist

from pipeline.commands.check import unbuilt_methods
from pipeline.config import paths
from pipeline.config.params import Bounds, Params
from pipeline.methods.base import build
from pipeline.richspace.theory import covering_bound, log_interpolated, separation_bound
from pipeline.sweeps import bounds
from pipeline.text.encoders import TextEncoder
from tests.emptied import without_points
from tests.pipeline.sweeps.folder import run_folder

PROMPTS, LENGTH = 3, 226


@pytest.fixture(scope="module")
def params(root: Path, cogvideox_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Params]:
    with run_folder(root, tmp_path_factory.mktemp("bounds"), small(root, cogvideox_folder)) as wanted:
        yield wanted


def small(root: Path, checkpoint: Path) -> dict[str, object]:
    """The shipped parameters on a small CogVideoX folder, with prompts alone."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    sets = {"world": {"length": LENGTH, "zero_padding": False}}
    values["embed"]["encoders"] = {"t5": {"kind": "t5", "checkpoint": str(checkpoint), "sets": sets}}
    values["train"] = {}
    values["report"]["controls"] = {}
    without_points(values)
    sampling = {"steps": 2, "guidance": 2.0, "frames": 9, "height": 32, "width": 32, "precision": "float32"}
    model = {"family": "cogvideox", "checkpoint": str(checkpoint), "encoder": "t5", "fps": 8, "sampling": sampling}
    prompted = {"module": "pipeline/methods/cogvideox.py", "model": "tiny"}
    values["generate"] |= {"models": {"tiny": model}, "methods": {"prompted": prompted}, "workers": 1, "batch": 2}
    values["evaluate"] |= {"comparisons": []}
    values["report"] |= {"strip": "prompted", "guide": "prompted"}
    values["harivo"] |= {"ablation": {}}
    values["richspace"] = {"bounds": {"method": "prompted", "prompts": PROMPTS}}
    return values


@pytest.fixture(scope="module")
def measured(params: Params, tmp_path_factory: pytest.TempPathFactory) -> pd.Series:
    target = tmp_path_factory.mktemp("found") / "own" / "bounds.csv"
    bounds.run(params, target)
    table = pd.read_csv(target)
    assert list(table) == list(bounds.COLUMNS) and len(table) == 1
    return table.iloc[0]


@pytest.fixture(scope="module")
def videos(params: Params) -> np.ndarray:
    """The same clips one by one: (N, d) in [0, 1]."""
    context = bounds.context_of(params, Bounds(method="prompted", prompts=PROMPTS))
    method = build(context)
    method.prepare()
    first = method.noise_of(method.jobs()[:1])
    clips = [
        method.sampler.sample(context.embeddings.of(job.prompt_id)[None], first, context.unconditional)
        for job in method.jobs()
    ]
    return np.stack([clip.numpy().ravel() / 255 for clip in clips])


def test_norms_and_distances_are_those_of_clips_from_one_noise(measured: pd.Series, videos: np.ndarray) -> None:
    norms, apart = np.linalg.norm(videos, axis=1), pdist(videos)
    assert measured.prompts == PROMPTS == len(videos) and measured.dimension == videos.shape[1] == 9 * 32 * 32 * 3
    assert (measured.largest, measured.smallest) == approx((norms.max(), norms.min()), rel=1e-4)
    assert measured.typical == approx(apart.mean(), rel=1e-2)
    nearest = (cdist(videos, videos) + np.diag(np.full(PROMPTS, np.inf))).min(axis=1)
    assert measured.nearest == approx(nearest.mean(), rel=1e-2)


def test_words_are_those_of_the_text_encoder(params: Params, measured: pd.Series) -> None:
    (embedded,) = params.embed.encoders.values()
    encoder = TextEncoder(embedded.kind, embedded.checkpoint)
    words = encoder.model.get_input_embeddings().weight.detach().double().numpy()
    rows = encoder.tokenizer.convert_tokens_to_ids([measured.word_a, measured.word_b])
    assert (measured.vocabulary, measured.width, measured.length) == (*words.shape, LENGTH)
    assert measured.log_sentences == approx(LENGTH * np.log(len(words)))
    assert measured.minimum_distance == approx(np.linalg.norm(words[rows[0]] - words[rows[1]]))
    some = words[np.random.default_rng(0).choice(len(words), 500, replace=False)]
    assert measured.minimum_distance <= pdist(some).min() + 1e-9


def test_bounds_are_those_of_its_quantities(measured: pd.Series) -> None:
    own = (measured.largest, measured.smallest)
    assert measured.covering == approx(covering_bound(*own, measured.log_sentences, measured.dimension))
    more = log_interpolated(measured.log_sentences, measured.steps)
    assert measured.interpolated == approx(covering_bound(*own, more, measured.dimension))
    assert measured.separation == approx(separation_bound(measured.minimum_distance, measured.lipschitz))
    assert measured.lipschitz >= 1


def test_nothing_is_measured_where_nothing_is_asked_for(params: Params, tmp_path: Path) -> None:
    unasked = params.model_copy(update={"richspace": params.richspace.model_copy(update={"bounds": None})})
    bounds.run(unasked, tmp_path / "own" / "bounds.csv")
    assert pd.read_csv(tmp_path / "own" / "bounds.csv").empty


def test_a_method_that_cannot_be_built_is_said_before_anything_runs(params: Params) -> None:
    assert unbuilt_methods(params) == []
    other = params.model_copy(update={"generate": params.generate.model_copy(update={"set": "absent"})})
    assert any("richspace.bounds" in line or "absent" in line for line in unbuilt_methods(other))


def test_its_method_must_be_there(root: Path, cogvideox_folder: Path) -> None:
    values = small(root, cogvideox_folder)
    values["richspace"] = {"bounds": {"method": "gone", "prompts": 2}}
    with pytest.raises(ValueError, match=r"richspace\.bounds\.method"):
        Params.model_validate(values)
    assert paths.BOUNDS_TABLE.parent == paths.BOUNDS
