"""dosewright phsp analyse, analysePS, plot: figures per original history, histograms, and a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported
from dosewright.cli.phsp_files import CM_PER_MM, Force, Input, LongBits, Z, bar, open_found, reading, say_aside
from dosewright.cli.phsp_info import as_text, as_values, z_known

if TYPE_CHECKING:
    from dosewright.core.particles import PhaseSpaceInfo, PhaseSpaceReader
    from dosewright.phase_space.analysis import Analysis, Wanted
    from dosewright.phase_space.histograms import Axis

KINDS = ("root", "csv", "png")
LEVELS = ("silent", "error", "warning", "info", "debug")

First = Annotated[int | None, typer.Option("--first", "-n", metavar="N", min=1, help="Read the first N records only.")]
Energy = Annotated[
    float | None, typer.Option("--energy-max", metavar="MEV", min=1e-6, help="Highest energy of the histograms.")
]
Radius = Annotated[
    float | None, typer.Option("--radius-max", metavar="MM", min=1e-6, help="Largest |x|, |y| and r of the histograms.")
]
Bins = Annotated[int | None, typer.Option("--bins", metavar="N", min=1, max=2000, help="Bins of each axis [100].")]
Axes = Annotated[
    list[str] | None,
    typer.Option(
        "--axis",
        metavar="NAME=LOW:HIGH:BINS",
        help='Limits and bins of one histogram, such as "Energy=0:6:60" or "R vs Energy=0:20:40,0:6:60", in cm, '
        "degrees, MeV; may be repeated.",
    ),
]
Hadrons = Annotated[bool, typer.Option("--hadrons", help="Histograms of neutrons and protons as well.")]


def analyse(
    file: Input,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NAME", help="Histograms: NAME.root, NAME.csv, NAME.png.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--write", metavar="root|csv|png", help="Write only these; may be repeated.")
    ] = None,
    first: First = None,
    energy_max: Energy = None,
    radius_max: Radius = None,
    bins: Bins = None,
    axes: Axes = None,
    hadrons: Hadrons = False,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Particles per original history with errors, and the thirteen histograms of each particle class."""
    with faults_reported(as_json=as_json):
        import json

        paths = free_outputs(output, kinds or list(KINDS), force=force) if output else []
        reader = open_found(file, long_bits, z_mm)
        found = analysed(reader, wanted(first, bins, radius_max, energy_max, axes or (), hadrons=hadrons), z_mm)
        values = as_values(info_of(reader, found), found.scan, z_known=z_known(reader.info, z_mm))
        written = [write_histograms(path, found) for path in paths]
        if as_json:
            typer.echo(json.dumps({"file": str(reader.path), **values, "written": written}, indent=2))
            return
        typer.echo(as_text(str(reader.path), values))
        for path in written:
            typer.echo(f"Histograms: {path}")


def analyse_ps(
    named: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The phase space.")] = None,
    file: Annotated[Path | None, typer.Option("-f", metavar="FILE", help="The same.")] = None,
    read: Annotated[int, typer.Option("-NRead", metavar="N", help="Read N records; -1: all.")] = -1,
    output: Annotated[Path, typer.Option("-fOut", metavar="FILE", help="File of the histograms.")] = Path(
        "phaseSpace.root"
    ),
    energy_max: Annotated[
        float | None, typer.Option("-EMax", metavar="MEV", min=1e-6, help="Highest energy of the histograms.")
    ] = None,
    radius_max: Annotated[
        float | None, typer.Option("-RMax", metavar="MM", min=1e-6, help="Largest position of the histograms.")
    ] = None,
    bins: Annotated[int | None, typer.Option("-NBins", metavar="N", min=1, max=2000, help="Bins.")] = None,
    verbosity: Annotated[
        str, typer.Option("-verb", metavar="LEVEL", help="silent, error, warning, info; debug prints every particle.")
    ] = "warning",
    force: Force = False,
) -> None:
    """Analyse as GAMOS's analysePS does, with its switches and its lines."""
    with faults_reported():
        from dosewright.core.errors import nearest, refuse

        if (named is None) == (file is None):
            raise refuse("Name the phase space once: alone, or after -f")
        if verbosity not in LEVELS:
            raise refuse(f"There is no such verbosity.{nearest(verbosity, LEVELS)}", given=verbosity,
                         allowed=", ".join(LEVELS))  # fmt: skip
        kind = output.suffix.removeprefix(".") if output.suffix.removeprefix(".") in KINDS else "root"
        base = output.with_suffix("") if output.suffix == f".{kind}" else output
        (path,) = free_outputs(base, [kind], force=force)
        path_given = named or file or Path()
        reader = open_found(path_given)
        count = None if read < 0 else read
        if verbosity == "debug":
            print_particles(reader, count)
        found = analysed(reader, wanted(count, bins, radius_max, energy_max))
        if verbosity != "silent":
            typer.echo(f"READING FILE {path_given}")
            typer.echo(gamos_lines(found))
        write_histograms(path, found)
        typer.echo(f"=== saving histograms in file === {path}")


def plot(
    file: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PNG", help="The picture.")],
    first: First = None,
    energy_max: Energy = None,
    radius_max: Radius = None,
    bins: Bins = None,
    long_bits: LongBits = None,
    z_mm: Z = None,
    force: Force = False,
) -> None:
    """Draw fluence, profiles, spectra and angles."""
    with faults_reported():
        base = output.with_suffix("") if output.suffix == ".png" else output
        (path,) = free_outputs(base, ["png"], force=force)
        asked = wanted(first, bins, radius_max, energy_max, hadrons=True)
        found = analysed(open_found(file, long_bits, z_mm), asked, z_mm)
        typer.echo(f"Picture: {write_histograms(path, found)}")


def analysed(reader: "PhaseSpaceReader", wanted: "Wanted", z_mm: float | None = None) -> "Analysis":
    """Read records, or the first of them, with a bar, and return their figures and histograms."""
    from dosewright.phase_space import analysis

    info = reader.info
    count = info.particles if wanted.first is None else min(wanted.first, info.particles)
    with bar(reader.path.name, count) as tell:
        found = analysis.analysed(
            reader, wanted, z_known=z_known(info, z_mm), reading=lambda one, total: reading(one, tell, total)
        )
    if found.particles < info.particles:
        histories = f"{found.original_histories:,.0f}"
        say_aside(
            f"Note: {found.particles:,} of {info.particles:,} records were read, taken for {histories} histories."
        )
    return found


def wanted(
    first: int | None,
    bins: int | None,
    radius_mm: float | None,
    energy_MeV: float | None,
    axes: Iterable[str] = (),
    *,
    hadrons: bool = False,
) -> "Wanted":
    """Return what was asked for in options, as far as it was said."""
    from dosewright.phase_space.analysis import Wanted

    radius_cm = None if radius_mm is None else radius_mm * CM_PER_MM
    return Wanted(first, bins, radius_cm, energy_MeV, tuple(asked_axes(axes)), hadrons)


def asked_axes(texts: Iterable[str]) -> "list[tuple[str, tuple[Axis, ...]]]":
    """Return the axes of histograms that were asked for by name."""
    from dosewright.core.errors import InputError, nearest, refuse
    from dosewright.phase_space.histograms import THIRTEEN, Axis

    found: list[tuple[str, tuple[Axis, ...]]] = []
    problems: list[str] = []
    for text in texts:
        name, _, given = text.partition("=")
        known = {title.casefold(): title for title in THIRTEEN}.get(name.strip().casefold())
        if known is None:
            allowed = ", ".join(THIRTEEN)
            problems += refuse(f"There is no such histogram.{nearest(name, THIRTEEN)}", given=name,
                               allowed=allowed).problems  # fmt: skip
            continue
        axes = [axis_in(part, quantity) for part, quantity in zip(given.split(","), THIRTEEN[known], strict=False)]
        if len(given.split(",")) != len(THIRTEEN[known]) or None in axes:
            form = ",".join(["LOW:HIGH:BINS"] * len(THIRTEEN[known]))
            problems += refuse(f"The axes of {known} are wrong", given=given,
                               allowed=f"{form}, LOW below HIGH, 1 to 2000 bins").problems  # fmt: skip
            continue
        found.append((known, tuple(axis for axis in axes if axis is not None)))
    if problems:
        raise InputError(*problems)
    return found


def axis_in(text: str, quantity: str) -> "Axis | None":
    """Return an axis written ``LOW:HIGH:BINS``, None if it is none."""
    from dosewright.phase_space.histograms import Axis

    try:
        low, high, bins = text.split(":")
        axis = Axis(quantity, float(low), float(high), int(bins))
    except ValueError:
        return None
    return axis if -1e30 < axis.low < axis.high < 1e30 and 1 <= axis.bins <= 2000 else None


def free_outputs(base: Path, kinds: list[str], *, force: bool) -> list[Path]:
    """Return the files that histograms go to; none of them may be there, unless it is forced."""
    from dosewright.core.errors import InputError, nearest, refuse

    problems: list[str] = []
    for kind in kinds:
        if kind not in KINDS:
            problems += refuse(f"Histograms have no such form.{nearest(kind, KINDS)}", given=kind,
                               allowed=", ".join(KINDS)).problems  # fmt: skip
    paths = [base.with_name(f"{base.name}.{kind}") for kind in kinds]
    for path in paths:
        if path.exists() and not force:
            problems += refuse("The output is there already", given=path, allowed="another name, or --force").problems
    if not base.parent.is_dir():
        problems += refuse("The folder of the output is missing", given=base.parent).problems
    if problems:
        raise InputError(*problems)
    return paths


def write_histograms(path: Path, found: "Analysis") -> str:
    """Write all histograms; return the file's name."""
    from dosewright.phase_space.analysis import write_analysis

    write_analysis(path, found)
    return str(path)


def info_of(reader: "PhaseSpaceReader", found: "Analysis") -> "PhaseSpaceInfo":
    """Return what is known of the records that were read, which may be the first ones of a file."""
    from dataclasses import replace

    if found.particles == reader.info.particles:
        return reader.info
    histories = found.original_histories
    return replace(reader.info, particles=found.particles, counts=None, original_histories=histories)


def gamos_lines(found: "Analysis") -> str:
    """Return what GAMOS's analysePS prints."""
    from dosewright.core.particles import ELECTRON, PHOTON, POSITRON

    lines = [f"ORIGINAL HISTORIES= {found.original_histories:.10g}"]
    for name, code in (("PARTICLES", 0), ("GAMMAS", PHOTON), ("ELECTRONS", ELECTRON), ("POSITRONS", POSITRON)):
        figure = found.scan.statistics.per_history("number", found.original_histories, code)
        lines.append(f"N {name}= {figure.total:.10g} PER ORIG_HIST= {figure.mean:.6g} +- {figure.error:.6g}")
    return "\n".join(lines)


def print_particles(reader: "PhaseSpaceReader", count: int | None) -> None:
    """Print every particle, one per line."""
    from dosewright.core.particles import SPECIES

    number = 0
    for p in reader.batches(0, count):
        for i in range(len(p)):
            typer.echo(
                f"{number} {SPECIES[int(p.species[i])]} E {p.energy_MeV[i]:g} MeV, at {p.x_cm[i]:g} {p.y_cm[i]:g} "
                f"{p.z_cm[i]:g} cm, direction {p.u[i]:g} {p.v[i]:g} {p.w[i]:g}, weight {p.weight[i]:g}, "
                f"histories {p.histories[i]}"
            )
            number += 1
