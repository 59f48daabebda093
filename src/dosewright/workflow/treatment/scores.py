"""What regions received as files where users of FRED look: ``score/<Region>.Dose.mhd`` and its like."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.execution.artifact import private_folder
from dosewright.formats.dose.mhd import write_mhd
from dosewright.simulation.result import KEV_PER_UM
from dosewright.workflow.treatment.sums import RegionSums
from dosewright.workflow.treatment.treatment import DOSE, ENERGY, LET, WATER, Treatment

SCORE = "score"  # folder in the output folder
WORDS = {DOSE: "Dose", WATER: "Dose-to-water", ENERGY: "Edep", LET: "LETd"}
UNITS = {DOSE: "Gy", WATER: "Gy", ENERGY: "MeV", LET: "MeV cm2/g"}
RELATIVE = "relative standard error of the mean"
PICTURE = "png"

Array = NDArray[np.float64]


def score_files(output: Path, scored: Mapping[str, tuple[str, ...]]) -> list[Path]:
    """Return all files of scores, pictures too."""
    files = []
    for region, quantities in scored.items():
        for one in quantities:
            stems = (f"{region}.{WORDS[one]}", f"{region}.{WORDS[one]}_uncertainty")
            files += [output / SCORE / f"{stem}.{end}" for stem in stems for end in ("mhd", "raw")]
        files.append(picture_file(output, region))
    return files


def picture_file(output: Path, region: str) -> Path:
    """Return where the picture of a region's dose goes."""
    return output / SCORE / f"{region}.{WORDS[DOSE]}.{PICTURE}"


def write_scores(output: Path, treatment: Treatment, sums: Mapping[str, RegionSums]) -> list[Path]:
    """Write what regions have received so far; return the files. Regions that were never there have none."""
    private_folder(output / SCORE)
    files = []
    for region, of in sums.items():
        for one in treatment.scored[region]:
            for suffix, values, unit in _values(of, one):
                path = output / SCORE / f"{region}.{WORDS[one]}{suffix}.mhd"
                extra = {"Quantity": WORDS[one], "Unit": unit, "Particles": f"{of.particles:.12g}",
                         "Histories": str(of.histories)}  # fmt: skip
                write_mhd(path, Image(treatment.grids[region], values), extra=extra)
                files += [path, path.with_suffix(".raw")]
    return files


def _values(of: RegionSums, quantity: str) -> Iterator[tuple[str, Array, str]]:
    """Yield a quantity and its relative uncertainty, with the ends of their names and their units."""
    uncertainty = of.medium.relative_uncertainty()
    values = of.medium.dose_Gy
    if quantity == ENERGY:
        values = values * of.mass_g / MEV_PER_G_IN_GY
    elif quantity == WATER and of.water is not None:
        values, uncertainty = of.water.dose_Gy, of.water.relative_uncertainty()
    elif quantity == LET and of.let_d is not None:
        values, uncertainty = of.let_d.average_keV_um() / KEV_PER_UM, of.let_d.relative_uncertainty()
    if not np.isfinite(values).all():
        raise ArithmeticError(f"{WORDS[quantity]} holds numbers that are not finite")
    yield "", values, UNITS[quantity]
    yield "_uncertainty", uncertainty, RELATIVE


def along_axes(grid: Grid, values: Array) -> list[tuple[Array, Array]]:
    """Return for each axis of a grid the middles of its voxels from its first face, mm, and the values summed over the
    other two."""
    found: list[tuple[Array, Array]] = []
    for axis in range(3):
        middles = np.asarray((np.arange(grid.shape[axis]) + 0.5) * grid.spacing_mm[axis], np.float64)
        found.append((middles, values.sum(axis=tuple(k for k in range(3) if k != 2 - axis))))
    return found
