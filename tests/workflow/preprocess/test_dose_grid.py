"""The dose grid: the planning system's, 2 mm, counts, or the CT's."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.workflow.preprocess.dose_grid import GridWishes, counted, dose_grid, spaced, too_fine

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
    assert dose_grid(TPS, BOX, GridWishes(), ct=True).grid == TPS
    alone = dose_grid(None, BOX, GridWishes(), ct=True)
    assert "2 mm" in alone.sentence
    assert alone.sentence.endswith("gamma is left out (5 x 15 x 38 voxels of 2 x 2 x 2 mm).")
    for asked in (GridWishes((2, 2, 2)), GridWishes(full_ct_grid=True)):
        assert "gamma is left out" in dose_grid(None, BOX, asked, ct=True).sentence
        assert "gamma" not in dose_grid(TPS, BOX, asked, ct=True).sentence
    assert dose_grid(TPS, BOX, GridWishes((2, 2, 2)), ct=True).grid == counted(TPS, (2, 2, 2))
    assert dose_grid(TPS, BOX, GridWishes(full_ct_grid=True), ct=True).grid == BOX
    with pytest.raises(InputError, match="no CT"):
        dose_grid(TPS, BOX, GridWishes(full_ct_grid=True), ct=False)


def test_the_grid_of_a_phantom_beats_that_of_the_planning_system() -> None:
    own = Grid((4, 4, 4), (2, 2, 2), (1, 1, 1))
    found = dose_grid(TPS, BOX, GridWishes(), ct=False, own=own)
    assert found.grid == own
    assert "the phantom's own dose grid" in found.sentence
    assert dose_grid(TPS, BOX, GridWishes((2, 2, 2)), ct=False, own=own).grid == counted(own, (2, 2, 2))


def test_counts_may_not_ask_for_voxels_below_the_least_size() -> None:
    with pytest.raises(InputError) as refused:
        dose_grid(TPS, BOX, GridWishes((5, 40, 5), least_mm=0.5), ct=True)
    said = str(refused.value)
    assert "would be 3 x 0.375 x 3 mm; the site's least size is 0.5 mm" in said
    assert "Given: 5 40 5. Allowed: at most 30 30 30." in said
    assert too_fine(TPS, (30, 30, 30), 0.5) is None
    assert too_fine(TPS, (31, 30, 30), 0.5) is not None
