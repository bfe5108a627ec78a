"""How a command scores: its options -> networks and a scorer. Loads nothing heavy before a network is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from metrics.networks.environment import device_name
from metrics.networks.rules import WORLD_ENCODER
from metrics.networks.spec import read_spec
from metrics.reading.rule import ClipRule
from metrics.scoring.catalogue import METRICS, checked
from metrics.scoring.protocol import Protocol, named
from pipeline.config import paths

if TYPE_CHECKING:
    from metrics.networks.features import Network
    from metrics.scoring.scorer import Scorer
    from metrics.statistics.bootstrap import Uncertainty

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Setup:
    """How to score; None takes the default: the protocol's rule for clips, this checkout's I3D, no CLIP."""

    protocol: str = "reelbench"
    frames: int | None = None
    start: int | None = None
    stride: int | None = None
    windows: int | None = None
    i3d: Path | None = None
    network: Path | None = None
    clip: Path | None = None
    flow: Path | None = None
    device: str = "cpu"
    precision: str = "float32"
    decoder: str | None = None
    cache: Path | None = None
    batch: int = 2
    workers: int | None = None
    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    @property
    def chosen(self) -> Protocol:
        """The protocol with the rule for clips that was asked for."""
        base = named(self.protocol)
        asked = {key: getattr(self, key) for key in vars(base.clips) if getattr(self, key) is not None}
        return base.with_clips(ClipRule(**(vars(base.clips) | self._of_network | asked)))

    @cached_property
    def _of_network(self) -> dict[str, int]:
        """The number of frames that a network of the user's takes, if it says so."""
        frames = read_spec(self.network).frames if self.network else None
        return {"frames": frames} if frames else {}

    @property
    def uncertainty(self) -> "Uncertainty":
        """How intervals are made."""
        from metrics.statistics.bootstrap import Uncertainty

        return Uncertainty(self.resamples, self.confidence, self.seed)

    @property
    def weights(self) -> dict[str, Path]:
        """The weights that were given, by option."""
        given = {"i3d": self.i3d, "network": self.network, "clip": self.clip, "flow": self.flow}
        return {option: place for option, place in given.items() if place}

    def check(self, names: Sequence[str]) -> None:
        """Refuse what is wrong with the options, used or not, before anything heavy is loaded.

        Args:
            names: of the metrics that are wanted.

        Raises:
            ValueError: naming the option, or the metric that lacks one.
            FileNotFoundError: if there are no weights where an option says, or I3D is wanted and has none.
        """
        _ = self.chosen
        device_name(self.device)
        if self.precision not in PRECISIONS:
            raise ValueError(f"--precision is {self.precision!r}, expected one of {', '.join(PRECISIONS)}")
        if self.network and (self.i3d or self.precision != "float32"):
            raise ValueError("--network takes I3D's place: --i3d and --precision say nothing then")
        self._check_weights()
        self._check_networks(checked(names))
        if self.decoder:
            from metrics.reading.video import decoder_version

            decoder_version(self.decoder)
        if (self.resamples, self.confidence) != (Setup.resamples, Setup.confidence):
            _ = self.uncertainty  # it loads scipy, most of a second that other checks need not wait for

    def _check_weights(self) -> None:
        for option in ("i3d", "flow"):
            if option in self.weights and not self.weights[option].is_file():
                raise FileNotFoundError(f"--{option} {self.weights[option]}: no such file")
        if self.i3d:
            _check_i3d(self.i3d)
        if self.clip:
            _kind_of_clip(self.clip)

    def _check_networks(self, names: Sequence[str]) -> None:
        wanted = {METRICS[name].network for name in names}
        if "i3d" in wanted and not (self.network or self.i3d or (paths.ROOT / paths.I3D).is_file()):
            raise FileNotFoundError(
                f"I3D weights not found at {paths.ROOT / paths.I3D}: run the weights stage, or give a file with --i3d"
            )
        if "clip" in wanted and not self.clip:
            needing = [name for name in names if METRICS[name].network == "clip"]
            raise ValueError(needs_clip(needing))

    def networks(self, names: Sequence[str]) -> list["Network"]:
        """The networks that the named metrics need, on the wanted device; the options fit, see `check`."""
        import torch

        from metrics.networks.features import load_clip, load_i3d
        from metrics.networks.own import load_own
        from metrics.scoring.readings import FlickerReadings, load_flow

        wanted, protocol = {METRICS[name].network for name in names}, self.chosen
        networks: list[Network] = []
        if "i3d" in wanted and self.network:
            networks.append(load_own(self.network, protocol.clips.frames, self.device))
        elif "i3d" in wanted:
            networks.append(load_i3d(self.i3d, protocol.i3d_resize, self.device, getattr(torch, self.precision)))
        if "clip" in wanted:
            assert self.clip
            networks.append(load_clip(self.clip, _text_tower(self.clip), protocol.clip_resize, self.device))
        if "pixels" in wanted:
            networks.append(FlickerReadings())
        if "flow" in wanted:
            networks.append(load_flow(self.flow, self.device))
        return networks

    def scorer(self, names: Sequence[str]) -> "Scorer":
        """What scores the named metrics; the options fit, see `check`."""
        from metrics.scoring.cache import FeatureCache
        from metrics.scoring.scorer import Scorer

        networks, cache = self.networks(names), FeatureCache(self.cache)
        return Scorer(networks, self.chosen, cache, self.uncertainty, self.decoder, self.batch, self.workers)


def needs_clip(names: Sequence[str]) -> str:
    """What metrics in the space of a dual encoder lack, in a sentence."""
    own = paths.ROOT / paths.world_model("clip")
    verb = "needs" if len(names) == 1 else "need"
    return f"{', '.join(names)} {verb} --clip FOLDER, a CLIP checkpoint (of clips of the toy world, its own: {own})"


def _text_tower(clip: Path) -> Path | None:
    """The folder of the text tower that the toy world's encoder was trained on; a CLIP has its own."""
    return paths.ROOT / paths.MINILM if _kind_of_clip(clip) == WORLD_ENCODER else None


def _kind_of_clip(folder: Path) -> str:
    """The model type of a dual encoder's folder: transformers makes a CLIP with random weights of any other network.

    Raises:
        FileNotFoundError, ValueError: if it is no folder of a dual encoder's.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise FileNotFoundError(f"--clip {folder} has no config.json, expected a checkpoint's folder")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"--clip {file}: cannot be read: {error}") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in ("clip", WORLD_ENCODER):
        raise ValueError(f"--clip {file}: model_type is {kind!r}, expected 'clip'")
    return kind


def _check_i3d(file: Path) -> None:
    """Refuse a file of other weights.

    Raises:
        ValueError: naming the file.
    """
    try:
        with safe_open(file, "np") as tensors:
            names = tensors.keys()
    except (SafetensorError, OSError) as error:
        raise ValueError(f"--i3d {file}: no safetensors file: {error}") from error
    if not any(name.startswith("Logits/") for name in names):
        raise ValueError(f"--i3d {file}: other weights, such as {min(names, default='none')}, expected I3D's")
