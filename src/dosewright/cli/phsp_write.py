"""dosewright phsp convert, transform, sample, shuffle, repair: one phase space in, one out."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli.faults import faults_reported
from dosewright.cli.phsp_files import (
    CM_PER_MM,
    Force,
    Format,
    Input,
    LongBits,
    Output,
    Seed,
    Z,
    bar,
    check_free,
    layout_like,
    open_for,
    reading,
    say_aside,
    say_losses,
    say_written,
    telling,
    write,
)

if TYPE_CHECKING:
    from dosewright.core.particles import PhaseSpaceInfo


def convert(
    file: Input,
    output: Output,
    format: Format = None,
    big_endian: Annotated[bool, typer.Option("--big-endian", help="Write the bytes of numbers high to low.")] = False,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Write a phase space in another format; what that cannot hold is told."""
    with faults_reported():
        from dataclasses import replace

        from dosewright.formats.phase_space.convert import converted
        from dosewright.formats.phase_space.open import create_phase_space

        reader = open_for(file, output, long_bits, z_mm, force=force)
        say_losses(reader.info, output, format)
        layout = replace(layout_like(reader.info), big_endian=big_endian)
        done = 0
        with bar(file.name, reader.info.particles) as tell:

            def progress(now: int, _: int) -> None:
                nonlocal done
                tell(now - done)
                done = now

            written = converted(reader, create_phase_space(output, layout, format=format), progress=progress)
        say_written(output, written)


def transform(
    file: Input,
    output: Output,
    transformations: Annotated[
        list[str],
        typer.Option(
            "--transformations",
            "-t",
            metavar="WORDS",
            help='In their order: "D dx dy dz", "RXYZ ax ay az", "RTPS theta phi self", "rotate a" (about z), '
            '"reflect nx ny", "reweight factor", "plane z" (fly straight to it); mm and degrees; may be repeated.',
        ),
    ],
    format: Format = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Move, turn, mirror, reweight particles, or fly them to a plane."""
    with faults_reported():
        from dataclasses import replace

        from dosewright.phase_space.transform import Transform
        from dosewright.phase_space.transform_words import read_transformations

        change = Transform.of(read_transformations(transformations))
        reader = open_for(file, output, long_bits, z_mm, force=force)
        constants = change.constants(reader.info.constants)
        after = replace(reader.info, constants=constants, extra=change.extra_left(reader.info.extra))
        say_losses(after, output, format)
        for name in sorted(set(reader.info.extra) - set(after.extra)):
            say_aside(f"Note: The column {name} is left out: it cannot be turned without the other coordinates.")
        if "z_cm" in reader.info.constants and "z_cm" not in constants:
            say_aside('Note: The particles have no common plane any more; a last "plane z" would fly them to one.')
        with bar(file.name, reader.info.particles) as tell:
            batches = change.over(reading(reader, tell))
            written = write(output, layout_like(after), batches, lambda counted: told_or(reader.info, counted), format)
        if change.lost:
            say_aside(f"Note: {change.lost:,} particles never meet the plane and were left out.")
        say_written(output, written)


def sample(
    file: Input,
    output: Output,
    ratio: Annotated[float, typer.Option("--ratio", "-r", metavar="R", min=1.0, help="Keep one in R, on average.")],
    particles: Annotated[
        bool, typer.Option("--particles", help="Draw single particles, not whole histories; weights grow by R.")
    ] = False,
    seed: Seed = 1,
    format: Format = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Keep a part at random: whole histories, as if the run had been shorter."""
    with faults_reported():
        from dataclasses import replace

        from dosewright.phase_space.sample import ParticleSample, Sample

        reader = open_for(file, output, long_bits, z_mm, force=force)
        after, draw = reader.info, Sample(1 / ratio, seed)
        single = ParticleSample(1 / ratio, seed) if particles else None
        if single is not None:
            say_aside("Warning: Histories are torn apart and weights multiplied by the ratio; less precise than whole "
                      "histories.")  # fmt: skip
            after = replace(after, constants=scaled_weight(after.constants, ratio))
        say_losses(after, output, format)
        with bar(file.name, reader.info.particles) as tell:
            batches = (single or draw).over(reading(reader, tell))
            written = write(
                output,
                layout_like(after),
                batches,
                lambda counted: (
                    told_or(reader.info, counted)
                    if single is not None
                    else draw.original_histories(reader.info.original_histories or 0.0)
                ),
                format,
            )
        say_written(output, written)


def shuffle(
    file: Input,
    output: Output,
    seed: Seed = 1,
    format: Format = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Put whole histories into a random order."""
    with faults_reported():
        from dosewright.phase_space.shuffle import Shuffle

        reader = open_for(file, output, long_bits, z_mm, force=force)
        say_losses(reader.info, output, format)
        total = reader.info.particles
        with TemporaryDirectory(prefix=".shuffle-", dir=output.parent) as folder, bar(file.name, 2 * total) as tell:
            shuffled = Shuffle(total, Path(folder), seed).over(reader.batches(), tell)
            written = write(
                output,
                layout_like(reader.info),
                telling(shuffled, tell),
                lambda counted: told_or(reader.info, counted),
                format,
            )
        say_written(output, written)


def repair(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The records, or what is left of their header.")],
    output: Output,
    original_histories: Annotated[
        float | None,
        typer.Option("--histories", metavar="N", min=1, help="Original histories of the source, if no header says so."),
    ] = None,
    z_mm: Annotated[
        float | None, typer.Option("--z", metavar="MM", help="Where the plane lies, if z is not in the records.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a new header from the records, and say what was wrong."""
    with faults_reported():
        from dosewright.formats.phase_space.repair import repaired

        check_free(output, [file], force=force)
        z_cm = None if z_mm is None else z_mm * CM_PER_MM
        for wrong in repaired(file, output, original_histories=original_histories, z_cm=z_cm):
            typer.echo(f"Wrong: {wrong}")
        typer.echo(f"Repaired: {output}")


def scaled_weight(constants: dict[str, float], factor: float) -> dict[str, float]:
    """Return constants after all weights were multiplied: the weight is then stored, not left to rounding."""
    return {name: value for name, value in constants.items() if name != "weight" or factor == 1.0}


def told_or(info: "PhaseSpaceInfo", counted: int) -> float:
    """Return the original histories that a phase space tells, or those counted in its records."""
    return info.original_histories or float(counted)
