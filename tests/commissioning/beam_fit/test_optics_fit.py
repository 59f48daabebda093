"""Size, divergence and correlation at the model plane from sizes downstream."""

import numpy as np
import pytest

from dosewright.commissioning.beam_fit.air import spread_mm2
from dosewright.commissioning.beam_fit.measurements import SpotSizes
from dosewright.commissioning.beam_fit.optics_fit import fit_axis, fit_optics
from dosewright.core.errors import InputError
from dosewright.formats.text.tabulated_beam import covariance
from dosewright.sources.pencil_beams import drifted

DRIFT = np.array([50.0, 200, 350, 500, 650, 800])
TRUE = (5.0, 3e-3, -0.3)


def sizes(noise: float = 0.0, seed: int = 0) -> np.ndarray:
    cov = covariance(*TRUE)
    exact = np.sqrt([drifted(cov, d)[0, 0] for d in DRIFT] + spread_mm2(100.0, DRIFT))
    return np.asarray(exact * (1 + noise * np.random.default_rng(seed).normal(size=DRIFT.size)))


def test_sizes_without_noise_give_the_beam_back() -> None:
    fit = fit_axis(DRIFT, sizes(), 0.02, spread_mm2(100.0, DRIFT))
    assert fit.size == pytest.approx(TRUE, rel=1e-6)
    assert fit.fitted_mm == pytest.approx(sizes(), rel=1e-9)
    assert not fit.at_edge


def test_the_stated_uncertainties_are_those_of_many_fits() -> None:
    """200 fits: the mean square of off over uncertainty is 1 within 3 of its sigmas (0.3)."""
    fits = [fit_axis(DRIFT, sizes(0.002, seed), 0.002, spread_mm2(100.0, DRIFT)) for seed in range(200)]
    off = np.array([[(f - t) / u for f, t, u in zip(fit.size, TRUE, fit.uncertainty, strict=True)] for fit in fits])
    # Those with chi square below one keep the stated error; those above have theirs enlarged.
    assert np.all(np.mean(off**2, axis=0) == pytest.approx(0.9, abs=0.3))


def test_an_impossible_beam_becomes_the_nearest_possible_one() -> None:
    pinched = np.array([8.0, 2.0, 0.3, 0.3, 2.0, 8.0])  # the parabola through these variances goes below zero
    fit = fit_axis(DRIFT, pinched, 0.02, np.zeros(6))
    assert fit.at_edge
    assert np.linalg.det(fit.cov) >= -1e-12


def test_air_and_vacuum_and_planes_upstream() -> None:
    z = 500.0 - DRIFT
    spots = SpotSizes(100.0, z, sizes(), sizes(), 0.02)
    in_air, in_vacuum = fit_optics(spots, 100.0, 500.0, "air"), fit_optics(spots, 100.0, 500.0, "vacuum")
    assert in_air.x.size == pytest.approx(TRUE, rel=1e-6)
    assert in_vacuum.x.size[1] > 1.05 * TRUE[1]
    with pytest.raises(InputError, match="upstream of the model plane"):
        fit_optics(spots, 100.0, 400.0, "air")
