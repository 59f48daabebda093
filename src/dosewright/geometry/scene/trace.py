"""Where a particle is in a scene, and how far it is to the next boundary: kernels.

A scene is packed to convex cells (intersections of half-spaces, balls, cylinders and cones, less the insides of other
such surfaces) in a tree of boxes. Lengths in cm. Where parts turn, `phase` is the angle (rad) at which a history meets
them.

A point belongs to the deepest cell that holds it, of several such to the first. A boundary is where the cell of a ray
ends or a deeper one begins; children lie in their parents and siblings do not overlap, so nothing else is one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import LOW, philox
from dosewright.geometry.scene.cell_rays import (
    BEYOND_CM,
    DEEPER,
    DEPTH,
    GROUP,
    MATERIAL,
    PART,
    distance_inside,
    distance_outside,
    enters_cell,
    holds,
    leaves_cell,
)
from dosewright.geometry.scene.intersect import PARALLEL, below
from dosewright.geometry.trace import FAR_CM, Ray, advance

FILL, BEYOND = -1, -2  # instead of a cell: what fills the scene; outside its world
VOXELS = -1  # instead of a part: the box of voxels
PHASE_DRAW = np.uint64(0x50484153)  # a word of the counter that no particle of a history has
TURN = 2.0 * np.pi

LEAF, DEEPEST = range(2)  # columns of `leaves`


class SceneTables(NamedTuple):
    """A scene packed for the kernels; no cells: there is none.

    `cells` (n, 9): planes from, how many, curved surfaces from, how many, depth, part, material, group, whether deeper
    cells may lie in it. `planes` (k, 4) and `curved` (k, 10) as in `intersect`. `boxes` (m, 6), `leaves` (m, 2: cell or
    -1, greatest depth below), `first` and `after` (8, m) are the trees, one per group from ``roots[group]``; group 0
    stands still, the others turn about `axes` (groups, 6: point, direction). `world` (6,) is the box of all.
    """

    cells: NDArray[np.int32]
    density: NDArray[np.float64]
    planes: NDArray[np.float64]
    curved: NDArray[np.float64]
    boxes: NDArray[np.float64]
    leaves: NDArray[np.int32]
    first: NDArray[np.int32]
    after: NDArray[np.int32]
    roots: NDArray[np.int32]
    axes: NDArray[np.float64]
    world: NDArray[np.float64]
    parts: int
    fill_material: int
    fill_density: float


@inlined
def medium_of_cell(scene, cell):
    """Return material and density (g/cm3) of a cell, or of what fills the scene; a vacuum has density 0."""
    if cell < 0:
        return np.int32(scene.fill_material), scene.fill_density
    return scene.cells[cell, MATERIAL], scene.density[cell]


@inlined
def part_of(scene, cell):
    """Return the index of a cell's part: `VOXELS` for the box of voxels, the number of parts where there is none."""
    return scene.cells[cell, PART] if cell >= 0 else np.int32(scene.parts)


@kernel
def phase_of(scene, seed, history):
    """Return the angle (rad) at which a history meets the parts that turn; 0 where none does."""
    if len(scene.roots) < 2:
        return 0.0
    s, h = np.uint64(seed), np.uint64(history)
    word = philox(h & LOW, h >> np.uint64(32), LOW, PHASE_DRAW, s & LOW, s >> np.uint64(32))[0]
    return word * (TURN * 2.0**-32)


@kernel
def turned(scene, group, ray, phase):
    """Return a ray in the axes of a group, in which the group stands still."""
    if group == 0:
        return ray
    axes = scene.axes
    a, b, c = axes[group, 3], axes[group, 4], axes[group, 5]
    x, y, z = ray.x - axes[group, 0], ray.y - axes[group, 1], ray.z - axes[group, 2]
    cos, sin = np.cos(phase), -np.sin(phase)
    x, y, z = _rotated(x, y, z, a, b, c, cos, sin)
    u, v, w = _rotated(ray.u, ray.v, ray.w, a, b, c, cos, sin)
    return Ray(x + axes[group, 0], y + axes[group, 1], z + axes[group, 2], u, v, w)


@inlined
def _rotated(x, y, z, a, b, c, cos, sin):
    """Turn a vector about a unit vector (Rodrigues)."""
    h = (x * a + y * b + z * c) * (1.0 - cos)
    return (
        x * cos + (b * z - c * y) * sin + a * h,
        y * cos + (c * x - a * z) * sin + b * h,
        z * cos + (a * y - b * x) * sin + c * h,
    )


@inlined
def _in_box(boxes, i, ray):
    return (
        boxes[i, 0] <= ray.x <= boxes[i, 3]
        and boxes[i, 1] <= ray.y <= boxes[i, 4]
        and boxes[i, 2] <= ray.z <= boxes[i, 5]
    )


@inlined
def _in_world(world, ray):
    """Say whether a ray goes on in the world."""
    return (
        below(ray.x - world[0], -ray.u)
        and below(world[3] - ray.x, ray.u)
        and below(ray.y - world[1], -ray.v)
        and below(world[4] - ray.y, ray.v)
        and below(ray.z - world[2], -ray.w)
        and below(world[5] - ray.z, ray.w)
    )


@kernel
def _cell_of(scene, ray, phase):
    """Return the deepest cell that holds a ray as it goes on, else `FILL` inside the world and `BEYOND` outside it."""
    if not _in_world(scene.world, ray):
        return BEYOND
    found, depth = FILL, 0
    for group in range(len(scene.roots)):
        here = turned(scene, group, ray, phase)
        node = scene.roots[group]
        while node >= 0:
            if scene.leaves[node, DEEPEST] <= depth or not _in_box(scene.boxes, node, here):
                node = scene.after[0, node]
                continue
            cell = scene.leaves[node, LEAF]
            if cell < 0:
                node = scene.first[0, node]
                continue
            if holds(scene, cell, here):
                found, depth = cell, scene.cells[cell, DEPTH]
            node = scene.after[0, node]
    return found


@inlined
def locate(scene, x, y, z, phase):
    """Return the deepest cell that holds a point, else `FILL` inside the world and `BEYOND` outside it."""
    return _cell_of(scene, Ray(x, y, z, 0.0, 0.0, 0.0), phase)


@inlined
def crossed(scene, ray, phase):
    """Return a ray that stands on a boundary put a little beyond it, and the cell it is in then.

    Where it is so flat to a surface that it is on it still, its direction says on which side it goes on.
    """
    over = advance(ray, BEYOND_CM)
    return over, _cell_of(scene, over, phase)


@inlined
def _inverse(u):
    if abs(u) > 1.0e-30:
        return 1.0 / u
    return 1.0e30 if u >= 0.0 else -1.0e30


@inlined
def _to_box(boxes, i, ray, over_u, over_v, over_w, longest):
    """Return the distance at which a ray enters a box, 0 in it, `FAR_CM` where not before `longest`."""
    a, b = (boxes[i, 0] - ray.x) * over_u, (boxes[i, 3] - ray.x) * over_u
    c, d = (boxes[i, 1] - ray.y) * over_v, (boxes[i, 4] - ray.y) * over_v
    e, f = (boxes[i, 2] - ray.z) * over_w, (boxes[i, 5] - ray.z) * over_w
    enter = max(max(min(a, b), min(c, d)), max(min(e, f), 0.0))
    leave = min(min(max(a, b), max(c, d)), min(max(e, f), longest))
    return enter if enter <= leave else FAR_CM


@kernel
def _first_deeper(scene, group, depth, ray, longest):
    """Return the distance to the first cell of a group that is deeper than a depth, `longest` where not before."""
    over_u, over_v, over_w = _inverse(ray.u), _inverse(ray.v), _inverse(ray.w)
    octant = (1 if ray.u < 0.0 else 0) + (2 if ray.v < 0.0 else 0) + (4 if ray.w < 0.0 else 0)
    node = scene.roots[group]
    while node >= 0:
        if (
            scene.leaves[node, DEEPEST] <= depth
            or _to_box(scene.boxes, node, ray, over_u, over_v, over_w, longest) == FAR_CM
        ):
            node = scene.after[octant, node]
            continue
        cell = scene.leaves[node, LEAF]
        if cell < 0:
            node = scene.first[octant, node]
            continue
        longest = min(longest, enters_cell(scene, cell, ray, longest))
        node = scene.after[octant, node]
    return longest


@inlined
def _to_faces(low, high, x, u, longest):
    """Return the distance along one axis to the face ahead."""
    if abs(u) <= PARALLEL:
        return longest
    return min((high - x if u > 0.0 else low - x) / u, longest)


@kernel
def _leaves_world(scene, ray, longest):
    """Return the distance at which a ray in the world leaves it."""
    w = scene.world
    longest = _to_faces(w[0], w[3], ray.x, ray.u, longest)
    longest = _to_faces(w[1], w[4], ray.y, ray.v, longest)
    return max(_to_faces(w[2], w[5], ray.z, ray.w, longest), 0.0)


@kernel
def _enters_world(scene, ray, longest):
    """Return the distance at which a ray enters the world, `longest` where not before."""
    over_u, over_v, over_w = _inverse(ray.u), _inverse(ray.v), _inverse(ray.w)
    w = scene.world
    a, b = (w[0] - ray.x) * over_u, (w[3] - ray.x) * over_u
    c, d = (w[1] - ray.y) * over_v, (w[4] - ray.y) * over_v
    e, f = (w[2] - ray.z) * over_w, (w[5] - ray.z) * over_w
    enter = max(max(min(a, b), min(c, d)), max(min(e, f), 0.0))
    leave = min(min(max(a, b), max(c, d)), max(e, f))
    if enter >= leave:
        return longest
    if enter > 0.0:
        return min(enter, longest)
    return 0.0 if _in_world(w, advance(ray, BEYOND_CM)) else longest


@kernel
def ahead(scene, cell, ray, longest, phase):
    """Return the distance along a ray to the next boundary; `longest` or more where there is none before."""
    if cell == BEYOND:
        return _enters_world(scene, ray, longest)
    depth = 0
    if cell == FILL:
        longest = _leaves_world(scene, ray, longest)
    else:
        depth = scene.cells[cell, DEPTH]
        own = turned(scene, scene.cells[cell, GROUP], ray, phase)
        longest = leaves_cell(scene, cell, own, longest)
        if scene.cells[cell, DEEPER] == 0:
            return longest
    for group in range(len(scene.roots)):
        longest = _first_deeper(scene, group, depth, turned(scene, group, ray, phase), longest)
    return longest


@inlined
def _box_apart_2(boxes, i, ray):
    """Return the square of the distance from a point to a box."""
    x = max(max(boxes[i, 0] - ray.x, ray.x - boxes[i, 3]), 0.0)
    y = max(max(boxes[i, 1] - ray.y, ray.y - boxes[i, 4]), 0.0)
    z = max(max(boxes[i, 2] - ray.z, ray.z - boxes[i, 5]), 0.0)
    return x * x + y * y + z * z


@kernel
def _nearest_deeper(scene, group, depth, ray, enough):
    """Return a lower bound of the distance to the cells of a group that are deeper than a depth."""
    node = scene.roots[group]
    while node >= 0:
        apart_2 = _box_apart_2(scene.boxes, node, ray)
        if scene.leaves[node, DEEPEST] <= depth or apart_2 >= enough * enough:
            node = scene.after[0, node]
            continue
        cell = scene.leaves[node, LEAF]
        if cell < 0:
            node = scene.first[0, node]
            continue
        enough = min(enough, max(distance_outside(scene, cell, ray), np.sqrt(apart_2)))
        node = scene.after[0, node]
    return enough


@kernel
def nearest(scene, cell, ray, enough, phase):
    """Return a lower bound of the distance to the nearest boundary in any direction; no more than `enough`."""
    if cell == BEYOND:
        w = scene.world
        far = max(
            max(w[0] - ray.x, ray.x - w[3]), max(max(w[1] - ray.y, ray.y - w[4]), max(w[2] - ray.z, ray.z - w[5]))
        )
        return min(enough, max(far, 0.0))
    depth = 0
    if cell == FILL:
        w = scene.world
        near = min(
            min(ray.x - w[0], w[3] - ray.x), min(min(ray.y - w[1], w[4] - ray.y), min(ray.z - w[2], w[5] - ray.z))
        )
        enough = min(enough, max(near, 0.0))
    else:
        depth = scene.cells[cell, DEPTH]
        own = turned(scene, scene.cells[cell, GROUP], ray, phase)
        enough = distance_inside(scene, cell, own, enough)
        if scene.cells[cell, DEEPER] == 0:
            return enough
    for group in range(len(scene.roots)):
        enough = _nearest_deeper(scene, group, depth, turned(scene, group, ray, phase), enough)
    return enough
