"""First states of primaries: sampled moments against formulas, with bounds of four standard errors."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.sources import emit
from dosewright.sources.emit import Source

Array = NDArray[np.float64]

HISTORIES = 40_000
NOTHING = np.zeros(0)


@kernel
def _sample(source, pencil, seed, out):
    for h in range(out.shape[0]):
        x, y, z, u, v, w, energy, _ = emit.emit(source, pencil, start_stream(seed, np.uint64(h)))
        out[h, 0], out[h, 1], out[h, 2] = x, y, z
        out[h, 3], out[h, 4], out[h, 5] = u, v, w
        out[h, 6] = energy


def _states(source: Source, pencil: int = 0) -> Array:
    """Rows of x, y, z, u, v, w, energy; every direction is checked to be a unit vector."""
    out = np.zeros((HISTORIES, 7))
    _sample(source, pencil, np.uint64(11), out)
    np.testing.assert_allclose((out[:, 3:6] ** 2).sum(axis=1), 1.0, atol=1e-12)
    return out


def _shape(kind: int, extent: tuple[float, float, float], **more: Array) -> Source:
    fields = {"energy": np.array([100.0, 0.0]), "spectrum_low": NOTHING, "spectrum_high": NOTHING}
    fields |= {"spectrum_sum": NOTHING} | more
    return Source(kind, np.zeros((0, emit.PENCIL_COLUMNS)), np.array(extent), **fields)


def _close(values: Array, mean: float, variance: float) -> None:
    """Mean and variance of a sample agree with those of its law."""
    n = values.size
    assert abs(values.mean() - mean) < 4 * np.sqrt(variance / n)
    fourth = ((values - values.mean()) ** 4).mean()
    assert abs(values.var() - variance) < 4 * np.sqrt(max(fourth - variance**2, 0.0) / n)


def _uniform(values: Array, low: float, high: float) -> None:
    assert low <= values.min() < values.max() <= high
    assert stats.kstest(values, "uniform", args=(low, high - low)).pvalue > 1e-3


PENCIL = np.zeros((2, emit.PENCIL_COLUMNS))
PENCIL[1, [emit.X, emit.Y, emit.SLOPE_X, emit.SLOPE_Y]] = 2.0, -3.0, 0.05, -0.02
PENCIL[1, [emit.XX, emit.XS, emit.SS_X]] = 0.5, -0.002, 0.001
PENCIL[1, [emit.YY, emit.YS, emit.SS_Y]] = 0.3, 0.0015, 0.0005
PENCIL[1, [emit.MEAN_ENERGY, emit.ENERGY_SIGMA, emit.START_Z]] = 150.0, 1.2, 40.0
PENCILS = Source(emit.PENCILS, PENCIL, np.zeros(3), np.zeros(2), NOTHING, NOTHING, NOTHING)


def test_pencils_have_the_moments_of_their_row() -> None:
    s = _states(PENCILS, 1)
    x, y, slope_x, slope_y = s[:, 0], s[:, 1], -s[:, 3] / s[:, 5], -s[:, 4] / s[:, 5]
    assert np.all(s[:, 2] == 40.0)
    assert np.all(s[:, 5] < 0.0), "the beam flies towards -z"
    _close(x, 2.0, 0.25)
    _close(y, -3.0, 0.09)
    _close(slope_x, 0.05, 0.002**2 + 0.001**2)
    _close(slope_y, -0.02, 0.0015**2 + 0.0005**2)
    _close(s[:, 6], 150.0, 1.44)
    assert stats.kstest((x - 2.0) / 0.5, "norm").pvalue > 1e-3


def test_pencils_correlate_position_and_slope_and_nothing_else() -> None:
    s = _states(PENCILS, 1)
    rows = np.stack([s[:, 0], -s[:, 3] / s[:, 5], s[:, 1], -s[:, 4] / s[:, 5], s[:, 6]])
    wanted = np.eye(5)
    wanted[0, 1] = wanted[1, 0] = -0.002 / np.hypot(0.002, 0.001)
    wanted[2, 3] = wanted[3, 2] = 0.0015 / np.hypot(0.0015, 0.0005)
    error = 4 * (1 - wanted**2) / np.sqrt(HISTORIES) + 1e-12
    assert np.all(abs(np.corrcoef(rows) - wanted) < error)


def test_convergent_pencils_are_smallest_at_their_waist() -> None:
    s = _states(PENCILS, 1)
    distance = -PENCIL[1, emit.XX] * PENCIL[1, emit.XS] / (0.002**2 + 0.001**2)
    at_waist = s[:, 0] - s[:, 3] / s[:, 5] * distance
    _close(at_waist, 2.0 + 0.05 * distance, 0.25 * 0.001**2 / (0.002**2 + 0.001**2))


def test_a_pencil_without_size_is_a_line() -> None:
    row = PENCIL[1:].copy()
    row[0, [emit.XX, emit.XS, emit.SS_X, emit.YY, emit.YS, emit.SS_Y, emit.ENERGY_SIGMA]] = 0.0
    s = _states(PENCILS._replace(pencils=row))
    assert np.all(np.ptp(s, axis=0) == 0.0)
    np.testing.assert_allclose(s[0, 3:6], np.array([0.05, -0.02, -1.0]) / np.linalg.norm([0.05, -0.02, -1.0]))


def shaped(**columns: float) -> Array:
    """Return what a pencil sends out with some columns changed."""
    row = PENCIL[1:].copy()
    for name, value in columns.items():
        row[0, getattr(emit, name)] = value
    return _states(PENCILS._replace(pencils=row))


def test_a_rectangular_pencil_is_filled_evenly_and_spreads_as_its_row_says() -> None:
    """Of full width sqrt(12) sigmas; the slope keeps its correlation with the place, and so its variance."""
    s = shaped(SHAPE=emit.RECTANGULAR)
    slope_x = -s[:, 3] / s[:, 5]
    _uniform(s[:, 0], 2.0 - 0.5 * np.sqrt(3.0), 2.0 + 0.5 * np.sqrt(3.0))
    _uniform(s[:, 1], -3.0 - 0.3 * np.sqrt(3.0), -3.0 + 0.3 * np.sqrt(3.0))
    _close(slope_x, 0.05, 0.002**2 + 0.001**2)
    _close(slope_x - 0.05 + 0.002 * (s[:, 0] - 2.0) / 0.5, 0.0, 0.001**2)
    assert abs(np.corrcoef(s[:, 0], s[:, 1])[0, 1]) < 4 / np.sqrt(HISTORIES)


def test_an_elliptic_pencil_is_filled_evenly() -> None:
    """Diameters of four sigmas: the square of the reduced radius is uniform, and so is the angle."""
    s = shaped(SHAPE=emit.ELLIPTIC)
    x, y = (s[:, 0] - 2.0) / 1.0, (s[:, 1] + 3.0) / 0.6
    _uniform(x * x + y * y, 0.0, 1.0)
    _uniform(np.arctan2(y, x), -np.pi, np.pi)


@pytest.mark.parametrize("shape", [emit.GAUSSIAN, emit.RECTANGULAR, emit.ELLIPTIC])
def test_a_pencil_between_radii(shape: float) -> None:
    """A ring of a round Gaussian is exponential in the square of the radius; all lie inside."""
    s = shaped(SHAPE=shape, YY=0.5, LEAST_RADIUS=0.2, MOST_RADIUS=0.8)
    square = (s[:, 0] - 2.0) ** 2 + (s[:, 1] + 3.0) ** 2
    assert 0.2 <= np.sqrt(square.min()) < 0.21 and 0.79 < np.sqrt(square.max()) <= 0.8
    if shape == emit.GAUSSIAN:
        inner, outer = (np.exp(-(r**2) / 0.5) for r in (0.2, 0.8))
        _uniform((inner - np.exp(-square / 0.5)) / (inner - outer), 0.0, 1.0)
    elif shape == emit.ELLIPTIC:
        _uniform(square, 0.04, 0.64)  # of a disc of 1 cm
    _close(-s[:, 4] / s[:, 5] + 0.02 - 0.0015 * (s[:, 1] + 3.0) / 0.5, 0.0, 0.0005**2)


def test_uniform_energies_and_bounds() -> None:
    _uniform(shaped(FLAT_ENERGY=1.0)[:, 6], 150.0 - 1.2 * np.sqrt(3.0), 150.0 + 1.2 * np.sqrt(3.0))
    _uniform(shaped(FLAT_ENERGY=1.0, LEAST_ENERGY=149.0, MOST_ENERGY=150.5)[:, 6], 149.0, 150.5)
    energies = shaped(LEAST_ENERGY=149.0, MOST_ENERGY=152.0)[:, 6]
    law = stats.truncnorm(-1.0 / 1.2, 2.0 / 1.2, loc=150.0, scale=1.2)
    assert stats.kstest(energies, law.cdf).pvalue > 1e-3


def test_an_energy_is_never_below_a_twentieth_of_the_mean() -> None:
    s = _states(_shape(emit.RECTANGLE, (1.0, 1.0, 0.0), energy=np.array([10.0, 10.0])))
    assert s[:, 6].min() == 0.5
    share = stats.norm.cdf(-0.95)
    assert (s[:, 6] == 0.5).mean() == pytest.approx(share, abs=4 * np.sqrt(share / HISTORIES))


def test_a_rectangle_is_uniform_and_parallel() -> None:
    s = _states(_shape(emit.RECTANGLE, (4.0, 10.0, 0.0)))
    _uniform(s[:, 0], -2.0, 2.0)
    _uniform(s[:, 1], -5.0, 5.0)
    assert np.all(s[:, 2] == 0.0)
    assert np.all(s[:, 3:6] == (0.0, 0.0, -1.0))
    assert np.all(s[:, 6] == 100.0)


def test_a_point_is_uniform_in_solid_angle_inside_its_field() -> None:
    a, b, h = 20.0, 12.0, 8.0
    s = _states(_shape(emit.POINT, (a, b, h)))
    assert np.all(s[:, :3] == (0.0, 0.0, h))
    x, y = -s[:, 3] / s[:, 5] * h, -s[:, 4] / s[:, 5] * h
    assert abs(x).max() <= a / 2
    assert abs(y).max() <= b / 2

    def solid_angle(half_a: float, half_b: float) -> float:
        """Of a centred rectangle, Khadjavi, J. Opt. Soc. Am. 58, 1417 (1968)."""
        return 4 * np.arcsin(half_a * half_b / np.sqrt((half_a**2 + h * h) * (half_b**2 + h * h)))

    whole = solid_angle(a / 2, b / 2)
    for half_a, half_b in ((2.0, 2.0), (5.0, 3.0), (10.0, 1.0), (1.0, 6.0)):
        share = solid_angle(half_a, half_b) / whole
        got = ((abs(x) < half_a) & (abs(y) < half_b)).mean()
        assert got == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / HISTORIES))


@pytest.mark.parametrize("kind", [emit.BOX, emit.SPHERE, emit.CYLINDER])
def test_volumes_shine_in_all_directions_alike(kind: int) -> None:
    s = _states(_shape(kind, (2.0, 4.0, 6.0)))
    for axis in (3, 4, 5):
        _uniform(s[:, axis], -1.0, 1.0)
    correlation = np.corrcoef(s[:, :6].T) - np.eye(6)
    assert abs(correlation).max() < 4.5 / np.sqrt(HISTORIES)


def test_a_box_is_filled_evenly() -> None:
    s = _states(_shape(emit.BOX, (2.0, 4.0, 6.0)))
    for axis, half in enumerate((1.0, 2.0, 3.0)):
        _uniform(s[:, axis], -half, half)


def test_a_sphere_is_filled_evenly_to_its_surface() -> None:
    s = _states(_shape(emit.SPHERE, (6.0, 6.0, 6.0)))
    _uniform(((s[:, :3] ** 2).sum(axis=1) / 9.0) ** 1.5, 0.0, 1.0)


def test_a_cylinder_stands_along_z() -> None:
    s = _states(_shape(emit.CYLINDER, (6.0, 6.0, 2.0)))
    _uniform((s[:, 0] ** 2 + s[:, 1] ** 2) / 9.0, 0.0, 1.0)
    _uniform(s[:, 2], -1.0, 1.0)


@pytest.mark.parametrize("kind", [emit.BOX, emit.SPHERE, emit.CYLINDER])
def test_a_given_direction_is_that_of_all(kind: int) -> None:
    s = _states(_shape(kind, (2.0, 4.0, 6.0), direction=np.array([0.6, 0.0, -0.8])))
    assert np.all(s[:, 3:6] == (0.6, 0.0, -0.8))


def test_a_spectrum_replaces_the_energies() -> None:
    low, high = np.array([10.0, 20.0, 30.0, 50.0]), np.array([20.0, 30.0, 40.0, 80.0])
    weights = np.array([1.0, 0.0, 3.0, 4.0])
    s = _states(
        _shape(emit.RECTANGLE, (1.0, 1.0, 0.0), spectrum_low=low, spectrum_high=high, spectrum_sum=np.cumsum(weights))
    )
    energy = s[:, 6]
    for bin_low, bin_high, weight in zip(low, high, weights, strict=True):
        inside = energy[(energy > bin_low) & (energy < bin_high)]
        share = weight / weights.sum()
        assert inside.size / HISTORIES == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / HISTORIES) + 1e-9)
        if weight:
            _uniform(inside, bin_low, bin_high)
