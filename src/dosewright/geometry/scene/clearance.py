"""Whether a box of voxels and the parts of a scene keep clear of each other."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import between, both, lengths, longest
from dosewright.geometry.scene_check.placed import Placed, box_around

Array = NDArray[np.float64]
SAME_MM = 1.0e-6  # what touches does not overlap
RAYS_ALONG = 24  # rays along each side of the region looked at


def refuse_overlap(parts: Sequence[Placed], low_mm: Array, high_mm: Array, to_scene: Rigid, to_run: Rigid) -> None:
    """Refuse parts that overlap a box of voxels without holding all of it, each by name with a place in both.

    The box is given by its corners in its own axes, `to_scene` leads from them to the axes of the parts, `to_run` to
    those in which places are told. Parts are looked for along rays: a grid of them through the region where the box
    around a part meets the voxels, along each side.
    """
    low, high = low_mm + SAME_MM, high_mm - SAME_MM
    problems: list[str] = []
    for part in parts:
        place = _overlap(part, low, high, to_scene)
        if place is not None:
            x, y, z = to_run.points(place)
            what = f"The phantom and the part {part.name!r} of the scene overlap"
            given = f"at ({x:.4g}, {y:.4g}, {z:.4g}) mm"
            allowed = "a phantom wholly outside of a part, or wholly inside it"
            problems += refuse(what, given=given, allowed=allowed, where=part.part.where or None).problems
    if problems:
        raise InputError(*problems)


def _overlap(part: Placed, low: Array, high: Array, to_scene: Rigid) -> Array | None:
    """Return a place (axes of the box) inside a box and a part that does not hold all of it; None: there is none."""
    around = box_around(part.low, part.high, to_scene.inverse())
    first, last = np.maximum(low, around[0]), np.minimum(high, around[1])
    if np.any(last <= first):
        return None
    holds = bool(np.all(around[0] <= low) and np.all(around[1] >= high))
    found: Array | None = None
    for along in range(3):
        origin = _grid(first, last, along)
        origin[:, along] = low[along]
        direction = np.tile(to_scene.rotation[:, along], (len(origin), 1))
        phase = np.linspace(0.0, 2 * np.pi, len(origin), endpoint=False)
        whole = np.full(len(origin), high[along] - low[along])
        rays = Rays(to_scene.points(origin), direction)
        inside = both(part.chords(rays, phase), between(np.zeros(len(origin)), whole))
        holds = holds and bool(np.all(lengths(inside).sum(axis=1) >= whole - SAME_MM))
        length, middle = longest(inside)
        if found is None and length.max(initial=0.0) > SAME_MM:
            ray = int(np.argmax(length))
            found = origin[ray].copy()
            found[along] += middle[ray]
    return None if holds else found


def _grid(first: Array, last: Array, along: int) -> Array:
    """Return where rays along one side begin: a grid over the other two, from end to end."""
    sides = [np.linspace(first[axis], last[axis], RAYS_ALONG) for axis in range(3) if axis != along]
    across = np.array(list(product(*sides)))
    return np.insert(across, along, 0.0, axis=1)
