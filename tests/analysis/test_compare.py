"""Ratios that a normalisation must not hide."""

import numpy as np
import pytest

from dosewright.analysis.compare import (
    Histories,
    difference,
    high_dose_ratio,
    mean_ratios,
    normalised,
    relative_bound,
    robust_maximum,
)
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image

GRID = Grid((30, 28, 26), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
RNG = np.random.default_rng(12)


def field():
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID.array_shape), indexing="ij")
    return 60.0 * np.exp(-2 * (x**2 + y**2 + z**2))


def test_a_wrong_absolute_dose_is_seen_and_its_shape_restored():
    reference = Image(GRID, field())
    evaluated = Image(GRID, (1.04 * field()).astype(np.float32))
    ratio = high_dose_ratio(evaluated, reference)
    assert ratio.value == pytest.approx(1.04, rel=1e-6)
    assert ratio.uncertainty is None
    assert ratio.level_Gy == pytest.approx(0.5 * robust_maximum(reference))
    assert ratio.voxels == np.count_nonzero(field() >= ratio.level_Gy)
    np.testing.assert_allclose(normalised(evaluated, reference).values, field(), rtol=1e-6)
    np.testing.assert_allclose(difference(evaluated, reference).values, 0.04 * field(), atol=1e-5)


def test_the_ratio_is_of_means_and_low_dose_does_not_count():
    values = field()
    evaluated = values.copy()
    evaluated[values < 0.4 * values.max()] *= 3.0
    assert high_dose_ratio(Image(GRID, evaluated), Image(GRID, values)).value == pytest.approx(1.0, rel=1e-12)
    region = values >= 0.5 * robust_maximum(Image(GRID, values))
    evaluated = values + RNG.uniform(0, 1, values.shape)
    expected = evaluated[region].mean() / values[region].mean()
    assert high_dose_ratio(Image(GRID, evaluated), Image(GRID, values)).value == pytest.approx(expected, rel=1e-12)


def test_the_uncertainty_matches_repeated_noise():
    """Independent noise of 5 % per voxel, drawn many times: the ratio scatters as stated."""
    values, relative = field(), Image(GRID, np.full(GRID.array_shape, 0.05))
    reference = Image(GRID, values)
    ratio = high_dose_ratio(reference, reference, relative_uncertainty=relative)
    drawn = [
        high_dose_ratio(Image(GRID, values * (1 + 0.05 * RNG.normal(size=values.shape))), reference).value
        for _ in range(400)
    ]
    assert ratio.uncertainty == pytest.approx(np.std(drawn), rel=0.12)
    assert ratio.uncertainty_correlated == pytest.approx(0.05, rel=1e-9)


def test_the_bound_holds_and_is_reached():
    """Histories that leave all or nothing scatter as the bound says; others less."""
    primaries, energy = 2000, 100.0
    all_or_nothing = RNG.random((400, primaries)) < 0.3
    evenly = RNG.uniform(0.0, 60.0, (400, primaries))
    for left, reached in ((energy * all_or_nothing, True), (evenly, False)):
        totals = left.sum(axis=1)
        scatter = totals.std() / totals.mean()
        bound = relative_bound([Histories(1.0, primaries, float(left.mean()), energy)])
        assert scatter < 1.1 * bound
        assert (scatter > 0.9 * bound) == reached


def test_bounds_of_beams_add_in_quadrature():
    one, other = Histories(3.0, 1000, 25.0, 100.0), Histories(1.0, 4000, 50.0, 100.0)
    expected = np.hypot(3 * np.sqrt(3 / 1000), np.sqrt(1 / 4000)) / 4
    assert relative_bound([one, other]) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(relative_bound([]))
    assert np.isnan(relative_bound([Histories(1.0, 0, 1.0, 2.0)]))
    assert np.isnan(relative_bound([Histories(1.0, 10, 0.0, 2.0)]))


def test_one_hot_voxel_does_not_set_the_level():
    values = field()
    values[0, 0, 0] = 10_000.0
    assert robust_maximum(Image(GRID, values)) == pytest.approx((10_000 + 99 * 57) / 100, rel=0.05)
    assert robust_maximum(Image(GRID, np.zeros(GRID.array_shape))) == 0.0


def test_mean_ratios_per_structure():
    values = field()
    evaluated = values * 1.02
    evaluated[:13] *= 1.1
    lower, upper = np.zeros(values.shape, np.float32), np.zeros(values.shape, np.float32)
    lower[:13], upper[13:] = 0.5, 0.25
    empty = np.zeros(values.shape, np.float32)
    ratios = mean_ratios(Image(GRID, evaluated), Image(GRID, values), {"a": lower, "b": upper, "none": empty})
    assert ratios["a"] == pytest.approx(1.122)
    assert ratios["b"] == pytest.approx(1.02)
    assert np.isnan(ratios["none"])


def test_refusals():
    dose = Image(GRID, field())
    moved = Image(Grid(GRID.shape, GRID.spacing_mm, (1.0, 0.0, 0.0)), field())
    for work in (
        lambda: high_dose_ratio(dose, moved),
        lambda: difference(dose, moved),
        lambda: high_dose_ratio(dose, dose, 0.0),
        lambda: high_dose_ratio(dose, Image(GRID, np.zeros(GRID.array_shape))),
        lambda: mean_ratios(dose, dose, {"a": np.zeros(3)}),
    ):
        with pytest.raises(InputError):
            work()
