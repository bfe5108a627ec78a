"""The commands of a study: what they print, write and refuse."""

import csv
import socket
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipeline.clips.files import write_clip
from pipeline.commands import studies
from pipeline.commands.cli import app
from pipeline.commands.studies import DATABASE
from pipeline.study import clips, design, gathered, plan
from pipeline.study.questions import DEFAULTS
from pipeline.study.store import Store
from pipeline.study.votes import COLUMNS
from tests.pipeline.study.videos import write_study
from tests.pipeline.study.web.process import Server, free_port


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A pairwise study over folders."""
    return write_study(tmp_path, "pairwise")


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["study", command, *map(str, arguments)])


def said(result: Result) -> str:
    """What a refused command said, in one sentence."""
    assert result.exit_code == 1
    lines = result.output.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


def votes_of(study: Path, answer: str = "1") -> Store:
    """Let the first invited rater answer everything."""
    place = study.parent / "small-pairwise.study" / DATABASE
    store = Store(f"sqlite:///{place}")
    read = design.read(study)
    items = clips.resolve(read, study.parent).items
    (token,) = store.invite(1).values()
    rater = store.person(token).id
    store.begin(rater, "AI", 2, lambda n: [(t, ["x"] * len(t.shown)) for t in plan.trials(read, items, n)])
    for number in range(1, store.person(token).trials + 1):
        store.vote(rater, number, dict.fromkeys(read.asked, answer), 0)
    return store


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["study", "--help"])
    for command in ("check", "serve", "invite", "status", "export", "delete", "end"):
        assert command in result.output


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_check_says_what_raters_will_see(kind: str, tmp_path: Path) -> None:
    path = write_study(tmp_path, kind)
    before = sorted(tmp_path.iterdir())
    result = run("check", path)
    assert result.exit_code == 0, result.output
    assert f"a study of the design {kind}" in result.output
    assert "6 of each of ours, theirs" in result.output
    assert "256 x 256 pixels, 8 frames/s" in result.output
    assert "length: ours 0.50 s, theirs 0.50 s" in result.output and "warning" not in result.output
    assert "1 trial(s) for practice, 4 real ones, 2 attention check(s)" in result.output
    assert sorted(tmp_path.iterdir()) == before


def test_check_warns_of_lengths_that_differ(study: Path) -> None:
    clip = np.zeros((8, 16, 16, 3), np.uint8)
    write_clip(study.parent / "theirs/clip-002.mkv", clip, 8)
    result = run("check", study)
    assert "length: ours 0.50 s, theirs 0.50 to 1.00 s" in result.output
    assert "warning: lengths differ and are not hidden" in result.output


def test_check_finds_a_file_that_is_no_video(study: Path) -> None:
    (study.parent / "theirs/clip-002.mkv").write_text("none")
    assert "clips: clip-002 of theirs: cannot be decoded" in said(run("check", study))


def test_a_mistake_in_the_file_is_one_sentence(study: Path) -> None:
    study.write_text(study.read_text().replace("practice: 1", "practise: 1"))
    assert "no such key: 'practise' (did you mean 'practice'?)" in said(run("check", study))
    assert "study.yaml" in said(run("invite", study))


@pytest.mark.parametrize("command", ["check", "invite", "status", "end"])
def test_a_missing_file_is_named(command: str, tmp_path: Path) -> None:
    assert "none.yaml: no such file, expected the YAML file of a study" in said(run(command, tmp_path / "none.yaml"))


def test_invite_prints_links_that_work(study: Path) -> None:
    result = run("invite", study, "-n", 20, "--url", "https://study.example.org/")
    links = dict(line.split("  ") for line in result.output.splitlines())
    assert len(links) == 20
    assert all(link.startswith("https://study.example.org/r/") for link in links.values())
    store = Store(f"sqlite:///{study.parent / 'small-pairwise.study' / DATABASE}")
    for rater, link in links.items():
        assert store.person(link.rsplit("/", 1)[1]).id == rater


def test_the_folder_is_its_owners_alone(study: Path) -> None:
    run("invite", study)
    assert stat.S_IMODE((study.parent / "small-pairwise.study").stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["study.example.org", "ftp://study.example.org", "https://", ""])
def test_an_address_without_its_beginning_is_refused(url: str, study: Path) -> None:
    for command in ("invite", "serve"):
        expected = f"--url: found {url!r}, expected an address such as https://study.example.org"
        assert expected in said(run(command, study, "--url", url))
    assert not (study.parent / "small-pairwise.study").exists()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("lab.example.org", "http://lab.example.org:80"),
    ],
)
def test_the_address_that_is_printed_can_be_opened(host: str, url: str) -> None:
    assert studies.address_of(host, 80) == url


def test_the_file_may_come_from_the_environment(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELBENCH_STUDY", str(study))
    assert len(run("invite", "-n", 3).output.splitlines()) == 3


def test_invite_writes_links_that_only_their_owner_reads(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "new/links.csv"
    result = run("invite", study, "-n", 5, "--csv", path)
    assert result.output == f"5 links written to {path}\n"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 and set(rows[0]) == {"rater", "link"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_invite_does_not_write_over_a_file(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("the links of yesterday")
    for taken in (path, tmp_path):
        assert f"--csv: {taken} exists, expected the name of a new file" in said(run("invite", study, "--csv", taken))
    assert path.read_text() == "the links of yesterday"
    assert not (study.parent / "small-pairwise.study").exists()  # and no rater was made


def test_invite_leaves_no_file_where_it_fails(study: Path, tmp_path: Path) -> None:
    run("invite", study)
    run("end", study)
    assert "nobody can be invited" in said(run("invite", study, "--csv", tmp_path / "links.csv"))
    assert not (tmp_path / "links.csv").exists()


def test_a_changed_study_is_refused_on_an_old_database(study: Path) -> None:
    run("invite", study)
    study.write_text(study.read_text().replace("seed: 7", "seed: 8"))
    assert "the study 'small-pairwise' was started otherwise: seed was 7, is 8." in said(run("invite", study))
    assert "seed was 7, is 8" in said(run("serve", study, "--port", free_port()))


def test_a_changed_clip_is_refused_on_an_old_database(study: Path) -> None:
    run("invite", study)
    (study.parent / "ours/clip-001.mkv").write_bytes((study.parent / "ours/clip-002.mkv").read_bytes())
    assert "clips.ours/clip-001 was " in said(run("serve", study, "--port", free_port()))


def test_a_changed_caption_is_refused_on_an_old_database(study: Path) -> None:
    run("invite", study)
    captions = study.parent / "captions.csv"
    captions.write_text(captions.read_text().replace("A square <1>", "A circle <1>"))
    refused = said(run("invite", study))
    assert "clip-001.caption was 'A square <1> & its ground', is 'A circle <1> & its ground'" in refused


def test_another_study_may_have_a_database_of_its_own(study: Path, tmp_path: Path) -> None:
    run("invite", study)
    study.write_text(study.read_text().replace("seed: 7", "seed: 8"))
    assert run("invite", study, "--folder", tmp_path / "other").exit_code == 0
    assert run("invite", study, "--database", f"sqlite:///{tmp_path / 'third.db'}").exit_code == 0


def arguments(command: str, study: Path, rest: tuple[str, ...]) -> tuple[object, ...]:
    """The study comes last for `delete`, so that REELBENCH_STUDY can take its place."""
    return (*rest, study) if command == "delete" else (study, *rest)


@pytest.mark.parametrize(
    ("command", "rest"), [("status", ()), ("export", ("--out", "v.csv")), ("delete", ("r-1",)), ("end", ())]
)
def test_a_study_that_was_not_started_is_named(command: str, rest: tuple[str, ...], study: Path) -> None:
    assert "votes.db: no such file; `reelbench study serve` or `invite` starts a study" in said(
        run(command, *arguments(command, study, rest))
    )
    assert not (study.parent / "small-pairwise.study").exists()


def test_an_empty_database_has_no_study(study: Path, tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    assert "the study was not started yet" in said(run("status", study, "--database", f"sqlite:///{tmp_path / 'x.db'}"))


def test_a_database_that_is_not_there_is_not_made(study: Path, tmp_path: Path) -> None:
    assert "x.db: no such file" in said(run("status", study, "--database", f"sqlite:///{tmp_path / 'x.db'}"))
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    ("command", "rest"), [("status", ()), ("export", ("--out", "v.csv")), ("delete", ("r-1",)), ("end", ())]
)
def test_the_database_of_another_study_is_refused(
    command: str, rest: tuple[str, ...], study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("invite", write_study(tmp_path / "other", "rating"), "--database", url := f"sqlite:///{tmp_path / 'other.db'}")
    monkeypatch.setenv("REELBENCH_STUDY_DATABASE", url)
    refused = said(run(command, *arguments(command, study, rest)))
    assert "the database holds the study 'small-rating', expected 'small-pairwise' as" in refused
    assert Store(url).recorded().ended is None


def test_status_says_how_far_the_study_is(study: Path) -> None:
    run("invite", study, "-n", 2)
    votes_of(study)
    votes_of(study)
    result = run("status", study)
    assert "small-pairwise: running" in result.output
    assert "complete: 2 of 4 expected; begun: 2 of 4" in result.output
    assert "agreement on motion: " in result.output and "0 of 2" in result.output
    assert "ours" not in result.output


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_export_writes_votes_without_names(suffix: str, study: Path, tmp_path: Path) -> None:
    run("invite", study)
    votes_of(study, "tie")
    path = tmp_path / f"votes{suffix}"
    assert run("export", study, "--out", path).output == f"21 votes of 1 raters written to {path}\n"
    table = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    assert list(table.columns) == list(COLUMNS) and len(table) == 21
    assert set(table.answer) == {"tie"} and set(table.profession) == {"AI"}


def test_export_names_another_kind_of_file(study: Path) -> None:
    run("invite", study)
    assert "expected a name that ends in .csv or .parquet" in said(run("export", study, "--out", "votes.xlsx"))


def test_delete_knows_the_study_from_the_environment(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("invite", study)
    monkeypatch.setenv("REELBENCH_STUDY", str(study))
    assert "no rater 'r-1', expected an id" in said(run("delete", "r-1"))


def test_links_begin_where_the_study_was_last_served(study: Path) -> None:
    run("invite", study)
    (study.parent / "small-pairwise.study" / "address.txt").write_text("https://study.example.org")
    assert "https://study.example.org/r/" in run("invite", study).output
    assert "http://127.0.0.1:9/r/" in run("invite", study, "--url", "http://127.0.0.1:9").output


def test_delete_deletes_a_rater(study: Path, tmp_path: Path) -> None:
    run("invite", study)
    store = votes_of(study)
    rater = next(one.rater for one in gathered.progress(store) if one.answered)
    assert "is deleted" in run("delete", rater, study).output
    run("export", study, "--out", tmp_path / "votes.csv")
    assert pd.read_csv(tmp_path / "votes.csv").empty
    assert f"no rater '{rater}', expected an id that `reelbench study status` lists" in said(
        run("delete", rater, study)
    )


def test_an_ended_study_takes_nobody(study: Path) -> None:
    run("invite", study)
    assert "small-pairwise has ended" in run("end", study).output
    assert "ended 2" in run("status", study).output
    assert "nobody can be invited" in said(run("invite", study))


def test_a_database_that_cannot_be_opened_is_named(study: Path) -> None:
    assert "--database: found 'mysql', expected sqlite or postgresql" in said(
        run("status", study, "--database", "mysql://host/x")
    )


def test_a_port_that_is_taken_is_named(study: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} cannot be used: Address already in use" in said(run("serve", study, "--port", port))


def test_serve_says_where_it_is_and_stops_when_it_is_told(study: Path) -> None:
    server = Server(study)
    lines = server.start()
    assert lines[-3:-1] == [
        f"small-pairwise: {server.url}/ (by the links of `reelbench study invite`)",
        f"organiser: {server.url}/organiser",
    ]
    assert server.interrupt() == (0, "stopped; start it again to go on")
    assert server.start()[-1] == lines[-1]  # the same study, with the same secret
    server.kill()
