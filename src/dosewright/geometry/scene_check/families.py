"""Do siblings overlap, do children stay in their parents: thin rays through every pair that could."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.closest import closing_in
from dosewright.geometry.scene_check.edges import INSET_MM, edges
from dosewright.geometry.scene_check.intervals import Bools, Floats
from dosewright.geometry.scene_check.pairs import (
    LEAST_MM,
    Found,
    Numbers,
    PairRays,
    shared_box,
    siblings_that_meet,
    thickest,
)
from dosewright.geometry.scene_check.placed import Placed
from dosewright.geometry.scene_check.rays import even_numbers, through_box

PHASES = 24  # at which the edges of what turns are looked at
RAYS = 64  # through each pair, beside the lines along edges


@dataclass(frozen=True)
class Conflict:
    """Two parts that are where they may not be: both hold the point, or the first holds it and its parent does not."""

    first: str
    second: str
    at_mm: tuple[float, float, float]
    thickness_mm: float
    phase_deg: float
    turns: bool
    where: tuple[str, ...] = field(default=())

    @property
    def place(self) -> str:
        """The point in words, and the angle of what turns."""
        point = ", ".join(f"{x:.5f}".rstrip("0").rstrip(".") for x in self.at_mm).replace("-0,", "0,")
        return f"({point}) mm" + (f", turned by {self.phase_deg:.1f} degrees" if self.turns else "")


def overlaps(parts: Sequence[Placed], rays: int = RAYS, *, closer: bool = False) -> list[Conflict]:
    """Return parts of one parent that share more than a touch, each pair once, with a point inside both.

    With `closer`, pairs in which nothing was found are looked at again by rays that close in on the narrowest gap: so
    are found thin overlaps of round bodies.
    """
    pairs = siblings_that_meet(parts, -LEAST_MM)
    found = thickest(parts, _aimed(parts, pairs, rays), np.logical_and)
    if closer:
        rest = np.setdiff1d(np.arange(len(pairs)), [one.pair for one in found])
        again = thickest(parts, closing_in(parts, pairs[rest]), np.logical_and) if rest.size else []
        found += [replace(one, pair=int(rest[one.pair])) for one in again]
    return [_conflict(parts, pairs, one) for one in found]


def protrusions(parts: Sequence[Placed], rays: int = RAYS) -> list[Conflict]:
    """Return parts that reach out of their parent, with a point inside the part and outside the parent."""
    pairs = np.array([(p.index, p.parent) for p in parts if p.parent >= 0], np.int64).reshape(-1, 2)
    found = thickest(parts, _aimed(parts, pairs, rays, -INSET_MM), _outside)
    return [_conflict(parts, pairs, one) for one in found]


def reaching_into(parts: Sequence[Placed], voxels: Placed, rays: int = RAYS) -> list[Conflict]:
    """Return parts that hold some of the box of voxels but not all of it, with a point inside both."""
    whole = [*parts, replace(voxels, index=len(parts))]
    near = [p.index for p in parts if (p.low < voxels.high).all() and (voxels.low < p.high).all()]
    pairs = np.array([(index, len(parts)) for index in near], np.int64).reshape(-1, 2)
    looked = _aimed(whole, pairs, rays)
    not_held = {one.pair for one in thickest(whole, looked, lambda in_part, in_voxels: in_voxels & ~in_part)}
    found = thickest(whole, looked, np.logical_and)
    return [_conflict(whole, pairs, one) for one in found if one.pair in not_held]


def _outside(in_child: Bools, in_parent: Bools) -> Bools:
    return in_child & ~in_parent


def _aimed(parts: Sequence[Placed], pairs: Numbers, rays: int, second_inset_mm: float = INSET_MM) -> PairRays:
    """Return rays through the box that each pair shares, and along the edges there of both parts."""
    lines = cache(lambda index, inset_mm: _lines(parts[index], inset_mm))
    gathered = [(0, Rays(np.empty((0, 3)), np.empty((0, 3))), np.empty(0))]
    for n, (first, second) in enumerate(pairs.tolist()):
        low, high = shared_box(parts, (first, second))
        gathered.append((n, through_box(low, high, rays, first=n * rays), _phases(parts, (first, second), rays)))
        for line in (lines(first, INSET_MM), lines(second, second_inset_mm)):
            some = line.near(low, high)
            phase = some.phase if some.turns else _phases(parts, (first, second), len(some.phase))
            gathered.append((n, some.as_rays(), phase))
    owner = np.concatenate([np.full(len(some), n) for n, some, _ in gathered])
    whole = Rays(
        *(np.concatenate([getattr(some, what) for _, some, _ in gathered]) for what in ("origin", "direction"))
    )
    return PairRays(pairs, owner, whole, np.concatenate([phase for _, _, phase in gathered]))


@dataclass(frozen=True)
class _Lines:
    """Lines in the scene's axes by their ends, (n, 3) mm, and the phase at which a part has them there."""

    first: Floats
    last: Floats
    phase: Floats
    turns: bool

    def near(self, low: Floats, high: Floats) -> "_Lines":
        """Return those that may come into a box."""
        ends = self.first, self.last
        here = (np.minimum(*ends) <= high).all(axis=1) & (np.maximum(*ends) >= low).all(axis=1)
        return _Lines(self.first[here], self.last[here], self.phase[here], self.turns)

    def as_rays(self) -> Rays:
        """Return them as rays."""
        way = self.last - self.first
        return Rays(self.first, way / np.linalg.norm(way, axis=1)[:, None])


def _lines(part: Placed, inset_mm: float) -> _Lines:
    """Return the lines along a part's edges; of a part that turns, at one phase after another."""
    first, last = edges(part.part.shape, inset_mm)
    real = np.linalg.norm(last - first, axis=1) > 0
    first, last = first[real], last[real]
    turn = np.arange(PHASES) * (2 * np.pi / PHASES) if part.turns else np.zeros(1)
    phase = np.repeat(turn, len(first))
    ends = [np.tile(points, (len(turn), 1)) for points in (first, last)]
    first, last = (part.to_scene(Rays(points, points), phase).origin for points in ends)
    return _Lines(first, last, phase, part.turns)


def _phases(parts: Sequence[Placed], pair: tuple[int, int], count: int) -> Floats:
    """Return a phase (rad) for each ray: 0 where nothing turns."""
    turns = parts[pair[0]].turns or parts[pair[1]].turns
    return 2 * np.pi * even_numbers(count)[:, 4] if turns else np.zeros(count)


def _conflict(parts: Sequence[Placed], pairs: Numbers, found: Found) -> Conflict:
    one, two = (parts[k] for k in pairs[found.pair])
    turns = one.turns or two.turns
    x, y, z = found.at_mm.tolist()
    where = tuple(part.part.where for part in (one, two) if part.part.where)
    return Conflict(one.name, two.name, (x, y, z), found.thickness_mm, float(np.rad2deg(found.phase)), turns, where)
