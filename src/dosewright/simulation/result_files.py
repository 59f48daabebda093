"""The scored quantities of a run as MetaImages, each with its relative uncertainty; spectra as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.execution.artifact import write_atomically
from dosewright.formats.dose.mhd import write_mhd
from dosewright.geometry.voxels import Edges
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.check_planes import files_of
from dosewright.simulation.run_file.score_tables import Quantity, Score
from dosewright.simulation.run_file.values import COUPLED
from dosewright.simulation.setup.prepare import Prepared

Array = NDArray[np.float64]

_LET = "protons (primary and secondary), unrestricted, in unit-density water, keV/um"
DEFINITIONS = {
    "letd": f"LETd (dose-averaged), {_LET}; weighted with the energy that protons leave in the medium",
    "lett": f"LETt (track-averaged), {_LET}; weighted with the path length of protons",
    "spectrum": "particles per primary that leave the phantom, by kinetic energy and angle to its z axis; not divided "
    "by the width of a bin",
}
SPECTRUM_COLUMNS = ("low_MeV", "high_MeV", "low_deg", "high_deg", "per_primary", "relative_uncertainty")


@dataclass(frozen=True)
class Place:
    """Where images lie: their grid (None: there are none), and keys that tell the true edges of uneven voxels."""

    grid: Grid | None
    keys: dict[str, str]
    warnings: tuple[str, ...] = ()


def place_of(prepared: Prepared, result: Result) -> Place:
    """Return the grid of the score, of the phantom, or mean voxels with the true edges beside them."""
    grid, phantom = result.grid, prepared.phantom
    if phantom is None or grid is not None or phantom.grid is not None:
        return Place(grid or (phantom.grid if phantom else None), {})
    edges = phantom.voxels.edges_mm
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
        if score.quantity == "phase_space":  # written during the run
            continue
        if score.quantity == "spectrum":
            files.append(write_spectrum(folder / f"{score.file_name}.csv", score, result))
            continue
        if place.grid is None:
            raise ValueError("a dose without voxels")
        values, uncertainty = _values(score, prepared, result)
        unit = unit_of(score.quantity, prepared.particles, prepared.problem.per)
        for name, array, of_array in (
            (score.file_name, values, unit),
            (f"{score.file_name}_uncertainty", uncertainty, "relative standard error of the mean"),
        ):
            path = folder / f"{name}.mhd"
            extra = {"Quantity": score.quantity, "Unit": of_array, **place.keys}
            if score.quantity in DEFINITIONS:
                extra["Definition"] = DEFINITIONS[score.quantity]
            write_mhd(path, Image(place.grid, array), extra=extra)
            files += [path, path.with_suffix(".raw")]
    return tuple(files)


def write_spectrum(path: Path, score: Score, result: Result) -> Path:
    """Write a spectrum of what left the phantom: a line per bin of energy and angle; return the file."""
    if result.leaving is None or score.particle is None:
        raise ValueError("no spectrum was scored")
    leaving, kind = result.leaving, COUPLED.index(score.particle)
    bins = leaving.bins
    energies = np.linspace(0.0, bins.highest_MeV, bins.energy_bins + 1)
    angles = np.linspace(0.0, 180.0, bins.angle_bins + 1)
    lines = [",".join(SPECTRUM_COLUMNS)]
    for row, column in np.ndindex(bins.energy_bins, bins.angle_bins):
        edges = (*energies[row : row + 2], *angles[column : column + 2])
        at = (kind, row, column)
        numbers = (*edges, leaving.counts[at], leaving.counts_uncertainty[at])
        lines.append(",".join(f"{value:.9g}" for value in numbers))
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda to: _write_text(to, text))
    return path


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def names_of(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return the names of all files that scores will write."""
    return tuple(name for score in scores for name in _names_of(score))


def _names_of(score: Score) -> Sequence[str]:
    if score.quantity == "spectrum":
        return [f"{score.file_name}.csv"]
    if score.quantity == "phase_space":
        return files_of(score)
    return [f"{score.file_name}{part}{suffix}" for part in ("", "_uncertainty") for suffix in (".mhd", ".raw")]


def unit_of(quantity: Quantity, particles: float | None, per: str = "primary") -> str:
    """Return the unit of a quantity; doses and energies are per primary, or for all particles."""
    if quantity in ("letd", "lett"):
        return "keV/um"
    if quantity == "spectrum":
        return f"particles per {per}"
    if quantity == "phase_space":
        return "particles"
    unit = "MeV" if quantity == "energy" else "Gy"
    return f"{unit} per {per}" if particles is None else unit


def _values(score: Score, prepared: Prepared, result: Result) -> tuple[Array, Array]:
    """Return values and relative uncertainty; LET is an average and does not grow with the particles."""
    let = {"letd": result.let_d, "lett": result.let_t}.get(score.quantity)
    if let is not None:
        return let.keV_um, let.relative_uncertainty
    scored = {
        "dose": (result.dose_Gy, result.relative_uncertainty),
        "dose_to_water": (result.dose_to_water_Gy, result.relative_uncertainty_to_water),
        "energy": (result.dose_Gy * prepared.problem.mass_g / MEV_PER_G_IN_GY, result.relative_uncertainty),
    }
    values, uncertainty = scored.get(score.quantity, (None, None))
    if values is None or uncertainty is None:
        raise ValueError(f"{score.quantity} was not scored")
    return values * (1.0 if prepared.particles is None else prepared.particles), uncertainty


def _mean_grid(edges: Edges) -> Grid:
    spacing = [float(e[-1] - e[0]) / (len(e) - 1) for e in edges]
    first = [float(e[0]) + s / 2 for e, s in zip(edges, spacing, strict=True)]
    nx, ny, nz = (len(e) - 1 for e in edges)
    return Grid((nx, ny, nz), (spacing[0], spacing[1], spacing[2]), (first[0], first[1], first[2]))
