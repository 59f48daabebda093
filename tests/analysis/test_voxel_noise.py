"""The noise of a dose: its size, its correlation, drawings of it."""

import numpy as np
import pytest

from dosewright.analysis.voxel_noise import correlated_normal, pooled_sigma, voxel_noise
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image

GRID = Grid((32, 30, 28), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))


def field():
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID.array_shape), indexing="ij")
    return 60.0 * np.exp(-(x**2 + y**2 + z**2))


@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.8, 0.3, 0.0), (0.2, 0.5, 0.9)])
def test_drawn_noise_has_unit_size_and_the_asked_correlation(correlation):
    drawn = correlated_normal((60, 60, 60), correlation, np.random.default_rng(1))
    assert drawn.std() == pytest.approx(1.0, abs=0.05)
    for axis, wanted in zip((2, 1, 0), correlation, strict=True):
        there, here = (np.moveaxis(drawn, axis, 0)[part] for part in (slice(1, None), slice(-1)))
        assert np.mean(there * here) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.8, 0.3, 0.3)])
def test_size_and_correlation_are_measured_from_ten_batches(correlation):
    random, true = np.random.default_rng(2), field()
    sigma = 0.02 * np.sqrt(true * true.max())
    batches = [true + np.sqrt(10) * sigma * correlated_normal(true.shape, correlation, random) for _ in range(10)]
    mean = np.mean(batches, axis=0)
    relative = np.std(batches, axis=0, ddof=1) / np.sqrt(10) / mean
    planned = Image(GRID, 1.01 * true)
    found = voxel_noise(Image(GRID, mean), Image(GRID, relative), planned)
    high = true > 20
    assert (found.sigma_Gy / sigma)[high].mean() == pytest.approx(1.0, abs=0.03)
    assert (found.sigma_Gy / sigma)[high].std() < 0.6 * (relative * mean / sigma)[high].std()
    assert found.correlation == pytest.approx(correlation, abs=0.06)
    draws = np.stack([found.draw(random)[high] for _ in range(20)])
    assert draws.std() == pytest.approx(sigma[high].mean(), rel=0.05)


def test_where_nothing_is_known_there_is_no_noise():
    dose = field()
    dose[:10] = 0.0
    relative = np.full(dose.shape, 0.05)
    relative[-8:] = 0.0
    sigma = pooled_sigma(dose, relative)
    assert not sigma[:10].any()
    assert not sigma[-6:].any()
    np.testing.assert_allclose(sigma[12:18] / dose[12:18], 0.05, rtol=0.02)


def test_images_must_share_a_grid():
    moved = Image(Grid(GRID.shape, GRID.spacing_mm, (1.0, 0.0, 0.0)), field())
    with pytest.raises(InputError):
        voxel_noise(Image(GRID, field()), moved, moved)
