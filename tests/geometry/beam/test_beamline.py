"""Solids become voxels: exact faces, edges where they are, columns that hold what the solids hold, and refusals."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.solids import Box, Device, Frustum, Prism, Relief, Shape, Solid, Tube
from dosewright.geometry.beam.beamline import BeamlineBox, beamline_box, heights_mm, start_above_mm
from dosewright.geometry.beam.range_shifter import plate
from dosewright.materials.library import named

Array = NDArray[np.float64]
AIR, PMMA, BRASS = named("G4_AIR"), named("PMMA"), named("brass")
TRIANGLE = np.array([[-10.0, -8.0], [14.0, -2.0], [-3.0, 11.0]])
TURNED = rotation_about("x", 25.0) @ rotation_about("y", 40.0) @ rotation_about("z", 10.0)


def _device(*solids: Solid, kind: str = "nozzle") -> Device:
    return Device("N", kind, solids)


def _solid(shape: Shape, centre: tuple[float, float, float] = (0.0, 0.0, 100.0), turn: Array | None = None) -> Solid:
    return Solid("it", shape, BRASS, 8.5, centre, np.eye(3) if turn is None else turn)


def _box(*solids: Solid, gap: bool = True) -> BeamlineBox:
    box = beamline_box((_device(*solids),), 200.0, AIR if gap else None, ((-40.0, 40.0), (-40.0, 40.0)))
    assert box is not None
    return box


def _grams(box: BeamlineBox) -> float:
    """Mass of all voxels but the gap, in vacuum."""
    x, y, z = (np.diff(e) / 10 for e in box.edges_mm)
    return float(np.einsum("kji,i,j,k->", box.density_g_cm3.astype(float), x, y, z))


def _at(box: BeamlineBox, x: float, y: float, z: float) -> tuple[str, float]:
    i, j, k = (int(np.searchsorted(e, p, side="right")) - 1 for e, p in zip(box.edges_mm, (x, y, z), strict=True))
    return box.materials[box.material[k, j, i]].name, float(box.density_g_cm3[k, j, i])


def test_a_plate_across_the_beam_is_one_column_of_voxels() -> None:
    box = beamline_box((plate("RS", PMMA, 30.0, 110.0), plate("RS2", PMMA, 20.0, 150.0)), 200.0, AIR)
    assert box is not None
    assert [e.tolist() for e in box.edges_mm] == [[-1000, 1000], [-1000, 1000], [110, 140, 150, 170, 200]]
    assert [box.materials[m].name for m in box.material[:, 0, 0]] == [PMMA.name, AIR.name] * 2


def test_faces_along_the_axes_are_exact() -> None:
    hole = Solid("hole", Box((3.3, 4.4, 7.0)), None, 0.0, (1.05, -2.2, 100.0))
    box = _box(_solid(Box((20.2, 30.4, 7.0))), hole)
    for wanted, edges in zip(
        ([-1000, -10.1, -0.6, 2.7, 10.1, 1000], [-1000, -15.2, -4.4, 0.0, 15.2, 1000], [96.5, 103.5, 200]),
        box.edges_mm,
        strict=True,
    ):
        np.testing.assert_allclose(edges, wanted, atol=1e-9)
    assert _at(box, 1.0, -1.0, 100.0) == (AIR.name, pytest.approx(AIR.density_g_cm3))
    assert _at(box, 1.0, 1.0, 100.0) == (BRASS.name, pytest.approx(8.5))
    assert _at(box, 500.0, 500.0, 100.0)[0] == AIR.name


def test_nothing_in_the_beam_is_no_box() -> None:
    assert beamline_box((), 200.0, AIR) is None
    air = Solid("room", Box((100.0, 100.0, 100.0)), AIR, AIR.density_g_cm3)
    assert beamline_box((_device(air),), 200.0, AIR) is None, "gas alone is the gap"


AREA = 0.5 * abs(np.linalg.det(np.stack([TRIANGLE[1] - TRIANGLE[0], TRIANGLE[2] - TRIANGLE[0]])))
VOLUMES_MM3 = {
    "tube": (Tube(20.0, 12.0), np.pi * 400 * 12),
    "ring": (Tube(20.0, 12.0, 8.0), np.pi * (400 - 64) * 12),
    "sector": (Tube(20.0, 12.0, 8.0, 30.0, 100.0), np.pi * (400 - 64) * 12 * 100 / 360),
    "prism": (Prism(TRIANGLE, 9.0), AREA * 9.0),
    "frustum": (Frustum((20.0, 16.0), (6.0, 2.0), 12.0), 12 / 3 * (320 + 12) + 12 / 6 * (20 * 2 + 6 * 16)),
    "box": (Box((17.0, 9.0, 5.0)), 17.0 * 9 * 5),
}


TURNS = {
    "upright": np.eye(3),
    "along y": rotation_about("x", 90.0),
    "along x": rotation_about("y", -90.0),
    "upside down": rotation_about("x", 180.0),
    "tilted": TURNED,
}
TRIED = [(n, t) for n in VOLUMES_MM3 for t in TURNS if t != "tilted" or n not in ("ring", "sector", "tube")]


@pytest.mark.parametrize(("name", "turn"), TRIED)
def test_voxels_hold_the_mass_of_the_solid(name: str, turn: str) -> None:
    """To 0.8 %: the edges of the smallest, with a length of 70 mm around 217 mm2, are 0.025 mm off on the average."""
    shape, volume = VOLUMES_MM3[name]
    assert _grams(_box(_solid(shape, turn=TURNS[turn]), gap=False)) == pytest.approx(8.5 * volume / 1000, rel=8e-3)


def test_columns_under_a_slant_hold_exactly_what_is_above_their_middle() -> None:
    box = _box(_solid(Frustum((8.0, 50.0), (2.0, 50.0), 6.0), (0.0, 0.0, 103.0)), gap=False)
    heights = np.diff(box.edges_mm[2])
    middles = (box.edges_mm[0][1:] + box.edges_mm[0][:-1]) / 2
    row = int(np.searchsorted(box.edges_mm[1], 1.0)) - 1
    thickness = (box.density_g_cm3[:, row, :].astype(float) * heights[:, None]).sum(0) / 8.5
    np.testing.assert_allclose(thickness, np.clip((4.0 - np.abs(middles)) * 2.0, 0.0, 6.0), atol=2e-5)
    under = np.abs(middles) < 4
    assert np.diff(box.edges_mm[0])[under & (np.abs(middles) > 1)].max() <= 0.2500001


def test_edges_of_a_polygon_lie_where_they_are() -> None:
    """Along every row of voxels the way inside is that of the polygon, to 0.05 mm per edge on the average."""
    box = _box(_solid(Prism(TRIANGLE, 9.0)), gap=False)
    y = (box.edges_mm[1][1:] + box.edges_mm[1][:-1]) / 2
    widths = np.diff(box.edges_mm[0])
    inside = (box.density_g_cm3[0] > 0) @ widths
    rows = (y > -7.5) & (y < 10.5)
    left = np.interp(y[rows], [-8.0, 11.0], [-10.0, -3.0])
    right = np.where(
        y[rows] < -2.0, np.interp(y[rows], [-8.0, -2.0], [-10.0, 14.0]), np.interp(y[rows], [-2.0, 11.0], [14.0, -3.0])
    )
    off = inside[rows] - (right - left)
    assert np.abs(off).max() < 1.01
    assert abs(np.average(off, weights=np.diff(box.edges_mm[1])[rows])) < 0.1


def test_fine_voxels_are_where_an_edge_needs_them_and_the_beam_reaches() -> None:
    box = beamline_box((_device(_solid(Tube(200.0, 5.0))),), 200.0, AIR, ((-30.0, 30.0), (-60.0, 20.0)))
    assert box is not None
    for edges, (low, high) in zip(box.edges_mm[:2], ((-30.0, 30.0), (-60.0, 20.0)), strict=True):
        sizes, middles = np.diff(edges), (edges[1:] + edges[:-1]) / 2
        assert sizes.min() >= 0.249, "nothing finer than is needed"
        rim = (np.abs(middles) < 200.0) & ((middles < low) | (middles > high))
        assert 1.9 <= sizes[rim].max() <= 300.0
    straight = _box(_solid(Box((100.0, 100.0, 5.0))))
    assert [len(e) for e in straight.edges_mm] == [4, 4, 3]


def test_later_solids_win_and_holes_are_the_gap() -> None:
    core = Solid("core", Tube(5.0, 10.0), PMMA, 1.19, (0.0, 0.0, 100.0))
    hole = Solid("hole", Tube(2.0, 10.0), None, 0.0, (0.0, 0.0, 100.0))
    box = _box(_solid(Tube(10.0, 10.0)), core, hole)
    assert [_at(box, x, 0.1, 100.0)[0] for x in (0.1, 3.5, 7.5, 12.0)] == [AIR.name, PMMA.name, BRASS.name, AIR.name]


def test_a_relief_has_the_thickness_of_each_column() -> None:
    thickness = np.array([[3.0, 7.3, 0.0], [11.1, 5.05, 2.2]])
    relief = Relief(np.array([-6.0, -2.0, 2.0, 6.0]), np.array([-5.0, 0.0, 5.0]), np.zeros((2, 3)), thickness)
    box = _box(_solid(relief, (0.0, 0.0, 90.0)), gap=False)
    for j, y in enumerate((-2.5, 2.5)):
        for i, x in enumerate((-4.0, 0.0, 4.0)):
            column = [_at(box, x, y, z)[1] for z in (box.edges_mm[2][1:] + box.edges_mm[2][:-1]) / 2]
            assert np.dot(column, np.diff(box.edges_mm[2])) / 8.5 == pytest.approx(thickness[j, i], abs=1e-5)


def test_what_is_at_the_rim_covers_the_whole_beam() -> None:
    box = beamline_box((plate("A", BRASS, 65.0, 100.0),), 200.0, AIR)
    assert box is not None
    assert (box.edges_mm[0][0], box.edges_mm[0][-1]) == (-1000.0, 1000.0)


def test_two_devices_in_one_place_are_refused_and_gas_is_not_a_thing() -> None:
    room = Solid("room", Box((300.0, 300.0, 400.0)), AIR, AIR.density_g_cm3, (0.0, 0.0, 200.0))
    nozzle = Device("Nozzle", "nozzle", (room, Solid("ring", Tube(90.0, 40.0, 50.0), BRASS, 8.5, (0.0, 0.0, 120.0))))
    shifter = Device("RS", "range_shifter", (_solid(Box((60.0, 60.0, 30.0)), (0.0, 0.0, 120.0)),))
    box = beamline_box((shifter, nozzle), 200.0, AIR)
    assert box is not None
    assert _at(box, 0.0, 0.0, 120.0)[0] == BRASS.name, "the air of the nozzle does not push the shifter aside"
    wide = Device("RS", "range_shifter", (_solid(Box((160.0, 160.0, 30.0)), (0.0, 0.0, 120.0)),))
    with pytest.raises(InputError, match=r"nozzle 'Nozzle' \(ring\) and the range shifter 'RS' overlap, .* mm from"):
        beamline_box((wide, nozzle), 200.0, AIR)


def test_a_plate_without_a_known_outside_leaves_the_snout_around_it() -> None:
    ring = Device("Snout", "nozzle", (Solid("ring", Tube(90.0, 60.0, 70.0), BRASS, 8.5, (0.0, 0.0, 120.0)),))
    box = beamline_box((ring, plate("RS", PMMA, 30.0, 100.0)), 200.0, AIR)
    assert box is not None
    assert [_at(box, x, 0.1, 120.0)[0] for x in (0.1, 80.0, 95.0)] == [PMMA.name, BRASS.name, PMMA.name]


def test_a_beam_that_starts_inside_is_refused() -> None:
    with pytest.raises(InputError, match=r"Given: 119 mm from the isocentre\. Allowed: >= 120 mm"):
        beamline_box((plate("RS", PMMA, 20.0, 100.0),), 119.0, AIR)


def test_too_many_voxels_are_refused_by_name() -> None:
    ridges = [
        _solid(Frustum((1.0, 1.0), (0.1, 0.1), 8.0), (x, y, 100.0))
        for x in range(-59, 60, 2)
        for y in range(-59, 60, 2)
    ]
    with pytest.raises(InputError, match=r"too many voxels \(nozzle 'N'\).*Allowed: 40000000 in all"):
        beamline_box((_device(*ridges),), 200.0, AIR)


def test_the_beam_starts_above_what_stands_upstream_of_the_model_plane() -> None:
    devices = (plate("RS", PMMA, 20.0, 490.0),)
    assert heights_mm(devices) == (490.0, 510.0)
    assert start_above_mm(devices, 511.0, (2000.0, 2000.0)) is None
    assert start_above_mm(devices, 500.0, (2000.0, np.inf)) == 511.0
    assert start_above_mm(devices, 500.0, (np.nan, np.nan)) == 511.0
    with pytest.raises(InputError, match=r"beyond the source.*upper face 510 mm.*below the scanning magnets, 505 mm"):
        start_above_mm(devices, 500.0, (505.0, 2000.0))


def test_voxels_rise() -> None:
    box = _box(_solid(Tube(10.0, 6.0), turn=TURNED))
    assert all(b > a for edges in box.edges_mm for a, b in pairwise(edges))


def test_slanted_solids_that_touch_lose_a_tenth_of_a_millimetre_at_most() -> None:
    """Three tilted plates against one as thick: each face that two share costs half a millimetre's sixth."""
    tilt = rotation_about("x", 10.0)
    up = tilt @ np.array([0.0, 0.0, 1.0])

    def thickness(lengths: list[tuple[float, float]]) -> float:
        solids = tuple(
            Solid("s", Box((60.0, 60.0, length)), named("PMMA"), 1.19, tuple(float(v) for v in up * middle), tilt)
            for length, middle in lengths
        )
        box = beamline_box((Device("d", "range_shifter", solids),), 200.0, None, ((-10.0, 10.0), (-10.0, 10.0)))
        assert box is not None
        x, y = (np.flatnonzero(np.abs((e[1:] + e[:-1]) / 2) < 9.0) for e in box.edges_mm[:2])
        columns = (box.density_g_cm3 * np.diff(box.edges_mm[2])[:, None, None]).sum(0) / 1.19
        return float(columns[np.ix_(y, x)].mean())

    whole = thickness([(30.0, 10.0)])
    assert whole == pytest.approx(30.0 / np.cos(np.radians(10.0)), abs=1e-3)
    assert whole - thickness([(10.0, 0.0), (10.0, 10.0), (10.0, 20.0)]) == pytest.approx(2 * 0.5 / 6, abs=0.05)
