"""dosewright jobs: the calculations of this machine's user, looked at, stopped, archived, tidied up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, faults_reported

if TYPE_CHECKING:
    from rich.table import Table

    from dosewright.formats.text.site_settings import Jobs
    from dosewright.workflow.jobs.job_care import Seen
    from dosewright.workflow.jobs.registry import Registry

FOLLOW_EVERY_S = 0.5
PLAIN_WIDTH = 200  # of the list where there is no terminal

app = typer.Typer(
    help="The calculations of this machine: list, show, follow, stop, archive, restore, purge, tidy.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
JobId = Annotated[str, typer.Argument(metavar="ID", help="Number of the job, or the beginning of its folder's name.")]


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context, as_json: options.Json = False) -> None:
    """Without a command: list."""
    if context.invoked_subcommand is None:
        list_jobs(as_json=as_json)


@app.command("list")
def list_jobs(*, library: options.Library = None, as_json: options.Json = False) -> None:
    """List all jobs with state, progress, rate, uncertainty and time left."""
    with opened(library) as (registry, times):
        from rich.console import Console

        from dosewright.workflow.jobs.job_care import seen

        found = [seen(job, times) for job in registry.jobs()]
        if as_json:
            echo_json([as_values(one) for one in found])
        elif not found:
            typer.echo("There are no jobs yet; `dosewright calc` enters its own.")
        else:
            console = Console(highlight=False)
            if not console.is_terminal:
                console.width = PLAIN_WIDTH
            console.print(job_table(found))


@app.command()
def show(job: JobId, *, library: options.Library = None, as_json: options.Json = False) -> None:
    """Show everything about one job, and where its files are."""
    with opened(library) as (registry, times):
        from dosewright.workflow.jobs.job_care import seen

        values = as_values(seen(registry.find(job), times))
        if as_json:
            echo_json(values)
            return
        for name, value in values.items():
            if value not in (None, "", []):
                typer.echo(f"{name.replace('_', ' '):20} {value}")


@app.command()
def follow(job: JobId, *, library: options.Library = None) -> None:
    """Show the progress of a job until it ends; Ctrl-C leaves the job alone. The exit code is the job's."""
    with opened(library) as (registry, times):
        import time

        from dosewright.cli.progress import watching
        from dosewright.workflow.jobs.job_care import seen

        number = registry.find(job).id
        try:
            with watching() as watch:
                now = seen(registry.job(number), times)
                while now.running:
                    for beam in now.beams:
                        watch.progress(beam)
                    time.sleep(FOLLOW_EVERY_S)
                    now = seen(registry.job(number), times)
        except KeyboardInterrupt:
            typer.echo(f"Job {number} goes on.", err=True)
            raise typer.Exit(DONE) from None
        typer.echo(f"Job {number}: {now.state.value}. {now.note}".rstrip())
        typer.echo(f"Folder: {now.job.folder}")
        raise typer.Exit(now.job.exit_code if now.job.exit_code is not None else 1)


@app.command()
def stop(
    job: JobId,
    *,
    hard: Annotated[
        bool, typer.Option("--hard", help="End the process at once, without a result; the folder can be resumed.")
    ] = False,
) -> None:
    """Ask a job to stop and keep its result so far; with --hard end its process."""
    with opened(None) as (registry, _):
        from dosewright.workflow.jobs.job_care import stop as stop_softly
        from dosewright.workflow.jobs.job_care import stop_hard

        found = registry.find(job)
        if hard:
            stop_hard(found, registry)
            typer.echo(f"Job {found.id} was ended. The same command continues where it was. Folder: {found.folder}")
        else:
            stop_softly(found)
            typer.echo(f"Job {found.id} was asked to stop: it ends with its result so far after the batch it is in.")


@app.command()
def archive(job: JobId, *, library: options.Library = None) -> None:
    """Put the folder of a job at rest into one compressed archive, verified before the folder is removed."""
    with opened(library, strict=True) as (registry, times):
        from dosewright.workflow.jobs.archive import archive as put_away
        from dosewright.workflow.jobs.job_care import archive_place
        from dosewright.workflow.jobs.registry import State

        found = registry.find(job)
        place = archive_place(times, good=found.state in (State.DONE, State.STOPPED), folder=folder_of(library))
        typer.echo(f"Job {found.id} is archived in {put_away(found, registry, place).archive}")


@app.command()
def restore(job: JobId) -> None:
    """Put an archived job back into its folder."""
    with opened(None) as (registry, _):
        from dosewright.workflow.jobs.archive import restore as put_back

        back = put_back(registry.find(job), registry)
        typer.echo(f"Job {back.id} is back in {back.folder}")


@app.command()
def purge(job: JobId, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove a job for good: its folder, its archive, its entry."""
    with opened(None) as (registry, _):
        from dosewright.workflow.jobs.archive import purge as remove
        from dosewright.workflow.jobs.archive import refuse_unless_at_rest

        found = registry.find(job)
        refuse_unless_at_rest(found, "purged", archived_too=True)
        if not yes and not typer.confirm(f"Remove job {found.id} with everything in {found.archive or found.folder}?"):
            typer.echo("Nothing was removed.")
            return
        remove(found, registry)
        typer.echo(f"Job {found.id} is removed.")


@app.command()
def tidy(*, library: options.Library = None) -> None:
    """Settle jobs whose process is gone, try second copies that are still to be made, archive historic jobs."""
    with opened(library, strict=True) as (registry, times):
        from dosewright.workflow.jobs.job_care import tidy as tidy_up

        did = tidy_up(registry, times, lambda said: typer.echo(said, err=True), folder=folder_of(library))
        for said in did or ["There was nothing to do."]:
            typer.echo(said)


@contextmanager
def opened(library: Path | None, *, strict: bool = False) -> Iterator[tuple["Registry", "Jobs"]]:
    """Yield the registry and the site's times; what goes wrong is told in sentences.

    A library that cannot be opened keeps nobody from looking at jobs and stopping them, unless it is `strict`.
    """
    with faults_reported():
        from dosewright.core.errors import InputError
        from dosewright.formats.text.site_settings import Jobs
        from dosewright.workflow.jobs.registry import Registry, usual_place

        try:
            times = times_of(library)
        except InputError:
            if strict:
                raise
            typer.echo("The library cannot be opened, so the usual times of jobs are taken.", err=True)
            times = Jobs()
        yield Registry(usual_place(), lambda said: typer.echo(said, err=True)), times


def times_of(library: Path | None) -> "Jobs":
    """Return the site's settings for jobs."""
    from dosewright.commissioning.site.catalog import Library

    return Library.open(library).settings.jobs


def folder_of(library: Path | None) -> Path | None:
    """Return the folder of the library, to which the site's places are relative."""
    from dosewright.commissioning.site.catalog import Library

    return Library.open(library).folder


def as_values(seen: "Seen") -> dict[str, Any]:
    """Return everything known of a job, as plain values."""
    job, beam = seen.job, seen.beam
    times = {"submitted": moment(job.submitted), "heard": moment(job.heard)}
    live = {} if beam is None else {
        "beam": beam.number,
        "share_done": beam.share_done,
        "uncertainty_percent": beam.uncertainty_percent,
        "histories_per_second": beam.histories_per_second,
        "seconds_left": beam.seconds_left,
    }  # fmt: skip
    values = {**job.as_json(), "state": seen.state.value, "running": seen.running, "note": seen.note, **times, **live}
    places = {"log": job.place.log, "report": job.place.report}
    files = {name: str(path) if path.is_file() else None for name, path in places.items()}
    return {**values, **files, "beams": [asdict(beam) for beam in seen.beams]}


def moment(seconds: float) -> str:
    """Write a moment of this machine's time."""
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="minutes")


def job_table(found: "list[Seen]") -> "Table":
    """Return the table of jobs."""
    from rich.markup import escape
    from rich.table import Table

    from dosewright.workflow.goals import duration_text

    table = Table(box=None, header_style="bold")
    for name in ("ID", "State", "Progress", "Rate", "Uncertainty", "Left"):
        table.add_column(name, no_wrap=True)
    for name in ("User", "Submitted", "Folder"):
        table.add_column(name, overflow="fold")
    for one in found:
        job, beam = one.job, one.beam
        percent = beam.uncertainty_percent if beam else job.uncertainty_percent
        table.add_row(
            str(job.id),
            one.state.value,
            f"beam {beam.number} {beam.share_done:.0%}" if beam else f"{job.share_done:.0%}",
            f"{beam.histories_per_second:,.0f}/s" if beam else "",
            "" if percent is None else f"{percent:.2f} %",
            duration_text(beam.seconds_left) if beam and beam.seconds_left is not None else "",
            escape(f"{job.user} {job.role}".strip()),
            moment(job.submitted)[:16],
            escape(Path(job.folder).name + (f" ({one.note})" if one.note else "")),
        )
    return table


def echo_json(value: Any) -> None:
    """Print a value as JSON."""
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
