"""Plates without and with holes: range shifters, snouts, apertures, electron applicators, compensators, wedges.

A hole is a part of what fills the scene inside its plate: a child cuts its parent.
"""

from collections.abc import Iterator

import numpy as np

from dosewright.core.passive_modules import Aperture, Applicator, Compensator, RangeShifter, Snout, Wedge
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement, Shape
from dosewright.core.solids import Box, Prism, Tube
from dosewright.geometry.modules.placed import Axes, Placed, united

Pair = tuple[float, float]


def plate(size: Pair, thickness: float, is_round: bool) -> Shape:
    """Return a box, or a cylinder whose diameter is the first size."""
    return Tube(0.5 * size[0], thickness) if is_round else Box((*size, thickness))


def parts_of_range_shifter(shifter: RangeShifter) -> tuple[Part, ...]:
    """Return the plate, a part of the module's name."""
    shape = plate(shifter.size_mm, shifter.thickness_mm, shifter.round)
    place = Placement(shifter.centre_mm)
    return (Part(shifter.name, shape, shifter.material, place, shifter.parent, where=shifter.where),)


def parts_of_snout(snout: Snout) -> tuple[Part, ...]:
    """Return the tube, a part of the module's name, and its opening, ``NAME_opening``."""
    outside = plate(snout.outer_mm, snout.length_mm, snout.round)
    inside = plate(snout.opening_mm, snout.length_mm, snout.round)
    place = Placement(snout.centre_mm)
    return (
        Part(snout.name, outside, snout.material, place, snout.parent, where=snout.where),
        Part(f"{snout.name}_opening", inside, None, parent=snout.name, where=snout.where),
    )


def parts_of_aperture(aperture: Aperture) -> tuple[Part, ...]:
    """Return the plate, a part of the module's name, and its holes, ``NAME_hole_k``."""
    shape = plate(aperture.size_mm, aperture.thickness_mm, aperture.round)
    place = Placement(aperture.centre_mm)
    solid = Part(aperture.name, shape, aperture.material, place, aperture.parent, where=aperture.where)
    holes = (np.array(outline, float) - np.array(aperture.centre_mm[:2]) for outline in aperture.holes_mm)
    return (
        solid,
        *(
            Part(f"{aperture.name}_hole_{number}", Prism(outline, aperture.thickness_mm), None, parent=aperture.name,
                 where=aperture.where)
            for number, outline in enumerate(holes, 1)
        ),
    )  # fmt: skip


def parts_of_applicator(applicator: Applicator) -> tuple[Part, ...]:
    """Return the frames, ``NAME_frame_k``, each with its opening, ``NAME_frame_k_opening``."""
    parts: list[Part] = []
    for number, frame in enumerate(applicator.frames, 1):
        name, where = f"{applicator.name}_frame_{number}", applicator.where
        outside, inside = Box((*frame.outer_mm, frame.thickness_mm)), Box((*frame.opening_mm, frame.thickness_mm))
        place = Placement((0.0, 0.0, frame.z_mm))
        parts.append(Part(name, outside, frame.material or applicator.material, place, applicator.parent, where=where))
        parts.append(Part(f"{name}_opening", inside, None, parent=name, where=where))
    return tuple(parts)


def parts_of_wedge(wedge: Wedge) -> tuple[Part, ...]:
    """Return the wedge, a part of the module's name: its profile, extruded across."""
    axes = Axes.of(wedge.orientation, wedge.beam)
    base = -wedge.beam * wedge.base_z_mm
    upper = [(u, base + thickness) for u, thickness in wedge.profile_mm]
    ends = [(wedge.profile_mm[k][0], base) for k in (-1, 0) if wedge.profile_mm[k][1] > 0]
    half = 0.5 * wedge.width_mm
    shape, place = axes.along_cross([*upper, *ends], wedge.cross_mm - half, wedge.cross_mm + half)
    return (Part(wedge.name, shape, wedge.material, place, wedge.parent, where=wedge.where),)


def parts_of_compensator(compensator: Compensator) -> tuple[Part, ...]:
    """Return all columns as one part of the module's name; equal neighbours in a row are one box."""
    shape, place = united(list(_columns(compensator)))
    return (Part(compensator.name, shape, compensator.material, place, compensator.parent,
                 where=compensator.where),)  # fmt: skip


def _columns(compensator: Compensator) -> Iterator[Placed]:
    """Yield the boxes of a compensator, row by row."""
    pitch, (x0, y0) = compensator.pitch_mm, compensator.centre_mm
    rows, columns = len(compensator.thickness_mm), len(compensator.thickness_mm[0])
    for row, thicknesses in enumerate(compensator.thickness_mm):
        y = y0 + (row - 0.5 * (rows - 1)) * pitch[1]
        first = 0
        for column in range(1, columns + 1):
            if column < columns and thicknesses[column] == thicknesses[first]:
                continue
            height, wide = thicknesses[first], (column - first) * pitch[0]
            if height > 0:
                x = x0 + (0.5 * (first + column) - 0.5 * columns) * pitch[0]
                z = compensator.base_z_mm - compensator.beam * 0.5 * height
                yield Placed(Box((wide, pitch[1], height)), Placement((x, y, z)))
            first = column
