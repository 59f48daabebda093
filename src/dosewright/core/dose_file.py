"""A dose in voxels as files hold it: with its uncertainty, its histories and what was assumed when it was read.

Files of Monte Carlo codes give edges, which may be uneven, so this is not an `Image`; `dose_image` makes one of it.
"""

from dataclasses import dataclass, field

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.in_voxels import Array, Edges, InVoxels, check_edges

PER_HISTORY, ABSOLUTE = "Gy per history", "Gy"
MOST_HISTORIES = 1e18  # 30 000 years at a million histories per second
EDGE_TOLERANCE_MM = 1e-3  # edges written in single precision or with six digits differ by less


@dataclass(frozen=True)
class DoseFile(InVoxels):
    """A dose in voxels.

    Parameters
    ----------
    edges_mm
        Edges of the voxels along x, y and z, ascending, mm, measured along the grid's own axes.
    dose
        [z, y, x], in `unit`.
    uncertainty
        [z, y, x], relative standard error of the mean, 1 where nothing was scored; None where nobody wrote it.
    histories
        Original histories of the source; None where nobody wrote it.
    squares
        [z, y, x], sum of the squares of what each history gave, over the square of the histories, as a squared-dose
        file holds it; None where the file holds none. `mean_squares` gives it wherever it follows from the rest.
    unit
        `PER_HISTORY` or `ABSOLUTE`.
    direction
        3 x 3, columns are the axes of the grid in the frame of the file; a proper rotation.
    format
        What the file was, a word of `formats.dose.open.FORMATS`.
    assumed
        What was assumed because the file does not say it, a sentence each.
    problems
        What is wrong with the file but did not stop it from being read, a sentence each.
    """

    edges_mm: Edges
    dose: Array
    uncertainty: Array | None = None
    histories: float | None = None
    squares: Array | None = None
    unit: str = PER_HISTORY
    direction: Array = field(default_factory=lambda: np.eye(3))
    format: str = ""
    assumed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_edges(self.edges_mm)
        shape = self.array_shape
        for what, values in (("dose", self.dose), ("uncertainty", self.uncertainty), ("squares", self.squares)):
            if values is None:
                continue
            if values.shape != shape:
                raise refuse(f"The {what} does not fit its voxels", given=values.shape, allowed=shape)
            if not np.isfinite(values).all():
                raise refuse(f"The {what} holds numbers that are not finite",
                             given=f"{int(np.count_nonzero(~np.isfinite(values)))} of {values.size}")  # fmt: skip
        for what, values in (("uncertainty", self.uncertainty), ("squares", self.squares)):
            if values is not None and values.min() < 0:
                raise refuse(f"The {what} is negative", given=f"{values.min():g}")
        if self.histories is not None:
            check_histories(self.histories)

    @property
    def centres_mm(self) -> Edges:
        """Centres of the voxels along x, y and z, mm."""
        x, y, z = ((edges[1:] + edges[:-1]) / 2 for edges in self.edges_mm)
        return x, y, z

    @property
    def standard_error(self) -> Array | None:
        """Standard error of the mean, in the unit of the dose."""
        return None if self.uncertainty is None else self.uncertainty * np.abs(self.dose)


def check_histories(histories: float, where: str | None = None) -> None:
    """Refuse a number of histories that no simulation has."""
    if not 1 <= histories <= MOST_HISTORIES:
        raise refuse("A dose needs a number of histories, at least one history", given=histories,
                     allowed=f"1 to {MOST_HISTORIES:g}", where=where)  # fmt: skip


def mean_squares(dose: DoseFile) -> Array | None:
    """Return `squares`, or what uncertainty and histories make of it; None where either is missing.

    The variance of the mean is (s N - d^2) / (N - 1) with s the squares, d the dose per history, N the histories.
    """
    if dose.squares is not None:
        return dose.squares
    n = dose.histories
    if dose.uncertainty is None or n is None:
        return None
    variance = (dose.uncertainty * dose.dose) ** 2
    return np.asarray((variance * (n - 1) + dose.dose**2) / n)


def uncertainty_of(dose: Array, squares: Array, histories: float) -> Array:
    """Return the relative standard error of the mean from squares, all per history; 1 where the dose is 0."""
    if histories <= 1:
        return np.ones_like(dose)
    variance = np.maximum((squares * histories - dose**2) / (histories - 1), 0.0)
    return np.divide(np.sqrt(variance), np.abs(dose), out=np.ones_like(dose), where=dose != 0)


def same_voxels(first: DoseFile, second: DoseFile, *, tolerance_mm: float = EDGE_TOLERANCE_MM) -> str | None:
    """Return what differs between the voxels of two doses, as a clause; None where they are the same."""
    if first.shape != second.shape:
        return f"{_times(second.shape)} voxels instead of {_times(first.shape)}"
    for axis, a, b in zip("xyz", first.edges_mm, second.edges_mm, strict=True):
        apart = np.abs(a - b)
        if apart.max() > tolerance_mm:
            at = int(apart.argmax())
            return f"edge {at} along {axis} lies at {b[at]:g} mm instead of {a[at]:g} mm"
    if np.abs(first.direction - second.direction).max() > 1e-4:
        return "the axes are turned otherwise"
    return None


def regular_grid(dose: DoseFile, *, tolerance_mm: float = EDGE_TOLERANCE_MM) -> Grid | None:
    """Return the grid of a dose whose voxels are even to a tolerance; None where they are uneven."""
    even = [np.linspace(e[0], e[-1], len(e)) for e in dose.edges_mm]
    if any(np.abs(e - of).max() > tolerance_mm for e, of in zip(even, dose.edges_mm, strict=True)):
        return None
    first = np.array([e[0] + (e[-1] - e[0]) / (len(e) - 1) / 2 for e in dose.edges_mm])
    x, y, z = (float(v) for v in dose.direction @ first)
    sx, sy, sz = (float(e[-1] - e[0]) / (len(e) - 1) for e in dose.edges_mm)
    return Grid(dose.shape, (sx, sy, sz), (x, y, z), dose.direction)


def dose_image(dose: DoseFile) -> Image:
    """Return a dose as an image; uneven voxels are refused."""
    grid = regular_grid(dose)
    if grid is None:
        raise refuse("The voxels of the dose are uneven; an image needs even ones")
    return Image(grid, dose.dose)


def edges_of(grid: Grid) -> Edges:
    """Return the edges of a regular grid along its own axes, mm."""
    x, y, z = (
        grid.centres_mm(axis)[0] + grid.spacing_mm[axis] * (np.arange(grid.shape[axis] + 1) - 0.5) for axis in range(3)
    )
    return x, y, z


def _times(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(n) for n in shape)
