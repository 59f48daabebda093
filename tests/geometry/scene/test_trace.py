"""Rays through scenes: against formulas for every shape, against points, and where rounding decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.geometry.scene.shapes_drawn import alone, bodies, packed, placements

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.pack import NO_SCENE, pack_scene
from dosewright.geometry.scene.rays import (
    boundaries_along,
    cells_at,
    lengths_in_parts,
    nearest_at,
    parts_at,
)
from dosewright.geometry.scene.trace import (
    BEYOND,
    FILL,
    VOXELS,
    ahead,
    crossed,
    locate,
    medium_of_cell,
    nearest,
    part_of,
    phase_of,
)
from dosewright.geometry.trace import Ray, advance

Array = NDArray[np.float64]

EXACT_CM = 5.0e-8  # a few steps over boundaries
L_SHAPE = np.array([(0.0, 0.0), (20.0, 0.0), (20.0, 5.0), (5.0, 5.0), (5.0, 15.0), (0.0, 15.0)])


@pytest.mark.parametrize(
    ("shape", "start_mm", "direction", "expected_mm"),
    [
        (Box((10, 20, 30)), (-50, 0, 0), (1, 0, 0), (45, 55)),
        (Box((10, 20, 30)), (-50, -50, 0), (1, 1, 0), (np.sqrt(2) * 45, np.sqrt(2) * 55)),
        (Sphere(10), (-50, 6, 0), (1, 0, 0), (42, 58)),
        (Sphere(10, 5), (-50, 4, 0), (1, 0, 0), (50 - 84**0.5, 47, 53, 50 + 84**0.5)),
        (Sphere(10, 5), (0, 0, 0), (0, 0.6, 0.8), (5, 10)),
        (Tube(10, 40, 5), (-50, 3, 1), (1, 0, 0), (50 - 91**0.5, 46, 54, 50 + 91**0.5)),
        (Tube(10, 40, 5), (7, 0, -50), (0, 0, 1), (30, 70)),
        (Tube(10, 40, 0, 0, 90), (-50, 5, 0), (1, 0, 0), (50, 50 + 75**0.5)),
        (Tube(10, 40, 0, 0, 270), (50, -5, 0), (-1, 0, 0), (50, 50 + 75**0.5)),
        (Tube(10, 40, 0, 0, 180), (0, 50, 0), (0, -1, 0), (40, 50)),
        (Cone(10, 0, 20), (-50, 0, 0), (1, 0, 0), (45, 55)),
        (Cone(10, 0, 20), (0, 0, 50), (0, 0, -1), (40, 60)),
        (Cone(0, 10, 20), (0, 0, 50), (0, 0, -1), (40, 60)),
        (Cone(10, 0, 20), (3, 0, 50), (0, 0, -1), (46, 60)),
        (Cone(10, 5, 20), (-50, 0, -10 + 4), (1, 0, 0), (41, 59)),
        (Cone(10, 6, 20, 5, 1), (-50, 0, 0), (1, 0, 0), (42, 47, 53, 58)),
        (Cone(10, 10, 20, 5, 0), (0, 50, 0), (0, -1, 0), (40, 47.5, 52.5, 60)),
        (Polycone((0, 10, 10, 30), (10, 10, 5, 15), (2, 2, 0, 0)), (-50, 0, 5), (1, 0, 0), (40, 48, 52, 60)),
        (Polycone((30, 10, 10, 0), (15, 5, 10, 10), (0, 0, 2, 2)), (-50, 0, 20), (1, 0, 0), (40, 60)),
        (Polycone((0, 10, 10, 30), (10, 10, 5, 15), (2, 2, 0, 0)), (7, 0, -50), (0, 0, 1), (50, 60, 64, 80)),
        (Prism(L_SHAPE, 8), (-50, 10, 1), (1, 0, 0), (50, 55)),
        (Prism(L_SHAPE, 8), (-50, 2, 1), (1, 0, 0), (50, 70)),
        (Prism(L_SHAPE[::-1], 8), (-50, 2, 1), (1, 0, 0), (50, 70)),
        (Prism(L_SHAPE, 8), (3, 3, 50), (0, 0, -1), (46, 54)),
        (Frustum((10, 20), (20, 40), 10), (-50, 0, 0), (1, 0, 0), (42.5, 57.5)),
        (Frustum((10, 20), (0, 0), 10), (0, 0, 50), (0, 0, -1), (45, 55)),
        (Union(Box((10, 10, 10)), Sphere(5), Placement((5, 0, 0))), (-50, 0, 0), (1, 0, 0), (45, 60)),
        (Difference(Box((10, 10, 10)), Sphere(4)), (-50, 0, 0), (1, 0, 0), (45, 46, 54, 55)),
    ],
)
def test_distances_are_those_of_formulas(
    shape: Shape, start_mm: tuple[float, ...], direction: tuple[float, ...], expected_mm: tuple[float, ...]
) -> None:
    for frame in (
        Rigid.identity(),
        Rigid(rotation_about("x", 33.0) @ rotation_about("z", 71.0), np.array([5, 700, -3])),
    ):
        tables = packed(Part("one", shape, None), frame=frame)
        start, along = frame.points(np.array(start_mm, float)), frame.directions(np.array(direction, float))
        stretches = boundaries_along(tables, start / 10, along)
        inner = stretches.distances_cm[np.flatnonzero((stretches.parts[1:] == 0) | (stretches.parts[:-1] == 0))]
        assert inner == pytest.approx(np.array(expected_mm) / 10, abs=1e-10)


def _rays(count: int, seed: int, reach: float) -> Array:
    """Uniform and isotropic in a ball: they start at random on its surface, with a cosine law."""
    rng = np.random.default_rng(seed)
    points, ways = rng.normal(size=(2, count, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    ways = ways - points  # uniform on a sphere that touches the surface: the cosine law
    return np.hstack([points * reach, ways / np.linalg.norm(ways, axis=1)[:, None]])


CHORDS = [
    (Box((20, 30, 40)), 24.0, 52.0),
    (Sphere(20), 4 / 3 * np.pi * 8, 4 * np.pi * 4),
    (Tube(15, 30), np.pi * 2.25 * 3, 2 * np.pi * 2.25 + 2 * np.pi * 1.5 * 3),
    (Cone(20, 0, 30), np.pi * 4 * 3 / 3, np.pi * 2 * (2 + np.hypot(2, 3))),
    (Cone(0, 20, 30), np.pi * 4 * 3 / 3, np.pi * 2 * (2 + np.hypot(2, 3))),
    (Frustum((20, 20), (10, 10), 30), 3 * (4 + 1 + 2) / 3, 4 + 1 + 4 * 1.5 * np.hypot(3, 0.5)),
]


@pytest.mark.parametrize(("shape", "volume", "surface"), CHORDS)
def test_mean_chords_are_those_of_cauchy(shape: Shape, volume: float, surface: float) -> None:
    """Mean chord 4 V / S; the share of rays that hit a convex body is the ratio of surfaces (Cauchy 1850)."""
    count, reach = 100_000, 3.0
    rays = _rays(count, 1, reach)
    room = Part("room", Box((80.0, 80.0, 80.0)), None)
    lengths, boundaries = lengths_in_parts(packed(Part("one", shape, None, parent="room"), room), rays)
    hit = np.count_nonzero(boundaries > 2)  # the room and the world are left
    expected = surface / (4 * np.pi * reach**2)
    # The chord's standard deviation is below its mean: 1 / sqrt(hits) is above its relative error; 4 sigma.
    assert hit / count == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / count))
    assert lengths[0] / hit == pytest.approx(4 * volume / surface, rel=3 / np.sqrt(hit))


VOLUMES = [
    (Sphere(20, 12), 4 / 3 * np.pi * (8 - 1.2**3)),
    (Tube(20, 30, 10, 15, 300), np.pi * 3 * 3 * 300 / 360),
    (Prism(L_SHAPE + np.array([-8, -6]), 30), 1.5 * 3),
    (Polycone((-15, 0, 0, 15), (20, 10, 15, 15), (5, 5, 0, 0)), np.pi * (1.5 * 7 / 3 - 0.25 * 1.5 + 2.25 * 1.5)),
    (Difference(Box((30, 30, 30)), Tube(10, 40)), 27 - np.pi * 3),
    (Union(Box((20, 20, 20)), Box((20, 20, 20)), Placement((10, 10, 0))), 16 - 2),
]


@pytest.mark.parametrize(("shape", "volume"), VOLUMES)
def test_volumes_by_random_rays(shape: Shape, volume: float) -> None:
    """The mean path of uniform isotropic rays in a body is its volume over a quarter of the ball's surface."""
    count, reach = 200_000, 3.2
    lengths, _ = lengths_in_parts(alone(shape), _rays(count, 2, reach))
    mean_square = 4.0  # cm2; no ray has more than 6 cm in these bodies, most none
    error = np.sqrt(mean_square / count) * np.pi * reach**2
    assert lengths[0] / count * np.pi * reach**2 == pytest.approx(volume, abs=3 * error)
    assert 3 * error < 0.11 * volume


# Scenes of several parts.


def holds_something(parts: tuple[Part, ...]) -> bool:
    """Say whether no part is cut away altogether, which packing refuses."""
    try:
        packed(*parts)
    except InputError:
        return False
    return True


@st.composite
def nested(draw: st.DrawFn) -> tuple[Part, ...]:
    """A box with shapes in it, one of them with a hole of another part, and shapes beside it that may touch."""
    inner = draw(bodies)
    return (
        Part("box", Box((80.0, 80.0, 80.0)), None),
        Part("inner", inner, None, draw(placements()), parent="box"),
        Part("core", Sphere(3.0), None, draw(placements(3.0)), parent="inner"),
        Part("beside", Box((20.0, 80.0, 80.0)), None, Placement((50.0, 0.0, 0.0))),
        Part("above", draw(bodies), None, Placement((0.0, 0.0, 80.0))),
    )


SCENES = nested().filter(holds_something)
grids = st.integers(-8, 8).map(lambda k: k * 5.0)


@st.composite
def awkward_rays(draw: st.DrawFn) -> tuple[Array, Array]:
    """Starts and directions, many of them along faces, through edges and corners."""
    start = np.array([draw(grids), draw(grids), draw(grids)])
    if draw(st.booleans()):
        start += np.array([draw(st.floats(-3.0, 3.0)) for _ in range(3)])
    way = np.array([float(draw(st.integers(-2, 2))) for _ in range(3)])
    if draw(st.booleans()) or not way.any():
        way = np.array([draw(st.floats(-1.0, 1.0)) for _ in range(3)]) + np.array([0.0, 0.0, 1e-3])
    return start / 10, way / np.linalg.norm(way)


@settings(max_examples=100, deadline=None)
@given(SCENES, st.lists(awkward_rays(), min_size=10, max_size=10), st.sampled_from([0.0, 37.0]))
def test_points_between_boundaries_lie_in_the_cell_that_is_tracked(
    parts: tuple[Part, ...], rays: list[tuple[Array, Array]], turn: float
) -> None:
    frame = Rigid(rotation_about("y", turn), np.array([1.0, 2.0, 3.0]) * turn)
    tables = packed(*parts, frame=frame)
    for start, way in rays:
        p, u = frame.points(start * 10) / 10, frame.directions(way)
        ray = Ray(*p.tolist(), *u.tolist())
        cell = locate(tables, ray.x, ray.y, ray.z, 0.0)
        for step in range(1001):
            assert step < 1000, "a ray that goes on for ever"
            way_cm = ahead(tables, cell, ray, 1e3, 0.0)
            assert way_cm >= 0.0
            far = min(way_cm, 1e3)
            if far > 1e-6:
                points = np.array([advance(ray, f * far)[:3] for f in (0.01, 0.31, 0.5, 0.77, 0.99)])
                clear = nearest_at(tables, points) > 1e-7  # on faces that are gone along, either side is right
                found = parts_at(tables, points)
                assert np.all((found == part_at(cell, tables.parts, tables)) | ~clear)
            if way_cm >= 1e3:
                break
            ray, cell = crossed(tables, advance(ray, way_cm), 0.0)


def part_at(cell: int, parts: int, tables: object) -> int:
    return -2 if cell == BEYOND else int(part_of(tables, cell))


@settings(max_examples=60, deadline=None)
@given(SCENES, st.integers(0, 1000))
def test_nearest_is_never_more_than_the_distance(parts: tuple[Part, ...], seed: int) -> None:
    tables = packed(*parts)
    rng = np.random.default_rng(seed)
    points, ways = rng.uniform(-5.0, 5.0, (20, 3)), rng.normal(size=(60, 3))
    ways = np.vstack([ways / np.linalg.norm(ways, axis=1)[:, None], np.eye(3), -np.eye(3)])
    for point in points:
        cell = locate(tables, *point, 0.0)
        ray = Ray(*point.tolist(), 0.0, 0.0, 1.0)
        near = nearest(tables, cell, ray, 1e3, 0.0)
        assert near >= 0.0
        assert nearest(tables, cell, ray, 0.1, 0.0) == min(near, 0.1)
        found = min(ahead(tables, cell, Ray(*point.tolist(), *way.tolist()), 1e3, 0.0) for way in ways)
        assert near <= found + 1e-12


@pytest.mark.parametrize(
    ("shape", "point_mm", "distance_mm"),
    [
        (Box((10, 20, 30)), (2, 0, 0), 3),
        (Sphere(10), (0, 0, 4), 6),
        (Sphere(10, 3), (0, 0, 5), 2),
        (Tube(10, 40), (6, 0, 5), 4),
        (Cone(10, 0, 20), (0, 0, -5), 5),
        (Cone(10, 0, 20), (0, 0, 0), 10 / 5**0.5),
        (Sphere(10), (0, 0, 25), 15),
        (Box((10, 10, 10)), (30, 0, 0), 25),
        (Tube(10, 40), (0, 20, 0), 10),
    ],
)
def test_nearest_is_exact_before_one_surface(shape: Shape, point_mm: tuple[float, ...], distance_mm: float) -> None:
    far = [Part(f"{k}", Sphere(1.0), None, Placement((k * 300.0,) * 3)) for k in (-1, 1)]  # widens the world
    tables = packed(Part("one", shape, None), *far)
    assert nearest_at(tables, np.array(point_mm) / 10) == pytest.approx(distance_mm / 10, rel=1e-9)


def test_touching_plates_are_met_once_each_and_none_is_lost() -> None:
    plates = [Part(f"plate {k}", Box((50, 50, 0.1 * (k + 1))), None) for k in range(20)]
    tops = np.cumsum([0.1 * (k + 1) for k in range(20)])
    placed = [
        Part(p.name, p.shape, None, Placement((0, 0, float(top - 0.05 * (k + 1)))))
        for k, (p, top) in enumerate(zip(plates, tops, strict=True))
    ]
    tables = packed(*placed)
    stretches = boundaries_along(tables, (0.123, 0.2, -5.0), (0.01, 0.003, 1.0))
    inside = stretches.parts[(stretches.parts >= 0) & (stretches.parts < 20)]
    assert inside.tolist() == list(range(20))
    back = boundaries_along(tables, (0.123, 0.2, 30.0), (0.01, 0.003, -1.0))
    inside = back.parts[(back.parts >= 0) & (back.parts < 20)]
    assert inside.tolist() == list(range(19, -1, -1))


def test_a_child_that_ends_with_its_parent_is_entered_and_left_with_it() -> None:
    tables = packed(
        Part("parent", Box((20, 20, 20)), None),
        Part("child", Tube(5, 20), None, parent="parent"),
        Part("after", Box((20, 20, 10)), None, Placement((0, 0, 15))),
    )
    stretches = boundaries_along(tables, (0.1, 0.2, -5.0), (0.0, 0.0, 1.0), longest_cm=7.9)
    assert stretches.parts.tolist() == [-2, 3, 1, 2, 3]
    assert stretches.distances_cm[1:] == pytest.approx([4.0, 6.0, 7.0], abs=EXACT_CM)


def test_rays_along_faces_and_edges_and_through_corners_go_on() -> None:
    tables = packed(
        Part("left", Box((10, 10, 10)), None, Placement((-5, 0, 0))),
        Part("right", Box((10, 10, 10)), None, Placement((5, 0, 0))),
        Part("cone", Cone(10, 0, 20), None, Placement((0, 0, 15))),
        Part("tube", Tube(5, 10), None, Placement((0, 0, -10))),
    )
    starts = [
        (0.0, 0.1, -5.0),
        (0.0, 0.5, -5.0),
        (-1.0, -0.5, -5.0),
        (-5.0, 0.5, 0.5),
        (0.5, 0.0, -5.0),
        (1.0, 0.0, -5.0),
    ]
    ways = [(0, 0, 1), (0, 0, 1), (0, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 1)]
    starts += [(4.0, 0.5, -5.0), (1.0, 0.5, -5.0), (-2.0, 0.5, -5.0)]
    ways += [(1e-9, 0, 1), (1e-9, 0, 1), (-1e-13, 1e-10, 1)]
    corner = [((-3.0, -2.5, -2.5), (1, 1, 1)), ((1.0, 0.0, 0.5), (-1, 0, 2)), ((3.0, 0.0, -3.5), (-1, 0, 2))]
    for start, way in [*zip(starts, ways, strict=True), *corner]:
        stretches = boundaries_along(tables, start, way, most=100)
        assert stretches.parts[-1] == -2  # out of the world
        assert np.all(np.diff(stretches.distances_cm) > 0)


def test_where_nothing_is_there_is_no_boundary() -> None:
    ray = Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    assert locate(NO_SCENE, 0.0, 0.0, 0.0, 0.0) == BEYOND
    assert ahead(NO_SCENE, BEYOND, ray, 7.0, 0.0) >= 7.0
    assert phase_of(NO_SCENE, 1, 2) == 0.0


def test_media_parts_and_the_fill() -> None:
    parts = (Part("a", Box((20, 20, 20)), None), Part("b", Sphere(5), None, parent="a"))
    tables = pack_scene(parts, (7, 0.0012), {"b": (3, 19.3)}, None, Rigid.identity()).tables
    cells = cells_at(tables, [[0.9, 0, 0], [0, 0, 0], [1.5, 0, 0], [9, 0, 0]])
    assert [medium_of_cell(tables, c) for c in cells[:3]] == [(7, 0.0012), (3, 19.3), (7, 0.0012)]
    assert [int(part_of(tables, c)) for c in cells[:3]] == [0, 1, 2]
    assert cells[2] == FILL
    assert cells[3] == BEYOND


def test_the_box_of_voxels_is_the_deepest_cell() -> None:
    parts = (Part("room", Box((400, 400, 400)), None), Part("couch", Box((300, 50, 300)), None, parent="room"))
    frame = Rigid(rotation_about("x", 180.0), np.array([0.0, 0.0, 50.0]))
    corners = (np.array([-50.0, -50.0, 0.0]), np.array([50.0, 50.0, 80.0]))
    tables = pack_scene(parts, (0, 0.0), {}, corners, frame).tables
    assert parts_at(tables, [[0, 0, 4], [0, 0, 9], [0, 5.5, 9]]).tolist() == [VOXELS, 1, 0]
    stretches = boundaries_along(tables, (0.0, 0.0, -20.0), (0.0, 0.0, 1.0))
    assert stretches.parts.tolist() == [-2, 2, 0, 1, VOXELS, 1, 0, 2, -2][1 if stretches.parts[0] == 2 else 0 :]
    k = stretches.parts.tolist().index(VOXELS)
    assert stretches.distances_cm[k - 1 : k + 1] == pytest.approx([20.0, 28.0], abs=EXACT_CM)


# What turns.


AT = Placement((30.0, 0.0, 10.0), rotation_about("x", 25.0))


def wheel(at: Placement = AT, turns: bool = True) -> tuple[Part, ...]:
    """A disc with one open quarter, tilted and off the axis, with a ball fixed to it, and a plate, in a room."""
    return (
        Part("room", Box((300, 300, 300)), None),
        Part("disc", Tube(40, 10, 5, 0.0, 270.0), None, at, turns=turns, parent="room"),
        Part("ball", Sphere(3), None, Placement((20.0, 10.0, 0.0)), parent="disc"),
        Part("plate", Box((200, 200, 5)), None, Placement((0.0, 0.0, -60.0)), parent="room"),
    )


@pytest.mark.parametrize("phase", [0.0, 0.7, 3.0, 5.5])
def test_what_turns_is_met_where_it_stands_at_the_phase(phase: float) -> None:
    turning = packed(*wheel())
    at = Placement(AT.centre_mm, AT.rotation @ rotation_about("z", np.degrees(phase)))
    still = packed(*wheel(at, turns=False))
    points = np.random.default_rng(3).uniform(-9.0, 9.0, (5000, 3))
    points[:, 2] *= 0.5
    assert np.array_equal(parts_at(turning, points, phase), parts_at(still, points))
    assert np.sum(parts_at(still, points) == 1) > 50
    near = nearest_at(turning, points, phase=phase)
    for k, way in enumerate(np.random.default_rng(4).normal(size=(200, 3))):
        point = points[k]
        one, other = boundaries_along(turning, point, way, phase=phase), boundaries_along(still, point, way)
        assert one.parts.tolist() == other.parts.tolist()
        assert one.distances_cm == pytest.approx(other.distances_cm, abs=1e-9)
        assert near[k] <= one.distances_cm[0]


def test_phases_are_uniform_and_belong_to_histories() -> None:
    turning = packed(*wheel())
    phases = np.array([phase_of(turning, 5, history) for history in range(4000)])
    assert phases.min() >= 0.0
    assert phases.max() < 2 * np.pi
    counts = np.histogram(phases, 20, (0, 2 * np.pi))[0]
    assert np.sum((counts - 200) ** 2 / 200) < 45.0  # chi-square with 19 degrees of freedom, 1 in 1000
    assert phase_of(turning, 5, 17) == phases[17]
    assert phase_of(turning, 6, 17) != phases[17]
    assert phase_of(packed(*wheel(turns=False)), 5, 17) == 0.0


def test_paths_in_the_box_of_voxels_are_of_no_part() -> None:
    """A ray through a block, a gap and the box: the box adds to neither the block nor what fills the scene."""
    block = Part("block", Box((40.0, 40.0, 20.0)), None, Placement((0.0, 0.0, -30.0)))
    box = (np.array([-20.0, -20.0, 0.0]), np.array([20.0, 20.0, 50.0]))
    tables = pack_scene([block], (0, 0.0), {}, box, Rigid.identity()).tables
    lengths, _ = lengths_in_parts(tables, np.array([[0.0, 0.0, -4.5, 0.0, 0.0, 1.0]]))
    assert lengths == pytest.approx([2.0, 0.5 + 2.0 + 1.0], abs=1e-6)
