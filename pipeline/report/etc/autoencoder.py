"""ETC's Table 6: what an autoencoder leaves of grids of frames, before and after it was trained on them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metrics.statistics.bootstrap import Interval, Uncertainty, mean_interval, paired_mean_difference
from pipeline.config import paths
from pipeline.config.specs import AutoencoderSpec
from pipeline.config.train import AutoencoderTraining
from pipeline.report.formatting import fixed, interval
from pipeline.report.metric_tables import INTERVALS
from pipeline.report.page import Content
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row

NAME = "etc_table6"
SHOWN = {
    "ssim": "SSIM",
    "ssim_seam": "near seams",
    "apart": "SSIM, frame by frame",
    "apart_seam": "near seams, frame by frame",
    "kl": "KL",
}
CHANGE = "change"  # of ssim, from the autoencoder before
_REMARKS = (
    "Frame by frame: the same frames, encoded and decoded one by one and laid out afterwards. The difference "
    "from these is what the grid costs.",
    "Near seams: within 2 pixels of a border between two frames. KL: of the latents of grids, in nats per latent.",
    "ETC of the toy world encodes and decodes frame by frame and lays out latents, so its videos are not affected. "
    "This table is of a small AutoencoderKL that was trained for it.",
    "The paper's values: a Stable Diffusion autoencoder on WebVid. Data and model sizes differ: compare the order.",
)


def section(results: Results, printed: Mapping[str, Any]) -> Content:
    """Table 6; it is missing without the autoencoder before."""
    table = _table_6(results, printed["table_6"])
    if table is None:
        return Content(missing=["Table 6 needs the model autoencoder, and what is trained from it."])
    return Content(tables=[table])


def _table_6(results: Results, printed: Mapping[str, float]) -> Table | None:
    """A row for each autoencoder that was measured; None without the one before.

    Args:
        printed: the paper's SSIM by the names of trainings.
    """
    specs = _specs(results)
    before = next((name for name, spec in specs.items() if spec.starts_from is None), None)
    if before is None:
        return None
    data = _measured(results, list(specs), before)
    data["paper"] = data.training.map(printed).where(data.metric == "ssim")
    columns = [
        Column("Autoencoder", numeric=False),
        Column("L_recon", numeric=False),
        Column("L_KL", numeric=False),
        *map(Column, SHOWN.values()),
        Column("Change of SSIM"),
        Column("Paper: SSIM"),
    ]
    rows = [
        row(*_named(spec), *_cells(data[data.training == name]), _printed(printed, name))
        for name, spec in specs.items()
    ]
    remarks = [INTERVALS.format(100 * results.params.evaluate.confidence), *_REMARKS]
    caption = "An autoencoder on grids, before and after training on them (Table 6)"
    return Table(NAME, caption, columns, rows, data, remarks)


def _specs(results: Results) -> dict[str, AutoencoderSpec]:
    """Of the autoencoders that are here."""
    return {
        name: training.spec
        for name, training in results.params.train.items()
        if isinstance(training, AutoencoderTraining) and paths.similarities(paths.world_model(name)).is_file()
    }


def _measured(results: Results, names: list[str], before: str) -> pd.DataFrame:
    """training, metric, value, low, high: means over clips, and of ssim the paired change."""
    wanted = results.params.evaluate
    uncertainty = Uncertainty(wanted.resamples, wanted.confidence, wanted.seed)
    clips = {name: pd.read_csv(paths.similarities(paths.world_model(name)), index_col="clip") for name in names}
    rows = []
    for name, own in clips.items():
        found = {metric: mean_interval(own[metric].to_numpy(), uncertainty) for metric in SHOWN}
        if name != before:
            pair = (one.ssim.to_numpy() for one in (own, clips[before]))
            found[CHANGE] = paired_mean_difference(*pair, uncertainty)
        rows += [{"training": name, "metric": metric, **vars(value)} for metric, value in found.items()]
    return pd.DataFrame(rows)


def _named(spec: AutoencoderSpec) -> tuple[str, str, str]:
    """Whether it is the one before, and the losses of what came after."""
    if spec.starts_from is None:
        return "before", "", ""
    return "after", "✓", "✓" if spec.kl else ""


def _cells(own: pd.DataFrame) -> list[Cell]:
    """Every metric of an autoencoder; a dash for what it has not."""
    found = {entry.metric: Interval(entry.value, entry.low, entry.high) for entry in own.itertuples()}
    return [Cell(_text(metric, found[metric])) if metric in found else Cell() for metric in (*SHOWN, CHANGE)]


def _text(metric: str, found: Interval) -> str:
    return interval(found.value, found.low, found.high, 2 if metric == "kl" else 3)


def _printed(printed: Mapping[str, float], name: str) -> Cell:
    return Cell(fixed(printed[name], 3)) if name in printed else Cell()
