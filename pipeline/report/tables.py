"""The report's tables, each written as CSV, Markdown and LaTeX from the same frame."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from metrics.scoring.catalogue import METRICS as CATALOGUE
from pipeline.prompts.sets import Mixture, Prompt

METRICS = {name: (metric.title, f"{{:.{metric.digits}f}}") for name, metric in CATALOGUE.items()} | {
    "success_rate": ("Mixture shown ↑", "{:.1%}"),
    "content": ("Content ↑", "{:.0%}"),
    "action": ("Action ↑", "{:.0%}"),
    "smooth": ("Smooth ↑", "{:.0%}"),
    "not_weird": ("Not weird ↑", "{:.0%}"),
    "average": ("Average ↑", "{:.1%}"),
    "frames_per_second": ("Frames/s", "{:.1f}"),
    "parameters": ("Parameters", "{:,.0f}"),
}
PART_NAMES = "abc"


def comparison(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per method: every metric with its interval, the counts, flags and fingerprints."""
    rows = []
    for method, own in metrics.groupby("method", sort=False):
        first = own.iloc[0]
        row: dict[str, object] = {"method": method}
        for _, value in own.iterrows():
            row[value.metric] = value.value
            if pd.notna(value.low):
                row |= {f"{value.metric}_low": value.low, f"{value.metric}_high": value.high}
        row |= {name: int(first[name]) for name in ("requested", "generated", "scored")}
        row["flags"] = "; ".join(f"{v.metric}: {v.flag}" for _, v in own.iterrows() if v.flag)
        row["fingerprints"] = " ".join(f"{v.metric}:{v.fingerprint}" for _, v in own.iterrows())
        rows.append(row)
    return pd.DataFrame(rows)


def mixtures(
    world: Sequence[Mixture], prompts: dict[str, Prompt], optima: pd.DataFrame, verdicts: pd.DataFrame, k: int
) -> pd.DataFrame:
    """One row per world mixture: its guide, the optimal step at k, and successes per method as "x/n"."""
    at_k = optima[optima.k == k].set_index("mixture")
    rows = []
    for mixture in world:
        own = verdicts[verdicts.mixture == mixture.id]
        found = at_k.loc[mixture.id]
        rows.append(
            {
                "mixture": mixture.name,
                "attributes": mixture.extra.get("attributes", ""),
                "guide": prompts[mixture.guide].text,
                "step": int(found.step),
                "weight": round(float(found.weight), 4),
                **{m: f"{int(v.success.sum())}/{len(v)}" for m, v in own.groupby("method", sort=False)},
            }
        )
    return pd.DataFrame(rows)


def by_attribute(world: Sequence[Mixture], verdicts: pd.DataFrame) -> pd.DataFrame:
    """Successes per method and kind of mixture (the attributes that are mixed), as "x/n"."""
    kind = {mixture.id: mixture.extra.get("attributes", "").replace(" ", " + ") for mixture in world}
    table = verdicts.assign(mixed=verdicts.mixture.map(kind)).dropna(subset="mixed")  # others are of other sets
    counts = table.groupby(["mixed", "method"], sort=False).success.agg(["sum", "count"]).reset_index()
    counts["shown"] = counts["sum"].astype(int).astype(str) + "/" + counts["count"].astype(str)
    return (
        counts.pivot(index="mixed", columns="method", values="shown")
        .loc[list(dict.fromkeys(table.mixed))]
        .reset_index()
    )


def richspace_steps(paper: Sequence[Mixture], optima: pd.DataFrame, encoder: str, k: int) -> pd.DataFrame:
    """Our step beside the paper's for its 17 mixtures, at the paper's k."""
    at_k = optima[optima.k == k].set_index("mixture")
    rows = []
    for mixture in paper:
        found = at_k.loc[mixture.id]
        published = int(mixture.extra["paper_step"])
        rows.append(
            {
                "figure": int(mixture.extra["figure"]),
                "mixture": mixture.name,
                "outcome": mixture.extra["outcome"],
                "paper_step": published,
                f"{encoder}_step": int(found.step),
                "difference": int(found.step) - published,
                "continuous_step": round(float(found.continuous_weight) * k, 2),
                "k": k,
                "note": mixture.extra.get("note", ""),
            }
        )
    return pd.DataFrame(rows).sort_values("figure", ignore_index=True)


def steps_by_k(optima: pd.DataFrame) -> pd.DataFrame:
    """The optimal weight (step / k) of every mixture for every k, and the continuous optimum (k → ∞)."""
    wide = optima.pivot(index="mixture", columns="k", values="weight").add_prefix("k=")
    limit = optima.groupby("mixture").continuous_weight.first().rename("k=inf")
    order = list(dict.fromkeys(optima.mixture))
    return wide.join(limit).round(4).loc[order].reset_index()


def write(table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write a table as <name>.csv, <name>.md and <name>.tex."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(table.to_markdown(index=False) + "\n", encoding="utf-8")
    text = table.astype(object).where(table.notna(), "")
    latex = text.to_latex(index=False, escape=True, caption=name.replace("_", " "), label=f"tab:{name}")
    (folder / f"{name}.tex").write_text(latex, encoding="utf-8")
