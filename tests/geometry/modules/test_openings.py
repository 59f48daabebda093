"""Modules moved to where a plan wants them, and plans of other machines refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.geometry.modules.rays import length_in

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.modules import Jaws, Mlc, Tip
from dosewright.core.openings import ControlPoint, DeviceOpening
from dosewright.core.scene import Scene
from dosewright.formats.dicom.leaf_openings import read_openings
from dosewright.geometry.modules.build import all_parts, parts_of
from dosewright.geometry.modules.openings import with_openings

TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})
FOCUS = (0.0, 0.0, 1000.0)


def jaws(orientation: str) -> Jaws:
    half = (60.0, 110.0, 39.0) if orientation == "X" else (110.0, 60.0, 39.0)
    z = 600.0 if orientation == "X" else 690.0
    tip = Tip("STRAIGHT", travel_radius_mm=1000.0 - z)
    return Jaws(f"jaws_{orientation}", orientation, tip, half, 1000.0, z, 0.0, -50.0, 50.0, TUNGSTEN)


def opening(kind: str, low: float, high: float) -> DeviceOpening:
    return DeviceOpening(kind, (low,), (high,))


def test_a_scene_with_a_plan_of_a_real_machine(shared_data: Path) -> None:
    """The light field of a field in field, on a raster of rays, is what the plan's jaws and leaves leave open."""
    (beam,) = read_openings(shared_data / "photon-tps-variety/RP_FiF.dcm")
    scene = Scene(modules=(jaws("X"), jaws("Y"), mlc_design("generic_60")))
    point = beam.control_points[2]
    opened = with_openings(scene, point)
    assert [module.name for module in opened.modules] == ["jaws_X", "jaws_Y", "generic_60"]
    parts = all_parts(opened)
    by_kind = {device.kind: device for device in point.devices}
    leaves = by_kind["MLCX"]
    rng = np.random.default_rng(2)
    seen = []
    for x, y in rng.uniform(-60.0, 60.0, (60, 2)):
        k = int(np.searchsorted(leaves.boundaries_mm, y)) - 1
        edges = [
            *(abs(x - edge[0]) for edge in (by_kind["ASYMX"].negative_mm, by_kind["ASYMX"].positive_mm)),
            *(abs(y - edge[0]) for edge in (by_kind["ASYMY"].negative_mm, by_kind["ASYMY"].positive_mm)),
            *(abs(x - edge) for edge in (leaves.negative_mm[k], leaves.positive_mm[k])),
            *(abs(y - edge) for edge in leaves.boundaries_mm[k : k + 2]),
        ]
        if min(edges) < 0.6:  # in the step between leaves, or within rounding of an edge
            continue
        lit = (
            by_kind["ASYMX"].negative_mm[0] < x < by_kind["ASYMX"].positive_mm[0]
            and by_kind["ASYMY"].negative_mm[0] < y < by_kind["ASYMY"].positive_mm[0]
            and leaves.negative_mm[k] < x < leaves.positive_mm[k]
        )
        seen.append(lit)
        assert (length_in(parts, FOCUS, (x, y, 0.0)) == 0.0) == lit, (x, y)
    assert 8 < sum(seen) < len(seen) - 8


def test_all_control_points_of_real_plans_can_be_set(shared_data: Path) -> None:
    modules = (jaws("Y"), mlc_design("generic_80"))
    for beam in read_openings(shared_data / "photon-monaco-elekta-plans/vmat_example.dcm"):
        for point in beam.control_points:
            moved = with_openings(modules, point)
            assert isinstance(moved[1], Mlc)
            pairs = [(pair.negative_mm, pair.positive_mm) for pair in moved[1].pairs]
            leaves = point.devices[-1]
            assert pairs == list(zip(leaves.negative_mm, leaves.positive_mm, strict=True))


def test_plans_of_other_machines_are_refused(shared_data: Path) -> None:
    (beam,) = read_openings(shared_data / "photon-tps-variety/RP_FiF.dcm")
    point = beam.control_points[0]
    both = (jaws("X"), jaws("Y"))
    with pytest.raises(
        InputError, match=r"MLCX and the module 'generic_80' have different numbers .* Given: 60\. Allo"
    ):
        with_openings((*both, mlc_design("generic_80")), point)
    shifted = replace(mlc_design("generic_60"), cross_start_mm=-94.0)
    with pytest.raises(InputError, match="Pair 1 of the plan's device MLCX and of the module 'generic_60' lie elsewhe"):
        with_openings((*both, shifted), point)


def test_devices_and_modules_must_find_each_other() -> None:
    point = ControlPoint(0.0, (opening("ASYMX", -10.0, 20.0), opening("Y", -30.0, 40.0)))
    x, y = with_openings((jaws("X"), jaws("Y")), point)
    assert isinstance(x, Jaws)
    assert isinstance(y, Jaws)
    assert (x.negative_mm, x.positive_mm, y.negative_mm, y.positive_mm) == (-10.0, 20.0, -30.0, 40.0)
    with pytest.raises(InputError, match="No module fits the plan's device ASYMX"):
        with_openings((jaws("Y"),), point)
    assert len(with_openings((jaws("Y"),), point, ignored=("ASYMX",))) == 1
    upper = replace(jaws("X"), name="upper")
    with pytest.raises(InputError, match="More than one module fits the plan's device ASYMX"):
        with_openings((jaws("X"), upper, jaws("Y")), point)
    named = replace(jaws("X"), name="asymx")
    moved = with_openings((named, upper, jaws("Y")), point, fixed=("upper",))
    assert moved[1] == upper
    assert moved[0] == replace(named, negative_mm=-10.0, positive_mm=20.0)
    with pytest.raises(InputError, match=r"does not say where the module 'jaws_Y' \(jaws along Y\) stands"):
        with_openings((jaws("X"), jaws("Y")), ControlPoint(None, (opening("X", -1.0, 1.0),)))


def test_moving_leaves_changes_nothing_else() -> None:
    module = mlc_design("generic_80")
    count = len(module.pairs)
    leaves = DeviceOpening("MLCX", (-10.0,) * count, (10.0,) * count, module.boundaries_mm())
    (moved,) = with_openings((module,), ControlPoint(0.0, (leaves,)))
    assert [part.name for part in parts_of(moved)] == [part.name for part in parts_of(module)]
    assert moved != module
