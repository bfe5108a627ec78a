"""The console command `reelbench`. Commands import what they need when they run, so that --help answers at once."""

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Text-to-video experiments, turned into numbers.")


@app.callback()
def _commands() -> None:
    """Keeps the commands' names in front even while there are few."""


@app.command()
def doctor() -> None:
    """Print versions, device, weights found, free disk, and what is missing with the fix for each."""
    from pipeline.doctor import examine, show

    raise typer.Exit(show(examine()))


@app.command()
def smoke() -> None:
    """Run the whole DAG in a scratch copy with a handful of mixtures and sampling steps."""
    from pipeline.smoke import run

    raise typer.Exit(run())


def main() -> None:
    """Entry point of the console command."""
    app()
