"""Where a particle is: packed voxels, faces ahead, and the way into and out of boxes, against plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.single import f32
from dosewright.core.solids import Device
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.trace import (
    BEAMLINE,
    FAR_CM,
    PATIENT,
    Geometry,
    Place,
    Ray,
    advance,
    enter_box,
    leave_box,
    medium_of,
    packed_voxels,
    packed_word,
    to_box,
    to_face,
    to_patient_axes,
    voxel_index,
)
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.pack import pack_geometry

Array = NDArray[np.float64]

WATER, AIR, PLASTIC = named("G4_WATER"), named("G4_AIR"), named("G4_POLYCARBONATE")
TOLERANCE_CM = 1e-10


def _box(edges_mm: tuple[Array, Array, Array], frame: Rigid | None = None) -> Voxels:
    shape = tuple(len(e) - 1 for e in reversed(edges_mm))
    ones = np.ones(shape, np.float32)
    return Voxels(edges_mm, frame or Rigid.identity(), np.zeros(shape, np.uint8), ones, (WATER,))


def _geometry(
    voxels: Voxels, slabs: tuple[Device, ...] = (), start_mm: float = 0.0, turn: Rigid | None = None
) -> Geometry:
    return pack_geometry(voxels, slabs, start_mm, AIR, turn or Rigid.identity())[0]


def _ray(point_mm: Array, direction: Array) -> Ray:
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    return Ray(*(float(x) / 10 for x in point_mm), *(float(x) for x in unit))


# Packed voxels.


@settings(deadline=None)
@given(st.floats(2.0**-20, 30.0, width=32), st.integers(0, 255))
def test_a_packed_voxel_keeps_its_material_and_its_density_to_16_bits(density: float, material: int) -> None:
    words = packed_voxels(np.array([material], np.uint8), np.array([density], np.float32))
    got_material, got_density = medium_of(words[0])
    assert got_material == material
    assert float(got_density) == pytest.approx(density, rel=1.6e-5)
    assert packed_word(material, f32(density)) == words[0]


def test_packed_densities_are_not_biased() -> None:
    density = np.random.default_rng(1).uniform(0.8, 2.0, 100_000).astype(np.float32)
    words = packed_voxels(np.full(density.size, 255, np.uint8), density)
    got = (words & -256).view(np.float32).astype(float)
    assert np.abs((got / density - 1).mean()) < 4 * 1.6e-5 / np.sqrt(3 * density.size)


def test_no_density_and_one_are_kept_exactly() -> None:
    for density in (0.0, 1.0, 1.5, 0.25):
        assert medium_of(packed_voxels(np.array([7], np.uint8), np.array([density], np.float32))[0]) == (7, density)


# Faces ahead inside a voxel.


@settings(deadline=None)
@given(fraction=st.floats(0, 1, width=32), size=st.floats(0.015625, 100, width=32), u=st.floats(-1, 1, width=32))
def test_the_face_ahead(fraction: float, size: float, u: float) -> None:
    distance = float(to_face(f32(fraction), f32(size), f32(u)))
    if abs(u) <= 1e-20:
        assert distance == pytest.approx(FAR_CM)
        return
    left = 1.0 - fraction if u > 0 else fraction
    assert distance == pytest.approx(left * size / abs(u), rel=3e-7, abs=1e-30)


@pytest.mark.parametrize(("fraction", "u"), [(1.0, 1.0), (1.0, 1e-7), (0.0, -1.0), (0.0, -1e-19)])
def test_a_face_that_is_reached_is_at_no_distance(fraction: float, u: float) -> None:
    assert to_face(f32(fraction), f32(0.2), f32(u)) == 0.0
    assert to_face(f32(fraction), f32(0.2), f32(-u)) > 0.0


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("u", [0.0, -0.0])
def test_across_the_axis_no_face_is_ahead(fraction: float, u: float) -> None:
    assert to_face(f32(fraction), f32(0.2), f32(u)) == pytest.approx(FAR_CM)


# Boxes.


widths = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=5)
edges_of_a_box = st.tuples(*[st.tuples(st.floats(-100, 100), widths)] * 3)
unit_cube_point = st.tuples(*[st.floats(-1.5, 2.5)] * 3)
inside_point = st.tuples(*[st.floats(0.0, 1.0)] * 3)
Drawn = tuple[tuple[float, list[float]], ...]
Point = tuple[float, float, float]


def _edges(drawn: Drawn) -> tuple[Array, Array, Array]:
    x, y, z = (start + np.concatenate([[0.0], np.cumsum(w)]) for start, w in drawn)
    return x, y, z


def _inside(edges: tuple[Array, Array, Array], share: Point) -> Array:
    return np.array([e[0] + s * (e[-1] - e[0]) for e, s in zip(edges, share, strict=True)])


def _chord(edges_mm: tuple[Array, Array, Array], ray: Ray, grown_cm: float) -> tuple[float, float]:
    """Where a ray enters and leaves a box grown on all sides, cm; nothing but plain arithmetic."""
    enter, leave = -np.inf, np.inf
    for axis in range(3):
        low, high = edges_mm[axis][0] / 10 - grown_cm, edges_mm[axis][-1] / 10 + grown_cm
        x, u = ray[axis], ray[axis + 3]
        if u == 0.0:
            if not low <= x <= high:
                return np.inf, -np.inf
            continue
        ends = sorted(((low - x) / u, (high - x) / u))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return enter, leave


@settings(max_examples=300, deadline=None)
@given(drawn=edges_of_a_box, start=unit_cube_point, target=inside_point)
def test_the_way_to_a_box_is_the_chord_s_beginning(drawn: Drawn, start: Point, target: Point) -> None:
    edges = _edges(drawn)
    point, towards = _inside(edges, start), _inside(edges, target)
    if np.linalg.norm(towards - point) < 1e-3:
        return
    ray = _ray(point, towards - point)
    distance = to_box(_geometry(_box(edges)), ray)
    (wide_enter, wide_leave), (enter, leave) = _chord(edges, ray, TOLERANCE_CM), _chord(edges, ray, -TOLERANCE_CM)
    if enter < leave and leave > 0:  # surely met
        assert max(wide_enter, 0.0) - TOLERANCE_CM <= distance <= max(enter, 0.0) + TOLERANCE_CM
    elif wide_enter >= wide_leave or wide_leave <= 0:  # surely missed
        assert distance == FAR_CM


EVEN = (np.array([-20.0, -10, 0, 10, 20]), np.array([-15.0, 0, 15]), np.array([-30.0, -20, -10, 0, 30]))


@pytest.mark.parametrize(
    ("point", "direction"),
    [
        ((0, 0, 100), (0, 0, 1)),  # away from it
        ((0, 0, 100), (1, 0, 0)),  # past it
        ((21, 0, 100), (0, 0, -1)),  # beside it
        ((0, 0, 100), (0.3, 0, -1)),  # over its corner
        ((0, 0, 30.1), (0, 1, 0)),  # just above it
        ((20, 0, 0), (1, 0, 0)),  # on its surface, leaving
    ],
)
def test_rays_that_miss_are_told(point: Point, direction: Point) -> None:
    assert to_box(_geometry(_box(EVEN)), _ray(np.array(point), np.array(direction))) == FAR_CM


def test_from_inside_there_is_no_way_to_go() -> None:
    assert to_box(_geometry(_box(EVEN)), _ray(np.array([3.0, 4, 5]), np.array([1.0, 1, 1]))) == 0.0


@settings(max_examples=200, deadline=None)
@given(drawn=edges_of_a_box, share=inside_point)
def test_into_a_box_and_out_again_is_the_same_place(drawn: Drawn, share: Point) -> None:
    edges = _edges(drawn)
    geometry, ray = _geometry(_box(edges)), _ray(_inside(edges, share), np.array([1.0, 2, 3]))
    inside, place = enter_box(geometry, ray, PATIENT)
    for axis, (fraction, i) in enumerate(zip(inside[:3], place[1:], strict=True)):
        assert 0 <= i < len(edges[axis]) - 1
        assert 0.0 <= fraction <= 1.0
        assert edges[axis][i] / 10 - 1e-12 <= ray[axis] <= edges[axis][i + 1] / 10 + 1e-12
    np.testing.assert_allclose(leave_box(geometry, inside, place), ray, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("z", "cell", "fraction"),
    [(-30.0, 0, 0.0), (-20.0, 1, 0.0), (-20.0 - 1e-9, 0, 1.0), (0.0, 3, 0.0), (30.0, 3, 1.0), (31.0, 3, 1.0),
     (-31.0, 0, 0.0)],
)  # fmt: skip
def test_a_point_on_a_face_belongs_to_the_cell_above_it(z: float, cell: int, fraction: float) -> None:
    ray, place = enter_box(_geometry(_box(EVEN)), _ray(np.array([1.0, 1.0, z]), np.array([0, 0, 1.0])), PATIENT)
    assert (place.region, place.iz) == (PATIENT, cell)
    assert ray.z == pytest.approx(fraction, abs=1e-9)
    assert 0.0 <= ray.z <= 1.0


@pytest.mark.parametrize(("iz", "fraction", "z"), [(-1, 1.0, -3.0), (4, 0.0, 3.0), (0, 0.0, -3.0), (3, 1.0, 3.0)])
def test_one_voxel_outside_is_the_surface(iz: int, fraction: float, z: float) -> None:
    inside = Ray(0.5, 0.5, fraction, 0.0, 0.0, 1.0)
    assert leave_box(_geometry(_box(EVEN)), inside, Place(PATIENT, 0, 0, iz)).z == z


def test_media_are_those_of_the_place() -> None:
    shape = tuple(len(e) - 1 for e in reversed(EVEN))
    density = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    material = (np.arange(np.prod(shape)) % 2).astype(np.uint8).reshape(shape)
    voxels = Voxels(EVEN, Rigid.identity(), material, density, (WATER, PLASTIC))
    slab = plate("slab", PLASTIC, 20.0, 70.0)
    geometry, materials = pack_geometry(voxels, (slab,), 100.0, AIR, Rigid.identity())
    for point in ((-15.0, 5.0, -25.0), (15.0, -5.0, 5.0), (-5.0, 1.0, -15.0)):
        _, place = enter_box(geometry, _ray(np.array(point), np.array([0, 0, -1])), PATIENT)
        i, j, k = (int(np.searchsorted(e, p)) - 1 for e, p in zip(EVEN, point, strict=True))
        assert (place.ix, place.iy, place.iz) == (i, j, k)
        assert voxel_index(geometry, place) == np.ravel_multi_index((k, j, i), shape)
        assert medium_of(geometry.voxels[voxel_index(geometry, place)]) == (material[k, j, i], density[k, j, i])
    index, in_slab = medium_of(geometry.voxels[voxel_index(geometry, Place(BEAMLINE, 0, 0, 0))])
    assert (materials[index], in_slab) == (PLASTIC, pytest.approx(PLASTIC.density_g_cm3, rel=1.6e-5))
    index, in_air = medium_of(geometry.voxels[voxel_index(geometry, Place(BEAMLINE, 0, 0, 1))])
    assert (materials[index], in_air) == (AIR, pytest.approx(AIR.density_g_cm3, rel=1.6e-5))
    assert (materials[geometry.gap_material], geometry.gap_density) == (AIR, AIR.density_g_cm3)


def test_the_sizes_of_voxels_lie_beside_their_lower_faces() -> None:
    geometry = _geometry(_box(EVEN), (plate("slab", PLASTIC, 15.0, 45.0),), 100.0)
    for box in (BEAMLINE, PATIENT):
        for axis in range(3):
            first, cells = geometry.first[box, axis], geometry.cells[box, axis]
            faces = geometry.edges[first : first + cells + 1]
            np.testing.assert_allclose(geometry.sizes[first : first + cells], np.diff(faces), rtol=1e-7)
            np.testing.assert_allclose(geometry.faces[first : first + cells + 1], faces, rtol=1e-7)


@settings(deadline=None)
@given(angles=st.tuples(*[st.floats(-180, 180)] * 3), shift=st.tuples(*[st.floats(-200, 200)] * 3))
def test_gantry_axes_become_those_of_the_box(angles: Point, shift: Point) -> None:
    x, y, z = angles
    frame = Rigid(rotation_about("x", x) @ rotation_about("z", z), np.array(shift))
    to_patient = Rigid(rotation_about("y", y), np.array([5.0, -7.0, 11.0]))
    geometry = _geometry(_box(EVEN, frame), turn=to_patient)
    point, direction = np.array([12.0, -30.0, 40.0]), np.array([0.6, 0.0, -0.8])
    turned = to_patient_axes(geometry, _ray(point, direction))
    back = frame.inverse()
    np.testing.assert_allclose(10 * np.array(turned[:3]), back.points(to_patient.points(point)), atol=1e-10)
    np.testing.assert_allclose(turned[3:], back.directions(to_patient.directions(direction)), atol=1e-14)


def test_advancing_moves_along_the_direction() -> None:
    assert advance(Ray(1.0, 2.0, 3.0, 0.6, 0.0, -0.8), 5.0) == pytest.approx((4.0, 2.0, -1.0, 0.6, 0.0, -0.8))
