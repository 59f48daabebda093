"""A modulator wheel that turns is its thicknesses in their shares of a turn."""

import numpy as np
import pytest

from dosewright.core.modules import RangeModulator
from dosewright.geometry.modules.build import parts_of
from dosewright.scoring import deposit as account
from dosewright.scoring.deposit import Tally
from tests.transport.scene.proton_scenes import PMMA, pencil, problem_of, run, slab, water

ENERGY_MEV, AT_MM, LOWER_MM = 120.0, 80.0, -60.0  # downstream face of all thicknesses
THICKNESS_MM, WEIGHTS = (15.0, 30.0, 45.0), (0.2, 0.25, 0.3)  # a quarter of a turn is open
SOURCE = pencil(ENERGY_MEV, -200.0, x_mm=AT_MM)


def _through_wheel(blades: int, protons: int) -> Tally:
    wheel = RangeModulator(
        "wheel", hub_inner_mm=5.0, hub_outer_mm=20.0, outer_mm=140.0, blades=blades, thickness_mm=THICKNESS_MM,
        weights=WEIGHTS, material=PMMA, centre_mm=(0.0, 0.0, LOWER_MM - THICKNESS_MM[-1] / 2),
    )  # fmt: skip
    return run(problem_of(parts_of(wheel), water(120.0), SOURCE), protons)


def _by_depth(tally: Tally, histories: int) -> np.ndarray:
    """Energy per proton in blocks of 20 mm, MeV."""
    return tally.energy.reshape(-1, 20).sum(axis=1) / histories


def _weighted_sum(protons: int) -> np.ndarray:
    """Dose behind plates of fixed thickness, and none, each by its share of a turn."""
    total = np.zeros(6)
    for seed, (thickness, weight) in enumerate(zip((0.0, *THICKNESS_MM), (1 - sum(WEIGHTS), *WEIGHTS), strict=True)):
        parts = (slab("plate", PMMA, LOWER_MM - thickness, LOWER_MM),) if thickness else ()
        total += weight * _by_depth(run(problem_of(parts, water(120.0), SOURCE), protons, seed=20 + seed), protons)
    return total


def _compare(turning: int, fixed: int, by_depth: float, whole: float) -> None:
    """Dose every two centimetres to the end of the range, and the whole.

    The sides of blades, through which protons scatter out, are met in 1 % of a turn and matter for few of those.
    """
    tally, wanted = _through_wheel(3, turning), _weighted_sum(fixed)
    got = _by_depth(tally, turning)
    deep = wanted > 0.2 * wanted.max()
    assert deep.sum() >= 5
    np.testing.assert_allclose(got[deep], wanted[deep], rtol=by_depth)
    assert got.sum() == pytest.approx(wanted.sum(), rel=whole)
    assert tally.account[account.CAPPED_HISTORIES] == 0
    spent = tally.account[account.DEPOSITED : account.BINDING + 1].sum()
    assert spent == pytest.approx(tally.account[account.STARTED], rel=2e-7)


def test_a_turning_wheel_is_the_weighted_sum_of_its_thicknesses() -> None:
    """Dose by depth to 3 %, the whole to 1 %; statistics 1 % and 0.3 %."""
    _compare(50_000, 15_000, 0.03, 0.01)


@pytest.mark.slow
def test_a_turning_wheel_is_the_weighted_sum_of_its_thicknesses_precisely() -> None:
    """Dose by depth to 1 %, the whole to 0.5 %; shares of a turn are met to 0.3 %, doses behind plates to 0.2 %."""
    _compare(400_000, 60_000, 0.01, 5e-3)
