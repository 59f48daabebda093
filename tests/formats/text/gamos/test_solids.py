"""Solids of geometry text: sizes in their order, sectors, and where an extruded one lies."""

from pathlib import Path

import numpy as np
import pytest
from tests.formats.text.gamos.geometry_texts import WORLD, scene_of

from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Sphere
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.materials.library import named


def solid_of(folder: Path, sizes: str) -> Part:
    return scene_of(folder, f"{WORLD}:VOLU a {sizes} G4_W\n:PLACE a 1 world R0 0 0 0\n").parts[0]


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ("BOX 1 2*cm 3", Box((2.0, 40.0, 6.0))),  # half lengths
        ("TUBE 1 4 5", Tube(4.0, 10.0, 1.0)),
        ("TUBS 1 4 5 30 90", Tube(4.0, 10.0, 1.0, 30.0, 90.0)),
        ("TUBS 0 4 5 30*deg 6.283185307179586*rad", Tube(4.0, 10.0)),
        ("CONE 1 2 3 5 6", Cone(2.0, 5.0, 12.0, 1.0, 3.0)),  # inner, outer at -z; the same at +z; half length
        ("CONS 1 2 3 5 6 10. 20.", Cone(2.0, 5.0, 12.0, 1.0, 3.0, 10.0, 20.0)),
        ("ORB 7", Sphere(7.0)),
        ("SPHERE 2 7 0 360 0 180", Sphere(7.0, 2.0)),
        ("POLYCONE 0 360*deg 3 0. 0. 1.25 -10. 1. 9. -17. 2. 13.8",
         Polycone((0.0, -10.0, -17.0), (1.25, 9.0, 13.8), (0.0, 1.0, 2.0))),
        ("TRD 1 2 3 4 5", Frustum((2.0, 6.0), (4.0, 8.0), 10.0)),  # x at -z, x at +z, y at -z, y at +z
        ("TRAP 5 0 0 3 1 1 0 4 2 2 0", Frustum((2.0, 6.0), (4.0, 8.0), 10.0)),
    ],
)  # fmt: skip
def test_solids(tmp_path: Path, sizes: str, shape: object) -> None:
    part = solid_of(tmp_path, sizes)
    assert part.shape == shape
    assert part.material == named("G4_W")
    assert (part.parent, part.where) == (None, "head.geom, line 4")


def test_trapezoids_that_are_prisms(tmp_path: Path) -> None:
    """Corners after Geant4's own: mean x of the side at y is y tan(alpha); the wedge has its right angle at -x."""
    leaning = solid_of(tmp_path, "TRAP 5 0 0 3 1 2 45 3 1 2 45").shape
    assert isinstance(leaning, Prism)
    np.testing.assert_allclose(leaning.outline_mm, [[-4, -3], [-2, -3], [5, 3], [1, 3]], atol=1e-12)
    assert leaning.length_mm == 10.0
    wedge = solid_of(tmp_path, "TRAP 8 6 10 2").shape
    assert isinstance(wedge, Prism)
    np.testing.assert_allclose(wedge.outline_mm, [[-3, -3], [7, -3], [-1, 3], [-3, 3]], atol=1e-12)
    assert wedge.length_mm == 8.0


def test_sectors_of_solids_without_one_are_cut_out(tmp_path: Path) -> None:
    quarter = solid_of(tmp_path, "POLYCONE 30 90 2 -2 0 5 6 0 3").shape
    assert isinstance(quarter, Intersection)
    assert quarter.first == Polycone((-2.0, 6.0), (5.0, 3.0), (0.0, 0.0))
    assert isinstance(quarter.second, Tube)
    assert (quarter.second.start_deg, quarter.second.sweep_deg) == (30.0, 90.0)
    assert quarter.second.radius_mm > 5.0
    assert quarter.placement.centre_mm == (0.0, 0.0, 2.0)
    assert quarter.second.length_mm > 8.0
    orange = solid_of(tmp_path, "SPHERE 0 5 0 180 0 180").shape
    assert isinstance(orange, Intersection)


def test_an_extruded_solid_lies_where_its_planes_are(tmp_path: Path) -> None:
    """Its shape lies around its own middle: placements, children and booleans are shifted by it."""
    text = (
        WORLD
        + """
    :VOLU slab EXTRUDED 3  0 0  10 0  0 10   2  -1 0 0 1   5 0 0 1  G4_W
    :ROTM X90 90 0 0
    :PLACE slab 1 world X90 100 0 0
    :VOLU hole ORB 0.5 G4_AIR
    :PLACE hole 1 slab R0 1 1 2
    :SOLID half EXTRUDED 3  0 0  10 0  0 10   2  0 0 0 1   5 0 0 1
    :SOLID cube BOX 1 1 1
    :VOLU cut SUBTRACTION half cube R0 1 2 3 G4_W
    :PLACE cut 1 world R0 0 0 0
    """
    )
    scene = scene_of(tmp_path, text)
    slab = scene.part("slab")
    assert isinstance(slab.shape, Prism)
    assert slab.shape.length_mm == 6.0
    # the middle, (0, 0, 2) in its own axes, turned by the inverse of 90 degrees about x: z to y
    np.testing.assert_allclose(slab.placement.centre_mm, [100, 2, 0], atol=1e-12)
    hole = scene.part("hole")
    assert hole.parent == "slab"
    np.testing.assert_allclose(hole.placement.centre_mm, [1, 1, 0], atol=1e-12)
    cut = scene.part("cut")
    assert isinstance(cut.shape, Difference)
    np.testing.assert_allclose(cut.placement.centre_mm, [0, 0, 2.5], atol=1e-12)
    np.testing.assert_allclose(cut.shape.placement.centre_mm, [1, 2, 0.5], atol=1e-12)
