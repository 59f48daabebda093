"""Two doses made comparable: one unit, the voxels of the reference, the errors of both.

The evaluated dose is brought to the reference's voxels along the axes of the patient: its mean where its voxels are
finer, else straight lines between the centres of voxels. Gamma searches it on its own voxels.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.compare import high_dose_ratio
from dosewright.core.dose_file import DoseFile, regular_grid, same_voxels
from dosewright.core.errors import refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.in_voxels import Array, Edges
from dosewright.core.regrid import along_patient_axes, covered, finer_or_mean_weights, linear_weights, regridded

MATCH = "match"
MOST_EVEN_VOXELS = 30_000_000  # to which uneven voxels may be divided
COARSE = 1.5  # ratio of voxel sizes from which a comparison of voxels says less


@dataclass(frozen=True)
class Pair:
    """Two doses in the voxels of the reference, [z, y, x].

    Parameters
    ----------
    edges_mm
        Of the reference, ascending along the axes of the patient.
    reference, evaluated
        Doses in `unit`; the evaluated one is 0 where `there` is False.
    reference_sigma, evaluated_sigma
        Standard errors; None where a dose has no uncertainty.
    there
        Voxels that the evaluated dose covers.
    unit
        Of both.
    scale
        What the evaluated dose was multiplied with.
    files
        Both doses as their files have them, the evaluated one scaled.
    said
        What was assumed or done, a sentence each.
    """

    edges_mm: Edges
    reference: Array
    evaluated: Array
    reference_sigma: Array | None
    evaluated_sigma: Array | None
    there: NDArray[np.bool_]
    unit: str
    scale: float
    files: tuple[DoseFile, DoseFile]
    said: tuple[str, ...]

    @property
    def centres_mm(self) -> Edges:
        """Centres of the voxels along x, y, z."""
        x, y, z = ((edges[1:] + edges[:-1]) / 2 for edges in self.edges_mm)
        return x, y, z

    @property
    def sigma(self) -> Array | None:
        """Standard error of the difference; None where neither dose has an uncertainty."""
        known = [one for one in (self.reference_sigma, self.evaluated_sigma) if one is not None]
        return np.sqrt(np.sum([np.square(one) for one in known], axis=0)) if known else None


def paired(reference: DoseFile, evaluated: DoseFile, scale: float | str | None = None) -> Pair:
    """Bring two doses together.

    Parameters
    ----------
    scale
        What the evaluated dose is multiplied with; `MATCH`: what makes the mean doses above half of the maximum equal;
        None: 1, and doses of different units are refused.
    """
    if reference.unit != evaluated.unit and scale is None:
        raise refuse(
            "The doses have different units; say what the evaluated one is multiplied with",
            given=f"{reference.unit} and {evaluated.unit}",
            allowed="--scale NUMBER, such as the number of particles; or --scale match, which hides their ratio",
        )
    said: list[str] = []
    edges, (dose, sigma) = _along_axes(reference)
    moved, moved_sigma, there = _on(reference, evaluated, edges, said)
    factor = _factor(scale, dose, moved, there, said)
    return Pair(
        edges,
        dose,
        moved * factor,
        sigma,
        None if moved_sigma is None else moved_sigma * abs(factor),
        there,
        reference.unit,
        factor,
        (reference, replace(evaluated, dose=evaluated.dose * factor, squares=None, unit=reference.unit)),
        tuple(said),
    )


def even_image(dose: DoseFile, values: Array, said: list[str]) -> Image:
    """Return values in the voxels of a dose as an image; uneven voxels are divided into even ones."""
    grid = regular_grid(dose)
    if grid is not None:
        return Image(grid, values)
    even = [_even(edges) for edges in dose.edges_mm]
    if np.prod([len(e) - 1 for e in even], dtype=float) > MOST_EVEN_VOXELS:
        raise refuse("The voxels are too uneven to be divided into even ones for gamma",
                     given=f"{' x '.join(str(len(e) - 1) for e in even)} voxels", allowed="--no-gamma")  # fmt: skip
    x, y, z = (linear_weights(old, new) for old, new in zip(dose.edges_mm, even, strict=True))
    sizes = [float(e[1] - e[0]) for e in even]
    said.append("The voxels are uneven: for gamma the dose was interpolated to even ones of "
                f"{' x '.join(f'{size:g}' for size in sizes)} mm, which count alike.")  # fmt: skip
    first = dose.direction @ np.array([e[0] + s / 2 for e, s in zip(even, sizes, strict=True)])
    nx, ny, nz = (len(e) - 1 for e in even)
    grid = Grid((nx, ny, nz), (sizes[0], sizes[1], sizes[2]), (float(first[0]), float(first[1]), float(first[2])),
                dose.direction)  # fmt: skip
    return Image(grid, regridded(values, (x, y, z)))


def _even(edges: Array) -> Array:
    count = int(np.ceil((edges[-1] - edges[0]) / float(np.diff(edges).min()) - 1e-6))
    return np.linspace(edges[0], edges[-1], max(count, 1) + 1)


def _along_axes(dose: DoseFile) -> tuple[Edges, tuple[Array, Array | None]]:
    sigma = dose.standard_error
    arrays = (dose.dose,) if sigma is None else (dose.dose, sigma)
    if not np.allclose(np.abs(dose.direction), np.rint(np.abs(dose.direction)), atol=1e-4):
        return dose.edges_mm, (dose.dose, sigma)  # oblique: its own axes serve
    edges, turned = along_patient_axes(dose.edges_mm, dose.direction, *arrays)
    first = np.asarray(turned[0], np.float64)
    return edges, (first, np.asarray(turned[1], np.float64) if len(turned) > 1 else None)


def _on(
    reference: DoseFile, evaluated: DoseFile, edges: Edges, said: list[str]
) -> tuple[Array, Array | None, NDArray[np.bool_]]:
    """Return the evaluated dose, its standard error, and where it is, in the voxels of the reference."""
    differs = same_voxels(reference, evaluated)
    own, (dose, sigma) = _along_axes(evaluated)
    if differs is None:
        return dose, sigma, np.ones(dose.shape, bool)
    for one in (reference, evaluated):
        along_patient_axes(one.edges_mm, one.direction)  # refuses oblique axes
    x, y, z = (finer_or_mean_weights(old, new) for old, new in zip(own, edges, strict=True))
    ratio = [float(np.median(np.diff(old)) / np.median(np.diff(new))) for old, new in zip(own, edges, strict=True)]
    said.append(f"The voxels differ ({differs}): the evaluated dose was brought to those of the reference.")
    if max(ratio) > COARSE:
        said.append(f"The evaluated dose has voxels up to {max(ratio):.2g} times as large: steep places are blurred "
                    "in it, and differences there say little.")  # fmt: skip
    moved_sigma = None
    if sigma is not None:
        moved_sigma = np.sqrt(regridded(np.square(sigma), (x.squared(), y.squared(), z.squared())))
        said.append("Its standard errors were moved as those of independent voxels.")
    there = covered((x, y, z))
    if not there.any():
        raise refuse("The doses do not meet anywhere; have they one frame of reference?",
                     given=_extent(own), allowed=_extent(edges))  # fmt: skip
    moved = np.where(there, regridded(dose, (x, y, z)), 0.0)
    return moved, moved_sigma, there


def _extent(edges: Edges) -> str:
    return ", ".join(f"{a} {e[0]:g} to {e[-1]:g} mm" for a, e in zip("xyz", edges, strict=True))


def _factor(scale: float | str | None, dose: Array, moved: Array, there: NDArray[np.bool_], said: list[str]) -> float:
    if scale is None:
        return 1.0
    if scale != MATCH:
        factor = float(scale)
        if not np.isfinite(factor) or factor <= 0:
            raise refuse("A scale must be positive", given=f"{factor:g}")
        return factor
    nz, ny, nx = dose.shape
    grid = Grid((nx, ny, nz), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    ratio = high_dose_ratio(Image(grid, moved), Image(grid, np.where(there, dose, 0.0))).value
    if not ratio > 0:
        raise refuse("The evaluated dose is nowhere above zero where the reference is high")
    said.append(f"The evaluated dose was multiplied by {1 / ratio:.8g}, so that mean doses above half of the maximum "
                "agree: nothing here tells whether absolute doses do.")  # fmt: skip
    return 1.0 / ratio
