"""dosewright version."""

import typer

from dosewright import __version__
from dosewright.cli.options import Json


def version(as_json: Json = False) -> None:
    """Print the version."""
    typer.echo(f'{{"dosewright": "{__version__}"}}' if as_json else f"dosewright {__version__}")
