"""Profiles through an image and the figures read from them: ranges, peak, fall-off, width, penumbra.

A position between two points is found on the straight line between them. Levels are parts of the peak, whose place and
height are those of the parabola through the highest point and its two neighbours (of the point itself at an end).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Image
from dosewright.core.interpolate import sample

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Values at ascending positions along a line, mm."""

    position_mm: Floats
    values: Floats

    def __post_init__(self) -> None:
        position, values = np.asarray(self.position_mm, float), np.asarray(self.values, float)
        if position.ndim != 1 or position.shape != values.shape or len(position) < 2:
            raise refuse("A profile needs one value per position, two at least", given=(position.shape, values.shape))
        if np.any(np.diff(position) <= 0):
            raise refuse("The positions of a profile must ascend")
        object.__setattr__(self, "position_mm", position)
        object.__setattr__(self, "values", values)


def profile_between(image: Image, start_mm: Floats, end_mm: Floats, step_mm: float = 1.0) -> Profile:
    """Sample an image along a straight line; positions are distances from `start_mm`, values outside are nan."""
    start, end = np.asarray(start_mm, float), np.asarray(end_mm, float)
    length = float(np.linalg.norm(end - start))
    if not length > 0 or not step_mm > 0:
        raise refuse("A profile needs a length and a step", given=f"length {length} mm, step {step_mm} mm")
    steps = max(1, round(length / step_mm))
    distance = (length / steps) * np.arange(steps + 1, dtype=float)
    points = start + distance[:, None] * ((end - start) / length)
    return Profile(distance, sample(image, points, outside=np.nan))


def integral_depth_dose(image: Image, axis: int, *, from_upper_end: bool = False) -> Profile:
    """Integrate over the planes across a grid axis (0, 1, 2 for x, y, z): Gy cm2 against depth.

    Depth is measured from the outer face of the grid where the beam enters, the lower one unless `from_upper_end`.
    """
    across = [a for a in range(3) if a != axis]
    area_cm2 = float(np.prod([image.grid.spacing_mm[a] for a in across])) / 100.0
    values = image.values.sum(axis=tuple(2 - a for a in across), dtype=float) * area_cm2
    depth = image.grid.spacing_mm[axis] * (np.arange(image.grid.shape[axis], dtype=float) + 0.5)
    return Profile(depth, values[::-1] if from_upper_end else values)


def peak(profile: Profile) -> tuple[float, float]:
    """Return position (mm) and height of the highest point."""
    n = int(np.nanargmax(profile.values))
    x, y = profile.position_mm, profile.values
    if n in (0, len(x) - 1) or not np.all(np.isfinite(y[n - 1 : n + 2])):
        return float(x[n]), float(y[n])
    left, right = x[n - 1] - x[n], x[n + 1] - x[n]
    rise_left, rise_right = (y[n - 1] - y[n]) / left, (y[n + 1] - y[n]) / right
    curvature = (rise_right - rise_left) / (right - left)
    if curvature >= 0:
        return float(x[n]), float(y[n])
    slope = rise_left - curvature * left
    return float(x[n] - slope / (2 * curvature)), float(y[n] - slope**2 / (4 * curvature))


def distal_position(profile: Profile, level: float) -> float:
    """Return where the profile last falls to `level` of its peak, mm: level 0.8 of a depth dose is its range R80."""
    return _crossing(profile.position_mm, profile.values, level * peak(profile)[1], level)


def proximal_position(profile: Profile, level: float) -> float:
    """Return where the profile first rises to `level` of its peak, mm."""
    return -_crossing(-profile.position_mm[::-1], profile.values[::-1], level * peak(profile)[1], level)


def distal_falloff(profile: Profile, high: float = 0.8, low: float = 0.2) -> float:
    """Return the length over which the profile falls from `high` to `low` of its peak at the distal end, mm."""
    return distal_position(profile, low) - distal_position(profile, high)


def width(profile: Profile, level: float = 0.5) -> float:
    """Return the width at `level` of the peak, mm: the full width at half maximum unless told otherwise."""
    return distal_position(profile, level) - proximal_position(profile, level)


def penumbras(profile: Profile, high: float = 0.8, low: float = 0.2) -> tuple[float, float]:
    """Return the lengths of the rising and of the falling edge between two levels of the peak, mm."""
    rising = proximal_position(profile, high) - proximal_position(profile, low)
    return rising, distal_falloff(profile, high, low)


def _crossing(position: Floats, values: Floats, threshold: float, level: float) -> float:
    """Return where the values last cross downwards through a threshold."""
    above = np.flatnonzero(values >= threshold)
    if not 0 < level < 1 or not threshold > 0:
        raise refuse("A level is a part of a peak above zero", given=f"level {level}, threshold {threshold}")
    if not len(above) or above[-1] == len(values) - 1 or not np.isfinite(values[above[-1] + 1]):
        raise InputError(f"The profile does not fall to {100 * level:g} % of its peak before it ends.")
    n = int(above[-1])
    part = (values[n] - threshold) / (values[n] - values[n + 1])
    return float(position[n] + part * (position[n + 1] - position[n]))
