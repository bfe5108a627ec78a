"""From clips to features, with the real networks, on a few clips: counts, order, several methods, what is loaded."""

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metrics.distances import flow
from metrics.distances.clipsim import clipsim
from metrics.distances.flicker import temporal_flickering
from metrics.networks import i3d
from metrics.networks.features import ClipFeatures, I3DFeatures
from metrics.scoring.cache import FeatureCache
from metrics.scoring.measuring import Measurer
from metrics.scoring.metric import Sample
from metrics.scoring.summary import summarise
from metrics.statistics.bootstrap import Uncertainty
from pipeline.clips import ledger
from pipeline.config import params
from pipeline.config.params import Features
from pipeline.evaluation.evaluated import Evaluated, read
from pipeline.evaluation.features import extract
from pipeline.evaluation.measuring import JudgeReadings
from pipeline.evaluation.measuring import measurer as of_params
from pipeline.evaluation.readings import readings_of
from pipeline.world.judge import Readings, judge
from tests.pipeline.evaluation.conftest import features_of, fill


def test_every_requested_clip_has_a_row(method: Evaluated) -> None:
    table = method.table
    assert table["clip"].tolist() == [f"c{i}" for i in range(6)]
    assert table.scored.tolist() == [True, True, False, True, False, True]
    assert table.outcome[2] == "RuntimeError: no"
    assert table.outcome[4] == ledger.OK  # it was generated
    assert "cannot be decoded" in table.error[4]
    assert (method.parameters, method.asked, method.device) == (123, "prompts", "cpu")


def test_features_are_those_of_each_clip_alone(method: Evaluated, measurer: Measurer, clips: np.ndarray) -> None:
    network, encoder = measurer.networks[0].network, measurer.networks[1].encoder
    for row, i in enumerate((0, 1, 3, 5)):
        alone = i3d.extract(network, i3d.prepare(torch.from_numpy(clips[i : i + 1])))[0]
        assert method.measured.logits[row] == pytest.approx(alone.numpy(), abs=2e-3)
        frames = encoder.frame_features(torch.from_numpy(clips[i]).movedim(-1, 1) / 255)
        text = encoder.text_features([f"A red circle number {i}."])
        assert method.table.clipsim[i] == pytest.approx(float(clipsim(frames[None], text)[0]), abs=1e-5)
        assert method.measured.table.clipsim[row] == method.table.clipsim[i]


def test_the_judges_readings_survive_the_table(method: Evaluated, clips: np.ndarray) -> None:
    expected, found = judge(clips), method.table
    readings = readings_of(found)
    for i in (0, 1, 3, 5):
        for field in fields(Readings):
            assert getattr(readings, field.name)[i] == pytest.approx(getattr(expected, field.name)[i], nan_ok=True)
        assert found.named_colour[i] == expected.names()[i].colour
    assert readings.one_object.tolist() == [
        *expected.one_object[:2],
        False,
        expected.one_object[3],
        False,
        expected.one_object[5],
    ]


def test_methods_are_read_in_one_go_and_each_gets_its_own(
    measurer: Measurer, clips: np.ndarray, tmp_path: Path
) -> None:
    """An odd number of clips in each, so that batches reach from one method into the next; what is not asked for any
    more is removed. Equal features are equal files."""
    folders = {name: fill(tmp_path / name, own) for name, own in (("a", clips[:3]), ("b", clips[2:5]))}
    (tmp_path / "features/old").mkdir(parents=True)
    judged = replace(measurer, networks=[JudgeReadings()])  # quicker than the others
    extract(folders, judged, tmp_path / "features")
    assert not (tmp_path / "features/old").exists()
    for name in folders:
        found = read(tmp_path / "features" / name)
        alone = features_of(tmp_path / name, judged, tmp_path / name / "alone")
        assert found.content == alone.content
    assert found.table.hue.tolist() == pytest.approx(judge(clips[2:5]).hue.tolist())


def test_nothing_is_loaded_where_everything_is_known(measurer: Measurer, clips: np.ndarray, tmp_path: Path) -> None:
    folder, cached = fill(tmp_path / "clips", clips[:2]), replace(measurer, cache=FeatureCache(tmp_path / "cache"))
    first = features_of(folder, cached, tmp_path / "a")
    networks = [replace(network) for network in measurer.networks]  # as a new process has them
    again = features_of(folder, replace(cached, networks=networks), tmp_path / "b")
    assert again.content == first.content
    for network, loaded in zip(networks, ("network", "encoder"), strict=False):
        assert isinstance(network, I3DFeatures | ClipFeatures)
        assert loaded not in vars(network)


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        ("features, pipeline.evaluation.measuring, pipeline.evaluation.reference", ["scipy.stats"]),
        ("results", ["torch"]),
    ],
)
def test_stages_do_not_import_what_they_do_not_use(modules: str, unused: list[str]) -> None:
    """Each of these costs seconds."""
    code = f"import sys, pipeline.evaluation.{modules}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torchmetrics", "diffusers", "transformers", "mlflow", *unused} & set(found)


def test_clips_of_another_size_are_scored_and_not_judged(measurer: Measurer, tmp_path: Path) -> None:
    """As a public checkpoint makes them: more frames, wide frames."""
    rng = np.random.default_rng(0)
    fill(tmp_path / "clips", list(rng.integers(0, 256, (3, 20, 48, 72, 3)).astype(np.uint8)))
    found = features_of(tmp_path / "clips", measurer, tmp_path / "features")
    assert found.measured.logits.shape == (3, 400)
    assert found.table.hue.isna().all()
    assert "named_colour" not in found.table


def test_no_clip_at_all_is_one_sentence_before_anything_is_read(
    measurer: Measurer, clips: np.ndarray, tmp_path: Path
) -> None:
    folders = {"a": fill(tmp_path / "a", clips[:1]), "b": tmp_path / "b"}
    with pytest.raises(FileNotFoundError, match=r"b: .*ledger.jsonl not found or empty: run the generate stage"):
        extract(folders, measurer, tmp_path / "features")
    assert not (tmp_path / "features").exists()
    with pytest.raises(FileNotFoundError, match=r"a/features.safetensors not found: run the features stage"):
        read(tmp_path / "features/a")


def test_flicker_and_flow_are_measured_if_that_is_asked_for(
    root: Path, measurer: Measurer, clips: np.ndarray, tmp_path: Path
) -> None:
    """Then they are columns as any other, and evaluated."""
    wanted = Features(**params.read(root / "params.yaml")["features"])
    asked = of_params(wanted.model_copy(update={"temporal": True})).networks[3:]
    assert [network.name for network in asked] == ["pixels", "flow"] and len(of_params(wanted).networks) == 3
    fill(tmp_path / "clips", clips[:3])
    found = features_of(tmp_path / "clips", replace(measurer, networks=asked), tmp_path / "features")
    expected = [temporal_flickering(clip) for clip in clips[:3]]
    assert found.table.temporal_flickering.tolist() == pytest.approx(expected)
    sample = Sample(found.measured, None, found.protocol, Uncertainty(20))
    values = {value.metric: value for value in summarise(["dynamic_degree", "warping_error"], sample)}
    assert values["warping_error"].interval.value == pytest.approx(found.table.warping_error.mean())
    assert values["warping_error"].fingerprint.network == flow.DESCRIPTION
    assert values["dynamic_degree"].interval.value in (0, 1 / 3, 2 / 3, 1)
