"""Saved features: the same side from every kind of file, and what cannot be read."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from metrics.distances.fvd import fvd
from metrics.distances.jedi import jedi
from metrics.distances.kvd import kernel_distance
from metrics.distances.manifold import coverage, precision, squared_radii
from metrics.scoring.measured import Measured
from metrics.scoring.metric import Sample
from metrics.scoring.saved import FeaturesError, check_alike, protocol, read_features
from metrics.scoring.summary import summarise
from metrics.statistics.bootstrap import Uncertainty

VECTORS = np.random.default_rng(0).normal(size=(12, 5))
NAMES = [f"clip {i // 2}" for i in range(12)]  # two windows of each


def saved(folder: Path, kind: str) -> Path:
    """VECTORS, with their names unless it is an npy."""
    path = folder / f"a.{kind}"
    columns = pd.DataFrame(VECTORS).rename(columns=str).assign(clip=NAMES)
    if kind == "npy":
        np.save(path, VECTORS)
    elif kind == "npz":
        np.savez(path, features=VECTORS, clip=np.array(NAMES), other=np.ones((3, 3)))
    elif kind == "safetensors":
        save_file({"anything": VECTORS}, path, {"clip": json.dumps(NAMES)})
    elif kind == "csv":
        columns.to_csv(path, index=False)
    elif kind == "lists.parquet":
        pd.DataFrame({"clip": NAMES, "features": list(VECTORS)}).to_parquet(path)
    else:
        columns.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["npz", "safetensors", "parquet", "lists.parquet", "csv"])
def test_every_kind_of_file_says_the_same(tmp_path: Path, kind: str) -> None:
    side = read_features(saved(tmp_path, kind))
    np.testing.assert_allclose(side.features.values, VECTORS, rtol=1e-12)
    assert side.features.groups.tolist() == [i // 2 for i in range(12)]
    assert (side.requested, side.scored) == (6, 6)
    assert side.table["window"].tolist() == [0, 1] * 6
    if kind != "csv":  # whose numbers are rounded
        assert side.content == read_features(saved(tmp_path, "npz")).content


def test_a_clip_may_have_any_name_but_none(tmp_path: Path) -> None:
    table = pd.DataFrame({"clip": ["NA", "null", "001", "NA"], "0": [1.0, 2.0, 3.0, 4.0], "1": [0.0, 1.0, 0.0, 1.0]})
    table.to_csv(tmp_path / "a.csv", index=False)
    assert read_features(tmp_path / "a.csv").table["clip"].tolist() == ["NA", "null", "001", "NA"]
    table.loc[2, "clip"] = None
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        with pytest.raises(FeaturesError, match=rf"{name}: row 2, field clip: empty, expected a name"):
            read_features(tmp_path / name)


def test_without_names_every_vector_is_a_clip(tmp_path: Path) -> None:
    side = read_features(saved(tmp_path, "npy"))
    assert side.features.groups.tolist() == list(range(12))


def sample(gen: Measured, real: Measured) -> Sample:
    return Sample(gen, real, protocol(), Uncertainty(20))


def test_values_are_those_of_the_functions(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    gen, real = rng.normal(size=(30, 6)), rng.normal(0.5, 1, (40, 6))
    sides = []
    for name, side in (("gen", gen), ("real", real)):
        np.save(tmp_path / f"{name}.npy", side)
        sides.append(read_features(tmp_path / f"{name}.npy"))
    names = ["fvd", "kvd", "jedi", "precision", "recall", "coverage"]
    values = {value.metric: value for value in summarise(names, sample(*sides))}
    own, theirs = squared_radii(gen, 3), squared_radii(real, 3)
    expected = [fvd(gen, real), kernel_distance(gen, real), jedi(gen, real)]
    expected += [precision(gen, real, theirs), precision(real, gen, own), coverage(gen, real, squared_radii(real, 5))]
    assert [values[name].interval.value for name in names] == pytest.approx(expected)
    assert values["fvd"].interval.low < values["fvd"].interval.value < values["fvd"].interval.high
    assert np.isnan(values["coverage"].interval.low)
    assert [values[name].flag for name in ("fvd", "kvd", "jedi")] == ["features of your own"] * 2 + [""]
    assert values["precision"].flag == "n = 30 < 400"
    choices = values["fvd"].fingerprint.choices
    assert (choices["network"], "frames" in choices) == ("saved features of width 6", False)
    with pytest.raises(FeaturesError, match="gen has features of width 6, real of 5: expected those of one network"):
        check_alike(Path("gen"), Path("real"), [sides[0], read_features(saved(tmp_path, "npy"))])


def test_few_vectors_of_many_features_are_flagged(tmp_path: Path) -> None:
    np.save(tmp_path / "wide.npy", np.random.default_rng(0).normal(size=(7, 8)))
    np.save(tmp_path / "few.npy", np.random.default_rng(1).normal(size=(5, 8)))
    wide, few = (read_features(tmp_path / f"{name}.npy") for name in ("wide", "few"))
    values = summarise(["fvd", "density"], sample(few, wide))
    assert [value.flag for value in values] == ["features of your own; n = 5 < 9", "needs 6 clips a side"]
    assert not np.isnan(values[0].interval.value) and np.isnan(values[1].interval.value)


def test_frames_are_of_their_clips(tmp_path: Path) -> None:
    """(n, T, d): as the vectors one after the other with a name for each, and a clip is drawn as a whole."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(9, 4, 3))
    np.save(tmp_path / "a.npy", vectors)
    np.savez(tmp_path / "b.npz", features=vectors.reshape(36, 3), clip=np.arange(9).repeat(4))
    np.save(tmp_path / "real.npy", rng.normal(size=(20, 3)))
    real = read_features(tmp_path / "real.npy")
    names = ["fvd", "kvd", "recall"]
    both = [summarise(names, sample(read_features(tmp_path / name), real)) for name in ("a.npy", "b.npz")]
    assert [value.interval for value in both[0][:2]] == [value.interval for value in both[1][:2]]
    assert [value.interval.value for value in both[0]] == [value.interval.value for value in both[1]]
    assert [value.n_gen for value in both[0]] == [9] * 3


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"features": np.ones(3)}, r"an array \(3,\) of float64, expected numbers \(n, d\) or \(n, T, d\)"),
        ({"features": np.empty((0, 4))}, r"an array \(0, 4\)"),
        ({"features": np.array([["a", "b"]])}, "of <U1, expected numbers"),
        ({"features": np.array([[1.0, 2], [np.nan, 1]])}, "row 1 holds NaN or infinity"),
        ({"features": np.ones((3, 2)), "clip": np.array(["a"])}, "1 names of 3 vectors"),
        ({"x": np.ones((3, 2)), "y": np.ones((3, 2))}, r"found x \(3, 2\), y \(3, 2\), expected one array"),
        ({"features": np.array([[None]])}, "cannot be read: Object arrays"),
    ],
)
def test_what_holds_no_features_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(FeaturesError, match=rf"bad\.npz: .*{said}"):
        read_features(tmp_path / "bad.npz")


def test_what_is_no_file_of_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match=r"none\.npy: no such file"):
        read_features(tmp_path / "none.npy")
    for name in ("a.npy", "a.npz", "a.safetensors", "a.parquet"):
        (tmp_path / name).write_bytes(b"no")
        with pytest.raises(FeaturesError, match=f"{name}: cannot be read"):
            read_features(tmp_path / name)
    (tmp_path / "a.pt").write_bytes(b"")
    with pytest.raises(FeaturesError, match=r"expected one of \.npy, \.npz, \.safetensors, \.parquet, \.csv"):
        read_features(tmp_path / "a.pt")
    pd.DataFrame({"0": [1.0], "prompt": ["x"]}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FeaturesError, match="column 'prompt' holds no numbers"):
        read_features(tmp_path / "a.csv")
