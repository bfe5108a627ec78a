"""The commands `study …`: a user study from its file to its votes. What they need is imported when they run."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config.entry import one_sentence

app = typer.Typer(no_args_is_help=True, help="User studies: collect votes in a browser.")

File = Annotated[Path, typer.Argument(metavar="STUDY.yaml", envvar="REELBENCH_STUDY", help="the study's file")]
Folder = Annotated[Path | None, typer.Option(help="of the database and the clips (NAME.study beside the file)")]
Database = Annotated[
    str | None, typer.Option(envvar="REELBENCH_STUDY_DATABASE", help="URL, postgresql://… (SQLite in the folder)")
]
Url = Annotated[
    str | None, typer.Option(help="where raters reach the server (where it was last served; http://127.0.0.1:8000)")
]


@app.command()
@one_sentence(OSError)
def check(file: File) -> None:
    """Read a study and everything that it names, and say what raters will see."""
    from pipeline.commands import studies

    studies.check(file)


@app.command()
@one_sentence(OSError)
def serve(
    file: File,
    host: Annotated[str, typer.Option(help="0.0.0.0 for other machines, best behind a proxy with TLS")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    url: Annotated[str | None, typer.Option(help="where raters reach the server (http://HOST:PORT)")] = None,
    folder: Folder = None,
    database: Database = None,
) -> None:
    """Start a study, or go on with it, and serve it until Ctrl-C."""
    from pipeline.commands import studies

    with suppress(KeyboardInterrupt):  # not raised where a shell has started the command in the background
        studies.serve(studies.Place(file, folder, database), host, port, url)
    print("stopped; start it again to go on")


@app.command()
@one_sentence(OSError)
def invite(
    file: File,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000, help="so many links")] = 1,
    url: Url = None,
    csv: Annotated[Path | None, typer.Option(help="file to write them to, with the columns rater, link")] = None,
    folder: Folder = None,
    database: Database = None,
) -> None:
    """Make personal links. They are shown this once: the database keeps only what recognises them."""
    from pipeline.commands import studies

    studies.invite(studies.Place(file, folder, database), count, url, csv)


@app.command()
@one_sentence(OSError)
def status(file: File, folder: Folder = None, database: Database = None) -> None:
    """Say how far every rater is, how long a trial takes, and how well raters agree."""
    from pipeline.commands import studies

    studies.status(studies.Place(file, folder, database))


@app.command()
@one_sentence(OSError)
def export(
    file: File,
    out: Annotated[Path, typer.Option(help="votes.csv or votes.parquet")],
    folder: Folder = None,
    database: Database = None,
) -> None:
    """Write the votes, without names: a row for each answered question."""
    from pipeline.commands import studies

    studies.export(studies.Place(file, folder, database), out)


@app.command()
@one_sentence(OSError)
def delete(
    rater: Annotated[str, typer.Argument(metavar="RATER", help="the id, as `invite` and `status` print it")],
    file: File,
    folder: Folder = None,
    database: Database = None,
) -> None:
    """Delete a rater and all that is known of them. Their link leads nowhere from then on."""
    from pipeline.commands import studies

    studies.delete(studies.Place(file, folder, database), rater)


@app.command()
@one_sentence(OSError)
def end(file: File, folder: Folder = None, database: Database = None) -> None:
    """End a study: no votes any more, and the organiser's page tells methods."""
    from pipeline.commands import studies

    studies.end(studies.Place(file, folder, database))
