"""Histograms behind known noise: the band covers the curve without noise."""

import numpy as np
import pytest

from dosewright.analysis.dvh import structure_dvh
from dosewright.analysis.dvh_noise import noisy_dvh
from dosewright.analysis.voxel_noise import VoxelNoise
from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure

GRID = Grid((30, 30, 30), (2.5, 2.5, 2.5), (-36.25, -36.25, -36.25))


def sphere(radius, spacing):
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    heights = np.arange(-radius + spacing / 2, radius, spacing)
    rings = [np.sqrt(radius**2 - z**2) * np.stack([np.cos(angle), np.sin(angle)]) for z in heights]
    return Structure(
        1, "s", "PTV", tuple(np.column_stack([*r, np.full(180, z)]) for r, z in zip(rings, heights, strict=True))
    )


def target():
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    return 60 / (1 + np.exp((np.sqrt(x**2 + y**2 + z**2) - 24) / 2.5))


def slope():
    _, _, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    return 40 + 0.5 * x


@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.8, 0.3, 0.3)])
@pytest.mark.parametrize(("field", "radius", "spacing"), [(target, 15.0, 2.5), (slope, 15.0, 2.5), (target, 4.0, 1.0)])
def test_the_band_covers_and_the_near_maximum_is_put_right(field, radius, spacing, correlation):
    """Four drawings of 2 % noise: the true curve lies in the band of two sigma nearly everywhere."""
    true, structure = field(), sphere(radius, spacing)
    exact = structure_dvh(Image(GRID, true), structure)
    noise = VoxelNoise(GRID, 0.02 * np.sqrt(60 * np.maximum(true, 0.1)), correlation)
    covered, plain, found, sigmas = [], [], [], []
    for seed in range(4):
        dose = Image(GRID, true + noise.draw(np.random.default_rng(seed)))
        result = noisy_dvh(dose, noise, structure)
        lower, upper = result.band_cm3
        volume = np.interp(result.plain.dose_Gy, exact.dose_Gy, exact.volume_cm3_at, right=0.0)
        slack = 0.003 * exact.volume_cm3
        covered.append(np.mean((volume >= lower - slack) & (volume <= upper + slack)))
        value, sigma = result.figure(lambda curve: curve.dose_at_volume(2))
        plain.append(result.plain.dose_at_volume(2) - exact.dose_at_volume(2))
        found.append(value - exact.dose_at_volume(2))
        sigmas.append(sigma)
    assert np.mean(covered) > 0.93
    assert np.sqrt(np.mean(np.square(found))) < 2 * np.mean(sigmas)
    if field is target and radius > 5:
        assert np.mean(plain) > 0.5
        assert abs(np.mean(found)) < 0.6 * np.mean(plain)


def test_what_doses_share_moves_the_whole_curve():
    structure, none = sphere(15.0, 2.5), VoxelNoise(GRID, np.zeros(GRID.array_shape), (0.0, 0.0, 0.0))
    result = noisy_dvh(Image(GRID, slope()), none, structure, together=0.01)
    assert np.array_equal(result.without_noise.volume_cm3_at, result.plain.volume_cm3_at)
    for of in (lambda curve: curve.mean_Gy, lambda curve: curve.dose_at_volume(95)):
        value, sigma = result.figure(of)
        assert value == of(result.plain)
        assert sigma == pytest.approx(0.01 * value, rel=1e-6)
    quiet = noisy_dvh(Image(GRID, slope()), none, structure)
    assert not quiet.sigma_cm3_at.any()
