"""Materials and Hounsfield tables are valid once built."""

import math

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.matter import HounsfieldTable, Material

WATER = Material("water", 1.0, {8: 8.0, 1: 1.0})
AIR = Material("air", 0.0012, {7: 1.0})


def test_mass_fractions_are_normalised_and_sorted() -> None:
    assert list(WATER.mass_fractions) == [1, 8]
    assert WATER.mass_fractions == pytest.approx({1: 1 / 9, 8: 8 / 9})


def test_absent_elements_are_dropped() -> None:
    assert Material("m", 1.0, {1: 0.0, 6: 2.0}).mass_fractions == {6: 1.0}


@pytest.mark.parametrize("fractions", [{}, {1: 0.0}, {1: -0.1, 8: 1.1}])
def test_bad_fractions_are_refused(fractions: dict[int, float]) -> None:
    with pytest.raises(InputError, match="'odd' needs positive mass fractions"):
        Material("odd", 1.0, fractions)


@pytest.mark.parametrize("density", [0.0, -1.0, math.inf, math.nan])
def test_bad_densities_are_refused(density: float) -> None:
    with pytest.raises(InputError, match="'odd' needs a positive density"):
        Material("odd", density, {1: 1.0})


def _table(
    hu: list[float], density: list[float], lower: list[float], materials: tuple[Material, ...]
) -> HounsfieldTable:
    return HounsfieldTable("t", np.array(hu), np.array(density), np.array(lower), None, materials)


def test_a_sound_table_is_taken() -> None:
    table = _table([-1000, 0], [0.0012, 1.0], [-1000, -500], (AIR, WATER))
    assert table.materials == (AIR, WATER)


@pytest.mark.parametrize(
    ("hu", "density", "lower", "materials", "says"),
    [
        ([-1000, 0], [0.1, 1], [-1000], (AIR, WATER), "one material per HU interval"),
        ([-1000, 0], [0.1, 1], [], (), "one material per HU interval"),
        ([0, -1000], [1, 0.1], [-1000], (WATER,), "ascending"),
        ([-1000, 0], [0.1, 1], [0, 0], (AIR, WATER), "ascending"),
        ([-1000, 0], [0.1], [-1000], (WATER,), "one positive density"),
        ([-1000, 0], [0.0, 1], [-1000], (WATER,), "one positive density"),
    ],
)
def test_unsound_tables_are_refused(
    hu: list[float], density: list[float], lower: list[float], materials: tuple[Material, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        _table(hu, density, lower, materials)
