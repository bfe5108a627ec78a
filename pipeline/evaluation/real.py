"""The real side that evaluate.reference names by its place: a folder of videos, or what `reelbench stats` wrote."""

from dataclasses import replace
from pathlib import Path

from metrics.networks.features import Recorded
from metrics.progress import say
from metrics.reading.sources import find
from metrics.scoring.extraction import VideoInput
from metrics.scoring.measured import Measured, read_stats
from metrics.scoring.measuring import Batch, Measurer
from pipeline.evaluation import files

FOLDER = ".reference"  # among the methods' features; no method can be called so
_SAID = 3  # videos that could not be measured, by name


def measure(place: Path, measurer: Measurer, target: Path) -> None:
    """Keep the I3D features of the real clips in `target`, as `read` gives them, and say what could not be measured.

    Raises:
        ValueError: if a folder holds no video, none can be read, or a file is none of `reelbench stats`, or of another
            protocol, rule for clips or network than this run's.
    """
    i3d = [network for network in measurer.networks if isinstance(network, Recorded)]
    real = _of_folder(place, replace(measurer, networks=i3d)) if place.is_dir() else None
    if real is None:
        real = read_stats(place, measurer.protocol, i3d[0].recipe)
    if real.errors:
        say(_left_out(place, real))
    origin = {"codec": real.codec, "decoder": real.decoder}
    counted = {"requested": real.requested, "errors": [list(error) for error in real.errors]}
    files.write(target, real.table, real.logits, files.metadata_of(real, measurer.protocol) | origin | counted)


def read(folder: Path) -> files.Reference:
    """What `measure` kept, with what it could not measure.

    Raises:
        FileNotFoundError: if there is nothing.
    """
    reference, (_, metadata) = files.read_reference(folder), files.read_tensors(folder, "features")
    errors = [(str(name), str(why)) for name, why in metadata["errors"]]
    measured = replace(reference.measured, requested=metadata["requested"], errors=errors)
    return replace(reference, measured=measured)


def _left_out(place: Path, real: Measured) -> str:
    named = "; ".join(f"{name}: {why}" for name, why in real.errors[:_SAID])
    more = f"; and {len(real.errors) - _SAID} more" if len(real.errors) > _SAID else ""
    missing = f"{real.requested - real.scored} of {real.requested} real videos could not be measured and are left out"
    return f"evaluate.reference: {place}: {missing} ({named}{more})"


def _of_folder(folder: Path, measurer: Measurer) -> Measured:
    (real,) = measurer.measure([Batch([VideoInput(source) for source in find(folder)])], "reference")
    if not real.scored:
        name, why = real.errors[0]
        raise ValueError(f"evaluate.reference: no clip of {folder} could be measured; {name}: {why}")
    return real
