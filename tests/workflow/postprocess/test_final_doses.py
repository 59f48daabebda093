"""Scaling and summing of beams."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.workflow.postprocess.final_doses import FinalDose, Scale, plan_dose, scaled

GRID = Grid((2, 1, 1), (1, 1, 1), (0, 0, 0))


def image(*values: float) -> Image:
    return Image(GRID, np.array(values, np.float32).reshape(1, 1, 2))


def test_gy_per_primary_times_particles_and_fractions() -> None:
    dose = scaled(image(1e-10, 0), image(2e-10, 0), image(0.02, 0.0), Scale(1e9, 5))
    assert dose.to_water.values.ravel() == pytest.approx([0.5, 0])
    assert dose.to_medium.values.ravel() == pytest.approx([1.0, 0])
    assert dose.uncertainty.values[0, 0, 0] == pytest.approx(0.02)
    assert np.isnan(dose.uncertainty.values[0, 0, 1])


@pytest.mark.parametrize("values", [(0.0, 5), (np.nan, 5), (-1.0, 5), (1e9, 0)])
def test_impossible_scales_are_refused(values: tuple[float, int]) -> None:
    with pytest.raises(InputError):
        Scale(*values)


def test_the_plans_uncertainty_is_the_quadratic_sum() -> None:
    one = FinalDose(image(3, 0), image(3, 0), image(0.02, np.nan))
    two = FinalDose(image(4, 0), image(4, 0), image(0.02, np.nan))
    total = plan_dose([one, two])
    assert total.to_water.values[0, 0, 0] == pytest.approx(7)
    assert total.uncertainty.values[0, 0, 0] == pytest.approx(0.1 / 7)  # sqrt(0.06^2 + 0.08^2) = 0.1
    assert np.isnan(total.uncertainty.values[0, 0, 1])


def test_beams_on_different_grids_are_not_added() -> None:
    moved = Grid((2, 1, 1), (1, 1, 1), (5, 0, 0))
    other = Image(moved, np.ones((1, 1, 2), np.float32))
    with pytest.raises(InputError, match="one grid"):
        plan_dose([FinalDose(image(1, 1), image(1, 1), image(1, 1)), FinalDose(other, other, other)])
