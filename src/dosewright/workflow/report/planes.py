"""Three planes through a point, in patient coordinates, and what lies on them.

Images are sampled at patient points, so every direction matrix ends in the same picture: axial seen from the feet
with the patient's left on the right, coronal and sagittal with the head on top.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure

Array = NDArray[np.float64]
MARGIN_MM = 25.0
MOST_SAMPLES = 420
LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))  # towards - and + of DICOM x, y, z (PS3.3 C.7.6.2.1.1)


@dataclass(frozen=True)
class Plane:
    """A plane across a patient axis: horizontal axis `across`, vertical axis `up` (0, 1, 2 for x, y, z)."""

    name: str
    across: int
    up: int
    at_mm: float
    across_mm: Array
    up_mm: Array

    @property
    def normal(self) -> int:
        """The axis the plane is cut across."""
        return 3 - self.across - self.up

    @property
    def up_is_positive(self) -> bool:
        """Whether the vertical axis grows upwards on the page (posterior is down on an axial plane)."""
        return self.up == 2

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the sampled pixels, in the order of increasing coordinates."""
        half_a = (self.across_mm[1] - self.across_mm[0]) / 2
        half_u = (self.up_mm[1] - self.up_mm[0]) / 2
        a, u = self.across_mm, self.up_mm
        return float(a[0] - half_a), float(a[-1] + half_a), float(u[0] - half_u), float(u[-1] + half_u)


def mean_of_highest(image: Image, count: int = 100) -> float:
    """Return the mean of the highest values of an image; robust against one noisy voxel."""
    values = image.values[np.isfinite(image.values)]
    if not values.size:
        return 0.0
    count = min(count, values.size)
    return float(np.partition(values, values.size - count)[-count:].mean())


def high_dose_centre(dose: Image, level: float = 0.5) -> Array:
    """Return the centre of mass of the dose above `level` of its high dose, patient coordinates, mm."""
    high = mean_of_highest(dose)
    k, j, i = np.nonzero(dose.values >= level * high) if high > 0 else np.nonzero(np.ones(dose.values.shape, bool))
    return dose.grid.to_patient(np.array([i.mean(), j.mean(), k.mean()]))


def three_planes(dose: Image, focus_mm: Array, backdrop: Grid | None = None) -> tuple[Plane, ...]:
    """Return axial, coronal and sagittal planes through a point, around the dose with a margin."""
    lower, upper = _window(dose, focus_mm, backdrop)
    step = max(0.5, float((upper - lower).max()) / MOST_SAMPLES)
    axes = [np.linspace(lo, hi, max(2, round((hi - lo) / step) + 1)) for lo, hi in zip(lower, upper, strict=True)]
    named = (("Axial", 0, 1), ("Coronal", 0, 2), ("Sagittal", 1, 2))
    return tuple(Plane(n, a, u, float(focus_mm[3 - a - u]), axes[a], axes[u]) for n, a, u in named)


def _window(dose: Image, focus_mm: Array, backdrop: Grid | None) -> tuple[Array, Array]:
    """Return the box (lower, upper) to show: where there is dose, plus a margin, inside what there is to see."""
    seen = dose.values > 0.02 * mean_of_highest(dose)
    index = [np.nonzero(seen.any(axis=axes))[0] for axes in ((0, 1), (0, 2), (1, 2))]
    ends = [(i[0], i[-1]) if i.size else (0, n - 1) for i, n in zip(index, dose.grid.shape, strict=True)]
    box = dose.grid.to_patient(np.array([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]], float))
    limits = np.concatenate([g.corners_mm() for g in (dose.grid, backdrop) if g is not None])
    lower = np.minimum(np.maximum(box.min(axis=0) - MARGIN_MM, limits.min(axis=0)), focus_mm - 5.0)
    upper = np.maximum(np.minimum(box.max(axis=0) + MARGIN_MM, limits.max(axis=0)), focus_mm + 5.0)
    return lower, upper


def on_plane(image: Image, plane: Plane, *, linear: bool = True) -> NDArray[np.float32]:
    """Return an image sampled on a plane, shape (up, across); nan outside the image."""
    points = np.empty((len(plane.up_mm), len(plane.across_mm), 3))
    points[..., plane.across] = plane.across_mm
    points[..., plane.up] = plane.up_mm[:, np.newaxis]
    points[..., plane.normal] = plane.at_mm
    return at_points(image, points, linear=linear)


def at_points(image: Image, points_mm: Array, *, linear: bool = True) -> NDArray[np.float32]:
    """Return an image sampled at patient points, shape (..., 3), mm; nan outside its outer voxel faces."""
    index = image.grid.to_index(points_mm)
    inside = np.all((index >= -0.5) & (index <= np.array(image.grid.shape) - 0.5), axis=-1)
    order = 1 if linear else 0
    zyx = np.moveaxis(index[..., ::-1], -1, 0)
    values = map_coordinates(image.values, zyx, order=order, mode="nearest", output=np.float32)
    sampled: NDArray[np.float32] = np.where(inside, values, np.float32(np.nan))
    return sampled


def can_be_drawn(structure: Structure) -> bool:
    """Say whether all contours lie in axial planes, which the drawing below needs."""
    return bool(structure.contours) and all(np.ptp(c[:, 2]) < 0.5 for c in structure.contours)


def axial_polygons(structure: Structure, z_mm: float) -> list[Array]:
    """Return the closed polygons (n, 2) of the contour plane nearest to z, if it is within half a slice."""
    heights = np.array([c[0, 2] for c in structure.contours])
    nearest = heights[np.argmin(np.abs(heights - z_mm))]
    if abs(nearest - z_mm) > 0.5 * _slice_spacing(heights) + 0.01:
        return []
    chosen = [c for c, z in zip(structure.contours, heights, strict=True) if abs(z - nearest) < 0.01]
    return [np.vstack([c[:, :2], c[:1, :2]]) for c in chosen]


def side_distance(structure: Structure, plane: Plane) -> tuple[Array, Array]:
    """Return heights z (n,) and the signed distance (mm, positive inside), shape (n, across), beside the edges there.

    For a coronal or sagittal plane; its level 0 is the outline, interpolated between slices by shape (Raya and Udupa,
    IEEE Trans. Med. Imaging 9 (1990) 32). Contours of one slice combine by exclusive or; stacks end half a slice out.
    """
    heights = np.array([c[0, 2] for c in structure.contours]).round(2)
    slices, spacing = np.unique(heights), _slice_spacing(heights)
    rows: dict[float, Array] = {}
    for n, z in enumerate(slices):
        contours = [c for c, h in zip(structure.contours, heights, strict=True) if h == z]
        rows[float(z)] = _edge_distance(np.concatenate([_crossings(c, plane) for c in contours]), plane.across_mm)
        below = n > 0 and z - slices[n - 1] < 1.5 * spacing
        above = n + 1 < len(slices) and slices[n + 1] - z < 1.5 * spacing
        for side, continued in ((-0.5, below), (0.5, above)):
            if not continued:
                rows[float(z + side * spacing)] = np.full(len(plane.across_mm), -1e-3)
    order = sorted(rows)
    return np.array(order), np.array([rows[z] for z in order])


def _edge_distance(crossings: Array, along: Array) -> Array:
    """Return the distance to the nearest crossing along a row, positive inside; far outside where there is none."""
    if not crossings.size:
        return np.full(len(along), -float(np.ptp(along)))
    inside = np.searchsorted(np.sort(crossings), along) % 2 == 1
    nearest: Array = np.abs(along[:, np.newaxis] - crossings).min(axis=1)
    return np.where(inside, nearest, -nearest)


def _crossings(contour: Array, plane: Plane) -> Array:
    """Return where a closed axial contour crosses the plane, along the plane's horizontal axis."""
    along, off = contour[:, plane.across], contour[:, plane.normal] - plane.at_mm
    next_along, next_off = np.roll(along, -1), np.roll(off, -1)
    hit = (off > 0) != (next_off > 0)
    found: Array = along[hit] - off[hit] * (next_along[hit] - along[hit]) / (next_off[hit] - off[hit])
    return found


def _slice_spacing(heights: Array) -> float:
    gaps = np.diff(np.unique(heights.round(2)))
    return float(np.median(gaps)) if gaps.size else 3.0
