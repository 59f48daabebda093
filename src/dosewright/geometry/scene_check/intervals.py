"""Sets of intervals along many rays at once.

A set is an array (rays, 2 k) of ascending bounds, entry and exit in turn; what a ray does not need is filled with +inf.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rule = Callable[[Bools, Bools], Bools]
SAME_MM = 1.0e-9  # bounds nearer than this are one: rounding of a shape's own formulas


def nothing(rays: int) -> Floats:
    """Return the empty set on every ray."""
    return np.empty((rays, 0))


def between(low: Floats, high: Floats) -> Floats:
    """Return one interval per ray, none where it is empty."""
    there = high > low
    return np.stack([np.where(there, low, np.inf), np.where(there, high, np.inf)], axis=1)


def beyond(low: Floats, high: Floats) -> Floats:
    """Return what lies before `low` and after `high`; all of the ray where `low` is not below `high`."""
    there = high > low
    first, last = np.full(low.shape, -np.inf), np.full(low.shape, np.inf)
    return np.stack([first, np.where(there, low, np.inf), np.where(there, high, np.inf), last], axis=1)


def combined(a: Floats, b: Floats, rule: Rule) -> Floats:
    """Return the set of what `rule` says of being in `a` and being in `b`."""
    bounds = np.concatenate([a, b], axis=1)
    order = np.argsort(bounds, axis=1, kind="stable")
    bounds = np.take_along_axis(bounds, order, axis=1)
    of_a = order < a.shape[1]
    in_a, in_b = np.cumsum(of_a, axis=1) % 2 == 1, np.cumsum(~of_a, axis=1) % 2 == 1
    inside = rule(in_a, in_b)
    before = np.concatenate([np.zeros((len(inside), 1), bool), inside[:, :-1]], axis=1)
    return tidy(np.where(inside != before, bounds, np.inf))


def both(a: Floats, b: Floats) -> Floats:
    """Return what lies in both sets."""
    return combined(a, b, np.logical_and)


def either(a: Floats, b: Floats) -> Floats:
    """Return what lies in one set or the other."""
    return combined(a, b, np.logical_or)


def without(a: Floats, b: Floats) -> Floats:
    """Return what lies in the first set and not in the second."""
    return combined(a, b, lambda in_a, in_b: in_a & ~in_b)


def tidy(bounds: Floats) -> Floats:
    """Sort bounds, drop intervals without length, join those without a gap, cut off what no ray needs."""
    bounds = np.sort(bounds, axis=1)
    for first in (0, 1):
        pairs = bounds[:, first : first + 2 * ((bounds.shape[1] - first) // 2)].reshape(len(bounds), -1, 2)
        with np.errstate(invalid="ignore"):
            same = pairs[:, :, 1] - pairs[:, :, 0] <= SAME_MM
        if same.any():
            pairs[same] = np.inf
            bounds[:, first : first + 2 * pairs.shape[1]] = pairs.reshape(len(bounds), -1)
            bounds = np.sort(bounds, axis=1)
    return bounds[:, : 2 * int(np.ceil((bounds < np.inf).sum(axis=1).max(initial=0) / 2))]


def lengths(bounds: Floats) -> Floats:
    """Return the length of every interval, (rays, k); 0 where there is none."""
    entry, leave = bounds[:, 0::2], bounds[:, 1::2]
    there = entry < np.inf
    return np.where(there, leave, 0.0) - np.where(there, entry, 0.0)


def longest(bounds: Floats) -> tuple[Floats, Floats]:
    """Return the length and the middle of the longest interval on each ray; 0 and 0 where there is none."""
    if not bounds.shape[1]:
        return np.zeros(len(bounds)), np.zeros(len(bounds))
    long = lengths(bounds)
    which = np.argmax(long, axis=1)
    row = np.arange(len(bounds))
    length = long[row, which]
    middle = np.where(length > 0, bounds[row, 2 * which], 0.0) + length / 2
    return length, middle


def holds(bounds: Floats, at: Floats) -> Bools:
    """Say of one place on each ray whether it lies in the set."""
    inside: Bools = (bounds <= at[:, None]).sum(axis=1) % 2 == 1
    return inside
