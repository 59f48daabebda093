"""Poured blocks: an outline whose walls follow the rays from the focus."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.passive_modules import Block
from dosewright.core.scene import Part
from dosewright.core.shapes import Intersection, Placement
from dosewright.core.solids import Box, Prism
from dosewright.geometry.modules.placed import Placed, combined, united
from dosewright.geometry.scene.polygons import convex_pieces

Array = NDArray[np.float64]


def parts_of_block(block: Block) -> tuple[Part, ...]:
    """Return the shield, a part of the module's name; or the plate of that name with its hole, ``NAME_hole_k``.

    The hole of a concave outline is several convex parts side by side.
    """
    pieces = _pieces(block)
    if block.hole_in_mm is None:
        shape, place = united(pieces)
        return (Part(block.name, shape, block.material, place, block.parent, where=block.where),)
    middle = block.top_z_mm + 0.5 * block.beam * block.thickness_mm
    plate = Box((*block.hole_in_mm, block.thickness_mm))
    place = Placement((0.0, 0.0, middle))
    parts = [Part(block.name, plate, block.material, place, block.parent, where=block.where)]
    for number, (shape, where) in enumerate(pieces, 1):
        x, y, z = where.centre_mm
        inside = Placement((x, y, z - middle), where.rotation)
        parts.append(Part(f"{block.name}_hole_{number}", shape, None, inside, block.name, where=block.where))
    return tuple(parts)


def _pieces(block: Block) -> list[Placed]:
    """Return the outline as solids between the faces of the block, convex ones where the walls diverge."""
    outline = np.array(block.outline_mm, float)
    middle = Placement((0.0, 0.0, block.top_z_mm + 0.5 * block.beam * block.thickness_mm))
    if not block.divergent:
        return [Placed(Prism(outline, block.thickness_mm), middle)]
    return [_tapered(block, piece, middle) for piece in convex_pieces(outline)]


def _tapered(block: Block, piece: Array, middle: Placement) -> Placed:
    """Return a convex piece of the outline: a box, cut by the plane through the focus and each side."""
    wide = piece * max(block.scales)
    low, high = wide.min(axis=0), wide.max(axis=0)
    x, y = (float(value) for value in 0.5 * (low + high))
    body = Box((float(high[0] - low[0]), float(high[1] - low[1]), block.thickness_mm))
    solid = Placed(body, Placement((x, y, middle.centre_mm[2])))
    for a, b in zip(piece, np.roll(piece, -1, axis=0), strict=True):
        solid = combined(Intersection, solid, _behind(block, a, b))
    return solid


def _behind(block: Block, a: Array, b: Array) -> Placed:
    """Return a cube with a face in the plane through the focus and a side, on the inner side of it."""
    focus = np.array([0.0, 0.0, block.focus_z_mm])
    first, second = (np.array([*point, block.isocentre_z_mm]) - focus for point in (a, b))
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    along = (second - first) / np.linalg.norm(second - first)
    outward = np.cross(along, [0.0, 0.0, 1.0])  # an anticlockwise outline has its outside on the right
    normal *= np.sign(normal @ outward)
    size = 4.0 * (abs(np.array(block.outline_mm)).max() * max(block.scales) + block.thickness_mm)
    touching = focus + 0.5 * (first + second) * max(block.scales)
    x, y, z = (float(value) for value in touching - 0.5 * size * normal)
    turn = np.column_stack([normal, along, np.cross(normal, along)])
    return Placed(Box((size, size, size)), Placement((x, y, z), turn))
