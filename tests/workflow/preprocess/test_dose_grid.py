"""The dose grid: the planning system's, 2 mm, counts, or the CT's."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.workflow.preprocess.dose_grid import counted, dose_grid, spaced

BOX = Grid((10, 20, 30), (1.0, 1.5, 2.5), (-5, 7, 9), rotation_about("z", 30))
TPS = Grid((5, 5, 5), (3, 3, 3), (0, 0, 0))


def test_counts_keep_the_box() -> None:
    grid = counted(BOX, (4, 7, 9))
    assert grid.shape == (4, 7, 9)
    assert np.allclose(grid.corners_mm(), BOX.corners_mm())


def test_a_spacing_covers_the_box_evenly() -> None:
    grid = spaced(BOX, 2.0)
    assert grid.shape == (5, 15, 38)
    assert grid.spacing_mm == (2, 2, 2)
    assert np.allclose(grid.corners_mm().mean(axis=0), BOX.corners_mm().mean(axis=0))


def test_the_choice_and_its_sentence() -> None:
    assert dose_grid(TPS, BOX, voxel_counts=None, full_ct_grid=False, ct=True).grid == TPS
    alone = dose_grid(None, BOX, voxel_counts=None, full_ct_grid=False, ct=True)
    assert "2 mm" in alone.sentence
    assert alone.sentence.endswith("gamma is left out (5 x 15 x 38 voxels of 2 x 2 x 2 mm).")
    for asked in ({"voxel_counts": (2, 2, 2), "full_ct_grid": False}, {"voxel_counts": None, "full_ct_grid": True}):
        assert "gamma is left out" in dose_grid(None, BOX, **asked, ct=True).sentence  # type: ignore[arg-type]
        assert "gamma" not in dose_grid(TPS, BOX, **asked, ct=True).sentence  # type: ignore[arg-type]
    assert dose_grid(TPS, BOX, voxel_counts=(2, 2, 2), full_ct_grid=False, ct=True).grid == counted(TPS, (2, 2, 2))
    assert dose_grid(TPS, BOX, voxel_counts=None, full_ct_grid=True, ct=True).grid == BOX
    with pytest.raises(InputError, match="no CT"):
        dose_grid(TPS, BOX, voxel_counts=None, full_ct_grid=True, ct=False)
