"""Cuts through a scene: which part lies in every pixel of a plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed

NOTHING = -1  # instead of a part: what fills the scene
THINNEST = 3  # pixels that the thinnest foil covers
Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Plane:
    """A plane normal to an axis of the scene ("x", "y" or "z"), at a place on it, mm."""

    axis: str
    at_mm: float

    @property
    def normal(self) -> int:
        """The number of the axis it is normal to."""
        return "xyz".index(self.axis)

    @property
    def across(self) -> tuple[int, int]:
        """The numbers of the axes to the right and upwards."""
        right, up = (k for k in range(3) if k != self.normal)
        return right, up

    @property
    def title(self) -> str:
        """What it is, and from where it is seen."""
        seen = {"x": "+x", "y": "-y", "z": "+z"}[self.axis]
        return f"{self.axis} = {self.at_mm:g} mm, seen from {seen}"


@dataclass(frozen=True)
class Cut:
    """The part (by index; `NOTHING`) in every pixel, (rows upwards, columns), between the corners of a window, mm."""

    plane: Plane
    low: tuple[float, float]
    high: tuple[float, float]
    pixel_mm: float
    parts: Indices


def read_plane(text: str) -> Plane:
    """Return the plane that words like ``x=0`` or ``z = -12.5`` name, mm."""
    axis, _, at = (word.strip().lower() for word in text.partition("="))
    try:
        where = float(at)
    except ValueError:
        where = np.nan
    if axis not in ("x", "y", "z") or not np.isfinite(where):
        raise refuse("A plane is an axis and a place on it in mm", given=repr(text), allowed="such as x=0 or z=-12.5")
    return Plane(axis, where)


def cut(placed: Sequence[Placed], plane: Plane, low: tuple[float, float], high: tuple[float, float], pixel_mm: float,
        phase: float = 0.0) -> Cut:  # fmt: skip
    """Return a cut by exact boundaries along the middle of every row and column, so that no thin part is lost.

    Children over their parents, thin ones over thick ones; what turns is shown at `phase` (rad).
    """
    columns, rows = (max(round((b - a) / pixel_mm), 1) for a, b in zip(low, high, strict=True))
    parts = np.full((rows, columns), NOTHING, np.int32)
    for part in sorted(placed, key=lambda p: (p.depth, -float((p.high - p.low)[list(plane.across)].min()))):
        if part.low[plane.normal] <= plane.at_mm <= part.high[plane.normal]:
            _paint(parts, part, plane, low, pixel_mm, phase)
            _paint(parts.T, part, plane, low, pixel_mm, phase, upwards=True)
    return Cut(plane, low, high, pixel_mm, parts)


def _paint(image: Indices, part: Placed, plane: Plane, low: tuple[float, float], pixel_mm: float, phase: float,
           upwards: bool = False) -> None:  # fmt: skip
    """Paint a part along the rows of an image; upwards (rows are columns): only what is thin that way."""
    along, over = plane.across[::-1] if upwards else plane.across
    begin, first_row = (low[1], low[0]) if upwards else low
    span = np.floor((np.array([part.low[over], part.high[over]]) - first_row) / pixel_mm + np.array([0.0, 1.0]))
    start, stop = (int(min(max(row, 0), len(image))) for row in span)
    if stop <= start:
        return
    numbers = np.arange(start, stop)
    origin = np.zeros((len(numbers), 3))
    origin[:, plane.normal] = plane.at_mm
    origin[:, along] = begin
    origin[:, over] = first_row + (numbers + 0.5) * pixel_mm
    direction = np.tile(np.eye(3)[along], (len(numbers), 1))
    bounds = part.chords(Rays(origin, direction), np.full(len(numbers), phase)) / pixel_mm
    for entry, leave in zip(bounds[:, 0::2].T, bounds[:, 1::2].T, strict=True):
        first, last = _pixels(entry, leave, image.shape[1])
        there = last > first
        if upwards:
            with np.errstate(invalid="ignore"):
                there &= leave - entry < 2 * THINNEST
        for row, one, two in zip(numbers[there], first[there], last[there], strict=True):
            image[row, one:two] = part.index


def _pixels(entry: Floats, leave: Floats, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixel and the one after the last of intervals (pixels); `THINNEST` of them at the least."""
    seen = (entry < columns) & (leave > 0)
    entry, leave = np.where(seen, entry, 0.0), np.where(seen, leave, 0.0)
    middle = (entry + leave) / 2
    thin = leave - entry < THINNEST
    first = np.where(thin, np.round(middle - THINNEST / 2), np.round(entry))
    last = np.where(thin, first + THINNEST, np.round(leave))
    first, last = (np.clip(v, 0, columns).astype(np.int64) for v in (first, last))
    return first, np.where(seen, last, first)
