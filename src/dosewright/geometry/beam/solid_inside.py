"""Where a solid is filled: along vertical lines exactly, or at points; and the box that holds it. Lengths in mm.

Vertical is the z axis of the axes a solid is placed in. A grid of columns is given by x of shape (1, nx) and y of shape
(ny, 1).
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.solids import Box, Frustum, Prism, Relief, Shape, Solid, Tube

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SAMPLES = 20  # along a voxel's height, for the shapes whose way along a vertical line is not known by formula
SAME = 1.0e-9


def own_box(shape: Shape) -> tuple[Array, Array]:
    """Return the lowest and highest corner of a shape in its own axes."""
    if isinstance(shape, Box):
        half = np.array(shape.size_mm) / 2
    elif isinstance(shape, Tube):
        half = np.array([shape.radius_mm, shape.radius_mm, shape.length_mm / 2])
    elif isinstance(shape, Frustum):
        half = np.array([*np.maximum(shape.lower_mm, shape.upper_mm), shape.length_mm]) / 2
    elif isinstance(shape, Prism):
        low, high = shape.outline_mm.min(0), shape.outline_mm.max(0)
        return np.append(low, -shape.length_mm / 2), np.append(high, shape.length_mm / 2)
    else:
        there = shape.upper_mm > shape.lower_mm
        low_z, high_z = (shape.lower_mm[there].min(), shape.upper_mm[there].max()) if there.any() else (0.0, 0.0)
        low = np.array([shape.x_edges_mm[0], shape.y_edges_mm[0], low_z])
        return low, np.array([shape.x_edges_mm[-1], shape.y_edges_mm[-1], high_z])
    return -half, half


def bounds_mm(solid: Solid) -> tuple[Array, Array]:
    """Return the lowest and highest corner of the box, along the axes it is placed in, that holds a solid."""
    low, high = own_box(solid.shape)
    middle = np.array(solid.centre_mm) + solid.rotation @ ((low + high) / 2)
    half = np.abs(solid.rotation) @ ((high - low) / 2)
    return middle - half, middle + half


def upright(solid: Solid) -> bool:
    """Say whether a solid's own z axis is vertical, either way up."""
    return bool(abs(abs(solid.rotation[2, 2]) - 1.0) < SAME)


def filled(solid: Solid, x: Array, y: Array, z_edges: Array) -> Iterator[Array]:
    """Yield, for each interval between ascending heights, the share of it that a solid fills in every column.

    Every share has a shape that broadcasts to (ny, nx). It is exact, but for prisms and tubes that do not stand upright
    and for reliefs that lie on their side: those are sampled at `SAMPLES` heights.
    """
    along = _chord(solid, x, y)
    for low, high in pairwise(z_edges):
        if along is not None:
            inside = np.minimum(along[1], high) - np.maximum(along[0], low)
            yield np.clip(inside / (high - low), 0.0, 1.0)
        else:
            heights = low + (np.arange(SAMPLES) + 0.5) / SAMPLES * (high - low)
            yield np.mean([inside_at(solid, x, y, z) for z in heights], axis=0)


def inside_at(solid: Solid, x: Array, y: Array, z: float) -> Mask:
    """Say which columns are inside a solid at one height."""
    u, v, w = _own(solid, x, y, z)
    shape = solid.shape
    if isinstance(shape, Relief):
        low, high = _levels(shape, u, v)
        return (low <= w) & (w < high)
    if isinstance(shape, Tube):
        return _in_ring(shape, u, v) & (np.abs(w) <= shape.length_mm / 2)
    if isinstance(shape, Prism):
        return in_polygon(shape.outline_mm, u, v) & (np.abs(w) <= shape.length_mm / 2)
    low, high = _between_planes(solid, shape, x, y)
    inside: Mask = (low <= z) & (z < high)
    return inside


def _own(solid: Solid, x: Array, y: Array, z: float) -> tuple[Array, Array, Array]:
    """Return coordinates in a solid's own axes, each only as large as what it depends on."""
    from_centre = (x - solid.centre_mm[0], y - solid.centre_mm[1], np.array([[z - solid.centre_mm[2]]]))
    own = []
    for k in range(3):
        part = np.zeros((1, 1))
        for axis in range(3):
            if abs(solid.rotation[axis, k]) > SAME:
                part = part + solid.rotation[axis, k] * from_centre[axis]
        own.append(part)
    return own[0], own[1], own[2]


def _chord(solid: Solid, x: Array, y: Array) -> tuple[Array, Array] | None:
    """Return from where to where every column is inside a solid; None for shapes that have no formula for it."""
    shape = solid.shape
    if isinstance(shape, Box | Frustum):
        return _between_planes(solid, shape, x, y)
    if not upright(solid):
        return None
    u, v, _ = _own(solid, x, y, solid.centre_mm[2])
    if isinstance(shape, Relief):
        low, high = _levels(shape, u, v)
    else:
        across = _in_ring(shape, u, v) if isinstance(shape, Tube) else in_polygon(shape.outline_mm, u, v)
        low, high = np.where(across, -shape.length_mm / 2, 0.0), np.where(across, shape.length_mm / 2, 0.0)
    if solid.rotation[2, 2] < 0:
        low, high = -high, -low
    return low + solid.centre_mm[2], high + solid.centre_mm[2]


def _between_planes(solid: Solid, shape: Box | Frustum, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the way of every column through the six planes of a box or a trapezoid."""
    low, high = np.full((1, 1), -np.inf), np.full((1, 1), np.inf)
    for own_normal, distance in _planes(shape):
        normal = solid.rotation @ own_normal
        rest = distance + normal @ np.array(solid.centre_mm) - normal[0] * x - normal[1] * y
        if abs(normal[2]) < SAME:
            high = np.where(rest < 0, -np.inf, high)
        elif normal[2] > 0:
            high = np.minimum(high, rest / normal[2])
        else:
            low = np.maximum(low, rest / normal[2])
    return np.where(high > low, low, 0.0), np.where(high > low, high, 0.0)


def _planes(shape: Box | Frustum) -> list[tuple[Array, float]]:
    """Return normals and distances of the planes that a shape lies below."""
    if isinstance(shape, Box):
        axes = [(np.eye(3)[k], shape.size_mm[k] / 2) for k in range(3)]
        return [(sign * n, d) for n, d in axes for sign in (1.0, -1.0)]
    planes = [(np.array([0.0, 0.0, sign]), shape.length_mm / 2) for sign in (1.0, -1.0)]
    for k in range(2):
        slope = (shape.lower_mm[k] - shape.upper_mm[k]) / 2 / shape.length_mm  # how far the side leans in per height
        middle = (shape.lower_mm[k] + shape.upper_mm[k]) / 4
        for sign in (1.0, -1.0):
            normal = np.array([0.0, 0.0, slope])
            normal[k] = sign
            planes.append((normal, middle))
    return planes


def _in_ring(shape: Tube, u: Array, v: Array) -> Mask:
    square = u**2 + v**2
    inside: Mask = (square <= shape.radius_mm**2) & (square >= shape.inner_radius_mm**2)
    if shape.sweep_deg >= 360.0:
        return inside
    turned = (np.degrees(np.arctan2(v, u)) - shape.start_deg) % 360.0
    return inside & (turned <= shape.sweep_deg)


def _levels(shape: Relief, u: Array, v: Array) -> tuple[Array, Array]:
    """Return the lower and upper end of the columns at places, both zero where there is none."""
    i = np.searchsorted(shape.x_edges_mm, u, side="right") - 1
    j = np.searchsorted(shape.y_edges_mm, v, side="right") - 1
    ny, nx = shape.lower_mm.shape
    there = (i >= 0) & (i < nx) & (j >= 0) & (j < ny)
    i, j = np.clip(i, 0, nx - 1), np.clip(j, 0, ny - 1)
    low, high = shape.lower_mm[j, i], shape.upper_mm[j, i]
    there = there & (high > low)
    return np.where(there, low, 0.0), np.where(there, high, 0.0)


def in_polygon(outline: Array, u: Array, v: Array) -> Mask:
    """Say which places are inside a closed polygon (even-odd rule), edge by edge and only where the edge matters."""
    if v.shape[-1] > 1 and u.shape[-1] > 1:
        u, v = np.broadcast_arrays(u, v)
        return in_polygon(outline, u.reshape(-1, 1), v.reshape(-1, 1)).reshape(u.shape)
    if v.shape[-1] > 1:
        return in_polygon(outline[:, ::-1], v, u)
    heights = v[:, 0]
    inside = np.zeros(np.broadcast_shapes(u.shape, v.shape), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        rows = np.flatnonzero((heights >= min(y0, y1)) & (heights < max(y0, y1)))
        if rows.size:
            crossing = x0 + (heights[rows] - y0) * (x1 - x0) / (y1 - y0)
            inside[rows] ^= (u if u.shape[0] == 1 else u[rows]) < crossing[:, None]
    return inside
