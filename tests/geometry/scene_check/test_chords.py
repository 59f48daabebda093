"""Chords of shapes: volumes by formula, and points on rays beside what the packed scene says of them."""

from math import pi

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.pack import pack_scene
from dosewright.geometry.scene.rays import parts_at
from dosewright.geometry.scene_check.chords import Rays, chords
from dosewright.geometry.scene_check.intervals import lengths, longest
from dosewright.geometry.scene_check.placed import own_box

L_SHAPE = np.array([(0.0, 0.0), (20.0, 0.0), (20.0, 8.0), (6.0, 8.0), (6.0, 20.0), (0.0, 20.0)])
TURNED = Placement((4.0, -3.0, 5.0), rotation_about("x", 30.0) @ rotation_about("z", 50.0))
SHAPES: list[tuple[Shape, float | None]] = [
    (Box((20.0, 30.0, 40.0)), 24_000.0),
    (Tube(20.0, 30.0, 5.0), 30 * pi * 375),
    (Tube(20.0, 30.0, 5.0, 30.0, 90.0), 30 * pi * 375 / 4),
    (Tube(20.0, 30.0, 0.0, -40.0, 300.0), 30 * pi * 400 * 300 / 360),
    (Cone(20.0, 0.0, 30.0), 4000 * pi),
    (Cone(10.0, 20.0, 30.0, 2.0, 8.0), 10 * pi * (700 - 84)),
    (Sphere(20.0, 10.0), 4 / 3 * pi * 7000),
    (Frustum((20.0, 24.0), (10.0, 30.0), 30.0), 30 / 6 * (2 * 480 + 600 + 240 + 2 * 300)),
    (Prism(L_SHAPE, 30.0), 30 * (160 + 72)),
    (Polycone((0.0, 10.0, 10.0, 30.0), (10.0, 10.0, 20.0, 5.0), (2.0,) * 4), pi * (1000 + 20 / 3 * 525 - 120)),
    (Polycone((30.0, 10.0, 10.0, 0.0), (5.0, 20.0, 10.0, 10.0), (2.0,) * 4), pi * (1000 + 20 / 3 * 525 - 120)),
    (Union(Box((20.0, 20.0, 20.0)), Box((20.0, 20.0, 20.0)), Placement((10.0, 0.0, 0.0))), 12_000.0),
    (Intersection(Sphere(20.0), Sphere(20.0), Placement((20.0, 0.0, 0.0))), pi * 100 * 400 / 12),
    (Difference(Box((20.0, 20.0, 20.0)), Tube(4.0, 30.0), TURNED), None),
]


def rays_through(low: NDArray[np.float64], high: NDArray[np.float64], along: int, each: int) -> tuple[Rays, float]:
    """Return a grid of parallel rays through a box, and the area of its cells."""
    a, b = (axis for axis in range(3) if axis != along)
    places = (np.arange(each) + 0.5) / each
    origin = np.zeros((each * each, 3))
    origin[:, along] = low[along] - 3.0
    origin[:, a] = np.repeat(low[a] + places * (high - low)[a], each)
    origin[:, b] = np.tile(low[b] + places * (high - low)[b], each)
    return Rays(origin, np.tile(np.eye(3)[along], (len(origin), 1))), float((high - low)[[a, b]].prod()) / each**2


@pytest.mark.parametrize(("shape", "volume"), SHAPES)
def test_chords_fill_the_volume_along_every_axis(shape: Shape, volume: float | None) -> None:
    """A grid of 150 x 150 rays: 0.5 % of the volume, whatever the axis."""
    found = []
    for along in range(3):
        rays, area = rays_through(*own_box(shape), along, 150)
        found.append(lengths(chords(shape, rays)).sum() * area)
    assert found == pytest.approx([volume or found[0]] * 3, rel=5e-3)


@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
def test_places_on_rays_are_where_the_packed_scene_has_them(shape: Shape) -> None:
    """Middles of chords are inside, 0.001 mm beyond their ends outside, by the code that particles are tracked with."""
    numbers = np.random.default_rng(4)
    direction = numbers.normal(size=(400, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    low, high = own_box(shape)
    rays = Rays(low + numbers.random((400, 3)) * (high - low) - 100 * direction, direction)
    bounds = chords(shape, rays)
    tables = pack_scene([Part("it", shape, None)], (0, 0.0), {}, None, Rigid.identity()).tables
    length, middle = longest(bounds)
    met = length > 0.01
    assert met.sum() > 100
    assert (parts_at(tables, rays.at(middle)[met] / 10) == 0).all()
    for column, beyond in ((0, -1e-3), (1, 1e-3)):
        ends = bounds[np.arange(400), 2 * np.argmax(lengths(bounds), axis=1) + column][met]
        finite = np.where(bounds < np.inf, bounds, 1e6 * np.arange(1, bounds.shape[1] + 1))
        clear = (np.diff(finite, axis=1)[met] > 0.01).all(axis=1)
        assert (parts_at(tables, (rays.some(met).at(ends + beyond) / 10)[clear]) != 0).all()


def test_rays_along_a_face_and_through_corners_have_pairs_of_bounds() -> None:
    outline = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 5.0), (0.0, 10.0)])
    origin = np.array([(-5.0, 5.0, 0.0), (-5.0, 0.0, 0.0), (-5.0, 10.0, 0.0), (5.0, 2.0, -9.0), (5.0, 7.0, -9.0)])
    direction = np.array([(1.0, 0.0, 0.0)] * 3 + [(0.0, 0.0, 1.0)] * 2)
    bounds = chords(Prism(outline, 4.0), Rays(origin, direction))
    assert lengths(bounds).sum(axis=1)[[0, 3, 4]] == pytest.approx([10.0, 4.0, 0.0])
    assert bounds.shape[1] % 2 == 0
