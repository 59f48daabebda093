"""A dose as MetaImage, with its uncertainty as a second one beside it, ``NAME_uncertainty.mhd``, as our runs write it.

The unit and the number of histories are in private keys (``Unit``, ``Histories``). A MetaImage has even voxels: for
uneven ones it has mean sizes, and keys (``EdgesMmX``, ``EdgesMmY``, ``EdgesMmZ``) tell the true edges.
"""

from pathlib import Path
from typing import Final

import numpy as np

from dosewright.core.dose_file import ABSOLUTE, PER_HISTORY, DoseFile, edges_of, regular_grid
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.in_voxels import Edges
from dosewright.formats.dose.mhd import read_mhd, read_mhd_header, write_mhd
from dosewright.formats.dose.numbers import named, numbers_in

MHD: Final = "mhd"
UNCERTAINTY: Final = "_uncertainty"
UNIT_WORDS: Final = {"Gy": ABSOLUTE, "Gy per primary": PER_HISTORY, PER_HISTORY: PER_HISTORY}
EDGE_KEYS: Final = ("EdgesMmX", "EdgesMmY", "EdgesMmZ")


def read_meta_image(path: Path) -> DoseFile:
    """Read a MetaImage as a dose, with the uncertainty beside it where there is one."""
    image, keys = read_mhd(path), read_mhd_header(path)
    unit = keys.get("Unit", "").strip()
    if unit and unit not in UNIT_WORDS:
        raise refuse("The MetaImage is no dose", given=unit, allowed=", ".join(UNIT_WORDS), where=path.name)
    assumed = [] if unit else ["A MetaImage does not say its unit: Gy was taken."]
    beside = path.with_name(f"{path.stem}{UNCERTAINTY}{path.suffix}")
    uncertainty = None
    if beside.is_file():
        other = read_mhd(beside)
        if not other.grid.matches(image.grid):
            raise refuse("The uncertainty beside a dose has other voxels", where=beside.name)
        uncertainty = np.where(image.values == 0, 1.0, other.values.astype(np.float64))
        assumed.append(f"The uncertainty was taken from {beside.name} beside it.")
    try:
        return DoseFile(
            edges_mm=_edges(keys, image.grid, path.name),
            dose=image.values.astype(np.float64),
            uncertainty=uncertainty,
            histories=_histories(keys, path.name),
            unit=UNIT_WORDS.get(unit, ABSOLUTE),
            direction=image.grid.direction,
            format=MHD,
            assumed=tuple(assumed),
        )
    except InputError as error:
        raise named(error, path.name) from error


def _histories(keys: dict[str, str], where: str) -> float | None:
    text = keys.get("Histories")
    if text is None:
        return None
    values = numbers_in(text.encode(), where)
    return float(values[0]) if len(values) == 1 else None


def _edges(keys: dict[str, str], grid: Grid, where: str) -> Edges:
    """Return the true edges where the header tells them, else those of the grid."""
    if not any(key in keys for key in EDGE_KEYS):
        return edges_of(grid)
    x, y, z = (numbers_in(keys.get(key, "").encode(), where) for key in EDGE_KEYS)
    if tuple(len(e) - 1 for e in (x, y, z)) != grid.shape:
        raise refuse("The edges in the header do not fit its voxels", given=EDGE_KEYS, where=where)
    return x, y, z


def write_meta_image(path: Path, dose: DoseFile) -> None:
    """Write a dose, and its uncertainty beside it, as MetaImages of single precision."""
    grid, keys = _grid_and_keys(dose)
    if dose.histories is not None:
        keys["Histories"] = f"{dose.histories:.15g}"
    if np.abs(dose.dose).max() > np.finfo(np.float32).max:
        raise refuse("The dose does not fit single precision", where=path.name)
    beside = path.with_name(f"{path.stem}{UNCERTAINTY}{path.suffix}")
    beside.unlink(missing_ok=True)  # that of a former dose is not that of this one
    if dose.uncertainty is not None:
        of = {**keys, "Quantity": "dose", "Unit": "relative standard error of the mean"}
        write_mhd(beside, Image(grid, dose.uncertainty), extra=of)
    write_mhd(path, Image(grid, dose.dose), extra={"Quantity": "dose", "Unit": dose.unit, **keys})


def _grid_and_keys(dose: DoseFile) -> tuple[Grid, dict[str, str]]:
    """Return the grid; for uneven voxels mean ones, and keys with the true edges."""
    grid = regular_grid(dose)
    if grid is not None:
        return grid, {}
    keys = {key: " ".join(f"{e:.12g}" for e in of) for key, of in zip(EDGE_KEYS, dose.edges_mm, strict=True)}
    return _mean_grid(dose), keys


def _mean_grid(dose: DoseFile) -> Grid:
    """Return a grid of even voxels that fills the same box."""
    means = tuple(np.linspace(e[0], e[-1], len(e)) for e in dose.edges_mm)
    even = DoseFile((means[0], means[1], means[2]), dose.dose, direction=dose.direction)
    grid = regular_grid(even)
    if grid is None:
        raise AssertionError("voxels made even are uneven")
    return grid
