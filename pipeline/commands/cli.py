"""The console command `reelbench`. Commands import what they need when they run, so that --help answers at once."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import analysing, distances, study
from pipeline.config.entry import drop_irrelevant_messages, one_sentence

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Text-to-video experiments, turned into numbers.")
study.app.command("analyse")(analysing.analyse)
app.add_typer(study.app, name="study")
app.command("distances")(distances.distances)


@app.callback()
def _commands() -> None:
    """Keeps the commands' names in front even while there are few, and libraries' notices out of the output."""
    drop_irrelevant_messages()


def default_cache() -> Path:
    """Where features are kept unless an option says otherwise: $XDG_CACHE_HOME/reelbench, or ~/.cache/reelbench."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reelbench"


def _folder(cache: Path | None, no_cache: bool) -> Path | None:
    """Where features are kept; None for nowhere."""
    return None if no_cache else cache or default_cache()


def _names(metrics: str) -> list[str]:
    return [name.strip() for name in metrics.split(",") if name.strip()]


Protocol = Annotated[str, typer.Option(help="reelbench, reference, styleganv or clip-centre")]
Frames = Annotated[int | None, typer.Option(help="frames of a clip (the protocols: 16)")]
Start = Annotated[int | None, typer.Option(help="the clip's first frame (0)")]
Stride = Annotated[int | None, typer.Option(help="take every so many frames (1)")]
Windows = Annotated[int | None, typer.Option(help="clips from each video, one after the other (1)")]
Weights = Annotated[Path | None, typer.Option(help="converted I3D weights (those of the weights stage)")]
Network = Annotated[Path | None, typer.Option(help="in I3D's place: a transformers folder, or a specification")]
Flow = Annotated[Path | None, typer.Option(help="TorchScript optical flow (OpenCV's DIS)")]
Clip = Annotated[
    Path | None, typer.Option(help="folder of a CLIP checkpoint, for clipsim, clip_score and frame_consistency")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 …")]
Precision = Annotated[str, typer.Option(help="of I3D: float32, or bfloat16, which is faster and not exact")]
Decoder = Annotated[str | None, typer.Option(help="pyav or torchcodec (torchcodec where it is installed)")]
Cache = Annotated[Path | None, typer.Option(help="folder of cached features (~/.cache/reelbench)")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="neither read nor write cached features")]
Batch = Annotated[int, typer.Option(min=1, help="clips in a forward pass; a GPU wants more")]
Workers = Annotated[
    int | None, typer.Option(min=0, help="processes that decode, and compute if on a CPU; by default one for each core")
]
Resamples = Annotated[int, typer.Option(min=0, help="of the bootstrap; 0 for no intervals, which is quickest")]
Confidence = Annotated[float, typer.Option(help="of the intervals")]
Seed = Annotated[int, typer.Option(help="of the bootstrap")]
Cluster = Annotated[
    str, typer.Option(help="what intervals draw: prompt, all clips of a caption; none, each clip; or a captions' field")
]


@app.command()
@one_sentence(OSError)
def score(
    gen: Annotated[Path, typer.Option(help="folder of generated videos, or one video")],
    real: Annotated[Path | None, typer.Option(help="folder of real videos, or one video")] = None,
    real_stats: Annotated[Path | None, typer.Option(help="what `reelbench stats` wrote, in place of --real")] = None,
    captions: Annotated[Path | None, typer.Option(help="csv, json or jsonl, by file stem")] = None,
    metrics: Annotated[str, typer.Option(help="names with commas between; by default all that the inputs allow")] = "",
    protocol: Protocol = "reelbench",
    out: Annotated[Path | None, typer.Option(help="result.json; per-clip values are written beside it")] = None,
    frames: Frames = None,
    start: Start = None,
    stride: Stride = None,
    windows: Windows = None,
    i3d: Weights = None,
    network: Network = None,
    clip: Clip = None,
    flow: Flow = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    decoder: Decoder = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    batch: Batch = 2,
    workers: Workers = None,
    resamples: Resamples = 1000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    cluster: Cluster = "prompt",
) -> None:
    """Score a folder of videos: fvd, fvd_inf, kvd, jedi, precision, recall, density, coverage, clipsim, clip_score,
    frame_consistency, ssim, psnr, temporal_flickering, dynamic_degree, warping_error."""
    from pipeline.commands import scoring
    from pipeline.commands.inputs import Inputs
    from pipeline.commands.setup import Setup

    rule = {"frames": frames, "start": start, "stride": stride, "windows": windows}
    networks = {"i3d": i3d, "network": network, "clip": clip, "flow": flow, "device": device}
    running = {"decoder": decoder, "cache": _folder(cache, no_cache), "batch": batch, "workers": workers}
    intervals = {"resamples": resamples, "confidence": confidence, "seed": seed}
    setup = Setup(protocol, **rule, **networks, precision=precision, **running, **intervals)
    scoring.score(setup, _names(metrics), gen, Inputs(real, real_stats, captions, cluster), out)


@app.command()
@one_sentence(OSError)
def compare(
    a: Annotated[
        Path, typer.Argument(help="folder of videos, a result of `score --out`, or a csv or parquet of clips")
    ],
    b: Annotated[Path, typer.Argument(help="the same of the other side; clips are paired by name")],
    real: Annotated[Path | None, typer.Option(help="folder of real videos, or one video")] = None,
    real_stats: Annotated[Path | None, typer.Option(help="what `reelbench stats` wrote, in place of --real")] = None,
    captions: Annotated[Path | None, typer.Option(help="csv, json or jsonl, by file stem, of both sides")] = None,
    metrics: Annotated[str, typer.Option(help="names with commas between; by default all that the inputs allow")] = "",
    protocol: Protocol = "reelbench",
    out: Annotated[Path | None, typer.Option(help="json to write")] = None,
    cluster: Cluster = "prompt",
    frames: Frames = None,
    start: Start = None,
    stride: Stride = None,
    windows: Windows = None,
    i3d: Weights = None,
    network: Network = None,
    clip: Clip = None,
    flow: Flow = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    decoder: Decoder = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    batch: Batch = 2,
    workers: Workers = None,
    resamples: Resamples = 1000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
) -> None:
    """Compare two sets of clips on the same prompts: paired differences of every metric, with intervals and tests."""
    from pipeline.commands import comparing
    from pipeline.commands.inputs import Inputs
    from pipeline.commands.setup import Setup

    rule = {"frames": frames, "start": start, "stride": stride, "windows": windows}
    networks = {"i3d": i3d, "network": network, "clip": clip, "flow": flow, "device": device}
    running = {"decoder": decoder, "cache": _folder(cache, no_cache), "batch": batch, "workers": workers}
    intervals = {"resamples": resamples, "confidence": confidence, "seed": seed}
    setup = Setup(protocol, **rule, **networks, precision=precision, **running, **intervals)
    comparing.compare(setup, _names(metrics), (a, b), Inputs(real, real_stats, captions, cluster), out)


@app.command()
@one_sentence(OSError)
def stats(
    real: Annotated[Path, typer.Option(help="folder of real videos")],
    out: Annotated[Path, typer.Option(help="the file to write, for `reelbench score --real-stats`")],
    protocol: Protocol = "reelbench",
    frames: Frames = None,
    start: Start = None,
    stride: Stride = None,
    windows: Windows = None,
    i3d: Weights = None,
    network: Network = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    decoder: Decoder = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    batch: Batch = 2,
    workers: Workers = None,
) -> None:
    """Write the reference statistics of a folder of real videos."""
    from pipeline.commands import scoring
    from pipeline.commands.setup import Setup

    rule = {"frames": frames, "start": start, "stride": stride, "windows": windows}
    running = {"decoder": decoder, "cache": _folder(cache, no_cache), "batch": batch, "workers": workers}
    networks = {"i3d": i3d, "network": network, "device": device, "precision": precision}
    setup = Setup(protocol, **rule, **running, **networks)
    scoring.write_reference(setup, real, out)


@app.command()
@one_sentence(OSError)
def agreement(
    ratings: Annotated[Path, typer.Argument(help="csv with one row per rated item")],
    metric: Annotated[str, typer.Option(help="the column of the metric")],
    human: Annotated[str, typer.Option(help="the column of the human rating")],
    group: Annotated[str | None, typer.Option(help="a column whose values part the items")] = None,
    cluster: Annotated[
        str, typer.Option(help="which rows are alike: prompt, those of one prompt or caption; none; or a column")
    ] = "prompt",
    out: Annotated[Path | None, typer.Option(help="csv to write")] = None,
    resamples: Resamples = 1000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
) -> None:
    """How well a metric agrees with people: Pearson, Spearman, Kendall tau-b and tau-c, with intervals."""
    from metrics.statistics.bootstrap import Uncertainty
    from pipeline.commands import scoring

    uncertainty = Uncertainty(resamples, confidence, seed)
    scoring.show_agreement(ratings, metric, human, group, uncertainty, out, cluster)


@app.command("filter")
@one_sentence(OSError)
def filter_(
    videos: Annotated[Path, typer.Option(help="folder of videos")],
    captions: Annotated[Path, typer.Option(help="csv, json or jsonl, by file stem")],
    ratio: Annotated[float, typer.Option(help="the share of the videos to keep, more than 0 and at most 1")],
    out: Annotated[Path | None, typer.Option(help="csv of every video: its score, kept or why not")] = None,
    kept: Annotated[Path | None, typer.Option(help="csv of the captions that are kept, for a training")] = None,
    frames: Frames = None,
    start: Start = None,
    stride: Stride = None,
    windows: Windows = None,
    clip: Clip = None,
    device: Device = "cpu",
    decoder: Decoder = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    batch: Batch = 2,
    workers: Workers = None,
) -> None:
    """Keep the videos whose frames match their captions best (ETC's video filter).

    Of each video the first 16 frames are scored, and shorter ones are dropped; --frames, --stride and --windows say
    otherwise.
    """
    from pipeline.commands import filtering
    from pipeline.commands.setup import Setup

    rule = {"frames": frames, "start": start, "stride": stride, "windows": windows}
    running = {"decoder": decoder, "cache": _folder(cache, no_cache), "batch": batch, "workers": workers}
    filtering.run(Setup(**rule, **running, clip=clip, device=device), videos, captions, ratio, out, kept)


@app.command()
def doctor() -> None:
    """Print versions, device, weights found, free disk, and what is missing with the fix for each."""
    from pipeline.commands.doctor import examine, show

    raise typer.Exit(show(examine()))


@app.command()
def superseded(
    empty: Annotated[bool, typer.Option("--empty", help="delete them")] = False,
) -> None:
    """List the clips that other parameters, weights or code made and that are set aside, or delete them."""
    from pipeline.commands import superseded as command

    command.empty() if empty else command.show()


@app.command()
def smoke() -> None:
    """Run the whole DAG in a scratch copy with a handful of mixtures and sampling steps."""
    from pipeline.commands.smoke import run

    raise typer.Exit(run())


@app.command("profiles")
@one_sentence(OSError)
def profiles_() -> None:
    """List the profiles for `reelbench run`, and what each measures, needs and costs."""
    from pipeline.commands.running import show

    show()


@app.command("run")
@one_sentence(OSError)
def run_(
    profile: Annotated[str, typer.Option(help="a folder of profiles/; `reelbench profiles` lists them")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value of params.yaml: generate.prompts.limit=4; may be repeated"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the folder of the run (runs/PROFILE)")] = None,
    prepare: Annotated[bool, typer.Option("--prepare", help="make the folder, and run nothing")] = False,
) -> None:
    """Run the DAG with a profile's parameters, from prompts to report, in a folder of its own; started again, go on."""
    from pipeline.commands.running import run

    raise typer.Exit(run(profile, settings or [], out, prepare))


@app.command()
@one_sentence(OSError)
def publish(
    methods: Annotated[
        list[str] | None,
        typer.Argument(help="those of other weights or parameters than published, or unpublished, by default"),
    ] = None,
) -> None:
    """Measure methods at full size: the published figures, which come with the repository."""
    from pipeline.commands.publishing import run

    raise typer.Exit(run(methods or []))


def main() -> None:
    """Entry point of the console command."""
    app()
