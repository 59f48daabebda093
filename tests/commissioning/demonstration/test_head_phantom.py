"""The head: the same on every run, different on every side, and drawn where it is painted."""

import numpy as np
import pytest

from dosewright.commissioning.demonstration.head_phantom import (
    BRAINSTEM,
    GRID,
    LEFT_EYE,
    PTV,
    HeadPhantom,
    head_phantom,
)
from dosewright.commissioning.demonstration.shapes import Ellipsoid, FrontArch, Rod, Union, contours
from dosewright.core.grid import Grid
from dosewright.core.mask import mask, volume_fraction


@pytest.fixture(scope="module")
def head() -> HeadPhantom:
    return head_phantom()


def test_every_run_makes_the_same_head(head: HeadPhantom) -> None:
    assert np.array_equal(head_phantom().ct.values, head.ct.values)
    assert head.ct.values.dtype == np.int16
    assert head.ct.grid == GRID


def test_tissues_lie_where_they_belong(head: HeadPhantom) -> None:
    def hu(x: float, y: float, z: float) -> float:
        i, j, k = np.round(GRID.to_index(np.array([x, y, z]))).astype(int)
        return float(head.ct.values[k - 1 : k + 1, j - 1 : j + 1, i - 1 : i + 1].mean())

    assert hu(17, 4, 45) == pytest.approx(36, abs=15)  # brain
    assert hu(0, 37, -80) == pytest.approx(38, abs=40)  # cord
    assert head.ct.values[65:78, 60, 52].max() > 700  # skull
    assert hu(-3, -68, -44) < -600  # nose
    assert hu(17, -59.5, -70) > 2800  # filling
    assert hu(100, -120, 90) < -970  # air


def test_no_two_sides_are_alike(head: HeadPhantom) -> None:
    hu = head.ct.values.astype(float)
    for axis in range(3):
        assert np.abs(hu - np.flip(hu, axis)).mean() > 30


def test_structures_have_the_volumes_of_their_solids(head: HeadPhantom) -> None:
    structures = head.structure_set("1", "2")
    for name, solid in (("PTV", PTV), ("BrainStem", BRAINSTEM), ("Eye_L", LEFT_EYE)):
        drawn = volume_fraction(structures.named(name), GRID).sum() * GRID.voxel_volume_cm3
        assert drawn == pytest.approx(4 / 3 * np.pi * np.prod(solid.semi_axes_mm) / 1000, rel=0.02)


def test_the_external_holds_the_head_and_nothing_but_air_lies_around(head: HeadPhantom) -> None:
    inside = mask(head.structure_set("1", "2").named("EXTERNAL"), GRID)
    hu = head.ct.values
    assert np.count_nonzero(~inside & (hu > -500)) < 0.01 * np.count_nonzero(inside)
    assert np.count_nonzero(inside & (hu < -500)) < 0.04 * np.count_nonzero(inside)


def test_contours_lie_on_the_surface() -> None:
    ball = Ellipsoid((5.0, -3.0, 2.0), (30.0, 20.0, 10.0))
    planes = contours(ball, (5.0, -3.0), [-20.0, 0.0, 2.0, 11.0])
    assert [c[0, 2] for c in planes] == [0.0, 2.0, 11.0]
    middle = planes[1]
    assert ((middle[:, 0] - 5) / 30) ** 2 + ((middle[:, 1] + 3) / 20) ** 2 == pytest.approx(np.ones(72), abs=1e-3)


def test_an_ellipsoid_turns_right_handed_about_z() -> None:
    turned = Ellipsoid((0.0, 0.0, 0.0), (10.0, 1.0, 1.0), turn_deg=30.0)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    zero = np.array(0.0)
    assert bool(turned(np.array(9 * c), np.array(9 * s), zero))
    assert not bool(turned(np.array(9 * c), np.array(-9 * s), zero))


def test_solids_have_their_volumes() -> None:
    grid = Grid((80, 80, 60), (1.0, 1.0, 1.0), (-39.5, -39.5, -29.5))
    x, y, z = (
        grid.centres_mm(0)[None, None, :],
        grid.centres_mm(1)[None, :, None],
        grid.centres_mm(2)[:, None, None],
    )
    rod = Rod((0.0, 0.0, -10.0), (12.0, 16.0, -10.0), 8.0)
    assert np.sum(rod(x, y, z)) == pytest.approx(np.pi * 64 * 20 + 4 / 3 * np.pi * 512, rel=0.02)
    arch = FrontArch((0.0, 0.0), (30.0, 20.0), 5.0, -10.0, 10.0)
    found = np.argwhere(arch(x, y, z))
    assert len(found) == pytest.approx(np.pi / 2 * (30 * 20 - 25 * 15) * 20, rel=0.03)
    assert grid.centres_mm(1)[found[:, 1]].max() < 0
    both = Union((rod, arch))(x, y, z)
    assert np.array_equal(both, rod(x, y, z) | arch(x, y, z))
