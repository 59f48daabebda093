"""160 leaves with tongues, grooves and round tips: where they are, and what they cost."""

import time

import numpy as np
import pytest
from benchmarks.scene_rays import head, leaves, packed, photons
from tests.geometry.scene.inside import inside

from dosewright.core.scene import Part
from dosewright.geometry.scene.rays import lengths_in_parts, parts_at
from dosewright.geometry.scene.trace import SceneTables


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    return head() + leaves(40, 60.0)


@pytest.fixture(scope="module")
def tables(parts: list[Part]) -> SceneTables:
    return packed(parts)[0]


def test_points_lie_in_the_leaves_that_hold_them(parts: list[Part], tables: SceneTables) -> None:
    rng = np.random.default_rng(1)
    points = np.column_stack(
        [rng.uniform(-90, 90, 20_000), rng.uniform(-20, 20, 20_000), rng.uniform(455, 545, 20_000)]
    )
    found = parts_at(tables, points / 10)
    held = np.full(len(points), len(parts))
    for index, part in enumerate(parts):
        own = (points - np.array(part.placement.centre_mm)) @ part.placement.rotation
        held[inside(part.shape, own)] = index
    assert np.array_equal(np.where(found < 0, len(parts), found), held)
    assert np.sum(held < len(parts)) > 2000


def test_photons_in_the_opening_meet_no_leaf_and_cost_little_more(tables: SceneTables) -> None:
    """At most three times an open field, on processor time; measured is 1.1."""
    rays = photons(100.0, 180.0)[:30_000]
    without = packed(head())[0]
    times = np.empty((5, 2))
    for k in range(5):
        for column, scene in enumerate((tables, without)):
            start = time.process_time()
            lengths, boundaries = lengths_in_parts(scene, rays)
            times[k, column] = time.process_time() - start
            assert np.all(boundaries == 8)
            assert lengths[3:-1].sum() == 0.0
    assert np.min(times[:, 0]) < 3.0 * np.min(times[:, 1])


def test_paths_in_leaves_are_those_of_points_on_the_rays(tables: SceneTables) -> None:
    rays = photons(200.0, 40.0)[:4000]
    lengths, _ = lengths_in_parts(tables, rays)
    there = np.random.default_rng(2).uniform(45.0, 57.0, (4000, 200, 1))  # from the focus, through all leaves
    found = parts_at(tables, rays[:, None, :3] + there * rays[:, None, 3:])
    in_leaves = 12.0 * np.mean((found >= 3) & (found < tables.parts), axis=1)
    error = 6.0 / np.sqrt(4000 * 200)  # a point is worth 0 or 12 cm
    assert np.mean(in_leaves) == pytest.approx(lengths[3:-1].sum() / 4000, abs=4 * error)
    assert np.mean(in_leaves) > 1.0
