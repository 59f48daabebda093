"""A CT as a phantom of voxels with media and densities: what ctcreate of DOSXYZnrc does.

The mean CT number of each voxel, weighted by volume, is looked up; so a voxel across a surface of bone and air has what
their mean number means. The phantom has the axes of the patient (DICOM).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.ct_ramp import CtRamp, DensityRamp, media_by_density, ramped
from dosewright.core.dose_file import edges_of
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Image
from dosewright.core.in_voxels import Array, Edges
from dosewright.core.matter import HounsfieldTable
from dosewright.core.regrid import along_patient_axes, mean_weights, regridded
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.materials.hlut import classify

Triple = tuple[float, float, float]

BODY_HU = -400.0  # between lung and soft tissue: a body reaches from the first to the last voxel above
MOST_VOXELS = 200_000_000
LONGEST_NAME = 24  # of a medium in an egsphant file


@dataclass(frozen=True)
class Region:
    """What of a CT becomes the phantom.

    Parameters
    ----------
    voxel_mm
        Size of the voxels along x, y, z; None: those of the CT.
    low_mm, high_mm
        Corners, patient coordinates; None: those of the CT.
    body_margin_mm
        Crop to what is denser than lung, with so much around it; None: do not.
    """

    voxel_mm: Triple | None = None
    low_mm: Triple | None = None
    high_mm: Triple | None = None
    body_margin_mm: float | None = None


@dataclass(frozen=True)
class CtPhantom:
    """A phantom made of a CT.

    Parameters
    ----------
    phantom
        Media and densities.
    hu_range
        Lowest and highest mean CT number of a voxel.
    below, above
        Voxels beyond the table or the ramps.
    renamed
        Names that were too long for the file, by the name that the phantom has.
    said
        What was assumed or moved, a sentence each.
    """

    phantom: VoxelPhantom
    hu_range: tuple[float, float]
    below: int
    above: int
    renamed: dict[str, str]
    said: tuple[str, ...]


def ct_phantom(
    ct: Image,
    region: Region,
    table: HounsfieldTable | None,
    ramp: CtRamp | DensityRamp | None = None,
    *,
    offset: float = 0.0,
) -> CtPhantom:
    """Make a phantom of a CT.

    Parameters
    ----------
    ct
        Hounsfield numbers.
    region
        What of it.
    table
        A CT protocol of ours: media and densities, or the densities alone where `ramp` gives media by density.
    ramp
        Ramps of ctcreate (no `table` is used then), or media by density.
    offset
        Added to a Hounsfield number to give the CT number that the ramps of ctcreate mean.
    """
    edges, (values,) = along_patient_axes(edges_of(ct.grid), ct.grid.direction, ct.values)
    said: list[str] = []
    new = _edges(edges, values, region, said)
    x, y, z = (mean_weights(old, to) for old, to in zip(edges, new, strict=True))
    hu = regridded(values, (x, y, z))
    names, number, density, below, above = _looked_up(hu, table, ramp, offset)
    occurring = np.flatnonzero(np.bincount(number.ravel(), minlength=len(names)))
    place = np.zeros(len(names), np.int16)
    place[occurring] = np.arange(1, len(occurring) + 1)
    kept, renamed = _short([names[n] for n in occurring])
    phantom = VoxelPhantom(new, kept, place[number], density)
    return CtPhantom(phantom, (float(hu.min()), float(hu.max())), below, above, renamed, tuple(said))


def _looked_up(
    hu: Array, table: HounsfieldTable | None, ramp: CtRamp | DensityRamp | None, offset: float
) -> tuple[list[str], NDArray[np.int16], Array, int, int]:
    """Return names of media, their numbers from 0, densities, and how many voxels lay below and above."""
    if isinstance(ramp, CtRamp):
        by_ramp = ramped(hu + offset, ramp)
        return list(ramp.media), by_ramp.medium, by_ramp.density_g_cm3, by_ramp.below, by_ramp.above
    if table is None:
        raise refuse("Media by density need densities: a CT protocol")
    found = classify(hu, table)
    density = found.density_g_cm3.astype(np.float64)
    if isinstance(ramp, DensityRamp):
        return list(ramp.media), media_by_density(density, ramp), density, found.below, found.above
    return [one.name for one in table.materials], found.material.astype(np.int16), density, found.below, found.above


def _edges(of_ct: Edges, values: NDArray[np.generic], region: Region, said: list[str]) -> Edges:
    """Return the edges of the phantom's voxels; all that does not fit the CT is refused together."""
    low = [float(e[0]) for e in of_ct]
    high = [float(e[-1]) for e in of_ct]
    if region.body_margin_mm is not None:
        low, high = _body(of_ct, values, region.body_margin_mm)
    edges, problems = [], []
    for axis, letter in enumerate("xyz"):
        first = low[axis] if region.low_mm is None else region.low_mm[axis]
        last = high[axis] if region.high_mm is None else region.high_mm[axis]
        ends = (float(of_ct[axis][0]), float(of_ct[axis][-1]))
        if not first < last:
            problems.append(f"The region along {letter} must ascend. Given: {first:g} to {last:g} mm.")
        elif first < ends[0] - 1e-3 or last > ends[1] + 1e-3:
            problems.append(f"The region along {letter} reaches beyond the CT. Given: {first:g} to {last:g} mm. "
                            f"Allowed: {ends[0]:g} to {ends[1]:g} mm.")  # fmt: skip
        else:
            size = None if region.voxel_mm is None else region.voxel_mm[axis]
            edges.append(_along(of_ct[axis], first, last, size, letter, said))
    if problems:
        raise InputError(*problems)
    count = int(np.prod([len(e) - 1 for e in edges], dtype=float))
    if count > MOST_VOXELS:
        raise refuse("The phantom has too many voxels", given=f"{count:,}", allowed=f"{MOST_VOXELS:,}")
    return edges[0], edges[1], edges[2]


def _along(of_ct: Array, first: float, last: float, size: float | None, letter: str, said: list[str]) -> Array:
    """Return edges along an axis: those of the CT in the region, or as many whole voxels as fit, from its lower end."""
    if size is None:
        inside = of_ct[(of_ct >= first - 1e-3) & (of_ct <= last + 1e-3)]
        if len(inside) < 2:
            raise refuse(f"The region along {letter} holds no voxel of the CT", given=f"{first:g} to {last:g} mm")
        edges = inside
    else:
        if not size > 0:
            raise refuse("Voxel sizes must be positive", given=f"{size:g} mm along {letter}")
        count = int(np.floor((last - first) / size + 1e-6))
        if count < 1:
            raise refuse(f"The region along {letter} holds no voxel", given=f"{size:g} mm in {last - first:g} mm")
        edges = np.round(first + size * np.arange(count + 1), 9)
    if abs(edges[0] - first) > 1e-3 or abs(edges[-1] - last) > 1e-3:
        said.append(f"Along {letter} the phantom reaches from {edges[0]:g} to {edges[-1]:g} mm, not from {first:g} to "
                    f"{last:g} mm: its voxels are whole.")  # fmt: skip
    return edges


def _body(of_ct: Edges, values: NDArray[np.generic], margin_mm: float) -> tuple[list[float], list[float]]:
    """Return the corners of what is denser than lung, with a margin, inside the CT."""
    dense = np.asarray(values, np.float32) > BODY_HU
    if not dense.any():
        raise refuse("The CT holds nothing that is denser than lung", allowed=f"a voxel above {BODY_HU:g} HU")
    low, high = [], []
    for axis, edges in enumerate(of_ct):
        there = np.flatnonzero(dense.any(axis=tuple(a for a in range(3) if a != 2 - axis)))
        low.append(max(float(edges[there[0]]) - margin_mm, float(edges[0])))
        high.append(min(float(edges[there[-1] + 1]) + margin_mm, float(edges[-1])))
    return low, high


def _short(names: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return names that fit into an egsphant file, and what those mean that had to be shortened."""
    kept: list[str] = []
    renamed: dict[str, str] = {}
    for n, name in enumerate(names, 1):
        short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 4]}_{n:03d}"
        if short != name:
            renamed[short] = name
        kept.append(short)
    return tuple(kept), renamed
