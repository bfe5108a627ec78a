"""What the `study` stage wrote, and what every table made of it has in common."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.config.paths import STUDY
from pipeline.report.formatting import interval
from pipeline.report.table import Cell, Column, Table

SIMULATED = "Simulated: "
NOBODY = (
    "Nobody voted: these raters are simulated from what the toy world's judge measured of the clips, plus noise; "
    "pipeline/study/simulated.py states the model. They show what the analysis does, and nothing of what people see."
)
_BELOW = "Nobody voted: simulated raters, by the model that pipeline/study/simulated.py states."
CLUSTERED = "In brackets: {:g} % intervals, by a bootstrap over raters and prompts."
NO_STAGE = "User studies need the stage study."
_TEXT = {"study": str, "rater": str, "key": str, "method": str, "question": str, "profession": str}
_NAMES = ("first", "second", "candidate", "opponent", "group", "rule", "methods", "design")


@dataclass(frozen=True)
class Studies:
    """Tables of the stage by name. simulated: whether nobody voted. missing: studies that this run cannot simulate, a
    sentence each. confidence: of the intervals."""

    tables: Mapping[str, pd.DataFrame]
    simulated: bool
    missing: Sequence[str]
    confidence: float

    @classmethod
    def read(cls, confidence: float, folder: Path = STUDY) -> "Studies | None":
        """None if the stage has not run."""
        if not (folder / "about.json").is_file():
            return None
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        names = [path for path in sorted(folder.glob("*.csv")) if path.stem != "votes"]
        return cls({path.stem: _read(path) for path in names}, about["simulated"], about["missing"], confidence)

    @property
    def mark(self) -> str:
        """What the caption of a table, and the title of a plot, begins with."""
        return SIMULATED if self.simulated else ""

    @property
    def remarks(self) -> list[str]:
        """What stands below every table of votes."""
        return [_BELOW] if self.simulated else []

    def table(self, name: str) -> pd.DataFrame:
        """A table of the stage, of no rows where it has none."""
        return self.tables.get(name, pd.DataFrame(columns=["study"]))

    def by_study(self, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each study that has rows in a table, with them."""
        for study, own in self.table(name).groupby("study", sort=False):
            yield str(study), own.reset_index(drop=True)

    def shown(
        self,
        name: str,
        caption: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        data: pd.DataFrame,
        remarks: Sequence[str] = (),
    ) -> Table:
        """A table of the report: user_study_<name>, marked where nobody voted."""
        file = f"user_study_{name.replace('-', '_')}"
        return Table(file, f"{self.mark}{caption}", columns, rows, data, [*self.remarks, *remarks])

    @property
    def unanswered(self) -> list[str]:
        """A sentence for each study of which no vote counts."""
        own = self.table("studies")
        names = own.study[own.votes == 0] if len(own) else []
        return [f"{name}: no vote counts, so it has no tables. {self.rule(name)}" for name in names]

    def rule(self, study: str) -> str:
        """Who was left out of a study, and by which rule."""
        own = self.table("studies")
        return str(own[own.study == study].rule.iloc[0])


def percent(value: float, low: float = float("nan"), high: float = float("nan")) -> str:
    """A share as the tables print it, without the sign."""
    return interval(100 * value, 100 * low, 100 * high, 1)


def words(name: str) -> str:
    """A key as a reader sees it."""
    return name.replace("_", " ")


def _read(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=_TEXT)
    return table.fillna({name: "" for name in (*_TEXT, *_NAMES) if name in table})
