"""Gaps between neighbours: rays that close in on the narrowest one, and slits with parallel sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.pairs import LEAST_MM, Numbers, PairRays, shared_box, siblings_that_meet
from dosewright.geometry.scene_check.placed import Placed
from dosewright.geometry.scene_check.rays import even_numbers, isotropic, through_box

FIRST = 128  # rays through each pair that know nothing of it
ROUNDS, RAYS, KEPT = 8, 64, 4  # of closing in; rays of a pair in each; how many of them the next ones go around
SHRINK = 0.4  # how much nearer to the best rays the next ones are
SEEN, ALIKE = 5, 1.1  # rays that must meet a gap of about one width, and what is about one: so they do not in a wedge


@dataclass(frozen=True)
class Gap:
    """A gap with parallel sides between two neighbours: how wide (mm), and a place in it, mm, axes of the scene.

    The second is the parent where the first lies in it: then the gap is what is left of the parent there.
    """

    first: int
    second: int
    width_mm: float
    at_mm: tuple[float, float, float]
    phase: float


def parallel_gaps(parts: Sequence[Placed], within_mm: float) -> list[Gap]:
    """Return gaps below a width between siblings, and between children and the outside of their parents.

    A gap counts where several rays see the same width of it; that is the width, where a ray crosses at right angles.
    """
    siblings = siblings_that_meet(parts, within_mm)
    families = [(p.index, p.parent) for p in parts if p.parent >= 0]
    pairs = np.concatenate([siblings, np.array(families, np.int64).reshape(-1, 2)])
    if not len(pairs):
        return []
    looked = _first_rays(parts, pairs, *_boxes(parts, pairs, within_mm))
    gap, middle = _gaps(parts, looked)
    found = []
    rows = np.flatnonzero((gap > LEAST_MM) & (gap < within_mm))
    for pair in np.unique(looked.pair[rows]).tolist():
        mine = rows[looked.pair[rows] == pair]
        mine = mine[np.argsort(gap[mine])]
        widths = gap[mine]
        many = np.searchsorted(widths, ALIKE * widths, side="right") - np.arange(len(mine)) >= SEEN
        if many.any():
            row = mine[int(np.argmax(many))]
            x, y, z = (looked.rays.origin[row] + middle[row] * looked.rays.direction[row]).tolist()
            first, second = pairs[pair].tolist()
            found.append(Gap(first, second, float(gap[row]), (x, y, z), float(looked.phase[row])))
    return found


def closing_in(parts: Sequence[Placed], pairs: Numbers) -> PairRays:
    """Return rays through each pair where its parts come nearest to each other, or overlap most."""
    low, high = _boxes(parts, pairs, 0.0)
    looked = _first_rays(parts, pairs, low, high)
    best = _Best.none(len(pairs))
    reach = np.linalg.norm(high - low, axis=1) / 4
    for number in range(ROUNDS):
        best = best.improved(looked, *_gaps(parts, looked))
        looked = _around(parts, best, looked.pairs, reach * SHRINK**number, SHRINK**number, number)
    return looked


def _boxes(parts: Sequence[Placed], pairs: Numbers, margin_mm: float) -> tuple[Floats, Floats]:
    boxes = [shared_box(parts, (first, second), margin_mm) for first, second in pairs.tolist()]
    ends = np.array([box[0] for box in boxes]), np.array([box[1] for box in boxes])
    return np.minimum(*ends), np.maximum(*ends)


def _first_rays(parts: Sequence[Placed], pairs: Numbers, low: Floats, high: Floats) -> PairRays:
    rays = [through_box(a, b, FIRST, first=n) for n, (a, b) in enumerate(zip(low, high, strict=True))]
    whole = Rays(np.concatenate([r.origin for r in rays]), np.concatenate([r.direction for r in rays]))
    return PairRays(pairs, np.repeat(np.arange(len(pairs)), FIRST), whole, _phases(parts, pairs, FIRST))


def _phases(parts: Sequence[Placed], pairs: Numbers, rays: int) -> Floats:
    turning = np.array([parts[a].turns or parts[b].turns for a, b in pairs.tolist()], float)
    phase: Floats = (turning[:, None] * 2 * np.pi * even_numbers(rays)[:, 4]).ravel()
    return phase


def _gaps(parts: Sequence[Placed], looked: PairRays) -> tuple[Floats, Floats]:
    """Return the smallest gap along each ray between its two parts, and where the middle of it is; inf: none."""
    first, second = looked.bounds(parts)
    inner = np.array([parts[a].parent == b for a, b in looked.pairs.tolist()])[looked.pair]
    ends = np.full((len(second), 1), np.inf)
    outside = np.concatenate([-ends, second, ends], axis=1)
    second = np.where(inner[:, None], outside, np.concatenate([second, ends, ends], axis=1))
    a, b = first[:, 0::2, None], first[:, 1::2, None]
    c, d = second[:, None, 0::2], second[:, None, 1::2]
    with np.errstate(invalid="ignore"):
        gap = np.maximum(c - b, a - d)
    gap = np.where((a < np.inf) & (c < np.inf), gap, np.inf).reshape(len(first), -1)
    if not gap.shape[1]:
        return np.full(len(first), np.inf), np.zeros(len(first))
    which = np.argmin(gap, axis=1)
    row = np.arange(len(first))
    smallest = gap[row, which]
    shape = first.shape[0], first.shape[1] // 2, second.shape[1] // 2
    start = np.minimum(np.broadcast_to(b, shape), np.broadcast_to(d, shape)).reshape(len(first), -1)[row, which]
    return smallest, np.where(smallest < np.inf, np.where(start < np.inf, start, 0.0) + smallest / 2, 0.0)


@dataclass(frozen=True)
class _Best:
    """The rays of each pair with the smallest gaps, (pairs, KEPT)."""

    gap: Floats
    middle: Floats
    origin: Floats
    direction: Floats
    phase: Floats

    @property
    def place(self) -> Floats:
        """The middles of the gaps, (pairs, KEPT, 3)."""
        there: Floats = self.origin + self.middle[..., None] * self.direction
        return there

    @classmethod
    def none(cls, pairs: int) -> "_Best":
        """Return the state before any ray."""
        shape = (pairs, KEPT)
        away, along = np.zeros((*shape, 3)), np.zeros((*shape, 3))
        along[..., 2] = 1.0
        return cls(np.full(shape, np.inf), np.zeros(shape), away, along, np.zeros(shape))

    def improved(self, looked: PairRays, gap: Floats, middle: Floats) -> "_Best":
        """Return the best of these and of other rays, as many for each pair."""
        many = len(self.gap)

        def joined(mine: Floats, others: Floats) -> Floats:
            return np.concatenate([mine, others.reshape(many, -1, *others.shape[1:])], axis=1)

        gaps = joined(self.gap, gap)
        order = np.argsort(gaps, axis=1, kind="stable")[:, :KEPT]
        every = (
            gaps,
            joined(self.middle, middle),
            joined(self.origin, looked.rays.origin),
            joined(self.direction, looked.rays.direction),
            joined(self.phase, looked.phase),
        )
        picked = [np.take_along_axis(one, order.reshape(*order.shape, *[1] * (one.ndim - 2)), axis=1) for one in every]
        return _Best(*picked)


def _around(
    parts: Sequence[Placed], best: _Best, pairs: Numbers, reach_mm: Floats, turn: float, number: int
) -> PairRays:
    """Return rays around the best ones, through the middles of their gaps moved by up to `reach_mm`."""
    many = len(pairs)
    numbers = even_numbers(RAYS, first=number * RAYS)
    which = np.arange(RAYS) % KEPT
    middle = best.place[:, which]
    origin = middle + reach_mm[:, None, None] * (2 * numbers[None, :, :3] - 1)
    direction = best.direction[:, which] + turn * isotropic(numbers[:, 3:])[None]
    direction = direction / np.maximum(np.linalg.norm(direction, axis=2), 1e-9)[..., None]
    phase = best.phase[:, which] + turn * np.pi * (2 * numbers[None, :, 4] - 1)
    turning = _phases(parts, pairs, RAYS) > 0
    rays = Rays(origin.reshape(-1, 3), direction.reshape(-1, 3))
    return PairRays(pairs, np.repeat(np.arange(many), RAYS), rays, np.where(turning, phase.ravel(), 0.0))
