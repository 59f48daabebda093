"""Voxels that speak for a dose: in the patient, and no air."""

import numpy as np

from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.workflow.postprocess.body import body_on

GRID = Grid((8, 6, 4), (2.0, 2.0, 2.0), (-7.0, -5.0, -3.0))


def voxels(density: np.ndarray) -> Voxels:
    return Voxels.on_grid(GRID, np.zeros(GRID.array_shape, np.uint8), density.astype(np.float32), [named("G4_WATER")])


def left_half() -> Structure:
    square = [(-8.0, -6.0), (0.0, -6.0), (0.0, 6.0), (-8.0, 6.0)]
    return Structure(1, "Skin", "EXTERNAL", tuple(np.array([(x, y, z) for x, y in square]) for z in GRID.centres_mm(2)))


def test_air_and_what_lies_outside_do_not_count() -> None:
    density = np.ones(GRID.array_shape)
    density[:, 2, :] = 0.0012
    body = body_on(GRID, voxels(density), left_half())
    expected = np.zeros(GRID.array_shape, bool)
    expected[:, :, :4] = True
    expected[:, 2, :] = False
    assert np.array_equal(body.where, expected)
    assert body.words == "voxels of at least 0.1 g/cm3 inside Skin (EXTERNAL)"
    doses = body.of(Image(GRID, np.full(GRID.array_shape, 3.0))).values
    assert np.array_equal(np.isfinite(doses), expected)
    assert np.array_equal(body_on(GRID, voxels(density), None).where, density > 0.1)


def test_where_there_is_only_air_everything_counts() -> None:
    body = body_on(GRID, voxels(np.full(GRID.array_shape, 0.0012)), None)
    assert body.where.all()
    assert "only air" in body.words
