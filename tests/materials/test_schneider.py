"""CT protocols with a density tolerance: error, steps, compositions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.errors import InputError
from dosewright.core.matter import HounsfieldTable
from dosewright.formats.text.hounsfield import NO_CURVE, schneider_table
from dosewright.materials.elements import element
from dosewright.materials.hlut import classify, table_range
from dosewright.materials.library import named
from dosewright.materials.schneider import largest_difference_g_cm3, split, with_intervals

AIR, WATER, BONE = named("air"), named("water"), named("cortical bone")


def table_of(hu: list[float], density: list[float], lower: list[float]) -> HounsfieldTable:
    return HounsfieldTable(
        "t", np.array(hu), np.array(density), np.array(lower), None, (AIR, WATER, BONE)[: len(lower)]
    )


STRAIGHT = table_of([0, 100], [1.0, 2.0], [0, 50])


def test_a_straight_line_is_split_into_equal_steps() -> None:
    made = split(STRAIGHT, 0.1)
    assert made.lower_hu.tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 101]
    np.testing.assert_allclose(made.density_g_cm3, np.arange(1.05, 2.0, 0.1))
    got = classify(np.array([0, 9, 10, 49, 50, 100]), with_intervals(STRAIGHT, made, 0.1))
    np.testing.assert_allclose(got.density_g_cm3, [1.05, 1.05, 1.15, 1.45, 1.55, 1.95], rtol=1e-6)
    assert got.material.tolist() == [0, 0, 0, 0, 1, 1]


def test_intervals_never_cross_a_composition() -> None:
    made = split(table_of([0, 100], [1.0, 1.01], [0, 33, 34]), 10.0)
    assert made.lower_hu.tolist() == [0, 33, 34, 101]


def test_a_jump_keeps_its_own_density() -> None:
    jump = table_of([0, 10, 11, 20], [1.0, 1.0, 2.0, 2.0], [0])
    made = split(jump, 0.05)
    assert made.lower_hu.tolist() == [0, 10, 11, 21]
    np.testing.assert_allclose(made.density_g_cm3, [1.0, 1.0, 2.0])


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.001])
def test_errors_and_steps_of_schneiders_tables(shared_data: Path, tolerance: float) -> None:
    folder = shared_data / "beam-models" / "ideal-template"
    tables = [
        schneider_table("Schneider", folder / "Schneider2000DensitiesTable.txt",
                        folder / "Schneider2000MaterialsTable.txt", lambda word: element(word).Z),
        Library.open(PACKAGED).ct_protocol("generic"),
    ]  # fmt: skip
    for table in tables:
        made = split(table, tolerance)
        result = with_intervals(table, made, tolerance)
        assert largest_difference_g_cm3(table, result) <= 0.5 * tolerance * (1 + 1e-5) + 1e-7  # float32 densities
        curve = np.interp(np.arange(*table_range(table), dtype=float), table.density_hu, table.density_g_cm3)
        steepest = float(np.abs(np.diff(curve)).max())
        assert float(np.abs(np.diff(made.density_g_cm3)).max()) <= max(tolerance, steepest) * (1 + 1e-9)
        whole = np.arange(-1100, 3200)
        np.testing.assert_array_equal(classify(whole, result).material, classify(whole, table).material)
        assert (classify(whole, result).below, classify(whole, result).above) == (
            classify(whole, table).below, classify(whole, table).above)  # fmt: skip
        assert f"tolerance {tolerance:g} g/cm3" in result.source
        assert f"the lightest (air inside the patient) {result.density_g_cm3.min():.3g} g/cm3" in result.source


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.001, 20.0), min_size=2, max_size=12),
    st.lists(st.integers(1, 60), min_size=11, max_size=11),
    st.floats(1e-3, 2.0),
)
def test_no_curve_is_off_by_more_than_half_the_tolerance(
    density: list[float], steps: list[int], tolerance: float
) -> None:
    hu = np.cumsum([0, *steps])[: len(density)].astype(float) - 100
    table = table_of(hu.tolist(), density, [float(hu[0]), float(hu[0]) + 3.5])
    result = with_intervals(table, split(table, tolerance), tolerance)
    assert largest_difference_g_cm3(table, result) <= 0.5 * tolerance + 2e-6
    assert table_range(result) == table_range(table)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_tolerance_must_be_positive(tolerance: float) -> None:
    with pytest.raises(InputError, match="tolerance is too small"):
        split(STRAIGHT, tolerance)


def test_a_direct_table_is_not_split() -> None:
    direct = HounsfieldTable("d", NO_CURVE, NO_CURVE, np.array([-1024.0, -500.0]), 3000.0, (AIR, WATER))
    with pytest.raises(InputError, match="no density curve"):
        split(direct, 0.01)
