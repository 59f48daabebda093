"""Rays through boxes of voxels against chords worked out box by box."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.jit import kernel
from dosewright.geometry.slab import Slab
from dosewright.geometry.trace import (
    BEAMLINE,
    FAR_CM,
    GAP,
    OUTSIDE,
    PATIENT,
    Geometry,
    Place,
    Ray,
    advance,
    cross,
    enter_gap,
    leave_beamline,
    locate,
    medium,
    to_boundary,
    to_box,
    voxel_index,
)
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.problem import pack_geometry

Array = NDArray[np.float64]

MOST_STEPS = 200
TOLERANCE_CM = 1e-10
WATER, AIR, PLASTIC = named("G4_WATER"), named("G4_AIR"), named("G4_POLYCARBONATE")


@kernel
def _walk(geometry, ray, place, lengths):
    """Follow a ray to its end; return steps (or -1 for a voxel that is not, -2 for no end), length in the gap, ray."""
    in_gap = 0.0
    for steps in range(MOST_STEPS):
        if place.region == OUTSIDE:
            return steps, in_gap, ray
        distance, axis = to_boundary(geometry, ray, place)
        if distance >= FAR_CM:
            return steps, in_gap, ray
        if place.region == GAP:
            in_gap += distance
        else:
            b = place.region
            inside = 0 <= place.ix < geometry.cells[b, 0] and 0 <= place.iy < geometry.cells[b, 1]
            if not (inside and 0 <= place.iz < geometry.cells[b, 2] and distance >= 0.0):
                return -1, in_gap, ray
            lengths[voxel_index(geometry, place)] += distance
        ray, place = cross(geometry, advance(ray, distance), place, axis)
    return -2, in_gap, ray


def _box(edges_mm: tuple[Array, Array, Array], frame: Rigid | None = None) -> Voxels:
    shape = tuple(len(e) - 1 for e in reversed(edges_mm))
    ones = np.ones(shape, np.float32)
    return Voxels(edges_mm, frame or Rigid.identity(), np.zeros(shape, np.uint8), ones, (WATER,))


def _geometry(
    voxels: Voxels, slabs: tuple[Slab, ...] = (), start_mm: float = 0.0, turn: Rigid | None = None
) -> Geometry:
    return pack_geometry(voxels, slabs, start_mm, AIR, turn or Rigid.identity())[0]


def _ray(point_mm: Array, direction: Array) -> Ray:
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    return Ray(*(np.asarray(point_mm, float) / 10.0), *unit)


def _walked(geometry: Geometry, ray: Ray) -> tuple[int, Array, float, Ray]:
    """Walk a ray in gantry axes; return steps, length in each voxel (cm), length in the gap, last ray."""
    lengths = np.zeros(geometry.material.size)
    if geometry.cells[BEAMLINE, 0]:
        place = Place(*locate(geometry, ray, BEAMLINE))
    else:
        ray, place = leave_beamline(geometry, ray)
    steps, in_gap, last = _walk(geometry, ray, place, lengths)
    return steps, lengths, in_gap, last


def _chord_cm(low: Array, high: Array, point: Array, unit: Array) -> float:
    """Length of a half-line inside a closed box, all in cm."""
    enter, leave = 0.0, np.inf
    for axis in range(3):
        if unit[axis] == 0.0:
            if not low[axis] <= point[axis] <= high[axis]:
                return 0.0
            continue
        ends = sorted(((low[axis] - point[axis]) / unit[axis], (high[axis] - point[axis]) / unit[axis]))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return max(leave - enter, 0.0)


def _check(edges_mm: tuple[Array, Array, Array], lengths: Array, point_cm: Array, unit: Array) -> None:
    """Compare the length in each voxel and in the whole with boxes a hair smaller and larger."""
    edges = [e / 10.0 for e in edges_mm]

    def bounds(low: Array, high: Array) -> tuple[float, float]:
        smaller = _chord_cm(low + TOLERANCE_CM, high - TOLERANCE_CM, point_cm, unit)
        larger = _chord_cm(low - TOLERANCE_CM, high + TOLERANCE_CM, point_cm, unit)
        return smaller - TOLERANCE_CM, larger + TOLERANCE_CM

    nx, ny, nz = (len(e) - 1 for e in edges)
    by_voxel = lengths[: nx * ny * nz].reshape(nz, ny, nx)
    for k, j, i in np.ndindex(nz, ny, nx):
        low = np.array([edges[0][i], edges[1][j], edges[2][k]])
        high = np.array([edges[0][i + 1], edges[1][j + 1], edges[2][k + 1]])
        least, most = bounds(low, high)
        assert least <= by_voxel[k, j, i] <= most, (i, j, k)
    least, most = bounds(np.array([e[0] for e in edges]), np.array([e[-1] for e in edges]))
    assert least <= by_voxel.sum() <= most


widths = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=5)
edges_of_a_box = st.tuples(*[st.tuples(st.floats(-100, 100), widths)] * 3)
unit_cube_point = st.tuples(*[st.floats(-1.5, 2.5)] * 3)
inside_point = st.tuples(*[st.floats(0.0, 1.0)] * 3)


def _edges(drawn: tuple[tuple[float, list[float]], ...]) -> tuple[Array, Array, Array]:
    x, y, z = (start + np.concatenate([[0.0], np.cumsum(w)]) for start, w in drawn)
    return x, y, z


def _inside(edges: tuple[Array, Array, Array], share: tuple[float, float, float]) -> Array:
    return np.array([e[0] + s * (e[-1] - e[0]) for e, s in zip(edges, share, strict=True)])


@settings(max_examples=300, deadline=None)
@given(drawn=edges_of_a_box, start=unit_cube_point, target=inside_point)
def test_random_rays_through_uneven_boxes(
    drawn: tuple[tuple[float, list[float]], ...],
    start: tuple[float, float, float],
    target: tuple[float, float, float],
) -> None:
    edges = _edges(drawn)
    point, towards = _inside(edges, start), _inside(edges, target)
    if np.linalg.norm(towards - point) < 1e-3:
        return
    ray = _ray(point, towards - point)
    steps, lengths, _, _ = _walked(_geometry(_box(edges)), ray)
    assert 0 <= steps <= 2 + sum(len(e) for e in edges)
    _check(edges, lengths, np.array(ray[:3]), np.array(ray[3:]))


@settings(max_examples=100, deadline=None)
@given(
    drawn=edges_of_a_box,
    start=unit_cube_point,
    target=inside_point,
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    shift=st.tuples(*[st.floats(-200, 200)] * 3),
)
def test_turned_boxes_see_the_ray_in_their_own_axes(
    drawn: tuple[tuple[float, list[float]], ...],
    start: tuple[float, float, float],
    target: tuple[float, float, float],
    angles: tuple[float, float, float],
    shift: tuple[float, float, float],
) -> None:
    edges = _edges(drawn)
    point, towards = _inside(edges, start), _inside(edges, target)
    if np.linalg.norm(towards - point) < 1e-3:
        return
    x, y, z = angles
    frame = Rigid(rotation_about("x", x) @ rotation_about("z", z), np.array(shift))
    to_patient = Rigid(rotation_about("y", y), np.array([5.0, -7.0, 11.0]))
    # Box axes to patient by `frame`, gantry to patient by `to_patient`: the gantry sees the box by both.
    in_gantry = to_patient.inverse().points(frame.points(np.stack([point, towards])))
    ray = _ray(in_gantry[0], in_gantry[1] - in_gantry[0])
    steps, lengths, _, _ = _walked(_geometry(_box(edges, frame), turn=to_patient), ray)
    assert steps >= 0
    unit = (towards - point) / np.linalg.norm(towards - point)
    _check(edges, lengths, point / 10.0, unit)


EVEN = (np.array([-20.0, -10, 0, 10, 20]), np.array([-15.0, 0, 15]), np.array([-30.0, -20, -10, 0, 30]))
SIGNS = [-1.0, 0.0, 1.0]
DIRECTIONS = [(u, v, w) for u in SIGNS for v in SIGNS for w in SIGNS if (u, v, w) != (0, 0, 0)]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("corner", [(0.0, 0.0, 0.0), (10.0, 0.0, -10.0), (-20.0, -15.0, -30.0), (20.0, 15.0, 30.0)])
@pytest.mark.parametrize("before", [0.0, 0.25, 4.0])
def test_rays_through_corners_and_along_edges(
    direction: tuple[float, float, float], corner: tuple[float, float, float], before: float
) -> None:
    """Rays that start on a corner, just before it or far outside, and run along axes, diagonals and edges."""
    point = np.array(corner) - before * 20.0 * np.array(direction)
    ray = _ray(point, np.array(direction))
    steps, lengths, _, _ = _walked(_geometry(_box(EVEN)), ray)
    assert steps >= 0
    _check(EVEN, lengths, np.array(ray[:3]), np.array(ray[3:]))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_ray_along_an_inner_edge_crosses_the_whole_box(axis: int, sign: float) -> None:
    direction = sign * np.eye(3)[axis]
    ray = _ray(-100.0 * direction, direction)
    steps, lengths, in_gap, _ = _walked(_geometry(_box(EVEN)), ray)
    cells = len(EVEN[axis]) - 1
    assert steps == cells + 1
    assert np.count_nonzero(lengths) == cells
    assert lengths.sum() == pytest.approx((EVEN[axis][-1] - EVEN[axis][0]) / 10, abs=1e-12)
    near = EVEN[axis][-1] if sign < 0 else -EVEN[axis][0]
    assert in_gap == pytest.approx((100.0 - near) / 10, abs=1e-12)


@given(tiny=st.floats(0, 1e-12), w=st.sampled_from([-1.0, 1.0]))
@example(tiny=5e-324, w=-1.0)
@example(tiny=1e-300, w=-1.0)
@settings(max_examples=50, deadline=None)
def test_directions_almost_along_an_axis_end(tiny: float, w: float) -> None:
    for point in ((0.0, 0.0, 0.0), (20.0, 3.0, 5.0), (-20.0, 15.0, 5.0)):
        ray = Ray(*(np.array(point) / 10), tiny, -tiny, w)
        steps, lengths, _, _ = _walked(_geometry(_box(EVEN)), ray)
        assert steps >= 0
        assert lengths.sum() <= 6.0 + 1e-9


@pytest.mark.parametrize(
    ("point", "direction"),
    [
        ((0, 0, 100), (0, 0, 1)),  # away from it
        ((0, 0, 100), (1, 0, 0)),  # past it
        ((21, 0, 100), (0, 0, -1)),  # beside it
        ((0, 0, 100), (0.3, 0, -1)),  # over its corner
        ((0, 0, 30.1), (0, 1, 0)),  # just above it
    ],
)
def test_rays_that_miss_are_lost(point: tuple[float, ...], direction: tuple[float, ...]) -> None:
    geometry, ray = _geometry(_box(EVEN)), _ray(np.array(point), np.array(direction))
    assert to_box(geometry, ray) == FAR_CM
    assert Place(*enter_gap(geometry, ray)).region == OUTSIDE
    steps, lengths, in_gap, _ = _walked(geometry, ray)
    assert (steps, lengths.sum(), in_gap) == (0, 0.0, 0.0)


def test_a_ray_that_turned_away_in_the_gap_meets_no_boundary() -> None:
    geometry = _geometry(_box(EVEN))
    distance, _ = to_boundary(geometry, _ray(np.array([0.0, 0, 100]), np.array([0.0, 0, 1])), Place(GAP, 0, 0, 0))
    assert distance == FAR_CM


def test_media_are_those_of_the_place() -> None:
    shape = tuple(len(e) - 1 for e in reversed(EVEN))
    density = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    material = (np.arange(np.prod(shape)) % 2).astype(np.uint8).reshape(shape)
    voxels = Voxels(EVEN, Rigid.identity(), material, density, (WATER, PLASTIC))
    slab = Slab(PLASTIC, 1.3, 90.0, 70.0)
    geometry, materials = pack_geometry(voxels, (slab,), 100.0, AIR, Rigid.identity())
    for point in ((-15.0, 5.0, -25.0), (15.0, -5.0, 5.0), (-5.0, 1.0, -15.0)):
        place = Place(*locate(geometry, _ray(np.array(point), np.array([0, 0, -1])), PATIENT))
        i, j, k = (int(np.searchsorted(e, p)) - 1 for e, p in zip(EVEN, point, strict=True))
        assert (place.ix, place.iy, place.iz) == (i, j, k)
        assert medium(geometry, place) == (material[k, j, i], density[k, j, i])
    index, in_slab = medium(geometry, Place(BEAMLINE, 0, 0, 0))
    assert (materials[index], in_slab) == (PLASTIC, pytest.approx(1.3))
    index, in_air = medium(geometry, Place(BEAMLINE, 0, 0, 1))
    assert (materials[index], in_air) == (AIR, pytest.approx(AIR.density_g_cm3))
    index, in_gap = medium(geometry, Place(GAP, 0, 0, 0))
    assert (materials[index], in_gap) == (AIR, AIR.density_g_cm3)


SLABS = (Slab(PLASTIC, 1.2, 200.0, 160.0), Slab(PLASTIC, 1.2, 120.0, 100.0))


def test_a_slanted_ray_crosses_the_beamline_the_gap_and_the_patient() -> None:
    turn = Rigid(rotation_about("y", 90.0), np.zeros(3))  # the gantry's +z is the patient's +x
    geometry = _geometry(_box(EVEN), SLABS, 230.0, turn)
    direction = np.array([0.02, -0.01, -1.0])
    ray = _ray(np.array([1.0, 2.0, 230.0]), direction)
    steps, lengths, in_gap, last = _walked(geometry, ray)
    assert steps >= 0
    slant = np.linalg.norm(direction) / 10
    layers = np.array([20.0, 40.0, 40.0, 30.0])  # slab, air, slab, air, upwards
    np.testing.assert_allclose(lengths[_box(EVEN).material.size :], layers * slant, rtol=1e-12)
    assert in_gap == pytest.approx((100.0 - 20.0) * slant, rel=1e-12)
    assert lengths[: -len(layers)].sum() == pytest.approx(40.0 * slant, rel=1e-9)
    end = turn.points(np.array([1.0, 2.0, 230.0]) + 250.0 * direction)
    np.testing.assert_allclose(np.array(last[:3]) * 10, end, atol=1e-9)
    assert last.x == -2.0, "the ray must end exactly on the far face"
    np.testing.assert_allclose(last[3:], turn.directions(direction / np.linalg.norm(direction)), atol=1e-15)


@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (1.0, 0.0, -0.01)])
def test_rays_that_leave_the_beamline_elsewhere_are_lost(direction: tuple[float, float, float]) -> None:
    geometry = _geometry(_box(EVEN), SLABS, 230.0)
    steps, lengths, in_gap, last = _walked(geometry, _ray(np.array([0.0, 0.0, 150.0]), np.array(direction)))
    assert steps >= 0
    assert in_gap == 0.0
    assert lengths[: _box(EVEN).material.size].sum() == 0.0
    assert max(abs(last.x), abs(last.y)) == 100.0 or last.z == 23.0


def test_a_ray_that_leaves_the_beamline_beside_the_patient_is_lost() -> None:
    geometry = _geometry(_box(EVEN), SLABS, 230.0)
    steps, lengths, in_gap, last = _walked(geometry, _ray(np.array([40.0, 0.0, 230.0]), np.array([0, 0, -1.0])))
    assert (steps, in_gap) == (4, 0.0)
    assert last.z == 10.0
    assert lengths.sum() == pytest.approx(13.0, abs=1e-12)


def test_a_beamline_that_reaches_into_the_patient_box_goes_on_inside() -> None:
    geometry = _geometry(_box(EVEN), (Slab(PLASTIC, 1.2, 60.0, 5.0),), 60.0)
    steps, lengths, in_gap, last = _walked(geometry, _ray(np.array([5.0, 5.0, 60.0]), np.array([0, 0, -1.0])))
    assert steps >= 0
    assert in_gap == 0.0
    assert lengths[-1] == pytest.approx(5.5, abs=1e-12)
    assert lengths[:-1].sum() == pytest.approx(3.5, abs=1e-12)
    assert last.z == -3.0


def test_a_beamline_below_the_patient_box_never_meets_it() -> None:
    geometry = _geometry(_box(EVEN), (Slab(PLASTIC, 1.2, -40.0, -50.0),), -40.0)
    steps, lengths, in_gap, _ = _walked(geometry, _ray(np.array([5.0, 5.0, -40.0]), np.array([0, 0, -1.0])))
    assert (steps, in_gap) == (1, 0.0)
    assert lengths.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_ray_that_leaves_upstream_is_lost_even_towards_the_patient() -> None:
    above = _box(EVEN, Rigid(np.eye(3), np.array([0.0, 0.0, 300.0])))
    steps, lengths, in_gap, _ = _walked(
        _geometry(above, SLABS, 230.0), _ray(np.array([1.0, 1, 210]), np.array([0, 0, 1.0]))
    )
    assert (steps, in_gap) == (1, 0.0)
    assert lengths.sum() == pytest.approx(2.0, abs=1e-12)


@pytest.mark.parametrize(
    ("z", "cell"), [(-30.0, 0), (-20.0, 1), (-20.0 - 1e-9, 0), (0.0, 3), (30.0, 3), (31.0, 3), (-31.0, 0)]
)
def test_a_point_on_a_face_belongs_to_the_cell_above_it(z: float, cell: int) -> None:
    place = Place(*locate(_geometry(_box(EVEN)), _ray(np.array([1.0, 1.0, z]), np.array([0, 0, 1.0])), PATIENT))
    assert (place.region, place.iz) == (PATIENT, cell)
