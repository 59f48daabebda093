"""Sources that do not stand where modules expect them are told."""

from pathlib import Path

import pytest
from tests.simulation.setup.test_scene_moves import placed, plan

from dosewright.simulation.run_file.source_tables import AnySource, PencilSource, PointSource
from dosewright.simulation.setup.aim import aim_warnings


def point(*place: float) -> AnySource:
    x, y, z = place
    down = (0.0, 0.0, -1.0) if z > 0 else (0.0, 0.0, 1.0)
    return PointSource(particle="photon", energy_MeV=1.0, position_mm=(x, y, z), field_mm=(10.0, 10.0),
                       field_at_mm=(0.0, 0.0, 0.0), direction=down)  # fmt: skip


def test_a_source_at_the_focus_is_right(tmp_path: Path) -> None:
    assert aim_warnings(placed(tmp_path), point(0.0, 0.0, 1000.0)) == ()
    turned = placed(tmp_path, origin_mm=(5.0, 0.0, 100.0), rotation_deg=(180.0, 0.0, 0.0))
    assert aim_warnings(turned, point(5.0, 0.0, -900.0)) == ()
    aside = placed(tmp_path, plan=str(plan(tmp_path, collimator=90.0)))
    assert aim_warnings(aside, point(0.0, 0.0, 1000.0)) == ()


@pytest.mark.parametrize(("collimator", "jaws"), [(0.0, False), (90.0, True)])
def test_a_source_off_the_focus_is_told(tmp_path: Path, collimator: float, jaws: bool) -> None:
    """Jaws along x have no focus along y, and those turned by 90 degrees have: y is their travel."""
    told = aim_warnings(placed(tmp_path, plan=str(plan(tmp_path, collimator=collimator))), point(0.0, 3.0, 1000.0))
    leaves = (
        "The source lies 3 mm from the focus of the module 'leaves', which is at (0, 0, 1000) mm in the axes of the "
        "run: its field is not the one it says."
    )
    assert told == ((leaves.replace("leaves", "jaws X"), leaves) if jaws else (leaves,))


def test_a_scene_that_was_not_turned_is_told(tmp_path: Path) -> None:
    source = PencilSource(particle="electron", energy_MeV=6.0, position_mm=(0.0, 0.0, -900.0))
    told = aim_warnings(placed(tmp_path), source)
    assert told[0] == (
        "The source flies against the beam of the module 'jaws X', which is along (0, 0, -1) in the axes of the run. "
        "Is scene.rotation_deg missing?"
    )
    assert len(told) == 2
    assert aim_warnings(placed(tmp_path, rotation_deg=(180.0, 0.0, 0.0)), source) == ()
