"""Parts as tables: what is refused, and that every scene has the same types."""

import re

import numba
import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.core.shapes import Intersection, Placement, Sphere
from dosewright.core.solids import Box, Tube
from dosewright.geometry.scene.bvh import tree_of
from dosewright.geometry.scene.pack import NO_SCENE, pack_scene
from dosewright.geometry.scene.trace import SceneTables

BALL = Sphere(5.0)


def pack(*parts: Part) -> SceneTables:
    return pack_scene(parts, (0, 0.0), {}, None, Rigid.identity()).tables


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((Part("a", BALL, None), Part("a", BALL, None)), "the same name. Given: 'a'."),
        ((Part("target", BALL, None), Part("b", BALL, None, parent="tarqet")), "Did you mean 'target'?"),
        ((Part("a", BALL, None, parent="b"), Part("b", BALL, None, parent="a")), "in a circle. Given: a in b in a."),
        ((Part("a", BALL, None, parent="a"),), "in a circle. Given: a in a."),
        ((Part("a", Box((1.0, 0.0, 1.0)), None, where="head.toml:7"),), "Where: head.toml:7"),
        ((Part("a", Intersection(BALL, BALL, Placement((20.0, 0.0, 0.0))), None),), "Nothing is in its shape"),
        ((Part("a", BALL, None, Placement(rotation=np.diag([1.0, 1.0, -1.0]))),), "mirrors"),
        ((Part("a", BALL, None, turns=True), Part("b", BALL, None, parent="a", turns=True)), "turns in 'a'"),
    ],
)
def test_impossible_scenes_are_refused(parts: tuple[Part, ...], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        pack(*parts)


def test_all_problems_are_told_together() -> None:
    with pytest.raises(InputError) as refused:
        pack(Part("a", Box((1.0, 0.0, 1.0)), None), Part("b", BALL, None), Part("c", Tube(-1.0, 1.0), None))
    assert len(refused.value.problems) == 2


def test_parts_may_come_before_their_parents() -> None:
    one, other = Part("in", BALL, None, parent="out"), Part("out", Box((20.0, 20.0, 20.0)), None)
    assert pack(one, other).cells[:, 4].tolist() == [2, 1]


def test_every_scene_has_the_types_of_none() -> None:
    """Else each would be compiled anew."""
    plate = Part("b", Box((1.0, 1.0, 1.0)), None, Placement((50.0, 0.0, 0.0)))
    turning = pack(Part("a", Tube(5.0, 1.0), None, turns=True), plate)
    assert numba.typeof(turning) == numba.typeof(NO_SCENE) == numba.typeof(pack(Part("a", BALL, None)))


def test_every_order_of_the_tree_holds_every_cell_once() -> None:
    low = np.random.default_rng(1).uniform(0.0, 10.0, (57, 3))
    tree = tree_of(low, low + 1.0)
    for octant in range(8):
        found, node = [], 0
        while node >= 0:
            if tree.cell[node] >= 0:
                found.append(int(tree.cell[node]))
                assert np.all(tree.boxes[node, :3] == low[found[-1]])
                node = int(tree.after[octant, node])
            else:
                node = int(tree.first[octant, node])
        assert sorted(found) == list(range(57))
