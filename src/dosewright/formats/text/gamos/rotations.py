"""Rotation matrices of geometry text, and which way they turn.

``:ROTM`` with three angles turns about x, then y, then z, axes at rest: R = Rz Ry Rx. Six angles are polar angle and
azimuth of the three columns of R, nine numbers the columns themselves. Geant4 places with R as a rotation of the axes
(passive): a point p of the mother is R (p - t) in the axes of what is placed, which therefore turns by the inverse of R
(Geant4, Book for Application Developers, "Placements"). The same holds for the second solid of a boolean.
"""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import turned_axes
from dosewright.formats.text.gamos.cursor import Cursor

Matrix = NDArray[np.float64]
TOLERANCE = 1e-3  # Geant4 wants the triple product of the columns to be one within this


def read_rotation(cursor: Cursor) -> Matrix:
    """Return the rotation R of a statement, after its name."""
    words = cursor.left()
    values = cursor.parameters
    if len(words) == 3:
        x, y, z = (values.angle_deg(word) for word in words)
        return turned_axes((x, y, z))
    if len(words) == 6:
        theta, phi = np.radians([values.angle_deg(word) for word in words]).reshape(3, 2).T
        columns = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    elif len(words) == 9:
        columns = np.array([values.number(word) for word in words]).reshape(3, 3).T
    else:
        raise refuse("A rotation has another number of values than it can have", given=len(words),
                     allowed="3 angles, 6 angles or 9 numbers", where=cursor.where)  # fmt: skip
    return _proper(columns, cursor.where)


def _proper(columns: Matrix, where: str) -> Matrix:
    """Return the rotation nearest to columns that are orthogonal but for their last digits."""
    if np.abs(columns).max() > 2 or np.abs(columns.T @ columns - np.eye(3)).max() > TOLERANCE:
        raise refuse("The columns of a rotation must be orthogonal and of length one",
                     given=np.round(columns.T, 6).tolist(), where=where)  # fmt: skip
    if np.linalg.det(columns) < 0:
        raise refuse("A rotation that mirrors is not known here", given=np.round(columns.T, 6).tolist(), where=where)
    left, _, right = np.linalg.svd(columns)
    rotation: Matrix = left @ right
    return rotation


def own_axes(rotation: Matrix) -> Matrix:
    """Return the axes of what is placed with R, as columns in those of the mother."""
    return rotation.T
