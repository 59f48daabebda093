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


def test_the_sites_factor_multiplies_both_doses_and_not_the_uncertainty() -> None:
    plain, corrected = (
        scaled(image(1e-10, 0), image(2e-10, 0), image(0.02, 0.0), Scale(1e9, 5, factor)) for factor in (1.0, 0.97)
    )
    for one in ("to_water", "to_medium"):
        ratio = getattr(corrected, one).values.ravel()[0] / getattr(plain, one).values.ravel()[0]
        assert ratio == pytest.approx(0.97)
    assert np.array_equal(corrected.uncertainty.values, plain.uncertainty.values, equal_nan=True)


def test_the_physical_dose_is_that_to_water_or_to_medium_as_asked() -> None:
    for dose_to, physical, other in (("water", 1, 2), ("medium", 2, 1)):
        dose = FinalDose(image(1, 1), image(2, 2), image(0.1, 0.1), dose_to)
        assert (dose.physical.values[0, 0, 0], dose.other.values[0, 0, 0]) == (physical, other)
        assert plan_dose([dose, dose]).physical.values[0, 0, 0] == 2 * physical
    with pytest.raises(InputError, match="cannot be added"):
        plan_dose([FinalDose(image(1, 1), image(2, 2), image(0.1, 0.1), to) for to in ("water", "medium")])


def test_outside_there_is_no_dose_and_no_uncertainty() -> None:
    dose = FinalDose(image(1, 2), image(3, 4), image(0.1, 0.2), "medium").within(np.array([[[True, False]]]))
    assert dose.to_water.values.ravel() == pytest.approx([1, 0])
    assert dose.to_medium.values.ravel() == pytest.approx([3, 0])
    assert np.isnan(dose.uncertainty.values[0, 0, 1])
    assert dose.dose_to == "medium"


@pytest.mark.parametrize("values", [(0.0, 5), (np.nan, 5), (-1.0, 5), (1e9, 0), (1e9, 5, 0.0), (1e9, 5, np.inf)])
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
