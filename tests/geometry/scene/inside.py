"""Which points lie in a shape, by its definition: what the cells are compared with. Lengths in mm."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def inside(shape: Shape, p: Array) -> Mask:
    """Say which points (n, 3) in a shape's own axes lie in it; on its surface either answer is right."""
    if isinstance(shape, Union | Intersection | Difference):
        placement = shape.placement
        first = inside(shape.first, p)
        second = inside(shape.second, (p - np.array(placement.centre_mm)) @ placement.rotation)
        if isinstance(shape, Union):
            return first | second
        return first & (second if isinstance(shape, Intersection) else ~second)
    x, y, z = p.T
    rho = np.hypot(x, y)
    if isinstance(shape, Box):
        return np.all(np.abs(p) <= np.array(shape.size_mm) / 2, axis=1)
    if isinstance(shape, Sphere):
        r = np.linalg.norm(p, axis=1)
        return (r <= shape.radius_mm) & (r >= shape.inner_radius_mm)
    if isinstance(shape, Tube):
        ring = (rho <= shape.radius_mm) & (rho >= shape.inner_radius_mm) & (np.abs(z) <= shape.length_mm / 2)
        return ring & _in_sector(x, y, shape.start_deg, shape.sweep_deg)
    if isinstance(shape, Cone):
        f = z / shape.length_mm + 0.5
        outer = shape.lower_radius_mm + f * (shape.upper_radius_mm - shape.lower_radius_mm)
        inner = shape.lower_inner_mm + f * (shape.upper_inner_mm - shape.lower_inner_mm)
        ring = (f >= 0) & (f <= 1) & (rho <= outer) & (rho >= inner)
        return ring & _in_sector(x, y, shape.start_deg, shape.sweep_deg)
    if isinstance(shape, Polycone):
        order = slice(None) if shape.z_mm[0] <= shape.z_mm[-1] else slice(None, None, -1)
        heights = np.array(shape.z_mm)[order]
        outer = np.interp(z, heights, np.array(shape.radius_mm)[order])
        inner = np.interp(z, heights, np.array(shape.inner_mm)[order])
        return (z >= heights[0]) & (z <= heights[-1]) & (rho <= outer) & (rho >= inner)
    if isinstance(shape, Frustum):
        f = z / shape.length_mm + 0.5
        half_x, half_y = ((a + f * (b - a)) / 2 for a, b in zip(shape.lower_mm, shape.upper_mm, strict=True))
        return (f >= 0) & (f <= 1) & (np.abs(x) <= half_x) & (np.abs(y) <= half_y)
    assert isinstance(shape, Prism)
    return in_outline(shape.outline_mm, x, y) & (np.abs(z) <= shape.length_mm / 2)


def in_outline(outline: Array, x: Array, y: Array) -> Mask:
    """Say which points lie in a polygon, by the even-odd rule."""
    within = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:
            crossing = ((y0 <= y) & (y < y1)) | ((y1 <= y) & (y < y0))
            within ^= crossing & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return within


def _in_sector(x: Array, y: Array, start_deg: float, sweep_deg: float) -> Mask:
    return (np.degrees(np.arctan2(y, x)) - start_deg) % 360.0 <= sweep_deg
