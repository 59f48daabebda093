"""Profiles, planes and distributions of a dose as histograms, as GAMOS's RTPSPDoseHistos makes them.

A profile or plane adds up the doses of all voxels that it does not resolve; their errors are added in squares.
"""

from collections.abc import Sequence

import numpy as np

from dosewright.core.dose_file import DoseFile
from dosewright.core.histogram import DoseCut, Histogram, Range
from dosewright.core.in_voxels import Array

PREFIX = "RTPSPDoseHistos:"
BINS = 100
PLANES = ("XY", "XZ", "YZ")


def cut_histogram(dose: DoseFile, cut: DoseCut) -> Histogram:
    """Return the doses of the voxels of a cut, added up along the axes that it does not resolve."""
    block = tuple(slice(low, high + 1) for low, high in reversed(cut.voxels))  # arrays are [z, y, x]
    shown = ["XYZ".index(letter) for letter in cut.kind[1:]]
    merged = tuple(2 - axis for axis in range(3) if axis not in shown)
    values = dose.dose[block].sum(merged).T  # [y, x] becomes [x, y]
    error = dose.standard_error
    errors = None if error is None else np.sqrt((error[block] ** 2).sum(merged)).T
    edges = tuple(dose.edges_mm[axis][cut.voxels[axis][0] : cut.voxels[axis][1] + 2] for axis in shown)
    labels = tuple(f"{'xyz'[axis]} (mm)" for axis in shown)
    return Histogram(cut.name, edges, labels, values, errors, f"dose ({dose.unit})")


def merged_cuts(dose: DoseFile) -> tuple[DoseCut, ...]:
    """Return the profiles and planes over the whole dose."""
    whole = _whole(dose)
    names = {f"1{axis}": f"{PREFIX}Dose Profile {axis}_merged" for axis in "XYZ"}
    names |= {f"2{plane}": f"{PREFIX}Dose {plane}_merged" for plane in PLANES}
    return tuple(DoseCut(kind, name, whole) for kind, name in names.items())


def plane_cuts(dose: DoseFile, plane: str) -> tuple[DoseCut, ...]:
    """Return every plane of voxels along two axes (``XY``, ``XZ``, ``YZ``)."""
    (across,) = (axis for axis in range(3) if "XYZ"[axis] not in plane)
    cuts = []
    for i, centre in enumerate(dose.centres_mm[across]):
        voxels = list(_whole(dose))
        voxels[across] = (i, i)
        name = f"{PREFIX}Dose {plane} {'XYZ'[across]} {i} ({centre:g} mm)"
        cuts.append(DoseCut(f"2{plane}", name, (voxels[0], voxels[1], voxels[2])))
    return tuple(cuts)


def _whole(dose: DoseFile) -> tuple[Range, Range, Range]:
    nx, ny, nz = dose.shape
    return (0, nx - 1), (0, ny - 1), (0, nz - 1)


def distributions(
    dose: DoseFile, *, log_low: float | None = None, log_high: float | None = None
) -> tuple[Histogram, ...]:
    """Return how doses and their errors are distributed over the voxels above 0.

    Parameters
    ----------
    log_low, log_high
        Limits of the dose axes, decimal logarithm of the dose; by default whole decades around all doses.
    """
    scored = dose.dose > 0
    values = dose.dose[scored]
    logs = np.log10(values)
    low = log_low if log_low is not None else float(np.floor(logs.min())) if logs.size else 0.0
    high = log_high if log_high is not None else float(np.ceil(logs.max())) if logs.size else 1.0
    high = high if high > low else low + 1.0
    of_dose = _Axis(np.linspace(low, high, BINS + 1), f"log10(dose / {dose.unit})")
    found = [_counted("Dose", [logs], [of_dose]), _volume(logs, of_dose)]
    if dose.uncertainty is not None:
        found += _errors(values, dose.uncertainty[scored], of_dose, dose.unit)
    return tuple(found)


class _Axis:
    """Limits of bins and what they show."""

    def __init__(self, edges: Array, label: str) -> None:
        self.edges, self.label = edges, label


def _errors(values: Array, relative: Array, of_dose: _Axis, unit: str) -> list[Histogram]:
    absolute = relative * values
    with np.errstate(divide="ignore"):
        logs, log_relative, log_absolute = np.log10(values), np.log10(relative), np.log10(absolute)
    low, high = of_dose.edges[0], of_dose.edges[-1]
    of_relative = _Axis(np.linspace(0.0, 1.0, BINS + 1), "relative error")
    of_log_relative = _Axis(np.linspace(-4.0, 0.0, BINS + 1), "log10(relative error)")
    highest = float(absolute.max()) if absolute.any() else 1.0
    of_absolute = _Axis(np.linspace(0.0, highest, BINS + 1), f"error ({unit})")
    of_log_absolute = _Axis(np.linspace(low - 3.0, high, BINS + 1), f"log10(error / {unit})")
    return [
        _counted("Dose Error REL", [relative], [of_relative]),
        _counted("log10(Dose Error REL)", [log_relative], [of_log_relative]),
        _counted("Dose Error", [absolute], [of_absolute]),
        _counted("log10(Dose Error)", [log_absolute], [of_log_absolute]),
        _counted("log10(Dose) .vs. log10(Dose Error)", [logs, log_absolute], [of_dose, of_log_absolute]),
        _counted("log10(Dose) .vs. log10(Dose Error REL)", [logs, log_relative], [of_dose, of_log_relative]),
    ]


def _counted(name: str, columns: Sequence[Array], axes: Sequence[_Axis]) -> Histogram:
    finite = np.all([np.isfinite(column) for column in columns], axis=0)
    points = np.stack([column[finite] for column in columns], axis=1)
    edges = tuple(axis.edges for axis in axes)
    counts = np.histogramdd(points, bins=list(edges))[0]
    return Histogram(f"{PREFIX}{name}", edges, tuple(axis.label for axis in axes), counts, np.sqrt(counts), "voxels")


def _volume(logs: Array, of_dose: _Axis) -> Histogram:
    """Return how many voxels have at least the dose where each bin begins."""
    reaching = logs.size - np.searchsorted(np.sort(logs), of_dose.edges[:-1], side="left")
    return Histogram(f"{PREFIX}Dose-volume", (of_dose.edges,), (of_dose.label,), reaching.astype(float), None, "voxels")
