"""The command `distances`: two files of features -> FVD and the other distances, without a video or a network."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.config.entry import one_sentence

Features = Annotated[Path, typer.Argument(help="npy, npz, safetensors, parquet or csv of features (n, d)")]


@one_sentence(OSError)
def distances(
    gen: Features,
    real: Features,
    metrics: Annotated[str, typer.Option(help="names with commas between; by default all distances")] = "",
    ddof: Annotated[int, typer.Option(min=0, max=1, help="the covariance is divided by n - ddof")] = 1,
    out: Annotated[Path | None, typer.Option(help="result.json; the clips are written beside it")] = None,
    resamples: Annotated[int, typer.Option(min=0, help="of the bootstrap; 0 for no intervals")] = 1000,
    confidence: Annotated[float, typer.Option(help="of the intervals")] = 0.95,
    seed: Annotated[int, typer.Option(help="of the bootstrap")] = 0,
) -> None:
    """Distances of saved features, of whatever network: generated, then real."""
    from metrics.scoring import result, saved
    from metrics.scoring.catalogue import METRICS, OF_SETS, checked
    from metrics.scoring.clusters import NONE
    from metrics.scoring.metric import Sample
    from metrics.scoring.summary import summarise
    from metrics.statistics.bootstrap import Uncertainty
    from pipeline.commands.inputs import prepare_out
    from pipeline.commands.showing import show

    asked = [name.strip() for name in metrics.split(",") if name.strip()]
    names = asked or [metric.name for metric in OF_SETS]
    other = [name for name in checked(names) if METRICS[name] not in OF_SETS]
    if other:
        raise ValueError(f"{other[0]} is no distance of features: score the videos with `reelbench score`")
    sides = [saved.read_features(path) for path in (gen, real)]
    saved.check_alike(gen, real, sides)
    prepare_out(out, suffix=".json")
    sample = Sample(*sides, saved.protocol(ddof), Uncertainty(resamples, confidence, seed))
    scored = result.result_of(summarise(names, sample), sample, NONE)  # nothing is known of prompts
    run = result.this_run("cpu", {"gen": gen, "real": real})
    scored = scored.without_empty(checked(asked), {}).model_copy(update={"run": run})
    if out:
        scored = result.write(scored, sample.gen.table, out)
    show(scored, out)
