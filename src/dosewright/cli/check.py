"""dosewright check: a whole library looked at, every problem told at once."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, REFUSED, faults_reported


def check(
    library: Annotated[
        Path | None,
        typer.Argument(metavar="[LIBRARY]", help="Folder, library.toml or system.cfg; default: the one in use."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Look at every file of a library and list all problems."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.upkeep.check import check_library

        found = check_library(library)
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else found.text())
    raise typer.Exit(REFUSED if found.problems else DONE)
