"""dosewright study: runs as experiments."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, faults_reported
from dosewright.cli.simulate import library_resolvers, number, progress_shown, say_aside

study = typer.Typer(help="Find out how a run should be set up.", no_args_is_help=True, rich_markup_mode=None)


@study.callback()
def studies() -> None:
    """Find out how a run should be set up."""


@study.command()
def cuts(
    run: Annotated[Path, typer.Argument(metavar="RUN.toml", help="The run file of an accelerator: it has a [scene].")],
    lose: Annotated[float, typer.Option("--lose", metavar="PERCENT", help="What may be lost of the particles.")] = 1.0,
    plane: Annotated[
        float | None,
        typer.Option(
            "--plane",
            metavar="Z",
            help="Height of the target (mm). Default: a plane of the run, or its phantom's face.",
        ),
    ] = None,
    half_width: Annotated[
        tuple[float, float] | None,
        typer.Option("--half-width", metavar="X Y", help="Half of the target along x and y (mm). Default: no end."),
    ] = None,
    histories: Annotated[
        str | None, typer.Option("--histories", "-n", metavar="N", help="Histories, such as 1e5; replaces the file's.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="NAME", help="Cuts in this part or module only; repeat for more."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Result folder; default: one beside the run file."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed; replaces the file's.")] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", "-j", metavar="N", help="Threads; 0 = all cores; replaces the file's.")
    ] = None,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """Find the largest cuts that lose less than a share of the particles that reach a plane."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.simulation.run_file.read import read_run_file
        from dosewright.studies.cut_files import refuse_used, write_study
        from dosewright.studies.cut_study import plane_of, study_cuts
        from dosewright.studies.cut_text import table

        folder = output or run.with_name(f"{run.stem}_cuts")
        refuse_used(folder)
        resolvers = library_resolvers(library)
        said = {
            ("goal", "histories"): None if histories is None else number(histories),
            ("run", "seed"): seed,
            ("run", "threads"): threads,
        }
        run_file = read_run_file(run, resolvers=resolvers, overrides=said)
        target = plane_of(run_file, plane, half_width)
        with progress_shown(run.stem) as tell:
            found = study_cuts(
                run_file, target, lose_percent=lose, only=region or (), resolvers=resolvers, on_progress=tell
            )
        summary = write_study(found, folder, run)
        if as_json:
            typer.echo(json.dumps({"folder": str(folder), **summary}, indent=2, ensure_ascii=False))
        else:
            typer.echo(table(found))
            for warning in found.warnings:
                say_aside(f"Warning: {warning}")
            typer.echo(f"\nFiles: {folder}; the cuts for a run file: {folder / 'cuts.toml'}")
    raise typer.Exit(DONE)
