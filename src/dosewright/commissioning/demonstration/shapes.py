"""Analytic solids for phantoms: each says which points lie inside, and any union of them can be contoured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Triple = tuple[float, float, float]
Inside = Callable[[Floats, Floats, Floats], Bools]


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid; `turn_deg` turns it about z, right-handed."""

    centre_mm: Triple
    semi_axes_mm: Triple
    turn_deg: float = 0.0

    def __call__(self, x: Floats, y: Floats, z: Floats) -> Bools:
        c, s = np.cos(np.deg2rad(self.turn_deg)), np.sin(np.deg2rad(self.turn_deg))
        dx, dy, dz = (v - v0 for v, v0 in zip((x, y, z), self.centre_mm, strict=True))
        a, b, h = self.semi_axes_mm
        level = ((c * dx + s * dy) / a) ** 2 + ((c * dy - s * dx) / b) ** 2 + (dz / h) ** 2
        return np.asarray(level <= 1.0)


@dataclass(frozen=True)
class Column:
    """An upright elliptic cylinder between two heights."""

    centre_mm: tuple[float, float]
    semi_axes_mm: tuple[float, float]
    low_mm: float
    high_mm: float

    def __call__(self, x: Floats, y: Floats, z: Floats) -> Bools:
        dx, dy = x - self.centre_mm[0], y - self.centre_mm[1]
        a, b = self.semi_axes_mm
        return ((dx / a) ** 2 + (dy / b) ** 2 <= 1.0) & (z >= self.low_mm) & (z <= self.high_mm)


@dataclass(frozen=True)
class Rod:
    """All points within a radius of a line from `start_mm` to `end_mm`."""

    start_mm: Triple
    end_mm: Triple
    radius_mm: float

    def __call__(self, x: Floats, y: Floats, z: Floats) -> Bools:
        along = np.subtract(self.end_mm, self.start_mm)
        d = [v - v0 for v, v0 in zip((x, y, z), self.start_mm, strict=True)]
        share = np.clip((d[0] * along[0] + d[1] * along[1] + d[2] * along[2]) / (along @ along), 0.0, 1.0)
        away2 = sum((v - share * a) ** 2 for v, a in zip(d, along, strict=True))
        return np.asarray(away2 <= self.radius_mm**2)


@dataclass(frozen=True)
class FrontArch:
    """The anterior (y below the centre) half of an upright elliptic ring: a dental arch, a jaw."""

    centre_mm: tuple[float, float]
    outer_mm: tuple[float, float]
    thickness_mm: float
    low_mm: float
    high_mm: float

    def __call__(self, x: Floats, y: Floats, z: Floats) -> Bools:
        dx, dy = x - self.centre_mm[0], y - self.centre_mm[1]
        a, b = self.outer_mm
        t = self.thickness_mm
        ring = ((dx / a) ** 2 + (dy / b) ** 2 <= 1.0) & ((dx / (a - t)) ** 2 + (dy / (b - t)) ** 2 >= 1.0)
        return ring & (dy <= 0) & (z >= self.low_mm) & (z <= self.high_mm)


@dataclass(frozen=True)
class Union:
    """Everything inside any of the parts."""

    parts: tuple[Inside, ...]

    def __call__(self, x: Floats, y: Floats, z: Floats) -> Bools:
        inside = self.parts[0](x, y, z)
        for part in self.parts[1:]:
            inside = inside | part(x, y, z)
        return inside


def contours(
    inside: Inside,
    axis_mm: tuple[float, float],
    planes_mm: Sequence[float],
    *,
    reach_mm: float = 140.0,
    points: int = 72,
) -> tuple[Floats, ...]:
    """Contour a solid on axial planes: the outermost point inside along each ray from an upright axis.

    The solid must be star-shaped about the axis in every plane; planes whose axis point lies outside are left out.
    """
    angle = 2 * np.pi * np.arange(points) / points
    found = []
    for z in planes_mm:
        if not bool(inside(np.array(axis_mm[0]), np.array(axis_mm[1]), np.array(z))):
            continue
        low, high = np.zeros(points), np.full(points, reach_mm)
        steps = np.arange(0.0, reach_mm, 1.0)
        hit = inside(*_on_rays(axis_mm, angle[:, None], steps[None, :]), np.array(z))
        last = steps[hit.shape[1] - 1 - np.argmax(hit[:, ::-1], axis=1)]
        low, high = last, last + 1.0
        for _ in range(12):  # to 1 mm / 2^12
            middle = 0.5 * (low + high)
            within = inside(*_on_rays(axis_mm, angle, middle), np.array(z))
            low, high = np.where(within, middle, low), np.where(within, high, middle)
        if low.max() > 0.5:
            x, y = _on_rays(axis_mm, angle, low)
            found.append(np.stack([x, y, np.full(points, z)], axis=1))
    return tuple(found)


def _on_rays(axis_mm: tuple[float, float], angle: Floats, radius: Floats) -> tuple[Floats, Floats]:
    return axis_mm[0] + radius * np.cos(angle), axis_mm[1] + radius * np.sin(angle)
