"""dosewright query: what a plan holds, and what the library knows; runs nothing."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported


def query(
    plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="The RT Ion Plan, or the folder that holds it.")
    ] = None,
    beams: Annotated[bool, typer.Option("--beams", "-B", help="Beams.")] = False,
    rois: Annotated[bool, typer.Option("--rois", "-R", help="Structures.")] = False,
    grid: Annotated[bool, typer.Option("--grid", "-X", help="Dose grid and CT.")] = False,
    protocols: Annotated[bool, typer.Option("--ct-protocols", "-C", help="CT protocols.")] = False,
    phantoms: Annotated[bool, typer.Option("--phantoms", "-P", help="Phantoms.")] = False,
    materials: Annotated[bool, typer.Option("--materials", "-M", help="Materials that -m may name.")] = False,
    models: Annotated[bool, typer.Option("--beam-models", "-Z", help="Beam models.")] = False,
    users: Annotated[bool, typer.Option("--users", help="Users and their roles.")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="The site's settings.")] = False,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """List what a plan holds, or what the library knows."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.query import Question, answer, text_of

        question = Question(plan, beams, rois, grid, protocols, phantoms, materials, models, users, settings, library)
        found = answer(question)
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else text_of(found))
