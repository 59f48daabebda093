"""dosewright simulate: one simulation from a run file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, OUT_OF_TIME, faults_reported

if TYPE_CHECKING:
    from dosewright.simulation.run import Progress
    from dosewright.simulation.setup.resolvers import Resolvers


def simulate(
    run: Annotated[Path, typer.Argument(metavar="RUN.toml", help="The run file.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Result folder.")],
    histories: Annotated[
        str | None, typer.Option("--histories", "-n", metavar="N", help="Histories, such as 1e6; replaces the file's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed; replaces the file's.")] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", "-j", metavar="N", help="Threads; 0 = all cores; replaces the file's.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="cpu|cuda", help="Where to run; only cpu so far.")
    ] = None,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """Run one simulation that a run file describes."""
    with faults_reported(as_json=as_json):
        from dosewright.execution.stop import stop_asked
        from dosewright.simulation.run_file.read import read_run_file
        from dosewright.simulation.run_folder import run_in_folder

        resolvers = library_resolvers(library)
        said = {
            ("goal", "histories"): None if histories is None else number(histories),
            ("run", "seed"): seed,
            ("run", "threads"): threads,
            ("run", "device"): device,
        }
        run_file = read_run_file(run, resolvers=resolvers, overrides=said)
    with faults_reported(as_json=as_json, resumes=all(score.format != "native" for score in run_file.score)):
        with progress_shown(run.stem) as tell, stop_asked(output / "STOP", say_aside) as stop:
            run_in_folder(run_file, output, resolvers=resolvers, on_progress=tell, stop=stop)
        summary = show(output, as_json=as_json)
    raise typer.Exit(DONE if summary["goals"]["reached"] else OUT_OF_TIME)


def say_aside(text: str) -> None:
    """Print a sentence on the error stream."""
    typer.echo(text, err=True)


def number(text: str) -> float | str:
    """Return a number where the text is one; the check of the run file refuses the rest."""
    try:
        return float(text)
    except ValueError:
        return text


def library_resolvers(library: Path | None) -> "Resolvers":
    """Look names up in the library; it is opened when a name is first asked for."""
    from functools import cache

    from dosewright.commissioning.site.catalog import Library
    from dosewright.simulation.setup.resolvers import Resolvers

    @cache
    def opened() -> Library:
        return Library.open(library)

    return Resolvers(
        material=lambda name: opened().material(name),
        ct_protocol=lambda name: opened().ct_protocol(name),
        beam_model=lambda name: opened().beam_model(name),
        mlc_design=lambda name: opened().mlc_design(name),
    )


@contextmanager
def progress_shown(name: str) -> Iterator[Callable[["Progress"], None]]:
    """Show a bar on a terminal, else a line now and then, on the error stream."""
    import math
    import time

    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    from dosewright.cli.progress import PLAIN_INTERVAL_S, figures
    from dosewright.workflow.watch import BeamProgress

    def as_figures(now: "Progress") -> str:
        percent = now.uncertainty_percent if math.isfinite(now.uncertainty_percent) else None
        largest = now.dose_error_percent if math.isfinite(now.dose_error_percent) else None
        rate, left = now.histories_per_second, now.seconds_left
        return figures(BeamProgress(0, name, now.histories, rate, percent, now.seconds, left, 0.0, largest))

    console = Console(stderr=True)
    if not console.is_terminal:
        last = time.monotonic()

        def line(now: "Progress") -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_INTERVAL_S:
                last = time.monotonic()
                typer.echo(f"{name}: {as_figures(now)}", err=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[figures]}"))
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        task = bars.add_task(escape(name), total=1.0, figures="preparing")

        def move(now: "Progress") -> None:
            whole = now.seconds + (now.seconds_left or 0.0)
            bars.update(task, completed=now.seconds / whole if now.seconds_left is not None else 0.0,
                        figures=as_figures(now))  # fmt: skip

        yield move


def show(folder: Path, *, as_json: bool) -> dict[str, Any]:
    """Print the summary as JSON, or its main figures; return it."""
    import json

    text = (folder / "summary.json").read_text(encoding="utf-8")
    summary: dict[str, Any] = json.loads(text)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), **summary}, indent=2, ensure_ascii=False))
        return summary
    goals, energy = summary["goals"], summary["energy_MeV_per_primary"]
    percent = goals["mean_uncertainty_percent"]
    known = "unknown" if percent is None else f"{percent:.2f} %"
    typer.echo(f"{summary['histories']:,} histories in {summary['wall_seconds']:.1f} s, "
               f"{summary['histories_per_cpu_second']:,.0f} per CPU second; mean uncertainty {known}.")  # fmt: skip
    errors = goals["dose_errors"]
    if errors["voxels"]:
        failing = "" if errors["failing"] is None else f"; {errors['failing']} fail"
        typer.echo(f"Dose error: largest {errors['largest_percent']:.2f} %, mean {errors['mean_percent']:.2f} % "
                   f"({errors['of']}; {errors['voxels']:,} voxels{failing}).")  # fmt: skip
    shares = ", ".join(f"{key} {value:.4g}" for key, value in energy.items())
    typer.echo(f"Energy per primary in MeV: {shares}.")
    for warning in summary["warnings"]:
        typer.echo(f"Warning: {warning}")
    if not goals["reached"]:
        by = "on request" if goals["stopped_on_request"] else "by the time limit"
        by = "by the end of the phase space" if goals["source_used_up"] else by
        typer.echo(f"Stopped {by} before the goal; the result is valid with its stated uncertainty.")
    for score in summary["scores"]:
        typer.echo(f"{score['quantity']} ({score['unit']}): {folder / score['file']}")
    if "scene" in summary:
        typer.echo(f"energy and dose of {summary['scene']['parts']} parts: {folder / 'parts.csv'}")
    return summary
