"""Pairs of random convex bodies that overlap by a known depth, or children that reach out by one: none is missed."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.spatial.transform import Rotation

from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box, Frustum, Prism
from dosewright.geometry.scene_check.edges import edges
from dosewright.geometry.scene_check.families import overlaps, protrusions
from dosewright.geometry.scene_check.placed import place

Array = NDArray[np.float64]
PAIRS = 24  # of each depth; thousands of others were right as well


def body(random: np.random.Generator, scale: float = 1.0) -> tuple[Box | Frustum | Prism, Array, Array]:
    """Return a body with the unit normals and distances of its faces."""
    kind = random.integers(3)
    if kind == 0:
        size = random.uniform(2, 60, 3) * scale
        return Box(tuple(size.tolist())), np.vstack([np.eye(3), -np.eye(3)]), np.tile(size / 2, 2)
    if kind == 1:
        count, length = int(random.integers(3, 8)), float(random.uniform(2, 80)) * scale
        turn = 2 * np.pi * (np.arange(count) + random.uniform(0, 0.6, count)) / count
        points = (
            np.stack([np.cos(turn), random.uniform(0.2, 1.0) * np.sin(turn)], axis=1) * random.uniform(5, 30) * scale
        )
        way = np.roll(points, -1, axis=0) - points
        out = np.stack([way[:, 1], -way[:, 0]], axis=1) / np.linalg.norm(way, axis=1)[:, None]
        normals = np.vstack([np.column_stack([out, np.zeros(count)]), [[0, 0, 1], [0, 0, -1]]])
        return Prism(points, length), normals, np.append((out * points).sum(axis=1), [length / 2, length / 2])
    (a, b, c, d), length = (random.uniform(2, 40, 4) * scale).tolist(), float(random.uniform(5, 60)) * scale
    rows = [[0.0, 0.0, 1.0, length / 2], [0.0, 0.0, -1.0, length / 2]]
    for axis, (low, high) in enumerate(((a, c), (b, d))):
        for sign in (1.0, -1.0):
            row = [0.0, 0.0, (low - high) / 2 / length, (low + high) / 4]
            row[axis] = sign
            rows.append((np.array(row) / np.linalg.norm(row[:3])).tolist())
    faces = np.array(rows)
    return Frustum((a, b), (c, d), length), faces[:, :3], faces[:, 3]


def turned(random: np.random.Generator) -> Array:
    matrix: Array = Rotation.from_quat(random.normal(size=4)).as_matrix()
    return matrix if random.random() < 0.7 else np.eye(3)


@pytest.mark.parametrize("radius_mm", [0.0015, 0.01, -0.001])
def test_bodies_whose_common_part_holds_a_small_ball_overlap(radius_mm: float) -> None:
    """The ball's radius by a linear programme; negative: so far apart."""
    random = np.random.default_rng(11)
    for _ in range(PAIRS):
        (one, normals, distances), (two, others, theirs) = body(random), body(random)
        rotation, way = turned(random), random.normal(size=3)
        way /= np.linalg.norm(way)
        faces = np.vstack([normals, others @ rotation.T])

        def radius(t: float) -> float:
            rest = np.append(distances, theirs + faces[len(distances) :] @ way * t)  # noqa: B023
            found = linprog([0, 0, 0, -1], A_ub=np.column_stack([faces, np.ones(len(faces))]), b_ub=rest,  # noqa: B023
                            bounds=[(None, None)] * 4)  # fmt: skip
            return float(found.x[3])

        near, far = 0.0, 300.0
        for _ in range(36):
            middle = (near + far) / 2
            near, far = (middle, far) if radius(middle) > radius_mm else (near, middle)
        x, y, z = (way * (near if radius_mm > 0 else far)).tolist()
        placed, _ = place([Part("one", one, None), Part("two", two, None, Placement((x, y, z), rotation))])
        assert bool(overlaps(placed)) == (radius_mm > 0), (one, two, (x, y, z), rotation)


@pytest.mark.parametrize("out_mm", [0.02, 0.0, -0.01])
def test_corners_that_reach_out_of_the_parent_are_found(out_mm: float) -> None:
    random = np.random.default_rng(12)
    for _ in range(4 * PAIRS):
        (parent, normals, distances), seed = body(random), int(random.integers(1 << 30))
        child, _, _ = body(np.random.default_rng(seed))
        rotation, centre = turned(random), random.uniform(-0.3, 0.3, 3)
        corners = np.concatenate(edges(child, 0.0)) @ rotation.T
        scale = float(((distances - normals @ centre + out_mm) / (corners @ normals.T).max(axis=0)).min())
        child, _, _ = body(np.random.default_rng(seed), scale)
        x, y, z = centre.tolist()
        inside = Part("child", child, None, Placement((x, y, z), rotation), "parent")
        placed, _ = place([Part("parent", parent, None), inside])
        assert bool(protrusions(placed)) == (out_mm > 0), (parent, child, rotation)
