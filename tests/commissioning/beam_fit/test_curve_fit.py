"""Energy, spread and scale from depth doses; the runs behind them interpolated."""

import numpy as np
import pytest

from dosewright.commissioning.beam_fit.curve_fit import fit_curve
from dosewright.commissioning.beam_fit.depth_dose import DepthDoses
from dosewright.commissioning.beam_fit.kernels import GY_MM2_PER_MEV_CM, Kernels, kernels_for
from dosewright.commissioning.beam_fit.measurements import BroadField, Curve
from dosewright.commissioning.beam_fit.monitor import particles_per_mu
from dosewright.core.errors import InputError
from dosewright.core.units import MM_PER_CM

DEPTH = np.concatenate([np.arange(1.0, 30, 2.0), np.arange(30, 48, 0.5)])


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return kernels_for(68.0, 82.0, histories=20_000, threads=1)


def test_all_energy_but_that_of_neutrons_is_in_the_curve(kernels: Kernels) -> None:
    doses = DepthDoses.seen_by(kernels, None, 0.0)
    depth = np.arange(0.05, 60.0, 0.1)
    total = doses(75.0, 0.0, depth).sum() * 0.1 / MM_PER_CM / GY_MM2_PER_MEV_CM
    assert 0.97 * 75.0 < total < 0.995 * 75.0


def test_a_run_left_out_is_given_back_by_its_neighbours(kernels: Kernels) -> None:
    """Within 0.5 % of the peak with a spread of 0.5 MeV: 20,000 histories are known to 0.3 % in a bin."""
    k = kernels.energy_MeV.size // 2
    rest = np.arange(kernels.energy_MeV.size) != k
    whole = DepthDoses.seen_by(kernels, None, 0.0)
    without = DepthDoses(whole.energy_MeV[rest], whole.depth, whole.dose[rest])
    energy = float(kernels.energy_MeV[k])
    curve, guessed = whole(energy, 0.5, DEPTH), without(energy, 0.5, DEPTH)
    assert np.abs(guessed - curve).max() < 0.012 * curve.max()
    assert np.mean(guessed[:15] / curve[:15]) == pytest.approx(1.0, abs=2e-3)


def test_a_noisy_curve_gives_back_its_parameters(kernels: Kernels) -> None:
    doses = DepthDoses.seen_by(kernels, 40.8, 5.0)
    exact = 2.5e8 * doses(75.0, 0.8, DEPTH + 0.5)
    sigma = np.hypot(0.01 * exact, 0.003 * exact.max())
    rng = np.random.default_rng(2)
    fits = [
        fit_curve(Curve(74.0, DEPTH, exact + sigma * rng.normal(size=DEPTH.size), sigma), doses, 0.5) for _ in range(8)
    ]
    for fit in fits:
        assert fit.mean_MeV == pytest.approx(75.0, rel=5e-4)
        assert fit.sigma_MeV == pytest.approx(0.8, rel=0.06)
        assert fit.scale == pytest.approx(2.5e8, rel=0.006)
        assert 0.5 < fit.chi2_per_point < 1.7
    off = np.array([(fit.mean_MeV - 75.0) / fit.mean_uncertainty_MeV for fit in fits])
    assert np.abs(off).max() < 4
    assert np.sqrt(np.mean(off**2)) == pytest.approx(1.0, abs=0.75)


def test_depths_wrong_by_a_constant_are_in_the_uncertainty_of_the_energy(kernels: Kernels) -> None:
    doses = DepthDoses.seen_by(kernels, None, 0.0)
    exact = doses(75.0, 0.8, DEPTH)
    curve = Curve(75.0, DEPTH, exact, 0.01 * exact.max() * np.ones_like(exact))
    sharp, unsure = fit_curve(curve, doses, 0.0), fit_curve(curve, doses, 0.0, depth_uncertainty_mm=0.5)
    assert sharp.mean_MeV == unsure.mean_MeV
    # 75 MeV go 46 mm: 0.9 MeV per mm
    assert unsure.mean_uncertainty_MeV == pytest.approx(0.5 * 0.93, rel=0.05)


def test_particles_from_a_broad_field(kernels: Kernels) -> None:
    doses = DepthDoses.seen_by(kernels, 100.0 / np.sqrt(np.pi), 5.0)
    per_proton = float(doses(75.0, 0.8, np.array([20.0]))[0])
    spacing = 2.5 * (2000 + 20) / 2000  # at the chamber, 20 mm below an isocentre on the surface
    dose = 1e8 * 0.05 * per_proton / spacing**2
    field = BroadField(75.0, 20.0, dose, 0.05, (2.5, 2.5), 100.0 * 2000 / 2020)
    found = particles_per_mu(field, kernels, 75.0, 0.8, spot_sigma_mm=5.0, surface_mm=0.0, plane_mm=500.0,
                             scanning_mm=(2000.0, 2000.0), medium="vacuum")  # fmt: skip
    assert found == pytest.approx(1e8, rel=1e-9)


def test_energies_without_runs_are_refused(kernels: Kernels) -> None:
    with pytest.raises(InputError, match="outside those of the runs"):
        DepthDoses.seen_by(kernels, None, 0.0)(100.0, 1.0, DEPTH)
