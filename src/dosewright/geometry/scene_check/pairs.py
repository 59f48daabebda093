"""Pairs of parts along many rays at once: each part is asked once for all rays that are meant for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import Bools, Floats, Rule, combined, longest
from dosewright.geometry.scene_check.placed import Placed
from dosewright.geometry.scene_check.rays import WAYS

Numbers = NDArray[np.int64]
LEAST_MM = 1.0e-4  # thinner than this is touching
TRIES = 4  # longest chords of a pair that are looked at more closely


def siblings_that_meet(parts: Sequence[Placed], within_mm: float) -> Numbers:
    """Return pairs of parts of one parent whose boxes come nearer than `within_mm` (negative: overlap)."""
    if not parts:
        return np.empty((0, 2), np.int64)
    low, high = np.array([p.low for p in parts]), np.array([p.high for p in parts])
    parent = np.array([p.parent for p in parts])
    near = parent[:, None] == parent[None, :]
    for axis in range(3):
        near &= low[:, None, axis] < high[None, :, axis] + within_mm
    first, second = np.nonzero(near & near.T)
    pairs: Numbers = np.stack([first, second], axis=1)[first < second].astype(np.int64)
    return pairs


def shared_box(parts: Sequence[Placed], pair: tuple[int, int], margin_mm: float = 0.0) -> tuple[Floats, Floats]:
    """Return the box in which the boxes of two parts, grown by a margin, overlap; of a child, its own box."""
    one, two = parts[pair[0]], parts[pair[1]]
    if one.parent == two.index:
        return one.low, one.high
    return np.maximum(one.low, two.low) - margin_mm, np.minimum(one.high, two.high) + margin_mm


@dataclass(frozen=True)
class PairRays:
    """Rays and the pair each is meant for: indices of its two parts, (pairs, 2), and the pair of each ray."""

    pairs: Numbers
    pair: Numbers
    rays: Rays
    phase: Floats

    def bounds(self, parts: Sequence[Placed]) -> tuple[Floats, Floats]:
        """Return the bounds of the first and of the second part of each ray's pair."""
        first, second = (self._of(parts, self.pairs[self.pair, side]) for side in (0, 1))
        return first, second

    def _of(self, parts: Sequence[Placed], which: Numbers) -> Floats:
        order = np.argsort(which, kind="stable")
        found, widest = [], 0
        for rows in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
            if rows.size:
                bounds = parts[which[rows[0]]].chords(self.rays.some(rows), self.phase[rows])
                found.append((rows, bounds))
                widest = max(widest, bounds.shape[1])
        whole = np.full((len(which), widest), np.inf)
        for rows, bounds in found:
            whole[rows, : bounds.shape[1]] = bounds
        return whole


@dataclass(frozen=True)
class Found:
    """A place where something holds for a pair: the point (mm, scene axes), how thick it is there (mm), the phase."""

    pair: int
    at_mm: Floats
    thickness_mm: float
    phase: float


def thickest(parts: Sequence[Placed], looked: PairRays, rule: Rule, least_mm: float = LEAST_MM) -> list[Found]:
    """Return, for every pair with one, the place where `rule` holds over the thickest region that its rays met.

    Thickness is the shortest of 13 chords through the place, so that rays that graze two touching faces, where
    rounding makes long chords, find nothing.
    """
    if not len(looked.rays):
        return []
    length, middle = longest(combined(*looked.bounds(parts), rule))
    order = np.lexsort((-length, looked.pair))
    rank = np.arange(len(order)) - np.searchsorted(looked.pair[order], looked.pair[order])
    best = order[(rank < TRIES) & (length[order] > least_mm)]
    if not best.size:
        return []
    places = looked.rays.some(best).at(middle[best])
    thick = _thickness(parts, looked, best, places, rule)
    found: dict[int, Found] = {}
    for row, place, size in zip(best, places, thick, strict=True):
        pair = int(looked.pair[row])
        if size > least_mm and (pair not in found or size > found[pair].thickness_mm):
            found[pair] = Found(pair, place, float(size), float(looked.phase[row]))
    return list(found.values())


def _thickness(parts: Sequence[Placed], looked: PairRays, rows: Numbers, places: Floats, rule: Rule) -> Floats:
    """Return the shortest of the chords through each place."""
    many = len(WAYS)
    around = Rays(np.repeat(places, many, axis=0), np.tile(WAYS, (len(places), 1)))
    closer = PairRays(looked.pairs, np.repeat(looked.pair[rows], many), around, np.repeat(looked.phase[rows], many))
    shortest: Floats = chord_here(combined(*closer.bounds(parts), rule)).reshape(-1, many).min(axis=1)
    return shortest


def chord_here(bounds: Floats) -> Floats:
    """Return the length of the interval that holds the origin of each ray; 0 where none does."""
    before = (bounds <= 0).sum(axis=1)
    inside: Bools = before % 2 == 1
    length = np.zeros(len(bounds))
    rows = np.flatnonzero(inside)
    length[rows] = bounds[rows, before[rows]] - bounds[rows, before[rows] - 1]
    return length
