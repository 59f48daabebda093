"""From sums to Gy, and what is said when the energy does not add up."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring import deposit
from dosewright.scoring.statistics import BatchSums
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.simulation.result import Result, account_warnings, dose_per_primary, energy_account
from dosewright.sources import emit
from dosewright.sources.emit import Source

SHAPE = (3, 2, 1)  # z, y, x


def _problem() -> Problem:
    nothing = np.zeros(0)
    source = Source(emit.RECTANGLE, np.zeros((0, 13)), np.ones(3), np.array([60.0, 0.0]), nothing, nothing, nothing)
    edges = (np.array([0.0, 10.0]), np.array([0.0, 10.0, 30.0]), np.array([0.0, 10.0, 20.0, 50.0]))
    density = np.ones(SHAPE, np.float32)
    return phantom_problem(
        voxels=Voxels(edges, Rigid.identity(), np.zeros(SHAPE, np.uint8), density, (named("G4_WATER"),)),
        source=source,
        weights=np.ones(1),
        to_patient=Rigid.identity(),
        settings=TransportSettings(),
    )


def _sums() -> BatchSums:
    sums = BatchSums.empty(6)
    sums.add(np.array([6.0, 6.0, 0.0, 0.0, 0.0, 12.0]), 2)
    return sums


def test_dose_is_energy_over_mass_per_primary() -> None:
    dose = dose_per_primary(_sums(), _problem())
    assert dose.shape == SHAPE
    # 3 MeV per primary in 1 g and in 2 g, 6 MeV in 6 g; 1 MeV/g = 1.602176634e-10 Gy.
    assert dose[0, 0, 0] == pytest.approx(3 * 1.602176634e-10)
    assert dose[0, 1, 0] == pytest.approx(1.5 * 1.602176634e-10)
    assert dose[2, 1, 0] == pytest.approx(1.0 * 1.602176634e-10)
    assert dose[1, 0, 0] == 0.0


def test_without_mass_there_is_no_dose() -> None:
    problem = _problem()
    mass = problem.mass_g.copy()
    mass[0, 0, 0] = 0.0
    assert dose_per_primary(_sums(), replace(problem, mass_g=mass))[0, 0, 0] == 0.0


def _account(**rows: float) -> np.ndarray:
    account = np.zeros(deposit.ACCOUNT_ROWS)
    for name, value in rows.items():
        account[getattr(deposit, name)] = value
    return account


def test_the_account_is_per_primary_and_closes() -> None:
    account = _account(STARTED=1000.0, DEPOSITED=700.0, BEFORE_PATIENT=100.0, ESCAPED=50.0, NEUTRAL=90.0, BINDING=80.0,
                       ROULETTE=-20.0)  # fmt: skip
    energy = energy_account(account, 10)
    assert energy == pytest.approx(
        {
            "started": 100.0,
            "deposited": 70.0,
            "before_patient": 10.0,
            "escaped": 5.0,
            "neutral": 9.0,
            "binding": 8.0,
            "russian_roulette": -2.0,
            "residual": 0.0,
        }
    )
    assert account_warnings(account, 10) == ()


def test_a_balance_that_does_not_close_is_said() -> None:
    (said,) = account_warnings(_account(STARTED=1000.0, DEPOSITED=999.0), 10)
    assert "misses 0.1 of 100 MeV per primary" in said
    assert account_warnings(_account(STARTED=1000.0, DEPOSITED=1001.0), 10) != ()
    assert account_warnings(_account(STARTED=1000.0, DEPOSITED=1000.0 - 1e-3), 10) == ()


def test_histories_that_were_cut_short_are_said() -> None:
    (said,) = account_warnings(_account(STARTED=1.0, DEPOSITED=1.0, CAPPED_HISTORIES=3.0), 10)
    assert said.startswith("3 histories were cut short")


GRID = Grid((1, 2, 3), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))


def _result(grid: Grid | None) -> Result:
    dose = np.arange(6.0).reshape(SHAPE)
    return Result(dose, None, dose / 10, grid, 100, 20, 1.0, True, {}, 1.0, 4.0, 0.0, ())


def test_doses_are_images_on_the_scored_grid() -> None:
    result = _result(GRID)
    assert result.dose.grid == GRID
    np.testing.assert_array_equal(result.dose.values, result.dose_Gy)
    np.testing.assert_array_equal(result.uncertainty.values, result.relative_uncertainty)
    assert result.histories_per_cpu_second == 25.0


def test_uneven_voxels_make_no_image() -> None:
    with pytest.raises(ValueError, match="no regular grid"):
        _ = _result(None).dose
