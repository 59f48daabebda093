"""dosewright init: a working library, and a look at the machine."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, REFUSED, faults_reported


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the library; default: the folder's.")
    ] = "",
    as_json: options.Json = False,
) -> None:
    """Make a library with examples, and say what the machine has."""
    with faults_reported(as_json=as_json):
        import json
        from dataclasses import asdict

        from dosewright.commissioning.site.schneider_cache import users_cache
        from dosewright.commissioning.upkeep.init_library import init_library
        from dosewright.commissioning.upkeep.machine_check import check_machine

        files = init_library(folder, name=name)
        findings = check_machine(folder, {"Cache of CT tables": users_cache()})
        if as_json:
            said = {"library": str(folder.absolute()), "files": [str(file) for file in files]}
            typer.echo(json.dumps({**said, "machine": [asdict(one) for one in findings]}, indent=2, ensure_ascii=False))
        else:
            typer.echo(f"A library was made in {folder.absolute()}:")
            for file in files:
                typer.echo(f"  {file}")
            typer.echo("This machine:")
            for one in findings:
                typer.echo(f"  {one.line}")
            typer.echo(f"Next: dosewright check {folder}; then put your beam model into {folder / 'beam_models'}.")
            typer.echo(f"To use it: -s {folder}, or DOSEWRIGHT_LIBRARY={folder.absolute()}.")
    raise typer.Exit(REFUSED if any(one.wrong for one in findings) else DONE)
