"""Collimators with rows of holes that meet in a focus."""

import numpy as np

from dosewright.core.passive_modules import ConvergingCollimator
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Intersection, Placement
from dosewright.core.solids import Box


def parts_of_converging(collimator: ConvergingCollimator) -> tuple[Part, ...]:
    """Return the plate, a part of the module's name, and its holes, ``NAME_hole_ROW_COLUMN``.

    Rows count along y and columns along x from the most negative. A hole is a straight cone around the line from the
    middle of its downstream end to the focus, cut by the faces of the plate.
    """
    c = collimator
    body = Box((*c.size_mm, c.thickness_mm))
    parts = [Part(c.name, body, c.material, Placement(c.centre_mm), c.parent, where=c.where)]
    for row in range(c.rows):
        for column in range(c.columns):
            exit_x = (column - 0.5 * (c.columns - 1)) * c.pitch_mm[0]
            exit_y = (row - 0.5 * (c.rows - 1)) * c.pitch_mm[1]
            shape = Intersection(body, *_hole(c, exit_x, exit_y))
            name = f"{c.name}_hole_{row + 1}_{column + 1}"
            parts.append(Part(name, shape, None, parent=c.name, where=c.where))
    return tuple(parts)


def _hole(c: ConvergingCollimator, exit_x: float, exit_y: float) -> tuple[Cone, Placement]:
    """Return one hole, reaching out of both faces, in the axes of the plate."""
    down = float(c.beam)
    end = np.array([exit_x, exit_y, 0.5 * down * c.thickness_mm])
    focus = np.array([0.0, 0.0, down * (0.5 * c.thickness_mm + c.focus_mm)])
    up = (end - focus) / np.linalg.norm(end - focus)  # from the focus through the hole
    inside = c.thickness_mm / abs(up[2])  # its length between the faces
    lower = 0.5 * c.hole_mm
    growth = (0.5 * (c.hole_mm if c.entrance_mm is None else c.entrance_mm) - lower) / inside
    beyond = (c.hole_mm + (c.entrance_mm or 0.0)) * float(np.hypot(up[0], up[1])) / abs(up[2]) + 0.01 * inside
    if growth != 0:  # no farther than to the tip of the cone
        beyond = min(beyond, 0.99 * (lower / growth if growth > 0 else -lower / growth - inside))
    side = np.cross([0.0, 1.0, 0.0], up)
    side /= np.linalg.norm(side)
    turn = np.column_stack([side, np.cross(up, side), up])
    x, y, z = (float(value) for value in end + 0.5 * inside * up)
    cone = Cone(lower - growth * beyond, lower + growth * (inside + beyond), inside + 2.0 * beyond)
    return cone, Placement((x, y, z), turn)
