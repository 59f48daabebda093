"""What the commands of phase spaces share: files found, kept from being overwritten, opened, written with a bar."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.core.errors import InputError, refuse

if TYPE_CHECKING:
    from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo, PhaseSpaceReader

# Files that belong together, by the suffix of either.
PAIRS = ((".IAEAheader", ".IAEAphsp"), (".header", ".phsp"))
SUFFIXES = (".IAEAheader", ".IAEAphsp", ".header", ".phsp", ".egsphsp1", ".egsphsp", ".h5", ".txt")
PLAIN_INTERVAL_S = 10.0
CM_PER_MM = 0.1

Input = Annotated[Path, typer.Argument(metavar="FILE", help="The phase space; of two files either.")]
Output = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="The new one: .IAEAheader, .egsphsp1, .phsp (TOPAS), .txt (GAMOS) or .h5."),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="Format to write, where the suffix does not say it.")
]
LongBits = Annotated[
    int | None, typer.Option("--long-bits", metavar="32|64", help="Size of extra longs in the file, if it is not told.")
]
Z = Annotated[
    float | None,
    typer.Option("--z", metavar="MM", help="Where the plane of an EGSnrc file lies: it does not say so."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of the random numbers.")]


def open_found(path: Path, long_bits: int | None = None, z_mm: float | None = None) -> "PhaseSpaceReader":
    """Open a phase space whose suffix may have been left out."""
    from dosewright.formats.phase_space.open import open_phase_space

    if not path.exists():
        path = next((named for suffix in SUFFIXES if (named := _named(path, suffix)).is_file()), path)
    return open_phase_space(path, long_bits=long_bits, z_cm=None if z_mm is None else z_mm * CM_PER_MM)


def open_for(file: Path, output: Path, long_bits: int | None, z_mm: float | None, *, force: bool) -> "PhaseSpaceReader":
    """Open a phase space that another one is made of; say what is wrong with it, and keep what is there."""
    reader = open_found(file, long_bits, z_mm)
    check_free(output, [reader.path], force=force)
    say_problems(reader.info)
    return reader


def say_problems(info: "PhaseSpaceInfo") -> None:
    """Say what is wrong with a file that is read nevertheless."""
    for problem in info.problems:
        say_aside(f"Problem: {problem}")
    if info.original_histories is None:
        say_aside("Note: Nobody wrote the number of original histories; those counted in the records are taken.")


def _named(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def family(path: Path) -> set[Path]:
    """Return a file and the one that belongs to it."""
    members = {path}
    for pair in PAIRS:
        if path.suffix.casefold() in (suffix.casefold() for suffix in pair):
            members |= {path.with_suffix(suffix) for suffix in pair}
    return members


def check_free(output: Path, inputs: Iterable[Path], *, force: bool) -> None:
    """Refuse to write over an input, or over anything unless it is forced, or where there is no folder."""
    problems: list[str] = []
    written = family(output)
    read = {member.resolve() for path in inputs for member in family(path)}
    if any(path.resolve() in read for path in written):
        problems += refuse("The output would overwrite an input", given=output, allowed="another name").problems
    elif not force and (there := sorted(path for path in written if path.exists())):
        listed = ", ".join(map(str, there))
        problems += refuse("The output is there already", given=listed, allowed="another name, or --force").problems
    if not output.parent.is_dir():
        problems += refuse("The folder of the output is missing", given=output.parent).problems
    if problems:
        raise InputError(*problems)


def layout_like(info: "PhaseSpaceInfo") -> "Layout":
    """Return a layout that holds all that a phase space holds."""
    from dosewright.core.particles import Layout

    return Layout(constants=info.constants, extra=info.extra, title=info.header.get("TITLE", "phase space"),
                  header=info.header)  # fmt: skip


def write(
    output: Path,
    layout: "Layout",
    batches: Iterable["Particles"],
    original_histories: Callable[[int], float],
    format: str | None = None,
) -> "PhaseSpaceInfo":
    """Write batches to a new phase space; `original_histories` is given what the records count."""
    from dosewright.formats.phase_space.open import create_phase_space

    counted = 0
    with create_phase_space(output, layout, format=format) as writer:
        for particles in batches:
            counted += int(particles.histories.sum())
            writer.write(particles)
        return writer.finish(original_histories(counted))


def say_losses(source: "PhaseSpaceInfo", output: Path, format: str | None) -> None:
    """Say what the format of the output cannot hold."""
    from dosewright.formats.phase_space.open import format_of, losses

    for loss in losses(source, format or format_of(output)):
        say_aside(f"Note: {loss}")


def say_aside(text: str) -> None:
    """Print a sentence on the error stream."""
    typer.echo(text, err=True)


def say_written(output: Path, info: "PhaseSpaceInfo") -> None:
    """Print what was written."""
    histories = info.original_histories or 0.0
    typer.echo(f"{output}: {info.format}, {info.particles:,} particles of {histories:,.0f} original histories.")
    for problem in info.problems:
        typer.echo(f"Note: {problem}")


@contextmanager
def bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what is told of records done; it shows a bar on a terminal, else a line now and then."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        done, last = 0, time.monotonic()

        def line(records: int) -> None:
            nonlocal done, last
            done += records
            if time.monotonic() - last >= PLAIN_INTERVAL_S:
                last = time.monotonic()
                say_aside(f"{name}: {done:,} of {total:,} records")

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(28), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(escape(name), total=total)
        yield lambda records: bars.advance(task, records)


def reading(reader: "PhaseSpaceReader", tell: Callable[[int], None], count: int | None = None) -> Iterator["Particles"]:
    """Read a phase space, or its first records, telling how many were read."""
    return telling(reader.batches(0, count), tell)


def telling(batches: Iterable["Particles"], tell: Callable[[int], None]) -> Iterator["Particles"]:
    """Yield batches and tell how many records they held."""
    for particles in batches:
        yield particles
        tell(len(particles))
