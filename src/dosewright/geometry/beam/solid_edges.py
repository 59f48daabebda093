"""Where a box of voxels needs faces so that it can hold solids: exact faces, and stretches of fine voxels.

Faces across an axis of the box become voxel faces exactly. Curved and slanted faces are met by voxel centres: an edge
across the beam lies within half a pitch of its place, and on the average at its place. Along the beam the share of each
voxel is kept (`geometry.solid_inside`), so that the pitch there does not change the amount of material in a column.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.solids import Box, Field, Frustum, Prism, Relief, Shape, Solid, Tube
from dosewright.geometry.beam.solid_inside import bounds_mm, own_box

Array = NDArray[np.float64]

ACROSS_MM = 0.25  # an edge is placed to half of it: an eighth of a millimetre, where penumbras are 3 mm and more
OUTSIDE_MM = 2.0  # beyond the reach of the beam, where only the presence of material matters
ALONG_MM = 0.5  # the height of voxels that a slanted face cuts
RUN_PARTS = 12  # columns under a slanted face: the spread of thickness in one column is 2 % of the face's height
SAME = 1.0e-6


@dataclass(frozen=True)
class Fine:
    """A stretch along one axis whose voxels must not be longer than a pitch."""

    axis: int
    low_mm: float
    high_mm: float
    pitch_mm: float


@dataclass(frozen=True)
class _Slant:
    """A face that is slanted in the plane of two of a shape's own axes, with its extent along both."""

    axes: tuple[int, int]
    first: tuple[float, float]
    second: tuple[float, float]


def faces_and_fine(solid: Solid) -> tuple[list[tuple[int, float]], list[Fine]]:
    """Return the exact faces of a solid as axis and position, and the stretches that it needs fine."""
    turned = _axis_map(solid)
    if turned is None:
        low, high = bounds_mm(solid)
        pitches = (ACROSS_MM, ACROSS_MM, ALONG_MM)
        return [], [Fine(a, low[a], high[a], pitches[a]) for a in range(3)]
    axes, signs = turned
    faces, slants = _own_faces(solid.shape)
    placed = [(axes[k], solid.centre_mm[axes[k]] + signs[k] * value) for k, value in faces]
    fine: list[Fine] = []
    for slant in slants:
        a, b = axes[slant.axes[0]], axes[slant.axes[1]]
        low_a, high_a = sorted(solid.centre_mm[a] + signs[slant.axes[0]] * end for end in slant.first)
        low_b, high_b = sorted(solid.centre_mm[b] + signs[slant.axes[1]] * end for end in slant.second)
        fine.append(Fine(a, low_a, high_a, _pitch(a, b, high_a - low_a, high_b - low_b)))
        fine.append(Fine(b, low_b, high_b, _pitch(b, a, high_b - low_b, high_a - low_a)))
    return placed, [one for one in fine if one.high_mm - one.low_mm > SAME]


def _pitch(axis: int, other: int, run: float, rise: float) -> float:
    """Return the longest voxel along an axis under a face that runs along it while it rises along the other."""
    if axis == 2:
        return ALONG_MM
    if axis == other:
        return ACROSS_MM
    if other == 2:
        return min(ACROSS_MM, run / RUN_PARTS)
    return ACROSS_MM * max(1.0, run / max(rise, SAME))


def _axis_map(solid: Solid) -> tuple[list[int], list[float]] | None:
    """Return to which axis each own axis points, and its sign; None unless all are along axes."""
    axes = [int(np.argmax(np.abs(solid.rotation[:, k]))) for k in range(3)]
    signs = [float(solid.rotation[a, k]) for k, a in enumerate(axes)]
    return (axes, [float(np.sign(s)) for s in signs]) if min(abs(s) for s in signs) > 1.0 - SAME**2 else None


def _own_faces(shape: Shape) -> tuple[list[tuple[int, float]], list[_Slant]]:
    """Return the flat faces of a shape as own axis and position, and its slanted ones."""
    low, high = own_box(shape)
    ends = [(2, float(low[2])), (2, float(high[2]))]
    if isinstance(shape, Box):
        return [(k, float(side[k])) for k in range(3) for side in (low, high)], []
    if isinstance(shape, Tube):
        radius = (-shape.radius_mm, shape.radius_mm)
        return ends, [_Slant((0, 1), radius, radius)]
    if isinstance(shape, Prism):
        return _polygon_faces(shape, ends)
    if isinstance(shape, Frustum):
        return _frustum_faces(shape, ends)
    return _relief_faces(shape, ends)


def _polygon_faces(shape: Prism, ends: list[tuple[int, float]]) -> tuple[list[tuple[int, float]], list[_Slant]]:
    faces, slants = list(ends), []
    for (x0, y0), (x1, y1) in zip(shape.outline_mm, np.roll(shape.outline_mm, -1, axis=0), strict=True):
        if abs(x1 - x0) < SAME:
            faces.append((0, float(x0)))
        elif abs(y1 - y0) < SAME:
            faces.append((1, float(y0)))
        else:
            slants.append(_Slant((0, 1), (float(x0), float(x1)), (float(y0), float(y1))))
    return faces, slants


def _frustum_faces(shape: Frustum, ends: list[tuple[int, float]]) -> tuple[list[tuple[int, float]], list[_Slant]]:
    faces, slants = list(ends), []
    along = (-shape.length_mm / 2, shape.length_mm / 2)
    for k in range(2):
        for sign in (0.5, -0.5):
            at = (sign * shape.lower_mm[k], sign * shape.upper_mm[k])
            faces += [(k, at[0]), (k, at[1])]
            slants.append(_Slant((k, 2), at, along))
    return faces, [s for s in slants if abs(s.first[1] - s.first[0]) > SAME]


def _relief_faces(shape: Relief, ends: list[tuple[int, float]]) -> tuple[list[tuple[int, float]], list[_Slant]]:
    faces = [*ends, *((0, float(x)) for x in shape.x_edges_mm), *((1, float(y)) for y in shape.y_edges_mm)]
    there, slants = shape.upper_mm > shape.lower_mm, []
    for level in (shape.lower_mm[there], shape.upper_mm[there]):
        if level.size and np.ptp(level) > SAME:
            slants.append(_Slant((2, 2), (float(level.min()), float(level.max())), (0.0, 0.0)))
    return faces, slants


def edges_along(axis: int, low: float, high: float, faces: list[float], fine: list[Fine], field: Field | None) -> Array:
    """Return ascending voxel edges from `low` to `high` that hold all faces, and are as fine as is asked for.

    Across the beam, stretches outside the field need no more than `OUTSIDE_MM`.
    """
    wanted = list(_limited(fine, field[axis] if field is not None and axis < 2 else None))
    ends = [end for one in wanted for end in (one.low_mm, one.high_mm)]
    exact = _joined(np.array([low, high]), faces, low, high)
    cells = _joined(exact, _thinned(ends, min((one.pitch_mm for one in wanted), default=0.0)), low, high)
    pitch = np.full(len(cells) - 1, np.inf)
    for one in wanted:
        covered = (cells[:-1] < one.high_mm - SAME) & (cells[1:] > one.low_mm + SAME)
        pitch[covered] = np.minimum(pitch[covered], one.pitch_mm)
    parts = np.maximum(np.ceil(np.diff(cells) / pitch - SAME), 1).astype(int)
    pieces = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(cells[:-1], cells[1:], parts, strict=True)]
    return np.append(np.concatenate(pieces), cells[-1])


def _thinned(places: list[float], pitch_mm: float) -> list[float]:
    """Return the first and the last of every run of places that lie closer than half a pitch.

    An outline of many points, in many slices, has thousands; the stretch between is filled with voxels anyway.
    """
    ascending = np.unique(places)
    near = np.diff(ascending) < 0.5 * pitch_mm
    inner = np.zeros(ascending.size, bool)
    inner[1:-1] = near[1:] & near[:-1]
    return [float(place) for place in ascending[~inner]]


def _limited(fine: list[Fine], span: tuple[float, float] | None) -> Iterator[Fine]:
    """Yield the stretches, outside a span with a pitch that is good enough there."""
    for one in fine:
        if span is None:
            yield one
            continue
        inner = (max(one.low_mm, span[0]), min(one.high_mm, span[1]))
        coarse = max(one.pitch_mm, OUTSIDE_MM)
        if inner[0] >= inner[1]:
            yield Fine(one.axis, one.low_mm, one.high_mm, coarse)
            continue
        yield Fine(one.axis, inner[0], inner[1], one.pitch_mm)
        for low, high in ((one.low_mm, inner[0]), (inner[1], one.high_mm)):
            if high - low > SAME:
                yield Fine(one.axis, low, high, coarse)


def _joined(kept: Array, more: list[float], low: float, high: float) -> Array:
    """Return kept places and those of the others inside the limits that are not one of them, ascending."""
    new = np.unique([place for place in more if low <= place <= high])
    new = new[np.diff(new, prepend=-np.inf) > SAME]
    if kept.size and new.size:
        after = np.clip(np.searchsorted(kept, new), 1, max(len(kept) - 1, 1))
        around = kept[np.array([after - 1, np.minimum(after, len(kept) - 1)])]
        new = new[np.abs(around - new).min(0) > SAME]
    return np.union1d(kept, new)
