"""dosewright fit: beam models and CT protocols from measurements."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported

fit = typer.Typer(
    help="Fit a beam model or a CT protocol to measurements.", no_args_is_help=True, rich_markup_mode=None
)

Measurements = Annotated[Path, typer.Argument(metavar="MEASUREMENTS.toml", help="What was measured, and where it is.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the model and its report.")]


@fit.command()
def beam(
    measurements: Measurements,
    output: Output,
    histories: Annotated[
        int, typer.Option("--histories", "-n", metavar="N", min=1000, help="Histories of each depth dose fitted with.")
    ] = 200_000,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Run the model whole at each energy.")] = True,
    threads: Annotated[int, typer.Option("--threads", "-j", metavar="N", min=0, help="Threads; 0 = all cores.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Fit a beam model to depth doses, spot sizes in air and absolute dose."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.beam_fit.check import check_all
        from dosewright.commissioning.beam_fit.measurements import read_measurements
        from dosewright.commissioning.beam_fit.write import as_numbers, residuals, write_fit
        from dosewright.commissioning.fit_beam import fit_beam

        def tell(what: str) -> None:
            typer.echo(f"{what} ...", err=True)

        measured = read_measurements(measurements)
        found = fit_beam(measured, histories=histories, threads=threads, tell=tell)
        checks = check_all(found.model, measured, threads=threads, tell=tell) if check else ()
        model, report = write_fit(found, checks, output)
        if as_json:
            said = {"model": str(model), "report": str(report), **as_numbers(found, checks)}
            typer.echo(json.dumps(said, indent=2))
            return
        for what, said_of_it in residuals(found, checks).items():
            typer.echo(f"{what.replace('_', ' ')}: {said_of_it}")
        for note in found.notes:
            typer.echo(f"Note: {note}")
        typer.echo(f"Model: {model}\nReport: {report}\nRead the report, then: dosewright approve {model}")


@fit.command()
def hlut(
    measurements: Measurements, output: Output, library: options.Library = None, as_json: options.Json = False
) -> None:
    """Fit a CT protocol to the Hounsfield numbers of tissue substitutes."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.fit_hlut import fit_hlut
        from dosewright.commissioning.hlut_fit.measurements import read_measurements
        from dosewright.commissioning.hlut_fit.write import residuals, write_fit
        from dosewright.commissioning.site.catalog import Library

        found = fit_hlut(read_measurements(measurements, Library.open(library).material))
        protocol, report = write_fit(found, output)
        said = {"protocol": str(protocol), "report": str(report), "k": found.k, "uncertainty": found.uncertainty,
                **residuals(found), "notes": found.notes}  # fmt: skip
        if as_json:
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
            return
        for what, words in residuals(found).items():
            typer.echo(f"{what.replace('_', ' ')}: {words}")
        for note in found.notes:
            typer.echo(f"Note: {note}")
        typer.echo(f"CT protocol: {protocol}\nReport: {report}\nRead the report, then: dosewright approve {protocol}")
