"""`reelbench study analyse`: tables from files of votes alone, in a folder without a run."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.commands.cli import app
from tests.metrics.user_study.tables import row


@pytest.fixture
def votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of four raters on five prompts; a wins 15 of 20."""
    monkeypatch.chdir(tmp_path)
    rows = [
        row(design="pairwise", rater=f"r-{r}", trial=p + 1, prompt=f"p{p}", answer="a" if (r + p) % 4 else "b")
        for r in range(4)
        for p in range(5)
    ]
    pd.DataFrame(rows).to_csv("votes.csv", index=False)
    return Path("votes.csv")


def test_tables_of_votes_alone(votes: Path) -> None:
    done = CliRunner().invoke(app, ["study", "analyse", str(votes), "--out", "tables", "--resamples", "50"])
    assert done.exit_code == 0, done.output
    table = pd.read_csv("tables/user_study_preferences_s.csv")
    assert table.wins.tolist() == [15] and table.value.tolist() == [0.75] and not table.simulated.any()
    text = Path("tables/user_study_preferences_s.md").read_text()
    assert "a over b" in text and "75.0 (" in text and "imulated" not in text and "Paper" not in text
    names = {path.stem.removeprefix("user_study_") for path in Path("tables").glob("*.tex")}
    assert names == {"studies", "preferences_s", "strengths", "reliability", "plan", "planning"}
    assert "tables/user_study_preferences_s.md: How often" in done.output


def test_what_is_no_vote_is_one_sentence(votes: Path) -> None:
    table = pd.read_csv(votes, dtype=str, keep_default_na=False)
    table.assign(answer="c").to_csv(votes, index=False)
    done = CliRunner().invoke(app, ["study", "analyse", str(votes), "--out", "tables"])
    assert done.exit_code == 1
    assert "votes.csv: row 2, field answer: found 'c', expected one of the methods shown, or tie" in done.output
    assert not Path("tables").exists()
