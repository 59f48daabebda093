"""Regions of a run: their numbers, names and materials."""

from dosewright.core.frame import Rigid
from dosewright.core.scene import Part, Scene
from dosewright.core.solids import Box
from dosewright.materials.library import named
from dosewright.simulation.regions import Regions
from dosewright.simulation.setup.scene import PlacedScene

CUBE = Box((10.0, 10.0, 10.0))


def placed(fill: str | None = "G4_AIR") -> PlacedScene:
    """Return a target, two leaves of a module, and a hole in which there is nothing."""
    parts = (
        Part("target", CUBE, named("G4_W")),
        Part("leaf 1", CUBE, named("G4_Pb")),
        Part("hole", CUBE, None),
        Part("leaf 2", CUBE, named("G4_Pb")),
    )
    of_module = {"leaves": ("leaf 1", "leaf 2")}
    return PlacedScene(Scene(parts), parts, named(fill) if fill else None, Rigid.identity(), of_module)


def test_parts_are_numbered_in_their_order_and_modules_are_one() -> None:
    regions = Regions.of(placed(), phantom=True)
    assert regions.names == ("(fill)", "target", "leaves", "hole", "(phantom)")
    assert regions.of_parts(["target", "leaf 1", "hole", "leaf 2"]).tolist() == [1, 2, 3, 2, 0, 4]
    assert regions.of_parts(["leaf 2", "target"]).tolist() == [2, 1, 0, 4]


def test_materials_are_those_of_each_part() -> None:
    names = ["target", "leaf 1", "hole", "leaf 2"]
    regions = Regions.of(placed(), phantom=True)
    assert regions.made_of(names, ["G4_AIR"]).tolist() == [False, False, False, False, True, False]
    assert regions.made_of(names, ["G4_Pb", "vacuum"]).tolist() == [False, True, True, True, False, False]
    assert Regions.of(placed(None), phantom=False).made_of(names, ["vacuum"]).tolist()[4]


def test_without_a_scene_there_is_the_phantom() -> None:
    regions = Regions.of(None, phantom=True)
    assert regions.names == ("(fill)", "(phantom)") and regions.of_parts([]).tolist() == [0, 1]
