"""Rigid transforms, and the way from the IEC 61217 gantry system to DICOM patient coordinates.

IEC fixed system: origin at the isocentre, +Y towards the gantry stand, +Z up, +X to the right of an observer
facing the gantry. Gantry system: turns right-handed about +Yf; its +Z points to the source. Every frame of this
module keeps millimetres.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# Rows: DICOM +x (left), +y (posterior), +z (superior) expressed along IEC fixed X, Y, Z at table angle 0.
# Source: DICOM PS3.3 C.7.3.1.1.2 (patient position) with IEC 61217 fixed axes; each is a proper rotation.
PATIENT_AXES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "HFS": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "FFS": ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    "FFP": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "HFDR": ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    "HFDL": ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    "FFDR": ((0, 0, 1), (-1, 0, 0), (0, -1, 0)),
    "FFDL": ((0, 0, -1), (1, 0, 0), (0, -1, 0)),
}


@dataclass(frozen=True)
class Rigid:
    """A rotation followed by a translation: ``p' = rotation @ p + translation`` (mm)."""

    rotation: Matrix
    translation: Vector

    def __post_init__(self) -> None:
        r = np.asarray(self.rotation, float)
        if r.shape != (3, 3) or not np.allclose(r @ r.T, np.eye(3), atol=1e-6) or np.linalg.det(r) < 0:
            raise refuse("A rigid transform needs a proper 3 x 3 rotation", given=r.tolist())
        object.__setattr__(self, "rotation", r)
        object.__setattr__(self, "translation", np.asarray(self.translation, float).reshape(3))

    @classmethod
    def identity(cls) -> Self:
        """Return the transform that changes nothing."""
        return cls(np.eye(3), np.zeros(3))

    def points(self, p: Vector) -> Vector:
        """Transform points, shape (..., 3), mm."""
        moved: Vector = np.asarray(p, float) @ self.rotation.T + self.translation
        return moved

    def directions(self, u: Vector) -> Vector:
        """Rotate directions, shape (..., 3)."""
        turned: Vector = np.asarray(u, float) @ self.rotation.T
        return turned

    def inverse(self) -> "Rigid":
        """Return the transform that undoes this one."""
        return Rigid(self.rotation.T, -self.rotation.T @ self.translation)

    def then(self, later: "Rigid") -> "Rigid":
        """Return the transform that applies this one first, `later` second."""
        return Rigid(later.rotation @ self.rotation, later.points(self.translation))


def rotation_about(axis: str, degrees: float) -> Matrix:
    """Return the right-handed 3 x 3 rotation about ``"x"``, ``"y"`` or ``"z"``."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i = "xyz".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    m = np.eye(3)
    m[j, j] = m[k, k] = c
    m[j, k], m[k, j] = -s, s
    return m


def turned_axes(degrees: tuple[float, float, float]) -> Matrix:
    """Return the rotation about x, then about y, then about z, of axes that stay."""
    x, y, z = (rotation_about(axis, angle) for axis, angle in zip("xyz", degrees, strict=True))
    turned: Matrix = z @ y @ x
    return turned


def gantry_to_patient(
    *,
    gantry_deg: float,
    couch_deg: float,
    patient_position: str,
    isocenter_mm: Vector,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
) -> Rigid:
    """Return the transform from IEC gantry coordinates to DICOM patient coordinates (mm).

    The gantry turns right-handed about fixed +Y, the patient support right-handed about fixed +Z, then the table
    top pitches about its X and rolls about its own (pitched) Y, all about the isocentre (IEC 61217:2011).
    """
    if patient_position not in PATIENT_AXES:
        raise refuse("Unknown patient position", given=repr(patient_position), allowed=", ".join(PATIENT_AXES))
    gantry = rotation_about("y", gantry_deg)
    support = rotation_about("z", couch_deg) @ rotation_about("x", pitch_deg) @ rotation_about("y", roll_deg)
    axes = np.array(PATIENT_AXES[patient_position], float)
    return Rigid(axes @ support.T @ gantry, np.asarray(isocenter_mm, float))
