"""dosewright lint: what a calculation of this plan would find, miss and assume; runs nothing."""

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, REFUSED, faults_reported


@options.asking_what
def lint(what: options.WhatToCalculate, as_json: options.Json = False) -> None:
    """Say what was found, is missing and will be assumed."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.lint import lint_plan
        from dosewright.workflow.read_wishes import read_wishes

        found = lint_plan(read_wishes(what.said()))
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else found.text())
    raise typer.Exit(REFUSED if found.missing else DONE)
