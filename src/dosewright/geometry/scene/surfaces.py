"""Surfaces that bound cells: each has an inside that is convex. Lengths in mm, on the host."""

from dataclasses import dataclass, replace
from math import atan

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid

Array = NDArray[np.float64]

PLANE, BALL, CYLINDER, CONE = 0, 1, 2, 3
_SLANTS = np.array([[sx, sy, sz] for sx in (1, -1) for sy in (1, -1) for sz in (1, -1)]) / np.sqrt(3.0)
_AROUND = np.vstack([np.eye(3), -np.eye(3), _SLANTS])


@dataclass(frozen=True)
class Surface:
    """A surface, and the side of it on which a cell lies.

    Parameters
    ----------
    kind
        `PLANE`, `BALL`, `CYLINDER` or `CONE` (one nappe).
    point
        Centre of a ball, a point of the axis, the apex; of no meaning for a plane.
    axis
        Unit vector: the normal of a plane, pointing out; the axis of a cylinder; the axis of a cone, into its nappe.
    size
        Distance of a plane from the origin along its normal; radius; tangent of half the opening angle.
    inside
        Whether the cell lies on the convex side.
    """

    kind: int
    point: Array
    axis: Array
    size: float
    inside: bool = True

    def opposite(self) -> "Surface":
        """Return the same surface with the cell on its other side."""
        if self.kind == PLANE:
            return replace(self, axis=-self.axis, size=-self.size)
        return replace(self, inside=not self.inside)

    def moved(self, frame: Rigid) -> "Surface":
        """Return the surface placed by a transform."""
        axis = frame.rotation @ self.axis
        if self.kind == PLANE:
            return replace(self, axis=axis, size=self.size + float(axis @ frame.translation))
        return replace(self, point=frame.points(self.point), axis=axis)

    def beyond(self, points: Array) -> Array:
        """Return by how much points (n, 3) lie outside the convex side, at most their distance; negative in it."""
        if self.kind == PLANE:
            return np.asarray(points @ self.axis - self.size)
        apart = points - self.point
        if self.kind == BALL:
            return np.asarray(np.linalg.norm(apart, axis=-1) - self.size)
        height = apart @ self.axis
        radius = np.linalg.norm(apart - height[..., None] * self.axis, axis=-1)
        if self.kind == CYLINDER:
            return np.asarray(radius - self.size)
        return np.asarray((radius - self.size * height) / np.sqrt(1.0 + self.size**2))

    def covers(self, other: "Surface") -> bool:
        """Say whether the convex side holds that of another, of balls and of cylinders with parallel axes."""
        if self.kind not in (BALL, CYLINDER) or other.kind not in (BALL, self.kind):
            return False
        apart = other.point - self.point
        if self.kind == CYLINDER:
            if other.kind == CYLINDER and float(np.abs(self.axis - other.axis).max()) > 0.0:
                return False
            apart = apart - (apart @ self.axis) * self.axis
        return float(np.linalg.norm(apart)) + other.size <= self.size

    def tangents(self) -> Array:
        """Return half-spaces (n, 4), normal and distance, that hold the convex side."""
        if self.kind == PLANE:
            return np.append(self.axis, self.size)[None]
        if self.kind == BALL:
            return np.column_stack([_AROUND, _AROUND @ self.point + self.size])
        across = _AROUND - np.outer(_AROUND @ self.axis, self.axis)
        lengths = np.linalg.norm(across, axis=1)
        across = np.unique(np.round(across[lengths > 0.1] / lengths[lengths > 0.1, None], 12), axis=0)
        across /= np.linalg.norm(across, axis=1)[:, None]
        if self.kind == CYLINDER:
            return np.column_stack([across, across @ self.point + self.size])
        half_angle = atan(self.size)
        normals = np.cos(half_angle) * across - np.sin(half_angle) * self.axis
        return np.column_stack([normals, normals @ self.point])


def plane(normal: Array | tuple[float, float, float], distance: float) -> Surface:
    """Return the half-space below a plane; the normal of any length points out, the distance counts along it."""
    vector = np.asarray(normal, float)
    length = float(np.linalg.norm(vector))
    return Surface(PLANE, np.zeros(3), vector / length, distance / length)


def ball(radius_mm: float) -> Surface:
    """Return a ball around the origin."""
    return Surface(BALL, np.zeros(3), np.zeros(3), radius_mm)


def cylinder(radius_mm: float) -> Surface:
    """Return a cylinder around the z axis."""
    return Surface(CYLINDER, np.zeros(3), np.array([0.0, 0.0, 1.0]), radius_mm)


def cone(low_mm: float, low_radius_mm: float, high_mm: float, high_radius_mm: float) -> Surface:
    """Return the cone (or cylinder) around the z axis that has two radii at two heights."""
    slope = (high_radius_mm - low_radius_mm) / (high_mm - low_mm)
    if slope == 0.0:
        return cylinder(low_radius_mm)
    apex = low_mm - low_radius_mm / slope if low_radius_mm < high_radius_mm else high_mm - high_radius_mm / slope
    return Surface(CONE, np.array([0.0, 0.0, apex]), np.array([0.0, 0.0, np.sign(slope)]), abs(slope))
