"""A scene in two arrays, which cost little to hand from kernel to kernel: every array of a tuple is handed on whole."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.geometry.scene.pack import NO_SCENE
from dosewright.geometry.scene.trace import SceneTables

CELLS, PLANES, CURVED, NODES, GROUPS, PARTS, FILL_MATERIAL = range(7)  # of the header, in `integers`
HEADER = 7
OCTANTS, CELL_COLUMNS, LEAF_COLUMNS, PLANE_COLUMNS, CURVED_COLUMNS, BOX_COLUMNS = 8, 9, 2, 4, 10, 6


class FlatScene(NamedTuple):
    """The tables of a scene one after another, after a header of their lengths; nothing where there is no scene."""

    integers: NDArray[np.int32]
    numbers: NDArray[np.float64]


def flattened(tables: SceneTables) -> FlatScene:
    """Return a scene in two arrays."""
    t = tables
    if not len(t.cells):
        return FlatScene(np.zeros(0, np.int32), np.zeros(0))
    lengths = len(t.cells), len(t.planes), len(t.curved), len(t.boxes), len(t.roots), t.parts, t.fill_material
    integers = (t.cells, t.leaves, t.first, t.after, t.roots)
    numbers = (t.density, t.planes, t.curved, t.boxes, t.axes, t.world, np.array([t.fill_density]))
    return FlatScene(
        np.concatenate([np.array(lengths, np.int32), *(np.ravel(array) for array in integers)]).astype(np.int32),
        np.concatenate([np.ravel(array) for array in numbers]).astype(np.float64),
    )


def unflattened(flat: FlatScene) -> SceneTables:
    """Return the tables of a flat scene outside the kernels."""
    tables: SceneTables = getattr(tables_of, "py_func", tables_of)(flat) if len(flat.integers) else NO_SCENE
    return tables


@inlined
def has_scene(flat):
    """Say whether there is a scene."""
    return flat.integers.size > 0


@inlined
def tables_of(flat):
    """Return the tables of a flat scene, none of them copied."""
    n, x = flat.integers, flat.numbers
    cells, planes, curved, nodes, groups = n[CELLS], n[PLANES], n[CURVED], n[NODES], n[GROUPS]
    leaves_from = HEADER + cells * CELL_COLUMNS
    first_from = leaves_from + nodes * LEAF_COLUMNS
    after_from = first_from + nodes * OCTANTS
    roots_from = after_from + nodes * OCTANTS
    curved_from = cells + planes * PLANE_COLUMNS
    boxes_from = curved_from + curved * CURVED_COLUMNS
    axes_from = boxes_from + nodes * BOX_COLUMNS
    world_from = axes_from + groups * BOX_COLUMNS
    return SceneTables(
        n[HEADER:leaves_from].reshape(cells, CELL_COLUMNS),
        x[:cells],
        x[cells:curved_from].reshape(planes, PLANE_COLUMNS),
        x[curved_from:boxes_from].reshape(curved, CURVED_COLUMNS),
        x[boxes_from:axes_from].reshape(nodes, BOX_COLUMNS),
        n[leaves_from:first_from].reshape(nodes, LEAF_COLUMNS),
        n[first_from:after_from].reshape(OCTANTS, nodes),
        n[after_from:roots_from].reshape(OCTANTS, nodes),
        n[roots_from : roots_from + groups],
        x[axes_from:world_from].reshape(groups, BOX_COLUMNS),
        x[world_from : world_from + BOX_COLUMNS],
        np.int64(n[PARTS]),
        np.int64(n[FILL_MATERIAL]),
        x[world_from + BOX_COLUMNS],
    )
