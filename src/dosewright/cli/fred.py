"""dosewright fred: an input of FRED, looked at as a whole and carried out, or with -n only gone through."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dosewright.cli import options
from dosewright.cli.dose_options import Force, check_free
from dosewright.cli.faults import faults_reported

if TYPE_CHECKING:
    from dosewright.delivery.steps import Delivery

DEFAULT_NAME = "fred.inp"
PICTURES = "setup"  # folder of the pictures in the output folder
TOLD = 1  # verbosity from which steps are told before they are delivered


def fred(
    first: Annotated[Path | None, typer.Argument(metavar="[INPUT]", help="The input; or -f INPUT.")] = None,
    file: Annotated[Path | None, typer.Option("-f", metavar="INPUT", help="The input; default fred.inp.")] = None,
    folder: Annotated[
        Path | None, typer.Option("-i", metavar="DIR", help="Input folder; default: that of the input.")
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Output folder; nothing in it is erased.")
    ] = Path("out"),
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Read, check, print and draw every step; transport nothing.")
    ] = False,
    histories: Annotated[
        str | None, typer.Option("-nprim", metavar="N", help="Histories per pencil beam; replaces the input's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("-rseed", metavar="N", help="Seed.")] = None,
    threads: Annotated[int | None, typer.Option("-numThreads", metavar="N", min=0, help="Threads; 0: all.")] = None,
    verbosity: Annotated[
        int, typer.Option("-V", metavar="0..5", min=0, max=5, help="-V0 little ... -V5 every pencil beam.")
    ] = 3,
    pictures: Annotated[
        int, typer.Option("--pictures", metavar="N", min=0, help="Steps that are drawn, from the first.")
    ] = 20,
    allow_scripts: Annotated[
        bool, typer.Option("--allow-scripts", help="Let the delivery run its scripts; a dry run only looks for them.")
    ] = False,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Carry out what an input of FRED describes; with -n only go through its delivery step by step."""
    with faults_reported(as_json=as_json):
        from dosewright.delivery.scripts import check_scripts
        from dosewright.delivery.steps import read_delivery
        from dosewright.formats.text.fred.taking import as_whole

        path = input_file(first, file, folder)
        number = None if histories is None else as_whole(histories, "-nprim", least=1)
        delivery = read_delivery(path, folder, number)
        if dry_run:
            if allow_scripts:
                check_scripts(delivery, Path.cwd(), allowed=True)
            drawn = draw_steps(delivery, output / PICTURES, pictures, force=force)
            asked = {"output": str(output), "seed": seed, "threads": threads} if as_json else None
            say(delivery, drawn, verbosity, asked)
            return
    with faults_reported(as_json=as_json, resumes=True):
        from dosewright.cli.simulate import progress_shown, say_aside
        from dosewright.execution.stop import stop_asked
        from dosewright.workflow.treatment.carry_out import Asked, carry_out
        from dosewright.workflow.treatment.treatment import DEFAULT_SEED, treatment_of

        chosen = DEFAULT_SEED if seed is None else seed
        treatment = treatment_of(delivery, chosen)
        if verbosity >= TOLD and not as_json:
            say_treatment(delivery, treatment.said, verbosity)
        with progress_shown(path.stem) as tell, stop_asked(output / "STOP", say_aside) as stop:
            summary = carry_out(treatment, Asked(output, chosen, threads or 0, allow_scripts, force, tell, stop))
        say_summary(output, summary, as_json=as_json)


def input_file(first: Path | None, file: Path | None, folder: Path | None) -> Path:
    """Return the input that is meant: one of two names, in the input folder if it is there."""
    from dosewright.core.errors import refuse

    if first is not None and file is not None:
        raise refuse("One input is needed", given=f"{first} and -f {file}", allowed="INPUT, or -f INPUT")
    name = first or file or Path(DEFAULT_NAME)
    inside = name if folder is None else folder / name
    return inside if inside.is_file() or not name.is_file() else name


def draw_steps(delivery: "Delivery", folder: Path, most: int, *, force: bool) -> list[Path]:
    """Draw the first steps; nothing is written over unless that is asked for."""
    from itertools import islice

    from dosewright.delivery.draw import draw_step

    steps = list(islice(delivery.steps(), most))
    files = [folder / f"step_{step.number:04d}.png" for step in steps]
    check_free(files, force=force)
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for step, path in zip(steps, files, strict=True):
        draw_step(delivery, step, path)
    return files


def values(delivery: "Delivery") -> dict[str, Any]:
    """Return the whole dry run by name."""
    from dosewright.delivery.dry_run import input_values, step_values

    return {**input_values(delivery), "steps": [step_values(delivery, step) for step in delivery.steps()]}


def say(delivery: "Delivery", drawn: list[Path], verbosity: int, as_json_with: dict[str, Any] | None) -> None:
    """Print the dry run, as JSON where values to print beside it are given."""
    import json

    from dosewright.delivery.dry_run import input_text, step_text

    if as_json_with is not None:
        whole = {**values(delivery), **as_json_with, "pictures": [str(one) for one in drawn]}
        typer.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    typer.echo(input_text(delivery))
    count = 0
    for step in delivery.steps():
        typer.echo(step_text(delivery, step, verbosity))
        count += 1
    for call in delivery.at_end:
        typer.echo(f"Script at the end: {call.name} ({call.where})")
    steps = "1 step" if count == 1 else f"{count:,} steps"
    pictures = f"drawn in {drawn[0].parent}" if len(drawn) == count and drawn else f"{len(drawn)} drawn (--pictures)"
    typer.echo(f"{steps}, {pictures}. Nothing was transported.")


def say_treatment(delivery: "Delivery", notes: tuple[str, ...], verbosity: int) -> None:
    """Print what is going to be delivered, and what was taken for granted."""
    from dosewright.delivery.dry_run import step_text

    for sentence in notes:
        typer.echo(f"Note: {sentence}")
    for step in delivery.steps():
        typer.echo(step_text(delivery, step, verbosity))


def say_summary(output: Path, summary: dict[str, Any], *, as_json: bool) -> None:
    """Print what regions received, and where it is."""
    import json

    from dosewright.workflow.treatment.account import region_sentence

    if as_json:
        typer.echo(json.dumps({"folder": str(output), **summary}, indent=2, ensure_ascii=False))
        return
    for name, one in summary["regions"].items():
        typer.echo(region_sentence(name, one))
    for warning in summary["warnings"]:
        typer.echo(f"Warning: {warning}")
    typer.echo(f"{summary['note']} Doses in {output / 'score'}, all figures in {output / 'summary.json'}.")
