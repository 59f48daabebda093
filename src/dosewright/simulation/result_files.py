"""The scored quantities of a run as MetaImages, each with its relative uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.formats.dose.mhd import write_mhd
from dosewright.geometry.voxels import Edges
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.tables import Score
from dosewright.simulation.setup.prepare import Prepared

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where images lie: their grid, and keys that tell the true edges where voxels are uneven."""

    grid: Grid
    keys: dict[str, str]
    warnings: tuple[str, ...] = ()


def place_of(prepared: Prepared, result: Result) -> Place:
    """Return the grid of the score, of the phantom, or mean voxels with the true edges beside them."""
    grid = result.grid or prepared.phantom.grid
    if grid is not None:
        return Place(grid, {})
    edges = prepared.phantom.voxels.edges_mm
    keys = {f"EdgesMm{axis}": " ".join(f"{e:.12g}" for e in of) for axis, of in zip("XYZ", edges, strict=True)}
    said = (
        "The phantom's voxels are uneven, which MetaImage cannot say: the files carry mean voxel sizes, and the true "
        "edges in their header keys EdgesMmX, EdgesMmY and EdgesMmZ. Viewers show them distorted.",
    )
    return Place(_mean_grid(edges), keys, said)


def write_scores(
    folder: Path, scores: Sequence[Score], prepared: Prepared, result: Result, place: Place
) -> tuple[Path, ...]:
    """Write every score and its uncertainty; return all files."""
    files = []
    for score in scores:
        values, uncertainty, unit = _values(score, prepared, result)
        for name, array, of_array in (
            (score.file_name, values, unit),
            (f"{score.file_name}_uncertainty", uncertainty, "relative standard error of the mean"),
        ):
            path = folder / f"{name}.mhd"
            extra = {"Quantity": score.quantity, "Unit": of_array, **place.keys}
            write_mhd(path, Image(place.grid, array), extra=extra)
            files += [path, path.with_suffix(".raw")]
    return tuple(files)


def names_of(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return the names of all files that scores will write."""
    return tuple(
        f"{score.file_name}{part}{suffix}"
        for score in scores
        for part in ("", "_uncertainty")
        for suffix in (".mhd", ".raw")
    )


def _values(score: Score, prepared: Prepared, result: Result) -> tuple[Array, Array, str]:
    """Return values, relative uncertainty and unit, per primary or for all particles of the source."""
    times, per = (1.0, " per primary") if prepared.particles is None else (prepared.particles, "")
    if score.quantity == "energy":
        energy = result.dose_Gy * prepared.problem.mass_g / MEV_PER_G_IN_GY
        return energy * times, result.relative_uncertainty, f"MeV{per}"
    if score.quantity == "dose_to_water":
        dose, uncertainty = result.dose_to_water_Gy, result.relative_uncertainty_to_water
        if dose is None or uncertainty is None:
            raise ValueError("dose to water was not scored")
        return dose * times, uncertainty, f"Gy{per}"
    return result.dose_Gy * times, result.relative_uncertainty, f"Gy{per}"


def _mean_grid(edges: Edges) -> Grid:
    spacing = [float(e[-1] - e[0]) / (len(e) - 1) for e in edges]
    first = [float(e[0]) + s / 2 for e, s in zip(edges, spacing, strict=True)]
    nx, ny, nz = (len(e) - 1 for e in edges)
    return Grid((nx, ny, nz), (spacing[0], spacing[1], spacing[2]), (first[0], first[1], first[2]))
