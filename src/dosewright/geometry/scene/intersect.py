"""Where rays cross the surfaces of cells: kernels. Lengths in cm.

A plane is a row (normal, distance); the cell lies below it. A curved surface is a row of ten numbers: point, axis,
square of the radius, square of the slope, side (1: the cell is inside), slant. With w the components of a position
across the axis and h its height, its inside is |w|^2 <= radius^2 + slope^2 h^2, for cones on the nappe h >= 0: balls
have no axis, cylinders no slope, cones no radius. The slant is the cosine of half a cone's opening angle, else 1.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.trace import FAR_CM, advance

PARALLEL = 1.0e-11  # a ray that leaves a surface by less in its own length never crosses it
SAME_CM = 1.0e-10  # nearer to a surface than this a ray is on it
TINY = 1.0e-300


class Span(NamedTuple):
    """The path lengths between which a ray is inside; the second below the first: nowhere."""

    enter: float
    leave: float


@inlined
def plane_height(planes, i, ray):
    """Return how far a point lies below a plane."""
    return planes[i, 3] - (planes[i, 0] * ray.x + planes[i, 1] * ray.y + planes[i, 2] * ray.z)


@inlined
def plane_slope(planes, i, ray):
    """Return how fast a ray comes nearer to a plane from below."""
    return planes[i, 0] * ray.u + planes[i, 1] * ray.v + planes[i, 2] * ray.w


@kernel
def squares(curved, i, ray):
    """Return the square of a point's distance from the axis less that of the surface there, and its height."""
    x, y, z = ray.x - curved[i, 0], ray.y - curved[i, 1], ray.z - curved[i, 2]
    a, b, c = curved[i, 3], curved[i, 4], curved[i, 5]
    h = x * a + y * b + z * c
    x, y, z = x - h * a, y - h * b, z - h * c
    return x * x + y * y + z * z - curved[i, 6] - curved[i, 7] * h * h, h


@inlined
def below(height, slope):
    """Say whether a ray goes on below a plane: on the plane its direction decides, or the side if it goes along it."""
    if abs(height) > SAME_CM:
        return height > 0.0
    return slope < -PARALLEL or (slope <= PARALLEL and height >= 0.0)


@kernel
def within(curved, i, ray):
    """Say whether a ray goes on inside a curved surface; on the surface its direction decides, then the curvature."""
    square, h = squares(curved, i, ray)
    slope_2 = curved[i, 7]
    radius_2 = curved[i, 6] + slope_2 * h * h
    if slope_2 > 0.0 and h < 0.0:
        return False
    if square * square > 4.0 * SAME_CM * SAME_CM * radius_2:
        return square <= 0.0
    a, b, c = curved[i, 3], curved[i, 4], curved[i, 5]
    along = ray.u * a + ray.v * b + ray.w * c
    u, v, w = ray.u - along * a, ray.v - along * b, ray.w - along * c
    x, y, z = ray.x - curved[i, 0], ray.y - curved[i, 1], ray.z - curved[i, 2]
    q = x * u + y * v + z * w - slope_2 * h * along
    if q * q > PARALLEL * PARALLEL * radius_2:
        return q < 0.0
    p = u * u + v * v + w * w - slope_2 * along * along
    return p < 0.0 or (p < PARALLEL * PARALLEL and square <= 0.0)


@inlined
def ends_inside(curved, i, ray, length):
    """Say whether a ray that is inside a curved surface is so after a length: then it is all the way."""
    square, h = squares(curved, i, advance(ray, length))
    return square <= 0.0 and (curved[i, 7] == 0.0 or h >= 0.0)


@kernel
def span_inside(curved, i, ray):
    """Return where a ray is inside a curved surface.

    The discriminant is a difference of squares that are each well known (Lagrange's identity), the roots are taken
    without cancellation.
    """
    x, y, z = ray.x - curved[i, 0], ray.y - curved[i, 1], ray.z - curved[i, 2]
    a, b, c = curved[i, 3], curved[i, 4], curved[i, 5]
    slope_2 = curved[i, 7]
    h, along = x * a + y * b + z * c, ray.u * a + ray.v * b + ray.w * c
    x, y, z = x - h * a, y - h * b, z - h * c
    u, v, w = ray.u - along * a, ray.v - along * b, ray.w - along * c
    across_2 = u * u + v * v + w * w
    square, _ = squares(curved, i, ray)
    p = across_2 - slope_2 * along * along
    q = x * u + y * v + z * w - slope_2 * h * along
    if slope_2 == 0.0 and across_2 < PARALLEL * PARALLEL:
        return Span(-FAR_CM, FAR_CM) if square <= 0.0 else Span(FAR_CM, -FAR_CM)
    m, n, o = y * w - z * v, z * u - x * w, x * v - y * u
    root_2 = across_2 * curved[i, 6] - (m * m + n * n + o * o)
    m, n, o = h * u - along * x, h * v - along * y, h * w - along * z
    root_2 += slope_2 * (m * m + n * n + o * o)
    if p < 0.0:
        root_2 = max(root_2, 0.0)
    if root_2 < 0.0:
        return Span(FAR_CM, -FAR_CM)
    root = np.sqrt(root_2)
    s = -(q + root) if q > 0.0 else root - q
    if s == 0.0 and abs(p) < PARALLEL:
        return Span(-FAR_CM, FAR_CM) if square <= 0.0 else Span(FAR_CM, -FAR_CM)
    one = s / p if abs(p) > TINY else (FAR_CM if s > 0.0 else -FAR_CM)
    other = square / s if s != 0.0 else 0.0
    low, high = min(one, other), max(one, other)
    if slope_2 == 0.0:
        return Span(low, high)
    return _on_nappe(p, h + along * 0.5 * (low + high), along, low, high)


@inlined
def _on_nappe(p, middle, along, low, high):
    """Return the part of a ray inside a cone that is inside its one nappe."""
    if p < 0.0:
        return Span(high, FAR_CM) if along > 0.0 else Span(-FAR_CM, low)
    return Span(low, high) if middle >= 0.0 else Span(FAR_CM, -FAR_CM)


@inlined
def outside_by(curved, i, ray):
    """Return by how much a point lies outside a curved surface, never more than its distance; negative inside."""
    square, h = squares(curved, i, ray)
    slope_2 = curved[i, 7]
    if slope_2 == 0.0:
        radius = np.sqrt(curved[i, 6])
        return np.sqrt(max(square + curved[i, 6], 0.0)) - radius
    return (np.sqrt(max(square + slope_2 * h * h, 0.0)) - np.sqrt(slope_2) * h) * curved[i, 9]
