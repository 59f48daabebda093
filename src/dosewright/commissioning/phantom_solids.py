"""A phantom made of solids, as IDEAL describes it: in the axes of a patient lying head first supine, in air."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.phantom import DoseBox, Insert, Phantom, Points, Triple
from dosewright.commissioning.site.content_hash import content_hash
from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Solid, Tube
from dosewright.formats.text.ideal.ideal_phantom import IdealPhantom


@dataclass(frozen=True)
class PlacedSolid:
    """A box or cylinder with its place, seen from the lower corner of the phantom's voxels."""

    solid: Solid
    corner_mm: Triple

    def holds(self, x: Points, y: Points, z: Points) -> NDArray[np.bool_]:
        """Say which points lie inside; the arrays broadcast to [z, y, x]."""
        from_centre = [p + c - o for p, c, o in zip((x, y, z), self.corner_mm, self.solid.centre_mm, strict=True)]
        turn = self.solid.rotation
        along = [sum(turn[i, axis] * from_centre[i] for i in range(3)) for axis in range(3)]
        shape = self.solid.shape
        if isinstance(shape, Box):
            return np.asarray(np.logical_and.reduce([np.abs(a) <= s / 2 for a, s in zip(along, shape.size_mm,
                                                                                       strict=True)]))  # fmt: skip
        if isinstance(shape, Tube):
            return _in_tube(shape, along)
        raise refuse(f"The solid {self.solid.name!r} cannot be part of a phantom", given=type(shape).__name__,
                     allowed="a box, a cylinder")  # fmt: skip


def _in_tube(shape: Tube, along: Sequence[Points]) -> NDArray[np.bool_]:
    across2 = along[0] ** 2 + along[1] ** 2
    inside = (across2 <= shape.radius_mm**2) & (across2 >= shape.inner_radius_mm**2)
    inside &= np.abs(along[2]) <= shape.length_mm / 2
    if shape.sweep_deg < 360.0:
        angle = np.rad2deg(np.arctan2(along[1], along[0])) - shape.start_deg
        inside &= np.mod(angle, 360.0) <= shape.sweep_deg
    return np.asarray(inside)


def phantom_of(read: IdealPhantom, air: Material) -> Phantom:
    """Return a phantom of IDEAL as voxels: those of its dose grid, continued until every solid has room.

    Outside its solids is air. The origin of its axes lies at the isocentre.
    """
    dose = DoseBox(read.size_mm, read.counts)
    spacing = np.array(read.size_mm) / np.array(read.counts)
    reach = [_bounds(one) for one in read.solids]
    low = np.min([-0.5 * np.array(read.size_mm), *(r[0] for r in reach)], axis=0)
    high = np.max([0.5 * np.array(read.size_mm), *(r[1] for r in reach)], axis=0)
    before = np.ceil((-0.5 * np.array(read.size_mm) - low) / spacing - 1e-6)
    behind = np.ceil((high - 0.5 * np.array(read.size_mm)) / spacing - 1e-6)
    corner = -0.5 * np.array(read.size_mm) - before * spacing
    counts = np.array(read.counts) + before + behind
    place = _triple(corner)
    inserts = tuple(
        Insert(PlacedSolid(one, place), one.material or air, one.density_g_cm3 if one.material else air.density_g_cm3)
        for one in read.solids
    )
    said = f"Phantom {read.name!r}: its solids are cut into voxels of {' x '.join(f'{s:.4g}' for s in spacing)} mm."
    return Phantom(
        name=read.name,
        size_mm=_triple(counts * spacing),
        voxel_mm=_triple(spacing),
        isocenter_mm=_triple(-corner),
        material=air,
        density_g_cm3=air.density_g_cm3,
        inserts=inserts,
        description=read.description,
        sha256=content_hash(read.files, [air, *(one.material for one in inserts)]),
        dose_box=dose,
        dose_to_water=read.dose_to_water,
        assumptions=(said,),
        notes=read.notes,
    )


def _bounds(one: Solid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper corner of the box around a solid."""
    shape = one.shape
    if isinstance(shape, Box):
        half = 0.5 * np.array(shape.size_mm)
    elif isinstance(shape, Tube):
        half = np.array([shape.radius_mm, shape.radius_mm, 0.5 * shape.length_mm])
    else:
        raise refuse(f"The solid {one.name!r} cannot be part of a phantom", given=type(shape).__name__,
                     allowed="a box, a cylinder")  # fmt: skip
    reach = np.abs(one.rotation) @ half
    return np.array(one.centre_mm) - reach, np.array(one.centre_mm) + reach


def _triple(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
