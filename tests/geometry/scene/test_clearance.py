"""A phantom and parts: beside each other, one inside the other, or refused."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import Difference, Placement, Sphere
from dosewright.core.solids import Box, Tube
from dosewright.geometry.scene.clearance import refuse_overlap
from dosewright.geometry.scene_check.placed import place

LOW, HIGH = np.array([-50.0, -50.0, 0.0]), np.array([50.0, 50.0, 100.0])


def looked_at(*parts: Part, to_scene: Rigid | None = None) -> None:
    way = to_scene or Rigid.identity()
    refuse_overlap(place(parts)[0], LOW, HIGH, way, Rigid.identity())


@pytest.mark.parametrize(
    "part",
    [
        Part("on the face", Box((100, 100, 20)), None, Placement((0, 0, -10))),
        Part("room", Box((500, 500, 500)), None),
        Part("ball around", Sphere(120), None, Placement((0, 0, 50))),
        Part("hole", Difference(Box((300, 300, 300)), Box((100, 100, 100)), Placement((0, 0, 50))), None),
        Part("near in its box alone", Tube(100, 10, 80), None, Placement((0, 0, 50))),
    ],
    ids=lambda part: part.name,
)
def test_what_touches_or_holds_is_fine(part: Part) -> None:
    looked_at(part)


@pytest.mark.parametrize(
    "part",
    [
        Part("one", Box((100, 100, 20)), None, Placement((0, 0, -9.99))),
        Part("one", Box((500, 500, 120)), None),
        Part("one", Sphere(0.01), None, Placement((13.3, 7, 50))),
        Part("one", Sphere(80), None, Placement((0, 0, 50))),
        Part("one", Tube(60, 10, 55), None, Placement((0, 0, 50))),
        Part("one", Tube(200, 10), None, Placement((0, 0, 50), rotation_about("x", 30))),
    ],
)
def test_what_overlaps_is_named_with_a_place_in_both(part: Part) -> None:
    with pytest.raises(InputError, match="phantom and the part 'one' of the scene overlap") as refused:
        looked_at(part)
    words = str(refused.value).split("at (")[1].split(")")[0]
    at = np.array([float(word) for word in words.split(",")])
    assert np.all((at >= LOW - 1e-3) & (at <= HIGH + 1e-3))


def test_the_box_may_be_turned_in_the_scene() -> None:
    """Half a turn about x: what lies below the box in the run is above it in the scene."""
    part = Part("plate", Box((10, 10, 10)), None, Placement((0, 0, 6)))
    looked_at(part, to_scene=Rigid(rotation_about("x", 180), np.zeros(3)))
    with pytest.raises(InputError, match="'plate'"):
        looked_at(part)
