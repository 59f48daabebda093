"""Hounsfield numbers to material and density."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.matter import HounsfieldTable
from dosewright.materials.hlut import classify
from dosewright.materials.library import named

AIR, LUNG, WATER, BONE = (named(n) for n in ("air", "lung", "water", "cortical bone"))
CURVE = HounsfieldTable(
    "curve",
    np.array([-1000.0, -98.0, 100.0, 1600.0]),
    np.array([1.21e-3, 0.93, 1.1199, 1.9642]),
    np.array([-1050.0, -950.0, -120.0, 120.0]),
    None,
    (AIR, LUNG, WATER, BONE),
)
DIRECT = HounsfieldTable("direct", np.array([]), np.array([]), np.array([-1024.0, -500.0]), 3000.0, (AIR, WATER))


def test_densities_are_linear_between_the_nodes_and_edges_belong_to_the_upper_interval() -> None:
    hu = np.array([[[-1000, -951, -950, -121, -120, 0, 119, 120, 1600]]], np.int16)
    got = classify(hu, CURVE)
    assert got.material.ravel().tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3]
    expected = [1.21e-3, 1.21e-3 + 49 / 902 * (0.93 - 1.21e-3), None, None, None, 0.93 + 98 / 198 * 0.1899]
    density = got.density_g_cm3.ravel()
    assert density[1] == pytest.approx(expected[1], rel=1e-6)
    assert density[5] == pytest.approx(expected[5], rel=1e-6)
    assert density[8] == pytest.approx(1.9642)
    assert (got.below, got.above) == (0, 0)


def test_numbers_beyond_the_curve_are_clamped_and_counted() -> None:
    got = classify(np.array([-2000, -1001, -1000, 1600, 1601, 9000], np.int16), CURVE)
    assert (got.below, got.above) == (2, 2)
    assert got.density_g_cm3[[0, 5]].tolist() == pytest.approx([1.21e-3, 1.9642])
    assert got.material.tolist() == [0, 0, 0, 3, 3, 3]


def test_a_direct_table_takes_the_materials_densities_and_its_own_end() -> None:
    got = classify(np.array([-1025.0, -1024.0, -500.4, -499.6, 2999.0, 3000.0]), DIRECT)
    assert got.material.tolist() == [0, 0, 1, 1, 1, 1]
    assert got.density_g_cm3.tolist() == pytest.approx([1.20479e-3] * 2 + [1.0] * 4)
    assert (got.below, got.above) == (1, 1)


def test_an_open_last_interval_clamps_nothing_above() -> None:
    table = HounsfieldTable("open", np.array([]), np.array([]), np.array([-1024.0, -500.0]), None, (AIR, WATER))
    assert classify(np.array([30000]), table).above == 0


def test_an_image_with_holes_in_its_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        classify(np.array([0.0, np.nan]), CURVE)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
def test_every_number_gets_a_material_and_a_density(numbers: list[int]) -> None:
    got = classify(np.array(numbers, np.int16), CURVE)
    assert got.material.max() < 4
    assert np.all(got.density_g_cm3 > 0)
    assert got.below == sum(n < -1000 for n in numbers)
    assert got.above == sum(n > 1600 for n in numbers)


def test_a_large_image_takes_seconds_at_most() -> None:
    hu = np.random.default_rng(1).integers(-1000, 1600, (60, 512, 512), dtype=np.int16)
    start = time.perf_counter()
    got = classify(hu, CURVE)
    assert time.perf_counter() - start < 4.0
    assert got.material.shape == hu.shape
