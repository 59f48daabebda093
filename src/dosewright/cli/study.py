"""dosewright study: runs as experiments."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, OUT_OF_TIME, faults_reported
from dosewright.cli.simulate import library_resolvers, number, progress_shown, say_aside

if TYPE_CHECKING:
    from dosewright.simulation.run_file.tables import RunFile
    from dosewright.simulation.setup.resolvers import Resolvers

STOP = "STOP"  # a file of this name in the result folder asks a study to stop

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
    dose: Annotated[
        bool, typer.Option("--dose", help="Of a dose in a phantom instead: what cuts would leave in other voxels.")
    ] = False,
    photon_cut: Annotated[
        str | None, typer.Option("--photon-cut", metavar="CUT", help="With --dose: energy in MeV, or range as in 2mm.")
    ] = None,
    electron_cut: Annotated[
        str | None, typer.Option("--electron-cut", metavar="CUT", help="The same for electrons and positrons.")
    ] = None,
    made_only: Annotated[
        bool, typer.Option("--made-only", help="With --dose: cuts of what is made, not of what comes below them.")
    ] = False,
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
    """Find the largest cuts that lose less than a share of what reaches a plane; or what cuts do to a dose."""
    with faults_reported(as_json=as_json):
        from dosewright.simulation.run_file.read import read_run_file

        folder = output or run.with_name(f"{run.stem}_cuts")
        resolvers = library_resolvers(library)
        said = {
            ("goal", "histories"): None if histories is None else number(histories),
            ("run", "seed"): seed,
            ("run", "threads"): threads,
        }
        run_file = read_run_file(run, resolvers=resolvers, overrides=said)
        asked = Asked(run, run_file, folder, resolvers, as_json)
        if dose:
            reached = _of_dose(asked, photon_cut, electron_cut, made_only=made_only)
        else:
            reached = _at_plane(asked, lose, plane, half_width, region or [])
    raise typer.Exit(DONE if reached else OUT_OF_TIME)


@dataclass(frozen=True)
class Asked:
    """A run that is studied: its file, as it was read, and where results go."""

    run: Path
    run_file: "RunFile"
    folder: Path
    resolvers: "Resolvers"
    as_json: bool


def _at_plane(
    asked: Asked, lose: float, plane: float | None, half_width: tuple[float, float] | None, regions: list[str]
) -> bool:
    """Study what reaches a plane; return whether all histories were run."""
    from dosewright.execution.stop import stop_asked
    from dosewright.studies.basis import refuse_used
    from dosewright.studies.cut_files import NAMES, write_study
    from dosewright.studies.cut_study import plane_of, study_cuts
    from dosewright.studies.cut_text import table

    refuse_used(asked.folder, NAMES)
    target = plane_of(asked.run_file, plane, half_width)
    with progress_shown(asked.run.stem) as tell, stop_asked(asked.folder / STOP, say_aside) as stop:
        found = study_cuts(asked.run_file, target, lose_percent=lose, only=regions, resolvers=asked.resolvers,
                           on_progress=tell, stop=stop)  # fmt: skip
        stopped = stop()
    _say(asked, write_study(found, asked.folder, asked.run), table(found))
    return not stopped


def _of_dose(asked: Asked, photon_cut: str | None, electron_cut: str | None, *, made_only: bool) -> bool:
    """Study what cuts carry out of voxels; return whether the goal of the run was reached."""
    from dosewright.execution.stop import stop_asked
    from dosewright.studies.basis import refuse_used
    from dosewright.studies.collected import PRODUCTION, RUN
    from dosewright.studies.dose_files import NAMES, table, write_study
    from dosewright.studies.dose_study import asked_cut, study_dose

    refuse_used(asked.folder, NAMES)
    photon = None if photon_cut is None else asked_cut(photon_cut, "--photon-cut")
    electron = None if electron_cut is None else asked_cut(electron_cut, "--electron-cut")
    with progress_shown(asked.run.stem) as tell, stop_asked(asked.folder / STOP, say_aside) as stop:
        found = study_dose(asked.run_file, photon, electron, way=PRODUCTION if made_only else RUN,
                           resolvers=asked.resolvers, on_progress=tell, stop=stop)  # fmt: skip
    summary = write_study(found, asked.folder, asked.run)
    _say(asked, summary, table(summary))
    return found.result.goal_reached


def _say(asked: Asked, summary: dict[str, Any], text: str) -> None:
    """Print the summary as JSON, or the text, the warnings and where the files are."""
    import json

    if asked.as_json:
        typer.echo(json.dumps({"folder": str(asked.folder), **summary}, indent=2, ensure_ascii=False))
        return
    typer.echo(text)
    for warning in summary["warnings"]:
        say_aside(f"Warning: {warning}")
    typer.echo(f"\nFiles: {asked.folder}")
