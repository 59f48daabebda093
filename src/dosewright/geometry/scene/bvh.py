"""A tree of boxes over cells, in the order in which rays of each octant go through it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int32]

NOWHERE = -1
OCTANTS = 8


@dataclass(frozen=True)
class Tree:
    """Nodes of a tree of boxes.

    `boxes` (n, 6) are low and high corners; `cell` the one a leaf holds, else -1. A ray that meets the box of an inner
    node goes on with ``first[octant]``, from a leaf or past a node with ``after[octant]``; -1 is the end. Bit a of the
    octant is set where the ray goes down along axis a.
    """

    boxes: Array
    cell: Integers
    first: Integers
    after: Integers


def tree_of(low: Array, high: Array) -> Tree:
    """Build a tree over boxes (n, 3), split where the surface area heuristic says (MacDonald and Booth 1990)."""
    boxes: list[Array] = []
    cells: list[int] = []
    children: list[tuple[int, int, int]] = []  # axis, lower child, upper child

    def add(members: NDArray[np.int64]) -> int:
        node = len(boxes)
        boxes.append(np.concatenate([low[members].min(axis=0), high[members].max(axis=0)]))
        cells.append(int(members[0]) if len(members) == 1 else NOWHERE)
        children.append((0, NOWHERE, NOWHERE))
        if len(members) > 1:
            axis, lower, upper = _split(low, high, members)
            children[node] = (axis, add(lower), add(upper))
        return node

    count = len(low)
    if count:
        add(np.arange(count))
    first = np.full((OCTANTS, len(boxes)), NOWHERE, np.int32)
    after = np.full((OCTANTS, len(boxes)), NOWHERE, np.int32)
    for octant in range(OCTANTS):
        for node, (axis, lower, upper) in enumerate(children):
            if lower != NOWHERE:
                near, far = (upper, lower) if octant >> axis & 1 else (lower, upper)
                first[octant, node] = near
                after[octant, near], after[octant, far] = far, after[octant, node]
    return Tree(np.array(boxes).reshape(-1, 6), np.array(cells, np.int32), first, after)


def _split(low: Array, high: Array, members: NDArray[np.int64]) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    best = (np.inf, 0, members[:1], members[1:])
    for axis in range(3):
        order = members[np.argsort(low[members, axis] + high[members, axis], kind="stable")]
        below = _area(np.minimum.accumulate(low[order]), np.maximum.accumulate(high[order]))[:-1]
        above = _area(np.minimum.accumulate(low[order[::-1]]), np.maximum.accumulate(high[order[::-1]]))[:-1][::-1]
        counts = np.arange(1, len(order))
        costs = below * counts + above * (len(order) - counts)
        cut = int(np.argmin(costs))
        if costs[cut] < best[0]:
            best = (float(costs[cut]), axis, order[: cut + 1], order[cut + 1 :])
    return best[1], best[2], best[3]


def _area(low: Array, high: Array) -> Array:
    x, y, z = (high - low).T
    return np.asarray(x * y + y * z + z * x)
