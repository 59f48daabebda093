"""The compiled search of gamma: one point against the trilinear field of the evaluated dose.

Distances are in units of the distance criterion, dose differences in units of the dose tolerance, so that the square
of gamma is a plain sum of squares. The field is searched cell by cell (a cell lies between eight voxel centres),
nearest first; a cell is entered only if its distance and the range of its dose allow a smaller gamma. In a cell,
parallel lines through a lattice anchored at the point are searched: along a grid line the trilinear dose is linear, and
the minimum of the parabola is exact.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Whole = tuple[int, int, int]
Place = tuple[float, float, float]
Pair = tuple[float, float]
Corners = tuple[float, float, float, float, float, float, float, float]


class Searched(NamedTuple):
    """The evaluated dose, ready to be searched.

    `dose` [z, y, x]; `lowest` and `highest` dose of the corners of each cell; `spacing` (x, y, z) in units of the
    distance criterion; `step` between lines (x, y, z) in voxels; `cells` outwards, rows (least squared distance, x, y,
    z); `cap` on gamma.
    """

    dose: NDArray[np.float32]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    spacing: NDArray[np.float64]
    step: NDArray[np.float64]
    cells: NDArray[np.float64]
    cap: float


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def search(
    searched: Searched, points: NDArray[np.float64], dose: NDArray[np.float64], tolerance: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return gamma of each point: continuous index (x, y, z) in the searched image, dose there, dose tolerance."""
    gamma = np.empty(len(points), np.float32)
    for n in range(len(points)):
        gamma[n] = np.sqrt(
            _least_squared(searched, points[n, 0], points[n, 1], points[n, 2], dose[n], 1 / tolerance[n])
        )
    return gamma


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _least_squared(searched: Searched, qx: float, qy: float, qz: float, dose: float, per_tolerance: float) -> float:
    """Return the least squared gamma at one point."""
    nz, ny, nx = searched.lowest.shape
    sx, sy, sz = searched.spacing
    # The upper face belongs to the last cell; an image of one voxel along an axis has one cell, without extent.
    ex, ey, ez = (
        min(searched.dose.shape[2] - 1, 1),
        min(searched.dose.shape[1] - 1, 1),
        min(searched.dose.shape[0] - 1, 1),
    )
    hx, hy, hz = _home(qx, nx, ex), _home(qy, ny, ey), _home(qz, nz, ez)
    best = searched.cap**2
    for c in range(len(searched.cells)):
        if searched.cells[c, 0] >= best:
            break
        i, j, k = hx + int(searched.cells[c, 1]), hy + int(searched.cells[c, 2]), hz + int(searched.cells[c, 3])
        if i < 0 or j < 0 or k < 0 or i >= nx or j >= ny or k >= nz:
            continue
        dx = sx * max(i - qx, qx - i - ex, 0.0)
        dy = sy * max(j - qy, qy - j - ey, 0.0)
        dz = sz * max(k - qz, qz - k - ez, 0.0)
        dd = per_tolerance * max(searched.lowest[k, j, i] - dose, dose - searched.highest[k, j, i], 0.0)
        if dx * dx + dy * dy + dz * dz + dd * dd < best:
            best = min(best, _in_cell(searched, (i, j, k), (ex, ey, ez), (qx, qy, qz), dose, per_tolerance, best))
    return best


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _home(q: float, cells: int, extent: int) -> int:
    """Return the cell that holds a continuous index; beside the image, the place where it would be."""
    cell = int(np.floor(q))
    return cells - 1 if extent == 1 and q == cells else cell


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _in_cell(
    searched: Searched, cell: Whole, extent: Whole, q: Place, dose: float, per_tolerance: float, best: float
) -> float:
    """Return the least squared gamma in one cell, or `best` if none is smaller.

    The lines run along the axis of steepest dose, so that no steep gradient is crossed in steps.
    """
    (c000, c001, c010, c011, c100, c101, c110, c111), (gx, gy, gz), (sx, sy, sz), (ex, ey, ez), (hy, hz) = _cell(
        searched, cell, extent, q
    )
    for m in range(_first_line(gz, hz), _last_line(gz, hz, ez) + 1):
        across_z = (m * hz * sz) ** 2
        if across_z >= best:
            continue
        z = gz + m * hz
        left_low, left_high = c000 + z * (c100 - c000), c010 + z * (c110 - c010)
        right_low, right_high = c001 + z * (c101 - c001), c011 + z * (c111 - c011)
        for n in range(_first_line(gy, hy), _last_line(gy, hy, ey) + 1):
            across = across_z + (n * hy * sy) ** 2
            if across >= best:
                continue
            y = gy + n * hy
            left = left_low + y * (left_high - left_low)
            slope = right_low + y * (right_high - right_low) - left
            best = min(best, across + _on_line(left - dose, slope, gx, sx, ex, per_tolerance))
    return best


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _cell(searched: Searched, cell: Whole, extent: Whole, q: Place) -> tuple[Corners, Place, Place, Whole, Pair]:
    """Return corner doses, place of the point, spacing, extent, step of lines (y, z); x is the steepest axis."""
    i, j, k = cell
    ex, ey, ez = extent
    d, (sx, sy, sz), (hx, hy, hz) = searched.dose, searched.spacing, searched.step
    gx, gy, gz = q[0] - i, q[1] - j, q[2] - k
    c000, c001, c010, c011 = d[k, j, i], d[k, j, i + ex], d[k, j + ey, i], d[k, j + ey, i + ex]
    k += ez
    c100, c101, c110, c111 = d[k, j, i], d[k, j, i + ex], d[k, j + ey, i], d[k, j + ey, i + ex]
    steep_x = (abs(c001 - c000) + abs(c011 - c010) + abs(c101 - c100) + abs(c111 - c110)) / sx
    steep_y = (abs(c010 - c000) + abs(c011 - c001) + abs(c110 - c100) + abs(c111 - c101)) / sy
    steep_z = (abs(c100 - c000) + abs(c101 - c001) + abs(c110 - c010) + abs(c111 - c011)) / sz
    if steep_z > max(steep_x, steep_y):
        c001, c100, c011, c110 = c100, c001, c110, c011
        gx, gz, sx, sz, ex, ez, hz = gz, gx, sz, sx, ez, ex, hx
    elif steep_y > steep_x:
        c001, c010, c101, c110 = c010, c001, c110, c101
        gx, gy, sx, sy, ex, ey, hy = gy, gx, sy, sx, ey, ex, hx
    return (c000, c001, c010, c011, c100, c101, c110, c111), (gx, gy, gz), (sx, sy, sz), (ex, ey, ez), (hy, hz)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _first_line(g: float, h: float) -> int:
    """Return the first whole m for which g + m h lies in the cell."""
    return int(np.ceil(-g / h - 1e-9))


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _last_line(g: float, h: float, extent: int) -> int:
    """Return the last whole m for which g + m h lies in the cell."""
    return int(np.floor((extent - g) / h + 1e-9))


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _on_line(difference: float, slope: float, gx: float, sx: float, extent: int, per_tolerance: float) -> float:
    """Return the least of (sx (x - gx))^2 + ((difference + slope x) per_tolerance)^2 for x from 0 to extent."""
    a, b = difference * per_tolerance, slope * per_tolerance
    x = min(max((sx * sx * gx - a * b) / (sx * sx + b * b), 0.0), float(extent))
    return (sx * (x - gx)) ** 2 + (a + b * x) ** 2


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def search_interval(
    searched: Searched, points: NDArray[np.float64], tolerance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest dose with gamma of at most one at each point; infinities where there is none.

    They are the extremes of ``dose(r') -+ tolerance sqrt(1 - |r' - r|^2)`` over the places within one distance
    criterion.
    """
    lowest, highest = np.empty(len(points)), np.empty(len(points))
    for n in range(len(points)):
        lowest[n], highest[n] = _interval(searched, (points[n, 0], points[n, 1], points[n, 2]), tolerance[n])
    return lowest, highest


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _interval(searched: Searched, q: Place, tolerance: float) -> Pair:
    """Return the interval of one point."""
    nz, ny, nx = searched.lowest.shape
    sx, sy, sz = searched.spacing
    ex, ey, ez = (
        min(searched.dose.shape[2] - 1, 1),
        min(searched.dose.shape[1] - 1, 1),
        min(searched.dose.shape[0] - 1, 1),
    )
    hx, hy, hz = _home(q[0], nx, ex), _home(q[1], ny, ey), _home(q[2], nz, ez)
    low, high = np.inf, -np.inf
    for c in range(len(searched.cells)):
        i, j, k = hx + int(searched.cells[c, 1]), hy + int(searched.cells[c, 2]), hz + int(searched.cells[c, 3])
        if i < 0 or j < 0 or k < 0 or i >= nx or j >= ny or k >= nz:
            continue
        dx = sx * max(i - q[0], q[0] - i - ex, 0.0)
        dy = sy * max(j - q[1], q[1] - j - ey, 0.0)
        dz = sz * max(k - q[2], q[2] - k - ez, 0.0)
        near = dx * dx + dy * dy + dz * dz
        if near > 1.0:
            continue
        most = tolerance * np.sqrt(1.0 - near)
        if searched.lowest[k, j, i] - most < low or searched.highest[k, j, i] + most > high:
            low, high = _interval_in_cell(searched, (i, j, k), (ex, ey, ez), q, tolerance, (low, high))
    return low, high


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _interval_in_cell(searched: Searched, cell: Whole, extent: Whole, q: Place, tolerance: float, found: Pair) -> Pair:
    """Return the interval widened by what one cell adds, on the lines that gamma is searched on."""
    (c000, c001, c010, c011, c100, c101, c110, c111), (gx, gy, gz), (sx, sy, sz), (ex, ey, ez), (hy, hz) = _cell(
        searched, cell, extent, q
    )
    low, high = found
    for m in range(_first_line(gz, hz), _last_line(gz, hz, ez) + 1):
        across_z = (m * hz * sz) ** 2
        if across_z > 1.0:
            continue
        z = gz + m * hz
        left_low, left_high = c000 + z * (c100 - c000), c010 + z * (c110 - c010)
        right_low, right_high = c001 + z * (c101 - c001), c011 + z * (c111 - c011)
        for n in range(_first_line(gy, hy), _last_line(gy, hy, ey) + 1):
            room = 1.0 - across_z - (n * hy * sy) ** 2
            if room < 0.0:
                continue
            y = gy + n * hy
            left = left_low + y * (left_high - left_low)
            slope = right_low + y * (right_high - right_low) - left
            right, most = left + slope * ex, tolerance * np.sqrt(room)
            if min(left, right) - most >= low and max(left, right) + most <= high:
                continue
            # Where left + slope x -+ tolerance sqrt(room - (sx (x - gx))^2) is stationary.
            reach = slope * np.sqrt(room / (slope * slope + (tolerance * sx) ** 2)) / sx
            low = min(low, _bound(left, slope, gx - reach, gx, sx, ex, room, -tolerance))
            high = max(high, _bound(left, slope, gx + reach, gx, sx, ex, room, tolerance))
    return low, high


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _bound(
    left: float, slope: float, x: float, gx: float, sx: float, extent: int, room: float, tolerance: float
) -> float:
    """Return dose plus signed tolerance at the place of a line that is nearest to x; an infinity if out of reach."""
    x = min(max(x, 0.0), float(extent))
    left_over = room - (sx * (x - gx)) ** 2
    if left_over < -1e-12:
        return -np.inf if tolerance > 0 else np.inf
    return left + slope * x + tolerance * math.sqrt(max(left_over, 0.0))
