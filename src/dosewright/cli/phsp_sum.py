"""dosewright phsp sum, combine, sumPS: several phase spaces as one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli.faults import faults_reported
from dosewright.cli.phsp_files import (
    Force,
    Format,
    LongBits,
    Seed,
    Z,
    bar,
    check_free,
    open_found,
    reading,
    say_aside,
    say_losses,
    say_problems,
    say_written,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dosewright.core.particles import Layout, Particles, PhaseSpaceReader
    from dosewright.phase_space.scan import Scan

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="The phase spaces.")]
SumOutput = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The new phase space.")]


def sum_files(
    files: Files,
    output: SumOutput,
    format: Format = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Add up parts of one run: particles one after another, original histories added."""
    with faults_reported():
        summed([open_found(file, long_bits, z_mm) for file in files], output, format, force=force)


def sum_ps(
    listed: Annotated[Path, typer.Argument(metavar="LIST", help="A text file: one header file per line.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Name of the sum; .IAEAheader is added.")],
    force: Force = False,
) -> None:
    """Add up as GAMOS's sumPS does: a list of IAEA files, and the name of their sum."""
    with faults_reported():
        if output.suffix not in (".IAEAheader", ".IAEAphsp"):
            output = output.with_name(output.name + ".IAEAheader")
        summed([open_found(path) for path in files_in(listed)], output, None, force=force)


def combine(
    files: Files,
    output: SumOutput,
    weights: Annotated[
        list[float],
        typer.Option("--weight", "-w", metavar="W", help="What each beam sends, relative to itself; one per file."),
    ],
    ratio: Annotated[
        float, typer.Option("--ratio", "-r", metavar="R", min=1.0, help="Keep one history in R, on average.")
    ] = 1.0,
    seed: Seed = 1,
    format: Format = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Join beams of their own: per original history of all, each sends its weight times what it sends alone."""
    with faults_reported():
        from dosewright.core.errors import refuse
        from dosewright.phase_space.combine import beam_factors
        from dosewright.phase_space.sample import Sample
        from dosewright.phase_space.transform import Reweight, Transform

        readers = [open_found(file, long_bits, z_mm) for file in files]
        unknown = [reader.path for reader in readers if not reader.info.original_histories]
        if unknown:
            raise refuse("Beams are weighted by their original histories, which are unknown", where=unknown[0])
        histories = [reader.info.original_histories or 0.0 for reader in readers]
        changes = [Transform.of([Reweight(factor)]) for factor in beam_factors(weights, histories)]
        check_free(output, [reader.path for reader in readers], force=force)
        samples = [Sample(1 / ratio, seed + number) for number in range(len(readers))]
        layout = joint_layout(readers, [change.constants(reader.info.constants)
                                        for change, reader in zip(changes, readers, strict=True)])  # fmt: skip
        say_losses_of(readers, output, format)

        def all_of_them(tell: "Callable[[int], None]") -> "Iterator[Particles]":
            for reader, change, sample in zip(readers, changes, samples, strict=True):
                yield from sample.over(change.over(told(reader, layout, tell)))

        def kept(_: int) -> float:
            return sum(sample.original_histories(given) for sample, given in zip(samples, histories, strict=True))

        with bar("combine", sum(reader.info.particles for reader in readers)) as tell:
            written = write(output, layout, all_of_them(tell), kept, format)
        say_written(output, written)


def summed(readers: "list[PhaseSpaceReader]", output: Path, format: str | None, *, force: bool) -> None:
    """Write the sum of phase spaces and print GAMOS's figures of each and of all."""
    from dosewright.core.particles import ELECTRON, NEUTRON, PHOTON, POSITRON, PROTON
    from dosewright.phase_space.scan import Scan

    check_free(output, [reader.path for reader in readers], force=force)
    layout = joint_layout(readers, [reader.info.constants for reader in readers])
    say_losses_of(readers, output, format)
    scans: list[Scan] = []
    original = 0.0

    def all_of_them(tell: "Callable[[int], None]") -> "Iterator[Particles]":
        nonlocal original
        for reader in readers:
            scan = Scan()
            scans.append(scan)
            for particles in told(reader, layout, tell):
                scan.add(particles)
                yield particles
            own = scan.original_histories(reader.info)
            original += own
            lines.append(file_lines(reader, scan, own, sum(done.statistics.count() for done in scans), original))

    lines: list[str] = []
    with bar("sum", sum(reader.info.particles for reader in readers)) as tell:
        written = write(output, layout, all_of_them(tell), lambda _: original, format)
    typer.echo("\n".join(lines))
    totals = {"Particles  ": 0, "Photons  ": PHOTON, "Electrons": ELECTRON, "Positrons": POSITRON,
              "Neutrons ": NEUTRON, "Protons  ": PROTON}  # fmt: skip
    for name, code in totals.items():
        count = sum(scan.statistics.count(code) for scan in scans)
        if count or code in (0, PHOTON, ELECTRON, POSITRON):
            typer.echo(f"* * * * N {name} = {count}")
    typer.echo(f"* * * * N Original Histories =  {original:.10g}")
    say_written(output, written)


def file_lines(reader: "PhaseSpaceReader", scan: "Scan", own: float, particles: int, original: float) -> str:
    """Return what GAMOS's sumPS prints of one file: its figures, and those of all up to it."""
    figure = scan.statistics.per_history("number", own)
    return (
        f"Opening phase space contained in     {reader.path} of type {reader.info.format}\n"
        f"PARTICLES {scan.statistics.count()} NPART_TOT {particles} NPARTORIG_TOT {original:.10g}\n"
        f"RATIO {figure.mean:.6g} +- {figure.error:.6g} RATIO_TOT {particles / original:.6g}"
    )


def joint_layout(readers: "list[PhaseSpaceReader]", constants: list[dict[str, float]]) -> "Layout":
    """Return a layout that holds what all have in common, and say what is left out."""
    from dosewright.core.particles import Layout
    from dosewright.phase_space.combine import common_constants, common_extra

    extra, left_out = common_extra([reader.info for reader in readers])
    for name in left_out:
        say_aside(f"Note: The extra column {name} is not in all of them and is left out.")
    first = readers[0].info
    one_format = len({reader.info.format for reader in readers}) == 1
    return Layout(
        constants=common_constants(constants),
        extra=extra,
        title=first.header.get("TITLE", "phase space"),
        header=first.header if one_format else {},
    )


def say_losses_of(readers: "list[PhaseSpaceReader]", output: Path, format: str | None) -> None:
    """Say what is wrong with the inputs, and what the output cannot hold of the first."""
    for reader in readers:
        say_problems(reader.info)
    say_losses(readers[0].info, output, format)


def told(reader: "PhaseSpaceReader", layout: "Layout", tell: "Callable[[int], None]") -> "Iterator[Particles]":
    """Yield the batches of a phase space with the extra columns of the layout, and tell how many records they held."""
    from dosewright.phase_space.combine import only_extra
    from dosewright.phase_space.histories import begun

    for particles in begun(reading(reader, tell)):
        yield only_extra(particles, list(layout.extra))


def files_in(listed: Path) -> list[Path]:
    """Return the files that a list names, one per line, beside the list where they are not absolute."""
    from dosewright.core.errors import refuse

    try:
        lines = listed.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise refuse("The list of files cannot be read", given=fault, where=listed) from None
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise refuse("The list names no file", where=listed)
    paths = [Path(name) for name in names]
    return [path if path.is_absolute() or path.exists() else listed.parent / path for path in paths]
