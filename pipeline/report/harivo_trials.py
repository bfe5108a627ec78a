"""HARIVO's trials: which learning rate each variant has, whether the contrast learns, timesteps, seeds of training."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.report.formatting import fixed, interval, p_value
from pipeline.report.metric_tables import INTERVALS, cell_text, metric_column
from pipeline.report.results import Results
from pipeline.report.table import Cell, Column, Table, row
from pipeline.sweeps.trial_tables import CONTRAST, DIFFERS
from pipeline.world.attributes import ATTRIBUTES, AVERAGE

_SHOWN = (AVERAGE, *ATTRIBUTES, "roughness")
_NOT_SEEN = (
    "Validation loss: L_simple of clips, timesteps and noise that are the same for every training, at uniform t."
)
_SHARES = {"share_trs": "λ∇L_TRS", "share_reg": "λ∇L_reg", "share_dc": "λ∇L_DC"}


def tables(results: Results) -> list[Table]:
    """Those that this run has trials for."""
    made = (_rates(results), _contrast(results), _timesteps(results), _seeds(results))
    return [table for table in made if table is not None]


def _rates(results: Results) -> Table | None:
    """The validation loss of each variant at each learning rate; the least one's is the rate of its training."""
    choices, trials = results.params.harivo.trials.choices, results.trials
    if not choices:
        return None
    own = trials[trials.point.isin([name for names in choices.values() for name in names])]
    rates = sorted(own.learning_rate.unique())
    columns = [Column("Training", numeric=False), *(Column(f"{rate:g}") for rate in rates), Column("Average", "%")]
    rows = []
    for training, of_training in own.groupby("training", sort=False):
        best = of_training.loc[of_training.validation_loss.idxmin()]
        by_rate = of_training.set_index("learning_rate").validation_loss
        cells = [
            Cell(fixed(by_rate[rate], 4), bold=rate == best.learning_rate) if rate in by_rate.index else Cell()
            for rate in rates
        ]
        rows.append(row(str(training), *cells, _cell(best, AVERAGE)))
    prompts = int(own.clips.iloc[0])
    remarks = [
        f"{_budget(own)} each. {_NOT_SEEN} Bold: the least, at whose rate the variant is trained; the average of the "
        f"attributes is that of {prompts} clips at this rate."
    ]
    return Table("harivo_rates", "Validation loss by learning rate", columns, rows, own, remarks)


def _contrast(results: Results) -> Table | None:
    """Trials that differ in the negatives of L_DC: what shows whether it learns."""
    varied = ["queue", "other_content", "limit_dc"]
    changing = _changing(results, *varied)
    if changing.empty or "dc_over_chance" not in changing:
        return None
    own = _equal(results, changing.iloc[0], but=varied)
    own = own.sort_values(["limit_dc", "other_content", "queue"], ascending=[False, False, True])
    titles = ("L_DC − ln n", "Cosine of positives", "Cosine of negatives")
    columns = [
        Column("Queue", numeric=False),
        Column("Negatives n"),
        *map(Column, titles),
        *(Column(title, "% of ∇L_simple") for name, title in _SHARES.items() if name in own),
        Column("Validation loss"),
        *(metric_column(name) for name in (AVERAGE, "roughness")),
    ]
    rows = []
    for point in own.to_dict("records"):
        label = f"{point['queue']}" + ("" if point["other_content"] else ", of the same content too")
        label += "" if point["limit_dc"] else ", gradient not limited"
        shares = [fixed(100 * point[name], 1) for name in _SHARES if name in own]
        values = [f"{fixed(point[name], 2)} → {fixed(point[f'{name}_last'], 2)}" for name in CONTRAST]
        shown = [fixed(point["validation_loss"], 4), *(_cell(point, name) for name in (AVERAGE, "roughness"))]
        rows.append(row(label, f"{point['negatives']:,.0f}", *values, *shares, *shown))
    remarks = [
        "Mean over the last fifth of the training → at its end. Negatives: as many as the queue held at the end. "
        "L_DC − ln n is 0 for projections without meaning: n negatives with a cosine like the positive's. Shares: the "
        "norm of λ times a loss's gradient over that of L_simple, in the temporal layers, median over the training."
    ]
    return Table("harivo_contrast", "Is the contrast trained?", columns, rows, own, remarks)


def _timesteps(results: Results) -> Table | None:
    """Uniform timesteps, the paper's, beside those bent towards high noise, at the same rate and number of steps."""
    uniform = _changing(results, "timestep_power")
    if uniform.empty:
        return None
    own = pd.concat(
        one
        for _, point in uniform.iterrows()
        for one in (_alike(results, point, ["timestep_power"]), point.to_frame().T)
    )
    columns = [Column("Training", numeric=False), Column("t", numeric=False), Column("Validation loss")]
    columns += [metric_column(name) for name in _SHOWN]
    rows = [
        row(
            point["training"],
            "uniform" if point["timestep_power"] == 1 else f"T·u^{point['timestep_power']:g}",
            fixed(point["validation_loss"], 4),
            *(_cell(point, name) for name in _SHOWN),
        )
        for point in own.to_dict("records")
    ]
    remarks = [f"{_budget(own)} each, {int(own.clips.iloc[0])} clips. {_NOT_SEEN}"]
    return Table("harivo_timesteps", "Timesteps of training", columns, rows, own, remarks)


def _seeds(results: Results) -> Table | None:
    """The candidate's difference from the baseline over several trainings of each."""
    own = results.training_seeds
    if own.empty or not results.params.harivo.trials.pairs:
        return None
    baseline, candidate = _pair(results)
    columns = [
        Column("Attribute", numeric=False),
        Column(baseline, "%"),
        Column(candidate, "%"),
        Column("Difference", "points"),
        Column("Between seeds", "points"),
        Column("p, Holm", numeric=False),
    ]
    rows = [
        row(
            one.attribute.replace("_", " "),
            *(f"{100 * value:.1f} ± {100 * sd:.1f}" for value, sd in _means(one)),
            interval(100 * one.difference, 100 * one.low, 100 * one.high, 1),
            fixed(100 * one.between_seeds, 1),
            p_value(one.p_holm),
        )
        for one in own.itertuples()
    ]
    first, trials = own.iloc[0], results.trials
    budget = _budget(trials[trials.point == results.params.harivo.trials.pairs[0][0]])
    confidence = INTERVALS.format(100 * results.params.evaluate.confidence)
    remarks = [
        f"{int(first.seeds)} trainings of each ({budget}), mean ± standard deviation of their means over "
        f"{int(first.prompts)} prompts. {confidence} They are for trainings and prompts like these. Between seeds: "
        "standard deviation of what a pair of trainings adds to the difference; 0 says that so few did not show any, "
        "not that there is none."
    ]
    return Table("harivo_seeds", f"{candidate} and {baseline} over seeds of training", columns, rows, own, remarks)


def _pair(results: Results) -> tuple[str, str]:
    """What the baseline's and the candidate's points are called: by the ablation's rows of such trainings, else by
    their names."""
    trials = results.params.harivo.trials
    rows = {_sampled(results, point): name for name, point in trials.ablation.items()}
    baseline, candidate = (rows.get(_sampled(results, point), point) for point in trials.pairs[0])
    return baseline, candidate


def _sampled(results: Results, point: str) -> tuple[str, bool]:
    """Of a trial, which training it is one of, and whether its clips are sampled with the mitigating gradient."""
    trial = results.params.harivo.trials.points[point]
    return trial.training, trial.mg


def _budget(trials: pd.DataFrame) -> str:
    """The first trial's."""
    first = trials.iloc[0]
    return f"{first.steps:,} steps of {first.batch} videos"


def _means(one: Any) -> list[tuple[float, float]]:
    return [(one.baseline_mean, one.baseline_sd), (one.candidate_mean, one.candidate_sd)]


def _changing(results: Results, *names: str) -> pd.DataFrame:
    """The trials that set one of these values."""
    points = results.params.harivo.trials.points
    own = [point for point, trial in points.items() if set(names) & set(trial.changes)]
    return results.trials[results.trials.point.isin(own)] if own else results.trials[:0]


def _alike(results: Results, point: pd.Series, but: list[str]) -> pd.DataFrame:
    """The trial of the same training whose values are as in params.yaml where this one differs; no row without one."""
    equal, spec = _equal(results, point, but), results.params.train[point.training].spec
    usual = (equal[but] == pd.Series({name: getattr(spec, name) for name in but})).all(axis=1)
    return equal[usual].head(1)


def _equal(results: Results, point: pd.Series, but: list[str]) -> pd.DataFrame:
    """The trials of the same training, itself among them, that differ from it in nothing but these."""
    trials, names = results.trials, ["training", *(name for name in DIFFERS if name not in but)]
    return trials[(trials[names] == point[names]).all(axis=1)]


def _cell(point: Mapping[str, float] | pd.Series, metric: str) -> Cell:
    return Cell(cell_text(metric, point[metric], point[f"{metric}_low"], point[f"{metric}_high"]))
