"""Pass rates without noise, where they are known; the page docs/measured/gamma_noise.md has the whole range."""

import numpy as np
import pytest

from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate, passing_doses
from dosewright.analysis.gamma_noise import noiseless_rate_searched, noiseless_rates
from dosewright.analysis.voxel_noise import VoxelNoise, correlated_normal
from dosewright.core.grid import Grid, Image

GRID = Grid((32, 32, 32), (2.5, 2.5, 2.5), (-38.75, -38.75, -38.75))
CRITERIA = GammaCriteria(2.0, 2.0, reference_dose_Gy=60.0)
LEFT = np.zeros(GRID.array_shape, bool)
LEFT[..., :16] = True


def field(shift_mm=0.0, waves=0.0):
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    inside = 1 / (1 + np.exp((np.sqrt((x - shift_mm) ** 2 + y**2 + z**2) - 28) / 2.5))
    return 60 * inside * (1 + waves * np.sin(y / 6) * np.cos(z / 5))


PLANNED = Image(GRID, field())


def with_noise(true, percent, correlation, seed):
    sigma = percent / 100 * np.sqrt(true * 60)
    drawn = correlated_normal(GRID.array_shape, correlation, np.random.default_rng(seed))
    return Image(GRID, true + sigma * drawn), VoxelNoise(GRID, sigma, correlation)


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_passing_doses_are_those_with_gamma_of_at_most_one(local, swapped):
    other = Image(GRID, field(1.5, 0.03))
    pair = (PLANNED, other) if swapped else (other, PLANNED)
    criteria = GammaCriteria(2.0, 2.0, threshold_Gy=4.0, local=local)
    points, lowest, highest = passing_doses(*pair, criteria)
    found = gamma(*pair, criteria).values.ravel()
    assert np.array_equal(points.flat, np.flatnonzero(~np.isnan(found)))
    assert np.array_equal((lowest <= points.dose_Gy) & (points.dose_Gy <= highest), found[points.flat] <= 1.0)
    assert 0.3 < np.mean(found[points.flat] <= 1.0) < 0.99


def test_a_dose_beyond_the_searched_image_has_no_passing_dose():
    half = GRID.cropped((0, 0, 0), (16, 32, 32))
    searched = Image(half, PLANNED.values[..., :16])
    points, lowest, highest = passing_doses(PLANNED, searched, CRITERIA)
    beyond = points.flat % 32 >= 16
    assert np.all(lowest[beyond] > highest[beyond])
    noise = VoxelNoise(GRID, np.full(GRID.array_shape, 0.3), (0.0, 0.0, 0.0))
    regions = {"all": np.ones_like(LEFT), "beyond": ~LEFT}
    found = noiseless_rates(PLANNED, searched, CRITERIA, noise, regions)
    assert found["beyond"].percent == 0.0
    assert found["all"].percent == pytest.approx(100 * np.mean(~beyond), abs=0.01)


@pytest.mark.parametrize(("percent", "bound"), [(1.0, 1.5), (2.0, 2.0), (3.0, 3.0)])
@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.8, 0.3, 0.3)])
def test_the_rate_without_noise_is_found(percent, bound, correlation):
    true = field(1.2, 0.025)
    truth = pass_rate(gamma(Image(GRID, true), PLANNED, CRITERIA))[0]
    noisy, noise = with_noise(true, percent, correlation, 1)
    regions = {"all": np.ones_like(LEFT), "left": LEFT, "nowhere": np.zeros_like(LEFT)}
    plain = pass_rate(gamma(noisy, PLANNED, CRITERIA))[0]
    found = noiseless_rates(noisy, PLANNED, CRITERIA, noise, regions)
    assert found["nowhere"] is None
    assert found["all"].percent == pytest.approx(truth, abs=bound)
    assert abs(found["all"].percent - truth) < 2.5 * found["all"].uncertainty
    assert plain < truth - 1.5 * percent
    assert found["left"].uncertainty > 0.5 * found["all"].uncertainty


def test_without_noise_the_rate_is_the_plain_one():
    true = Image(GRID, field(1.2, 0.025))
    plain = pass_rate(gamma(true, PLANNED, CRITERIA))[0]
    none = VoxelNoise(GRID, np.zeros(GRID.array_shape), (0.0, 0.0, 0.0))
    found = noiseless_rates(true, PLANNED, CRITERIA, none, {"all": np.ones_like(LEFT)})["all"]
    assert found.percent == pytest.approx(plain, abs=1e-6)
    assert found.uncertainty == pytest.approx(0.0, abs=1e-6)
    searched = noiseless_rate_searched(true, PLANNED, PLANNED, CRITERIA, none)
    assert searched.percent == pytest.approx(pass_rate(gamma(PLANNED, true, CRITERIA))[0], abs=1e-6)


@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.8, 0.3, 0.3)])
def test_the_rate_of_the_other_direction(correlation):
    true, criteria = field(1.2, 0.025), GammaCriteria(1.5, 1.5, reference_dose_Gy=60.0)
    truth = pass_rate(gamma(PLANNED, Image(GRID, true), criteria))[0]
    noisy, noise = with_noise(true, 2.0, correlation, 5)
    plain = pass_rate(gamma(PLANNED, noisy, criteria))[0]
    found = noiseless_rate_searched(noisy, PLANNED, PLANNED, criteria, noise)
    assert abs(found.percent - truth) < min(4.0, 2.5 * found.uncertainty)
    assert found.uncertainty > abs(found.percent - plain)


def test_too_much_noise_gives_no_rate():
    noisy, noise = with_noise(field(), 12.0, (0.0, 0.0, 0.0), 1)
    everywhere, strict = {"all": np.ones_like(LEFT)}, GammaCriteria(1.0, 1.0, reference_dose_Gy=60.0)
    assert noiseless_rates(noisy, PLANNED, strict, noise, everywhere) == {"all": None}
    assert noiseless_rate_searched(noisy, PLANNED, PLANNED, strict, noise) is None


@pytest.mark.parametrize("percent", [0.5, 1.0])
def test_a_plan_that_fails_is_not_made_to_pass(percent):
    """3 % too high everywhere: noise lets a part of the plateau pass; without noise that goes, to 5 % of the voxels."""
    true = 1.03 * field()
    plateau = field() > 57.0
    truth = pass_rate(gamma(Image(GRID, true), PLANNED, CRITERIA), plateau)[0]
    noisy, noise = with_noise(true, percent, (0.0, 0.0, 0.0), 2)
    plain = pass_rate(gamma(noisy, PLANNED, CRITERIA), plateau)[0]
    found = noiseless_rates(noisy, PLANNED, CRITERIA, noise, {"plateau": plateau})["plateau"]
    assert truth < 3.0 < 5.0 < plain
    assert found.percent < min(plain, truth + 5.0)
    assert abs(found.percent - truth) < 2.5 * found.uncertainty


def test_too_few_voxels_give_no_rate():
    few = np.zeros_like(LEFT)
    few[14:18, 14:18, 14:18] = True
    noisy, noise = with_noise(field(), 1.0, (0.0, 0.0, 0.0), 1)
    assert noiseless_rates(noisy, PLANNED, CRITERIA, noise, {"few": few}) == {"few": None}
