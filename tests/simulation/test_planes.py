"""Planes packed for the kernels, and the box around a scene where particles are mirrored."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, turned_axes
from dosewright.scoring.planes import BECOMES, DISTANCE, ENDS, GOES_ON, RECORDED, REPEATS
from dosewright.simulation.planes import Plane, ReusePlane, even_world, pack_planes, with_reuse

TO_BOX = Rigid(np.eye(3), np.array([10.0, 20.0, 30.0]))  # mm
WORLD = np.array([-1.0, -2.0, -3.0, 6.0, 5.0, 4.0])  # cm


def test_planes_are_packed_in_the_axes_of_the_box() -> None:
    planes = [Plane((1, 2, 70), kills=True), Plane((0, 0, 0), (3, 0, 4), particles=("photon",))]
    packed, reuse = with_reuse(planes, ReusePlane(-20, 7, "y"), None, TO_BOX)
    assert packed[:, :3] == pytest.approx(np.array([(0, 0, 1), (0.6, 0, 0.8), (0, 0, 1)]))
    assert packed[:, DISTANCE] == pytest.approx([10.0, 0.6 * 1.0 + 0.8 * 3.0, 1.0])
    assert list(packed[:, BECOMES]) == [ENDS, GOES_ON, REPEATS]
    assert packed[:, RECORDED:].tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert reuse.copies == 7 and reuse.axes[:, 3] == pytest.approx([-1, -2, -3])
    assert pack_planes([], None, TO_BOX).shape[0] == 0


def test_where_particles_are_mirrored_the_world_is_even() -> None:
    """The origin of the run lies at (1, 2, 3) cm of the box."""
    assert even_world(WORLD, ReusePlane(0, 2), TO_BOX) == pytest.approx(WORLD)
    assert even_world(WORLD, ReusePlane(0, 2, "x"), TO_BOX) == pytest.approx([-4, -2, -3, 6, 5, 4])
    assert even_world(WORLD, ReusePlane(0, 2, "xy"), TO_BOX) == pytest.approx([-4, -2, -3, 6, 6, 4])
    turned = Rigid(turned_axes((0, 0, 90)), np.zeros(3))  # the x of the run is the y of the box
    assert even_world(WORLD, ReusePlane(0, 2, "x"), turned) == pytest.approx([-1, -5, -3, 6, 5, 4])
    with pytest.raises(InputError, match="lie across them"):
        even_world(WORLD, ReusePlane(0, 2, "x"), Rigid(turned_axes((0, 0, 30)), np.zeros(3)))
    with pytest.raises(InputError, match="2 to 1000"):
        ReusePlane(0, 1)
