"""Limits of x and y from a scene: as wide as its parts are, from one to the next."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Placement
from dosewright.core.solids import Box, Tube
from dosewright.geometry.scene.xy_limits import limits_of

INF = np.inf
TARGET = Part("target", Tube(5.0, 2.0), None, Placement((0.0, 0.0, 100.0)))
CONE = Part("collimator", Cone(40.0, 30.0, 20.0), None, Placement((10.0, 0.0, 80.0)))
HOLE = Part("hole", Tube(500.0, 1.0), None, parent="collimator")
BOX = Part("box", Box((200.0, 100.0, 30.0)), None, Placement((0.0, 0.0, 20.0)))


def test_along_a_beam_against_z() -> None:
    limits = limits_of((BOX, TARGET, CONE, HOLE))
    expected = ((5.0, INF, INF), (35.0, 100.0, 50.0), (90.0, 50.0, 40.0), (101.0, 5.0, 5.0))
    np.testing.assert_allclose(limits.rows_mm, expected, atol=1e-9)


def test_along_a_beam_with_z() -> None:
    limits = limits_of((BOX, TARGET, CONE), beam=1)
    expected = ((5.0, INF, INF), (70.0, 100.0, 50.0), (99.0, 50.0, 40.0), (101.0, 5.0, 5.0))
    np.testing.assert_allclose(limits.rows_mm, expected, atol=1e-9)


def test_a_part_that_is_not_over_counts() -> None:
    leaf = Part("leaf", Box((8.0, 2.0, 30.0)), None, Placement((0.0, 0.0, 19.0)))
    limits = limits_of((BOX, leaf))
    expected = ((4.0, INF, INF), (34.0, 100.0, 50.0), (35.0, 100.0, 50.0))
    np.testing.assert_allclose(limits.rows_mm, expected, atol=1e-9)


def test_a_part_that_turns_needs_room() -> None:
    wheel = Part("wheel", Box((60.0, 80.0, 10.0)), None, Placement((5.0, 0.0, 0.0)), turns=True)
    np.testing.assert_allclose(limits_of((wheel,)).rows_mm, ((-5.0, INF, INF), (5.0, 55.0, 50.0)), atol=1e-9)


def test_no_parts() -> None:
    with pytest.raises(InputError, match="a scene with parts"):
        limits_of(())
