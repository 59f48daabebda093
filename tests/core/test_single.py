"""Elementary functions in single precision against NumPy in double precision, over all of their arguments."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core import single
from dosewright.core.jit import kernel
from dosewright.core.single import exp_minus, f32, log, random_direction, small_cos_sin

Array = NDArray[np.float64]
ACCURACY = 3e-7  # what the module promises
EXP_ACCURACY = 3.2e-5  # relative; six terms of Taylor's series up to log(2)


@kernel
def _logs(x, out):
    for i in range(x.size):
        out[i] = log(x[i])


@kernel
def _exponentials(x, out):
    for i in range(x.size):
        out[i] = exp_minus(x[i])


@kernel
def _cos_sin(x, cosine, sine):
    for i in range(x.size):
        cosine[i], sine[i] = small_cos_sin(x[i])


@kernel
def _directions(u, a, b):
    for i in range(u.size):
        a[i], b[i] = random_direction(u[i])


def log_error(x: NDArray[np.float32]) -> Array:
    """Relative error, absolute where the logarithm is below one."""
    out = np.zeros_like(x)
    _logs(x, out)
    exact = np.log(x.astype(float))
    error: Array = np.abs(out - exact) / np.maximum(np.abs(exact), 1.0)
    return error


SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
LARGEST = float(np.finfo(np.float32).max)


@settings(deadline=None)  # the first call compiles
@given(st.floats(SMALLEST_NORMAL, LARGEST, width=32))
@example(SMALLEST_NORMAL)
@example(LARGEST)
@example(1.0)
@example(float(single.SQRT_TWO))
@example(float(np.nextafter(f32(1), f32(0))))
def test_logarithm(x: float) -> None:
    assert log_error(np.array([x], np.float32))[0] < ACCURACY


def test_logarithm_everywhere_and_near_one() -> None:
    wide = np.geomspace(SMALLEST_NORMAL, 0.999 * LARGEST, 200_001).astype(np.float32)
    assert log_error(wide).max() < ACCURACY
    near = (1 + np.linspace(-0.01, 0.01, 20_001)).astype(np.float32)
    out = np.zeros_like(near)
    _logs(near, out)
    exact = np.log(near.astype(float))
    away = np.abs(exact) > 0
    assert (np.abs(out - exact)[away] / np.abs(exact[away])).max() < ACCURACY, "relative, for short free paths"
    assert log(f32(1)) == 0.0


def test_logarithm_of_every_uniform_is_not_positive() -> None:
    """Free paths and squares of angles are made of -log(u)."""
    u = (np.arange(1 << 20) + 0.5).astype(np.float32) * f32(2.0**-20)
    out = np.zeros_like(u)
    _logs(u, out)
    assert out.max() <= 0.0
    assert -out.mean() == pytest.approx(1.0, abs=1e-5), "the mean free path"


def test_exponential() -> None:
    x = np.linspace(0.0, 80.0, 400_001).astype(np.float32)
    out = np.zeros_like(x)
    _exponentials(x, out)
    assert np.abs(out / np.exp(-x.astype(float)) - 1).max() < EXP_ACCURACY
    assert out[0] == 1.0


@settings(deadline=None)  # the first call compiles
@given(st.floats(0, 80, width=32))
@example(80.0)
@example(float(single.LN2))
def test_exponential_of_any_number(x: float) -> None:
    assert float(exp_minus(f32(x))) == pytest.approx(np.exp(-x), rel=EXP_ACCURACY)


def test_cosine_and_sine() -> None:
    angle = np.linspace(0.0, np.pi / 2, 100_001).astype(np.float32)
    cosine, sine = np.zeros_like(angle), np.zeros_like(angle)
    _cos_sin(angle, cosine, sine)
    exact = angle.astype(float)
    error = np.maximum(np.abs(cosine - np.cos(exact)), np.abs(sine - np.sin(exact)))
    assert error.max() < 3e-5
    assert error[exact < np.pi / 4].max() < ACCURACY


@settings(deadline=None)  # the first call compiles
@given(st.floats(2.0**-60, 0.125, width=32))
def test_small_sines_are_right_relatively(angle: float) -> None:
    """Multiple scattering adds up angles of some 1e-3."""
    cosine, sine = small_cos_sin(f32(angle))
    assert float(sine) == pytest.approx(np.sin(angle), rel=ACCURACY)
    assert float(cosine) <= 1.0


def test_random_directions_go_once_round() -> None:
    u = ((np.arange(400_000) + 0.5) / 400_000).astype(np.float32)
    a, b = np.zeros_like(u), np.zeros_like(u)
    _directions(u, a, b)
    np.testing.assert_allclose(a.astype(float) ** 2 + b.astype(float) ** 2, 1.0, atol=2 * ACCURACY)
    turn = np.unwrap(np.arctan2(b.astype(float), a.astype(float)))
    exact = 2 * np.pi * u.astype(float)
    np.testing.assert_allclose(turn - turn[0], exact - exact[0], atol=2e-6)


@settings(deadline=None)  # the first call compiles
@given(st.floats(0, 1, width=32))
@example(0.0)
@example(1.0)
@example(0.25)
@example(0.75)
def test_a_random_direction_has_unit_length(u: float) -> None:
    a, b = random_direction(f32(u))
    assert np.hypot(float(a), float(b)) == pytest.approx(1.0, abs=2 * ACCURACY)


@settings(deadline=None)  # the first call compiles
@given(st.floats(width=32, allow_nan=False))
def test_bits_and_back(x: float) -> None:
    assert float(single.float_of(single.bits_of(f32(x)))) == x
    assert int(single.bits_of(f32(x))) == int(np.array([x], np.float32).view(np.int32)[0])


@pytest.mark.parametrize("function", [log, exp_minus, small_cos_sin, random_direction])
def test_results_are_single_precision(function: object) -> None:
    """One widened number would halve the lanes of a vector."""
    function(f32(0.5))  # type: ignore[operator]
    for signature in function.nopython_signatures:  # type: ignore[attr-defined]
        if str(signature.args) == "(float32,)":
            assert "float64" not in str(signature.return_type)
            return
    raise AssertionError("no compiled version for float32")
