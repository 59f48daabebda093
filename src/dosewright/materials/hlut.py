"""Hounsfield number to material and density, voxel by voxel, with what had to be clamped counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.matter import HounsfieldTable

ROWS_AT_ONCE = 16  # slices looked up together, so that the index array stays small


@dataclass(frozen=True)
class Classified:
    """Material and density of every voxel.

    Parameters
    ----------
    material
        uint8, index into the table's materials.
    density_g_cm3
        float32.
    below, above
        Number of voxels whose Hounsfield number lay outside the table and was clamped to its end.
    """

    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    below: int
    above: int


def table_range(table: HounsfieldTable) -> tuple[int, int]:
    """Return the lowest and highest integer Hounsfield number for which the table says something of its own."""
    lowest = float(table.lower_hu[0])
    highest = np.inf if table.upper_hu is None else np.ceil(table.upper_hu) - 1
    if len(table.density_hu):
        lowest = max(lowest, float(table.density_hu[0]))
        highest = min(highest, float(table.density_hu[-1]))
    if not np.isfinite(highest):
        highest = float(table.lower_hu[-1])
    return int(np.ceil(lowest)), int(np.floor(highest))


def material_at(hu: NDArray[np.float64], table: HounsfieldTable) -> NDArray[np.uint8]:
    """Return the index of the interval that holds each number; the first and last one hold what lies beyond."""
    index = np.searchsorted(table.lower_hu, hu, side="right") - 1
    return np.clip(index, 0, len(table.materials) - 1).astype(np.uint8)


def density_at(hu: NDArray[np.float64], table: HounsfieldTable) -> NDArray[np.float32]:
    """Return the density of each number: along the curve, or that of the interval's material in a direct table."""
    if len(table.density_hu):
        return np.interp(hu, table.density_hu, table.density_g_cm3).astype(np.float32)
    of_materials = np.array([m.density_g_cm3 for m in table.materials], np.float32)
    return np.asarray(of_materials[material_at(hu, table)], np.float32)


def classify(hu: NDArray[np.generic], table: HounsfieldTable) -> Classified:
    """Return material and density of every voxel; numbers are rounded to whole HU and clamped to the table.

    An open last interval (``upper_hu`` None, no density curve) clamps nothing above.
    """
    if len(table.materials) > np.iinfo(np.uint8).max + 1:
        raise refuse("A CT protocol holds too many materials", given=len(table.materials), allowed="at most 256")
    if np.issubdtype(hu.dtype, np.floating) and not np.all(np.isfinite(hu)):
        raise refuse("A CT image holds numbers that are not finite")
    low, high = table_range(table)
    nodes = np.arange(low, high + 1, dtype=float)
    materials, densities = material_at(nodes, table), density_at(nodes, table)
    material = np.empty(hu.shape, np.uint8)
    density = np.empty(hu.shape, np.float32)
    below = above = 0
    open_end = table.upper_hu is None and not len(table.density_hu)
    flat = (hu.reshape(-1), material.reshape(-1), density.reshape(-1))
    step = max(1, ROWS_AT_ONCE * int(np.prod(hu.shape[1:], dtype=int)))
    for start in range(0, hu.size, step):
        part = slice(start, start + step)
        whole = np.clip(np.rint(flat[0][part]), low - 1, high + 1).astype(np.int32)
        below += int(np.count_nonzero(whole < low))
        above += 0 if open_end else int(np.count_nonzero(whole > high))
        index = np.clip(whole, low, high) - low
        flat[1][part] = materials[index]
        flat[2][part] = densities[index]
    return Classified(material, density, below, above)
