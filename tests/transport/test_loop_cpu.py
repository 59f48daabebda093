"""Histories many at a time: each is what it would be alone, and all energy is accounted for."""

import numpy as np
import pytest

from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.scoring import deposit as account
from dosewright.scoring.deposit import empty_tally
from dosewright.transport.loop_cpu import empty_room, run_histories

from .flights import pencil_problem, run, water_and_bone

ENERGY_MEV = 90.0
PROBLEM = pencil_problem(water_and_bone(), ENERGY_MEV, let=True)
TOGETHER = 1000
SEED = np.uint64(3)
PARTS = ("energy", "energy_to_water", "let", "account")


def test_a_history_does_not_depend_on_its_neighbours_or_their_order() -> None:
    """A thousand at once are the sum of each one alone, run in a shuffled order in a room used before."""
    together = run(PROBLEM, TOGETHER)
    alone, room = empty_tally(PROBLEM.scoring, 1200), empty_room()
    for number in np.random.default_rng(1).permutation(TOGETHER):
        run_histories(PROBLEM, np.uint64(number), np.zeros(1, np.int64), SEED, alone, room)
    for part in PARTS:
        got, wanted = getattr(alone, part), getattr(together, part)
        assert np.count_nonzero(wanted) > 0, part
        np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-11, err_msg=part)


def test_the_same_run_gives_the_same_bits() -> None:
    for part, again in zip(run(PROBLEM, 300), run(PROBLEM, 300), strict=True):
        np.testing.assert_array_equal(part, again)


def test_other_seeds_and_other_numbers_are_other_histories() -> None:
    runs = [run(PROBLEM, 10), run(PROBLEM, 10, seed=4), run(PROBLEM, 10, seed=3 + 2**32), run(PROBLEM, 10, first=10),
            run(PROBLEM, 10, first=2**32)]  # fmt: skip
    assert len({r.energy.tobytes() for r in runs}) == len(runs)


@pytest.mark.parametrize("histories", [0, 1, 63, 64, 65, 200])
def test_as_many_start_as_are_asked_for(histories: int) -> None:
    tally = run(PROBLEM, histories)
    assert tally.account[account.STARTED] == pytest.approx(histories * ENERGY_MEV)
    assert tally.account[account.CAPPED_HISTORIES] == 0


@pytest.mark.parametrize("energy", [90.0, 180.0, 250.0])
def test_energy_balances_to_a_ten_millionth(energy: float) -> None:
    """Single precision and all, with nuclear interactions, on protons that stop and on protons that leave."""
    tally = run(pencil_problem(water_and_bone(), energy), 5000)
    parts = tally.account[account.DEPOSITED : account.BINDING + 1]
    assert parts.sum() == pytest.approx(tally.account[account.STARTED], rel=1e-7)
    assert tally.energy.sum() == pytest.approx(tally.account[account.DEPOSITED], rel=1e-12)


def test_dose_to_water_is_the_same_in_water_and_more_in_bone() -> None:
    tally = run(PROBLEM, 2000)
    energy, to_water = (a.reshape(12, 10, 10) for a in (tally.energy, tally.energy_to_water))
    water = np.r_[0:4, 6:12]
    np.testing.assert_allclose(to_water[water], energy[water], rtol=1e-6)
    ratio = to_water[4:6].sum() / energy[4:6].sum()
    assert ratio == pytest.approx(1.115, abs=0.02), "ratio of mass stopping powers of water and cortical bone"


def test_let_in_water_is_the_stopping_power() -> None:
    """Of protons in the first 5 mm, which lose 4 MeV: both averages to 0.5 %, and nothing where no proton has been."""
    tally = run(pencil_problem(water_and_bone(), ENERGY_MEV, let=True, processes_off=("nuclear",)), 2000)
    sums = tally.let.reshape(12, 10, 10, account.LET_COLUMNS)[0].sum(axis=(0, 1))
    wanted = float(proton_mass_stopping_power(named("G4_WATER"), np.array(ENERGY_MEV - 2.0)))
    assert sums[account.LET_PATH] == pytest.approx(2000 * 0.5, rel=0.002)
    assert sums[account.LET_PATH_LET] / sums[account.LET_PATH] == pytest.approx(wanted, rel=5e-3)
    assert sums[account.LET_ENERGY_LET] / sums[account.LET_ENERGY] == pytest.approx(wanted, rel=5e-3)
    assert sums[account.LET_ENERGY] == pytest.approx(tally.energy.reshape(12, -1)[0].sum())
    assert not tally.let.reshape(-1, account.LET_COLUMNS)[tally.energy == 0].any()


def test_scoring_less_changes_nothing_of_the_rest() -> None:
    plain = run(pencil_problem(water_and_bone(), ENERGY_MEV, dose_to_water=False), 500)
    full = run(PROBLEM, 500)
    np.testing.assert_array_equal(plain.energy, full.energy)
    np.testing.assert_array_equal(plain.account, full.account)
