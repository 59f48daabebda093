"""A CT protocol whose densities are those of a limited number of media, as GATE makes them from Schneider's tables.

Schneider, Bortfeld, Schlegel, Phys. Med. Biol. 45, 459 (2000) for curve and compositions; the intervals after the
manual of IDEAL: just small enough for steps of density below a tolerance.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.matter import HounsfieldTable
from dosewright.materials.hlut import density_at, table_range

Floats = NDArray[np.float64]
ROUNDING = 1e-9  # a step of exactly the tolerance is allowed, whatever its last bits
SINGLE_PRECISION_G_CM3 = 2e-6  # of densities up to 20 g/cm3 in float32
LEAST_TOLERANCE_G_CM3 = 1e-6  # below, every whole Hounsfield number has an interval of its own anyway


@dataclass(frozen=True)
class Intervals:
    """Intervals of whole Hounsfield numbers of one density each.

    Parameters
    ----------
    lower_hu
        First number of each, ascending; the last entry is the last number of all, plus one.
    density_g_cm3
        One per interval.
    """

    lower_hu: NDArray[np.int64]
    density_g_cm3: Floats

    def __post_init__(self) -> None:
        if len(self.lower_hu) != len(self.density_g_cm3) + 1 or not len(self.density_g_cm3):
            raise refuse("Intervals need one density each", given=len(self.density_g_cm3))
        if np.any(np.diff(self.lower_hu) <= 0) or not np.all(self.density_g_cm3 > 0):
            raise refuse("Intervals need ascending Hounsfield numbers and positive densities")


def split(table: HounsfieldTable, tolerance_g_cm3: float) -> Intervals:
    """Split the range of a CT protocol so that steps of density stay below a tolerance.

    An interval lies inside one composition, ends included; along it the curve, read at whole Hounsfield numbers,
    varies by the tolerance at most, and its density is the middle of that. So no whole number's density is off by
    more than half the tolerance, and neighbours differ by no more than the tolerance, except where the curve itself
    climbs more within one number: that number then has an interval and its own density.

    Raises
    ------
    InputError
        A table without a density curve, or a tolerance that is not positive.
    """
    if not len(table.density_hu):
        raise refuse(f"The CT protocol {table.name!r} has no density curve to be split", given="a direct table")
    if not tolerance_g_cm3 >= LEAST_TOLERANCE_G_CM3:
        raise refuse("The density tolerance is too small", given=tolerance_g_cm3,
                     allowed=f"at least {LEAST_TOLERANCE_G_CM3:g} g/cm3")  # fmt: skip
    low, high = table_range(table)
    whole = np.arange(low, high + 2, dtype=float)
    curve = np.interp(whole, table.density_hu, table.density_g_cm3)
    inside = np.ceil(table.lower_hu[(table.lower_hu > low) & (table.lower_hu <= high)]).astype(int)
    edges = [low, *dict.fromkeys(int(edge) for edge in inside if low < edge <= high), high + 1]
    lower: list[int] = []
    density: list[float] = []
    for start, end in pairwise(edges):
        for a, b in _pieces(curve[start - low : end - low + 1], tolerance_g_cm3):
            lower.append(start + a)
            part = curve[start - low + a : start - low + b + 1]
            single = b - a == 1 and np.ptp(part) > tolerance_g_cm3 * (1.0 + ROUNDING)
            density.append(float(part[0] if single else 0.5 * (part.min() + part.max())))
    return Intervals(np.array([*lower, high + 1]), np.array(density))


def _pieces(curve: Floats, tolerance: float) -> list[tuple[int, int]]:
    """Return begin and end of pieces along which a curve varies by at most the tolerance; a single step is allowed."""
    tolerance *= 1.0 + ROUNDING
    pieces = []
    start, last = 0, len(curve) - 1
    while start < last:
        least = most = curve[start]
        end = start
        while end < last:
            least, most = min(least, curve[end + 1]), max(most, curve[end + 1])
            if most - least > tolerance and end > start:
                break
            end += 1
            if most - least > tolerance:
                break
        pieces.append((start, end))
        start = end
    return pieces


def with_intervals(table: HounsfieldTable, intervals: Intervals, tolerance_g_cm3: float) -> HounsfieldTable:
    """Return a CT protocol with constant density inside each interval at whole Hounsfield numbers."""
    hu: list[float] = []
    density: list[float] = []
    for (first, beyond), value in zip(pairwise(intervals.lower_hu), intervals.density_g_cm3, strict=True):
        for node in dict.fromkeys((first, beyond - 1)):
            hu.append(float(node))
            density.append(float(value))
    source = (
        f"{table.source}; {len(intervals.density_g_cm3)} densities, tolerance {tolerance_g_cm3:g} g/cm3, the lightest "
        f"(air inside the patient) {intervals.density_g_cm3.min():.3g} g/cm3"
    )
    return replace(table, density_hu=np.array(hu), density_g_cm3=np.array(density), source=source)


def fits(intervals: Intervals, table: HounsfieldTable, tolerance_g_cm3: float) -> bool:
    """Say whether intervals are those of a protocol: its range, and no density off by more than half the tolerance."""
    low, high = table_range(table)
    if (intervals.lower_hu[0], intervals.lower_hu[-1]) != (low, high + 1):
        return False
    off = largest_difference_g_cm3(table, with_intervals(table, intervals, tolerance_g_cm3))
    return off <= 0.5 * tolerance_g_cm3 * (1.0 + ROUNDING) + SINGLE_PRECISION_G_CM3


def largest_difference_g_cm3(table: HounsfieldTable, interpolated: HounsfieldTable) -> float:
    """Return the largest difference in density between two protocols at the whole Hounsfield numbers of the first."""
    low, high = table_range(table)
    whole = np.arange(low, high + 1, dtype=float)
    exact = np.interp(whole, table.density_hu, table.density_g_cm3)
    return float(np.max(np.abs(density_at(whole, interpolated).astype(float) - exact)))
