"""3ddose: a dose as text, as DOSXYZnrc writes it, or GAMOS with the number of events in a line of its own before.

Voxel counts, edges along x, y and z in cm, doses (x fastest, then y, then z), relative uncertainties; only the order
counts, not the lines. Source: B. Walters, I. Kawrakow, D. W. O. Rogers, DOSXYZnrc Users Manual, PIRS-794revB, 2013.
"""

from pathlib import Path
from typing import IO, Final

import numpy as np

from dosewright.core.dose_file import PER_HISTORY, DoseFile
from dosewright.core.errors import InputError, refuse
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.numbers import Array, count_of_edges, edges_of_cm, named, numbers_in, voxels_of, whole_file

EGS, GAMOS = "3ddose", "3ddose_gamos"
UNSCORED_EGS: Final = 0.9999999  # what DOSXYZnrc writes where nothing was scored
ASSUMED_UNIT = "A 3ddose file does not say its unit: Gy per original history was taken, as both codes write by default."


def read_3ddose(path: Path) -> DoseFile:
    """Read a 3ddose file of either code; which one is told by the number of values, then by the first line."""
    text = whole_file(path)
    values = numbers_in(text, path.name)
    before = _layout(values, len(text.split(b"\n", 1)[0].split()), path.name)
    shape = voxels_of(values[before : before + 3])
    if shape is None:
        raise AssertionError("the layout was found by the shape")
    nx, ny, nz = shape
    size = nx * ny * nz
    start = before + 3 + count_of_edges(shape)
    dose = values[start : start + size].reshape(nz, ny, nx)
    written = values[start + size :].reshape(-1, ny, nx) if len(values) > start + size else None
    problems = () if written is not None else ("The file holds no uncertainties.",)
    try:
        return DoseFile(
            edges_mm=edges_of_cm(values[before + 3 : start], shape),
            dose=dose,
            uncertainty=None if written is None else np.where(dose == 0, 1.0, written),
            histories=float(values[0]) if before else None,
            unit=PER_HISTORY,
            format=GAMOS if before else EGS,
            assumed=(ASSUMED_UNIT,),
            problems=problems,
        )
    except InputError as error:
        raise named(error, path.name) from error


def _layout(values: Array, first_line: int, where: str) -> int:
    """Return how many values stand before the voxel counts: 0 (DOSXYZnrc) or 1 (GAMOS)."""
    fitting = [before for before in (0, 1) if _fits(values, before)]
    if len(fitting) == 2 and first_line in (1, 3):
        return 1 if first_line == 1 else 0
    if len(fitting) == 1:
        return fitting[0]
    before = 1 if first_line == 1 else 0
    shape = voxels_of(values[before : before + 3])
    if shape is None:
        raise refuse("The file is no 3ddose file: it begins with no counts of voxels",
                     given=" ".join(f"{v:g}" for v in values[:4]) or "no number",
                     allowed="nx ny nz, or the number of events on a line before them", where=where)  # fmt: skip
    nx, ny, nz = shape
    raise refuse("The values do not fill the voxels", given=f"{len(values)} numbers for {nx} x {ny} x {nz} voxels",
                 allowed=before + 3 + count_of_edges(shape) + 2 * nx * ny * nz, where=where)  # fmt: skip


def _fits(values: Array, before: int) -> bool:
    shape = voxels_of(values[before : before + 3])
    if shape is None:
        return False
    rest = len(values) - before - 3 - count_of_edges(shape)
    nx, ny, nz = shape
    return rest in (nx * ny * nz, 2 * nx * ny * nz)


def write_3ddose(path: Path, dose: DoseFile, *, events: bool) -> None:
    """Write a 3ddose file; with `events` in GAMOS's way, with the number of events first.

    Raises `InputError` where there is no uncertainty, or no number of histories for `events`.
    """
    if dose.uncertainty is None:
        raise refuse("A 3ddose file needs uncertainties, and the dose has none", where=path.name)
    if events and dose.histories is None:
        raise refuse("GAMOS's 3ddose file needs the number of histories, and the dose has none", where=path.name)
    write_whole(path, lambda to: _write(to, dose, events))


def _write(path: Path, dose: DoseFile, events: bool) -> None:
    unscored = 0.0 if events else UNSCORED_EGS
    nx = dose.shape[0]
    if dose.uncertainty is None:
        raise ValueError("no uncertainty")
    with path.open("w", encoding="ascii") as file:
        if events:
            file.write(f"{dose.histories:.15g}\n")
        file.write(" ".join(str(n) for n in dose.shape) + "\n")
        for edges in dose.edges_mm:
            file.write(" ".join(f"{e / 10.0:.10g}" for e in edges) + "\n")
        _rows(file, dose.dose.reshape(-1, nx), "%.9g")
        _rows(file, np.where(dose.dose == 0, unscored, dose.uncertainty).reshape(-1, nx), "%.9g")


def _rows(file: IO[str], values: Array, form: str) -> None:
    line = " ".join([form] * values.shape[1]) + "\n"
    for row in values.tolist():
        file.write(line % tuple(row))
