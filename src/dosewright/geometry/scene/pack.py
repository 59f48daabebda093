"""A scene's parts as tables for the kernels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.part_tree import ancestry, tree_problems
from dosewright.core.scene import Part
from dosewright.core.solids import Box
from dosewright.geometry.scene.bvh import NOWHERE, Tree, tree_of
from dosewright.geometry.scene.cell_rays import (
    CURVED,
    DEEPER,
    DEPTH,
    FIRST_CURVED,
    FIRST_PLANE,
    GROUP,
    MATERIAL,
    PART,
    PLANES,
)
from dosewright.geometry.scene.cells import Cell, cells_of, placed
from dosewright.geometry.scene.surfaces import BALL, CONE, PLANE, Surface
from dosewright.geometry.scene.trace import VOXELS, SceneTables
from dosewright.geometry.trace import FAR_CM

Array = NDArray[np.float64]

MM = 0.1  # in cm
MARGIN_CM = 1.0  # of the world around all parts
ROOM_CM = 1.0e-6  # by which boxes are larger than what they hold, so that rounding loses nothing


@dataclass(frozen=True)
class PackedScene:
    """A scene for the kernels, and the names of its parts by index."""

    tables: SceneTables
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a part lies: its own axes in the run's, how many parts it lies in, and what turns it (0: nothing)."""

    frame: Rigid
    depth: int
    group: int


@dataclass(frozen=True)
class _Owned:
    """A cell with its part, depth and group."""

    cell: Cell
    part: int
    depth: int
    group: int


def pack_scene(
    parts: Sequence[Part],
    fill_medium: tuple[int, float],
    media: Mapping[str, tuple[int, float]],
    voxel_box: tuple[Array, Array] | None,
    to_box: Rigid,
) -> PackedScene:
    """Return parts as tables in the axes of the box of voxels, cm.

    Parameters
    ----------
    parts
        All parts, those of modules as well.
    fill_medium
        Number of the material and density (g/cm3) of what fills the scene; density 0: vacuum.
    media
        The same for parts by name; those that are missing are made of what fills the scene.
    voxel_box
        Lowest and highest corner of the box of voxels in its own axes, mm; None where there is none.
    to_box
        From the axes of the scene to those of the box, mm.

    Raises `InputError` for parents in a loop or unknown, for names given twice, and for shapes that are none or empty.
    """
    places, axes = _places(parts, to_box)
    owned = _owned(parts, places)
    if voxel_box is not None:
        low, high = (np.asarray(corner, float) for corner in voxel_box)
        box = cells_of(Box(tuple((high - low).tolist())), Rigid(np.eye(3), (low + high) / 2))
        deepest = 1 + max((place.depth for place in places.values()), default=0)
        owned += [_Owned(cell, VOXELS, deepest, 0) for cell in box]
    names = tuple(part.name for part in parts)
    packed_media = [*(media.get(name, fill_medium) for name in names), fill_medium]
    return PackedScene(_tables(owned, axes, packed_media, fill_medium), names)


def _places(parts: Sequence[Part], to_box: Rigid) -> tuple[dict[str, _Place], Array]:
    """Return the place of every part, and the axes (groups, 6) of those that turn, cm."""
    by_name = {part.name: part for part in parts}
    if problems := tree_problems(parts):
        raise InputError(*problems)
    places: dict[str, _Place] = {}
    axes = [np.zeros(6)]
    for part in parts:
        for one in reversed(ancestry(part, by_name) or []):
            if one.name not in places:
                above = places[one.parent] if one.parent is not None else _Place(to_box, 0, 0)
                places[one.name] = _place(one, above, axes)
    return places, np.array(axes)


def _place(part: Part, above: _Place, axes: list[Array]) -> _Place:
    where, axes_of = part.where or None, part.placement.rotation
    if np.linalg.det(axes_of) < 0:
        raise refuse(f"The placement of part {part.name!r} mirrors it", given=axes_of.tolist(), where=where)
    frame = placed(part.placement).then(above.frame)
    group = above.group
    if part.turns:
        group = len(axes)
        axes.append(np.concatenate([frame.translation * MM, frame.rotation[:, 2]]))
    return _Place(frame, above.depth + 1, group)


def _owned(parts: Sequence[Part], places: Mapping[str, _Place]) -> list[_Owned]:
    owned: list[_Owned] = []
    problems: list[str] = []
    for index, part in enumerate(parts):
        place = places[part.name]
        try:
            cells = cells_of(part.shape, place.frame)
            if not cells:
                raise refuse("Nothing is in its shape", given=type(part.shape).__name__)
        except InputError as error:
            place_of = f" Where: {part.where}." if part.where else ""
            problems += [f"Part {part.name!r}: {problem}{place_of}" for problem in error.problems]
            continue
        owned += [_Owned(cell, index, place.depth, place.group) for cell in cells]
    if problems:
        raise InputError(*problems)
    return owned


def _tables(
    owned: list[_Owned], axes: Array, media: list[tuple[int, float]], fill_medium: tuple[int, float]
) -> SceneTables:
    """Pack cells group by group; the last of the media is for what is no part."""
    owned = sorted(owned, key=lambda one: one.group)
    cells = np.zeros((len(owned), 9), np.int32)
    planes: list[Array] = []
    curved: list[Array] = []
    for row, one in zip(cells, owned, strict=True):
        flat = [_plane_row(s) for s in one.cell.surfaces if s.kind == PLANE]
        bent = [_curved_row(s) for s in one.cell.surfaces if s.kind != PLANE]
        row[FIRST_PLANE], row[PLANES], row[FIRST_CURVED], row[CURVED] = len(planes), len(flat), len(curved), len(bent)
        row[DEPTH], row[PART], row[GROUP] = one.depth, one.part, one.group
        row[MATERIAL] = media[one.part][0]
        planes += flat
        curved += bent
    low = np.array([one.cell.low_mm for one in owned]).reshape(-1, 3) * MM - ROOM_CM
    high = np.array([one.cell.high_mm for one in owned]).reshape(-1, 3) * MM + ROOM_CM
    swept = [_swept(axes[one.group], a, b) if one.group else (a, b) for one, a, b in zip(owned, low, high, strict=True)]
    swept_low, swept_high = (np.array([box[k] for box in swept]).reshape(-1, 3) for k in range(2))
    cells[:, DEEPER] = _may_hold_deeper(cells, swept_low, swept_high)
    world = np.full(6, FAR_CM)  # a point that nothing meets
    if owned:
        world = np.concatenate([swept_low.min(axis=0) - MARGIN_CM, swept_high.max(axis=0) + MARGIN_CM])
    forest = _forest(cells, low, high, len(axes))
    return SceneTables(
        cells=cells,
        density=np.array([media[one.part][1] for one in owned], float),
        planes=np.array(planes).reshape(-1, 4),
        curved=np.array(curved).reshape(-1, 10),
        axes=axes,
        world=world,
        parts=len(media) - 1,
        fill_material=int(fill_medium[0]),
        fill_density=float(fill_medium[1]),
        boxes=forest.boxes,
        leaves=forest.leaves,
        first=forest.first,
        after=forest.after,
        roots=forest.roots,
    )


def _plane_row(surface: Surface) -> Array:
    return np.append(surface.axis, surface.size * MM)


def _curved_row(surface: Surface) -> Array:
    slope = surface.size if surface.kind == CONE else 0.0
    radius = 0.0 if surface.kind == CONE else surface.size * MM
    axis = np.zeros(3) if surface.kind == BALL else surface.axis
    side = 1.0 if surface.inside else -1.0
    rest = [radius**2, slope**2, side, 1.0 / np.sqrt(1.0 + slope**2)]
    return np.concatenate([surface.point * MM, axis, rest])


def _swept(axis: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return the box of a box that turns about an axis."""
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, -1).T - axis[:3]
    heights = corners @ axis[3:]
    radius = np.linalg.norm(corners - np.outer(heights, axis[3:]), axis=1).max()
    reach = radius * np.sqrt(np.maximum(1.0 - axis[3:] ** 2, 0.0))
    ends = axis[:3] + np.outer([heights.min(), heights.max()], axis[3:])
    return ends.min(axis=0) - reach, ends.max(axis=0) + reach


def _may_hold_deeper(cells: NDArray[np.int32], low: Array, high: Array) -> NDArray[np.bool_]:
    """Say for every cell whether the box of a deeper one meets its own."""
    depth = cells[:, DEPTH]
    holding = np.zeros(len(cells), bool)
    for k in range(len(cells)):
        deeper = depth > depth[k]
        holding[k] = np.any(np.all((low[deeper] <= high[k]) & (high[deeper] >= low[k]), axis=1))
    return holding


class _Forest(NamedTuple):
    """The trees of all groups, one after another."""

    boxes: Array
    leaves: NDArray[np.int32]
    first: NDArray[np.int32]
    after: NDArray[np.int32]
    roots: NDArray[np.int32]


def _forest(cells: NDArray[np.int32], low: Array, high: Array, groups: int) -> _Forest:
    members = [np.flatnonzero(cells[:, GROUP] == group) for group in range(groups)]
    trees = [tree_of(low[m], high[m]) for m in members]
    starts = np.cumsum([0, *(len(tree.cell) for tree in trees)])[:-1]
    leaves = [_leaves(tree, m, cells[m, DEPTH]) for tree, m in zip(trees, members, strict=True)]
    return _Forest(
        boxes=np.concatenate([tree.boxes for tree in trees]),
        leaves=np.concatenate(leaves),
        first=_shifted([tree.first for tree in trees], starts),
        after=_shifted([tree.after for tree in trees], starts),
        roots=np.where([len(tree.cell) > 0 for tree in trees], starts, NOWHERE).astype(np.int32),
    )


def _leaves(tree: Tree, members: NDArray[np.int64], depth: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for every node its cell, or -1, and the greatest depth below it."""
    leaves = np.full((len(tree.cell), 2), NOWHERE, np.int32)
    for node in range(len(tree.cell) - 1, -1, -1):  # children come after their parents
        if tree.cell[node] >= 0:
            leaves[node] = members[tree.cell[node]], depth[tree.cell[node]]
        else:
            one = tree.first[0, node]
            leaves[node, 1] = max(leaves[one, 1], leaves[tree.after[0, one], 1])
    return leaves


def _shifted(tables: list[NDArray[np.int32]], starts: NDArray[np.int64]) -> NDArray[np.int32]:
    moved = [np.where(table < 0, NOWHERE, table + start) for table, start in zip(tables, starts, strict=True)]
    return np.ascontiguousarray(np.concatenate(moved, axis=1), dtype=np.int32)


NO_SCENE = _tables([], np.zeros((1, 6)), [(0, 0.0)], (0, 0.0))
