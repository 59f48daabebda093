"""A phase space analysed: its figures and its histograms, which go to a CSV, a ROOT file or a picture."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.particles import Particles, PhaseSpaceReader
from dosewright.core.whole_file import write_whole
from dosewright.formats.histogram_files import write_histograms_csv, write_histograms_root
from dosewright.phase_space.histograms import Axis, Histogram, Histograms, axes_of
from dosewright.phase_space.histories import begun
from dosewright.phase_space.look import Look
from dosewright.phase_space.picture import picture
from dosewright.phase_space.scan import Scan

DOTS_PER_INCH = 130
Reading = Callable[[PhaseSpaceReader, int], Iterable[Particles]]


@dataclass(frozen=True)
class Wanted:
    """What to read and how to histogram it; what is None follows from the records.

    Parameters
    ----------
    first
        Read so many records only.
    bins
        Of each axis.
    radius_cm, energy_MeV
        Largest position and energy of the axes.
    axes
        Axes of single histograms, by their names.
    hadrons
        Histograms of neutrons and protons as well.
    """

    first: int | None = None
    bins: int | None = None
    radius_cm: float | None = None
    energy_MeV: float | None = None
    axes: tuple[tuple[str, tuple[Axis, ...]], ...] = ()
    hadrons: bool = False


@dataclass(frozen=True)
class Analysis:
    """What was found in the records that were read, and how many original histories these stand for."""

    path: Path
    particles: int
    scan: Scan
    original_histories: float
    histograms: list[Histogram]


def all_of(reader: PhaseSpaceReader, total: int) -> Iterable[Particles]:
    """Read the first records of a phase space, batch by batch."""
    return reader.batches(count=total)


def analysed(
    reader: PhaseSpaceReader, wanted: Wanted, *, plane_mm: float | None = None, z_known: bool = True,
    reading: Reading = all_of,
) -> Analysis:  # fmt: skip
    """Read records and return their figures and histograms.

    Parameters
    ----------
    plane_mm
        z of the plane, where the caller knows it.
    z_known
        Whether z of the records means something.
    reading
        How batches are read, where somebody wants to watch.
    """
    total = reader.info.particles if wanted.first is None else min(wanted.first, reader.info.particles)
    look = Look.at(reader, total)
    if plane_mm is None and z_known:
        plane_mm = look.plane_mm()
    limits = look.axes(wanted.bins, wanted.radius_cm, wanted.energy_MeV)
    histograms, scan = Histograms(axes_of(limits, wanted.axes), plane_mm, wanted.hadrons), Scan()
    for particles in begun(reading(reader, total)):
        scan.add(particles)
        histograms.add(particles)
    histories = scan.original_histories(reader.info)
    if total < reader.info.particles:
        histories *= total / reader.info.particles  # the part read stands for as large a part of the histories
    return Analysis(reader.path, total, scan, histories, histograms.filled(histories))


def write_analysis(path: Path, found: Analysis) -> None:
    """Write all histograms in the form that the suffix names: ``.root``, ``.csv``, else a picture."""
    if path.suffix == ".root":
        write_histograms_root(path, [histogram.as_written() for histogram in found.histograms])
    elif path.suffix == ".csv":
        note = f"original histories: {found.original_histories:.10g}; sums of weights with one standard deviation"
        write_histograms_csv(path, [histogram.as_written() for histogram in found.histograms], note)
    else:
        count = found.scan.statistics.count()
        title = f"{found.path.name}: {count:,} particles of {found.original_histories:,.10g} original histories"
        figure = picture(found.histograms, found.original_histories, title)
        write_whole(path, lambda temporary: figure.savefig(temporary, dpi=DOTS_PER_INCH))
