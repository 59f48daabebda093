"""One track at many places: where the copies of an interaction lie, and which of them are still inside the phantom.

In a uniform medium a track looks the same wherever it begins, so one that is followed once may be scored at every place
where it could have begun as well (history repetition, Kawrakow and Fippel, Phys. Med. Biol. 45, 2163 (2000)).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.trace import PATIENT
from dosewright.scoring.deposit import ESCAPED, deposit
from dosewright.transport.photons.flight import cell_of

MOST_COPIES = 30  # their lives are bits of one int32
SLOTS = 4352  # more than there are particles that wait or fly, so that there is always an empty one
NO_SLOT = -1


class Copies(NamedTuple):
    """Groups of copies, a slot each: places (cm) [slot, copy, axis], the box around them [slot, end, axis].

    ``weight`` is the statistical weight of each copy, ``number`` how many there are, ``users`` how many particles still
    belong to the group. ``free`` lists the empty slots, ``left[0]`` of them.
    """

    places: NDArray[np.float64]
    bounds: NDArray[np.float64]
    weight: NDArray[np.float64]
    number: NDArray[np.int64]
    users: NDArray[np.int64]
    free: NDArray[np.int64]
    left: NDArray[np.int64]


def no_copies() -> Copies:
    """Return room for groups, all empty."""
    return Copies(
        np.zeros((SLOTS, MOST_COPIES, 3)),
        np.zeros((SLOTS, 2, 3)),
        np.zeros(SLOTS),
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS, np.int64),
        np.arange(SLOTS)[::-1].copy(),
        np.array([SLOTS]),
    )


@inlined
def taken_slot(copies):
    """Return an empty slot, now taken; `NO_SLOT` where all are."""
    if copies.left[0] == 0:
        return NO_SLOT
    copies.left[0] -= 1
    slot = copies.free[copies.left[0]]
    copies.users[slot] = 0
    return slot


@inlined
def let_go(copies, slot):
    """Give a slot back once nobody belongs to it."""
    if copies.users[slot] == 0:
        copies.free[copies.left[0]] = slot
        copies.left[0] += 1


@inlined
def bound(copies, slot):
    """Note the box around the places of a group; they lie on a line."""
    last = copies.number[slot] - 1
    for axis in range(3):
        a, b = copies.places[slot, 0, axis], copies.places[slot, last, axis]
        copies.bounds[slot, 0, axis], copies.bounds[slot, 1, axis] = min(a, b), max(a, b)


@inlined
def all_inside(geometry, copies, slot, x, y, z):
    """Say whether the point (x, y, z) from every place lies in the phantom."""
    within = True
    for axis in range(3):
        begin = geometry.first[PATIENT, axis]
        low, high = geometry.edges[begin], geometry.edges[begin + geometry.cells[PATIENT, axis]]
        shift = (x, y, z)[axis]
        within = within and copies.bounds[slot, 0, axis] + shift >= low and copies.bounds[slot, 1, axis] + shift < high
    return within


@inlined
def all_alive(count):
    """Return the bits of so many copies."""
    return (np.int64(1) << count) - np.int64(1)


@inlined
def living(alive):
    """Return how many copies are alive."""
    count = 0
    while alive:
        alive &= alive - np.int64(1)
        count += 1
    return count


@kernel
def deposit_at_copies(problem, tally, copies, slot, alive, x, y, z, energy, ratio):
    """Deposit an energy (MeV) at every living copy, (x, y, z) from its place; outside the phantom it has escaped."""
    geometry, share = problem.geometry, energy * copies.weight[slot]
    first, cells, edges = geometry.first, geometry.cells, geometry.edges
    fx, fy, fz = first[PATIENT, 0], first[PATIENT, 1], first[PATIENT, 2]
    nx, ny, nz = cells[PATIENT, 0], cells[PATIENT, 1], cells[PATIENT, 2]
    x0, x1 = edges[fx], edges[fx + nx]
    y0, y1 = edges[fy], edges[fy + ny]
    z0, z1 = edges[fz], edges[fz + nz]
    for i in range(copies.number[slot]):
        if not (alive >> i) & 1:
            continue
        at_x, at_y, at_z = copies.places[slot, i, 0] + x, copies.places[slot, i, 1] + y, copies.places[slot, i, 2] + z
        if not (x0 <= at_x < x1 and y0 <= at_y < y1 and z0 <= at_z < z1):
            tally.account[ESCAPED] += share
            continue
        ix, _ = cell_of(edges, fx, nx, x0, x1, at_x)
        iy, _ = cell_of(edges, fy, ny, y0, y1, at_y)
        iz, _ = cell_of(edges, fz, nz, z0, z1, at_z)
        deposit(problem.scoring, tally, (iz * ny + iy) * nx + ix, share, ratio)


@kernel
def still_inside(problem, copies, slot, alive, x, y, z):
    """Return the bits of the copies of which the point (x, y, z) from their place lies in the phantom."""
    first, cells, edges = problem.geometry.first, problem.geometry.cells, problem.geometry.edges
    if all_inside(problem.geometry, copies, slot, x, y, z):
        return alive
    left = np.int64(0)
    for i in range(copies.number[slot]):
        inside = (alive >> i) & 1
        for axis, shift in ((0, x), (1, y), (2, z)):
            at = copies.places[slot, i, axis] + shift
            begin = first[PATIENT, axis]
            if not (edges[begin] <= at < edges[begin + cells[PATIENT, axis]]):
                inside = 0
        left |= np.int64(inside) << i
    return left


@inlined
def one_of(copies, slot, alive, u):
    """Return one living copy, all as likely."""
    wanted = np.int64(u * living(alive))
    for i in range(copies.number[slot]):
        if (alive >> i) & 1:
            if wanted == 0:
                return i
            wanted -= 1
    return 0
