"""Bremsstrahlung sampled: spectrum against the fit, angles against the formula of Koch and Motz."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.matter import Material
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.electrons.lookup import ElectronTables
from dosewright.materials.electrons.radiation import radiating_z, radiation, radiation_shape
from dosewright.materials.library import named
from dosewright.transport.electrons.bremsstrahlung import photon_cosine, radiate

EVENTS = 200_000
MATERIALS = (named("G4_WATER"), Material("W", 19.3, {74: 1.0}))
NOTHING = np.zeros(1, np.float32)
TABLES = ElectronTables(
    values=NOTHING,
    hard_angle=NOTHING,
    radiation_shape=np.concatenate([radiation_shape(m).ravel() for m in MATERIALS]).astype(np.float32),
    radiation_z=np.array([radiating_z(m) for m in MATERIALS]),
)


@kernel
def radiate_often(tables, material, energy, cut, out):
    """Fill [event, (photon energy, cosine)]."""
    stream = start_stream(14, 5)
    for n in range(out.shape[0]):
        out[n, 0], out[n, 1], stream = radiate(tables, material, energy, cut, stream)


@kernel
def turn_often(energy, k, z, out):
    """Fill [event] with cosines; the first tries get uniforms on a lattice of their own."""
    stream = start_stream(15, 5)
    for n in range(out.shape[0]):
        u, v = (n + 0.5) / out.shape[0], (n * 0.6180339887498949) % 1.0
        out[n], stream = photon_cosine(energy, k, z, u, v, stream)


@pytest.mark.parametrize("material", [0, 1])
@pytest.mark.parametrize(("energy", "cut"), [(0.12, 0.01), (1.03, 0.01), (20.0, 0.01), (49.0, 1.0)])
def test_spectrum(material: int, energy: float, cut: float) -> None:
    """Photons and energy above seven thresholds, as the tables of rates have them; 0.3 % for the table's steps."""
    out = np.zeros((EVENTS, 2))
    radiate_often(TABLES, material, energy, cut, out)
    k = out[:, 0]
    assert k.min() >= cut
    assert k.max() <= energy
    whole = radiation(MATERIALS[material], np.array([energy]), cut)
    for threshold in np.geomspace(cut, energy, 9)[:7]:
        above = radiation(MATERIALS[material], np.array([energy]), threshold)
        share, part = above.rate[0] / whole.rate[0], above.hard_loss[0] / whole.hard_loss[0]
        error = np.sqrt(share * (1 - share) / EVENTS)
        assert np.mean(k >= threshold) == pytest.approx(share, abs=4 * error + 0.003 * share)
        energies = np.where(k >= threshold, k, 0.0) / (whole.hard_loss[0] / whole.rate[0])
        assert energies.mean() == pytest.approx(part, abs=4 * energies.std() / np.sqrt(EVENTS) + 0.003 * part)


def two_bs(x: np.ndarray, energy: float, k: float, z: float) -> np.ndarray:
    """Formula 2BS of Koch and Motz (1959) per x, as printed: in E0, E, k (units of m c^2) and x = (E0 theta)^2."""
    e0 = 1 + energy / ELECTRON_MASS_MEV
    k /= ELECTRON_MASS_MEV
    e = e0 - k
    y = 1 + x
    log_m = -np.log((k / (2 * e0 * e)) ** 2 + (z ** (1 / 3) / (111 * y)) ** 2)
    first = 16 * x * e / (y**4 * e0) - (e0 + e) ** 2 / (y**2 * e0**2)
    return first + ((e0**2 + e**2) / (y**2 * e0**2) - 4 * x * e / (y**4 * e0)) * log_m


@pytest.mark.parametrize("z", [7.0, 74.0])
@pytest.mark.parametrize(("energy", "share"), [(0.05, 0.3), (0.5, 0.9), (1.0, 0.1), (6.0, 0.5), (50.0, 0.99)])
def test_angles(z: float, energy: float, share: float) -> None:
    """Quantiles of x = gamma^2 beta (1 + beta)(1 - cos) are those of 2BS: within 4 standard deviations and 1e-3."""
    out = np.zeros(EVENTS)
    turn_often(energy, share * energy, z, out)
    gamma = 1 + energy / ELECTRON_MASS_MEV
    beta = np.sqrt(1 - 1 / gamma**2)
    largest = 2 * beta * (1 + beta) * gamma**2
    x = largest * (1 - out) / 2
    fine = np.concatenate(([0.0], np.geomspace(1e-6, 1.0, 40_001))) * largest
    density = two_bs(fine, energy, share * energy, z)
    assert (density > 0).all()
    whole = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))))
    for probability in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        at = np.interp(probability, whole / whole[-1], fine)
        error = np.sqrt(probability * (1 - probability) / EVENTS)
        assert np.mean(x <= at) == pytest.approx(probability, abs=4 * error + 1e-3)


def test_no_photon_without_the_energy() -> None:
    out = np.ones((3, 2))
    radiate_often(TABLES, 0, 0.009, 0.01, out)
    assert (out == [0.0, 1.0]).all()
