"""Volumes of parts: formulas, and chords where others cut."""

import numpy as np
import pytest

from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Placement, Polycone, Shape, Sphere
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.volumes import Volume, _by_chords, free_volume, own_volume_mm3
from dosewright.geometry.scene_check.placed import place

SHAPES: list[Shape] = [
    Box((10, 20, 30)),
    Tube(10, 20, 4, 30, 200),
    Prism(np.array([[0, 0], [10, 0], [10, 10], [5, 3]], float), 7.0),
    Frustum((10, 20), (30, 5), 12),
    Cone(10, 4, 20, 6, 0, 0, 270),
    Sphere(10, 6),
    Polycone((0, 10, 10, 25), (10, 12, 5, 5), (0, 2, 0, 3)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_chords_find_the_volume_of_the_formula(shape: Shape) -> None:
    (one,), _ = place([Part("a", shape, None, Placement((5, -3, 40)))])
    formula = own_volume_mm3(shape)
    assert formula is not None
    found = min((_by_chords(one, (), axis) for axis in range(3)), key=lambda v: v.relative_error)
    assert found.relative_error < 3e-3
    assert abs(found.mm3 - formula) < max(4 * found.relative_error, 1e-9) * formula
    assert free_volume(one, ()) == Volume(formula)


def test_what_lies_inside_is_taken_off() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    parts = [
        Part("a", Box((40, 40, 40)), None, Placement((0, 0, 100), turn)),
        Part("b", Sphere(10), None, Placement((5, 0, 0)), parent="a"),
        Part("c", Box((4, 4, 4)), None, Placement((-15, 0, 0)), parent="a"),
    ]
    (a, b, c), _ = place(parts)
    exact = 40**3 - 4 / 3 * np.pi * 10**3 - 4**3
    found = free_volume(a, (b, c))
    assert found.mm3 == pytest.approx(exact, rel=1e-3)
    assert abs(found.mm3 - exact) < 4 * found.relative_error * exact
    assert free_volume(a, (b, c)) == found


def test_a_boolean_has_no_formula_and_an_error() -> None:
    (one,), _ = place([Part("a", Difference(Box((20, 20, 20)), Sphere(10)), None)])
    found = free_volume(one, ())
    assert 0 < found.relative_error < 5e-3
    assert found.mm3 == pytest.approx(8000 - 4 / 3 * np.pi * 1000, rel=1e-2)
