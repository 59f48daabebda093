"""Every way to reduce variance against none, in heads with a target, a scatterer in the field and a thick jaw."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dosewright.scoring.deposit import ROULETTE, STARTED
from dosewright.simulation.reduction_settings import ReductionSettings, UniformSplitting

from .scene_runs import SceneRun, mean_and_error, run
from .small_head import BLOCK, FAR, NEAR, reduced_head

FIELD = np.s_[:, :, 3:7, 3:5]  # in the middle of the field [batch, z, y, x]
BATCHES = 40


@cache
def plain(head: str, histories: int) -> SceneRun:
    return run(reduced_head(head, ReductionSettings()), histories, batches=BATCHES, seed=11)


def quantities(result: SceneRun) -> np.ndarray:
    """Energy per part, in the water and in the middle of the field, by layer [batch, quantity]."""
    water, field = result.energy.sum((1, 2, 3)), result.energy[FIELD].sum((2, 3))
    return np.column_stack([result.parts, water, field.sum(1), field])


def agree(head: str, settings: ReductionSettings, histories: int, analogue: int, bounds: tuple[float, float]) -> None:
    """Means agree within 4 standard errors, whose size (relative) is bounded for the water and the field."""
    reduced = run(reduced_head(head, settings), histories, batches=BATCHES, seed=12)
    one, of_one = mean_and_error(quantities(plain(head, analogue)))
    other, of_other = mean_and_error(quantities(reduced))
    error = np.hypot(of_one, of_other)
    assert abs((other - one) / error).max() < 4.0, (other / one, error / one)
    assert ((other - one) ** 2 / error**2).mean() < 2.2
    parts = reduced.parts.shape[1]
    assert tuple((error / one)[parts : parts + 2] < bounds) == (True, True), (error / one)[parts : parts + 2]
    assert reduced.capped == 0
    booked, of_booked = mean_and_error(reduced.account)
    assert reduced.residual == pytest.approx(abs(booked[ROULETTE] / booked[STARTED]), abs=1e-8)
    assert abs(booked[ROULETTE]) < 4.0 * of_booked[ROULETTE] + 1e-12


@pytest.mark.parametrize(
    ("settings", "histories"),
    [
        (ReductionSettings(UniformSplitting(10), russian_roulette=10), 10_000),
        (replace(NEAR.directional(20), voxel_splitting=4), 6_000),
        (NEAR.directional(20, equal_weight=True), 6_000),
    ],
)
def test_near_the_water(settings: ReductionSettings, histories: int) -> None:
    agree("near", settings, histories, 30_000, (0.035, 0.07))


@pytest.mark.parametrize(
    ("settings", "histories"),
    [
        (ReductionSettings(russian_roulette=10), 40_000),
        (BLOCK.directional(10), 10_000),
        (BLOCK.directional(10, equal_weight=True), 10_000),
    ],
)
def test_photons_on_a_block(settings: ReductionSettings, histories: int) -> None:
    agree("block", settings, histories, 40_000, (0.06, 0.13))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "histories"),
    [
        (ReductionSettings(russian_roulette=10), 600_000),
        (BLOCK.directional(10), 80_000),
        (BLOCK.directional(10, equal_weight=True), 80_000),
    ],
)
def test_photons_on_a_block_precisely(settings: ReductionSettings, histories: int) -> None:
    agree("block", settings, histories, 600_000, (0.018, 0.04))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "histories"),
    [
        (ReductionSettings(UniformSplitting(10)), 100_000),
        (ReductionSettings(UniformSplitting(10), russian_roulette=10), 100_000),
        (ReductionSettings(russian_roulette=5), 300_000),
        (NEAR.directional(20), 50_000),
        (NEAR.directional(20, equal_weight=True), 50_000),
        (NEAR.limited(5.0), 300_000),
    ],
)
def test_near_the_water_precisely(settings: ReductionSettings, histories: int) -> None:
    agree("near", settings, histories, 300_000, (0.015, 0.033))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "histories"),
    [
        (ReductionSettings(UniformSplitting(20), russian_roulette=20), 100_000),
        (FAR.directional(50), 50_000),
        (FAR.directional(50, equal_weight=True), 50_000),
        (FAR.limited(5.0), 400_000),
    ],
)
def test_far_from_the_water(settings: ReductionSettings, histories: int) -> None:
    agree("far", settings, histories, 600_000, (0.03, 0.07))


@pytest.mark.slow
def test_directional_splitting_gains() -> None:
    """Variance per primary in the field falls nearly by n, where a thirtieth of photons goes there."""
    _, of_one = mean_and_error(quantities(plain("far", 600_000)))
    reduced = run(reduced_head("far", FAR.directional(50)), 20_000, batches=BATCHES, seed=13)
    _, of_other = mean_and_error(quantities(reduced))
    field = reduced.parts.shape[1] + 1
    assert (of_one[field] / of_other[field]) ** 2 * 600_000 / 20_000 > 15.0
