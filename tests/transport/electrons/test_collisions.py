"""Moller and Bhabha collisions sampled: spectra against the cross sections, kinematics against conservation."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.electrons.collisions import differential, restricted
from dosewright.materials.library import named
from dosewright.transport.electrons.collisions import collide, likelihood
from dosewright.transport.tracks import ELECTRON, POSITRON

EVENTS = 200_000
BINS = 40
CASES = [(ELECTRON, 0.05, 0.01), (ELECTRON, 1.0, 0.01), (ELECTRON, 20.0, 0.2), (POSITRON, 0.05, 0.01)]
CASES += [(POSITRON, 1.0, 0.01), (POSITRON, 20.0, 0.2)]


@kernel
def collide_often(species, energy, cut, out):
    """Fill [event, (transfer, cosine of the primary, of the secondary)]."""
    stream = start_stream(11, 5)
    for n in range(out.shape[0]):
        out[n, 0], out[n, 1], out[n, 2], stream = collide(species, energy, cut, stream)


@kernel
def least_and_most(species, energy, top, tries):
    """Return the smallest and largest likelihood up to a transfer."""
    least, most = 1.0, 0.0
    for n in range(tries):
        value = likelihood(species, 1.0 + energy / ELECTRON_MASS_MEV, top * (n + 1) / tries)
        least, most = min(least, value), max(most, value)
    return least, most


def sampled(species: int, energy: float, cut: float) -> np.ndarray:
    """Transfers and cosines of many collisions."""
    out = np.zeros((EVENTS, 3))
    collide_often(species, energy, cut, out)
    return out


@pytest.mark.parametrize(("species", "energy", "cut"), CASES)
def test_spectrum(species: int, energy: float, cut: float) -> None:
    """Chi-square over bins even in ln W; 40 bins: 75 lies at four standard deviations. The mean within four."""
    positron = species == POSITRON
    transfer = sampled(species, energy, cut)[:, 0]
    top = energy if positron else energy / 2
    edges = np.geomspace(cut, top, BINS + 1)
    fine = np.geomspace(cut, top, 400 * BINS + 1)
    density = differential(np.array([energy]), fine, positron) / fine  # per ln W
    whole = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(np.log(fine)))))
    expected = EVENTS * np.diff(whole[::400]) / whole[-1]
    found, _ = np.histogram(transfer, edges)
    assert found.sum() == EVENTS
    assert np.sum((found - expected) ** 2 / expected) < 75.0
    parts = restricted(named("G4_WATER"), np.array([energy]), cut, positron)
    mean, error = parts.hard_loss[0] / parts.rate[0], transfer.std() / np.sqrt(EVENTS)
    assert abs(transfer.mean() - mean) < 4 * error


@pytest.mark.parametrize(("species", "energy", "cut"), CASES)
def test_momentum_is_conserved(species: int, energy: float, cut: float) -> None:
    transfer, cos_primary, cos_secondary = sampled(species, energy, cut)[:2000].T
    before, first, second = (np.sqrt(t * (t + 2 * ELECTRON_MASS_MEV)) for t in (energy, energy - transfer, transfer))
    assert first * cos_primary + second * cos_secondary == pytest.approx(before, rel=1e-9)
    across = [p * np.sqrt(1 - c**2) for p, c in ((first, cos_primary), (second, cos_secondary))]
    assert across[0] == pytest.approx(across[1], abs=1e-6 * before)


@pytest.mark.parametrize("species", [ELECTRON, POSITRON])
def test_likelihood_is_never_above_one_nor_small(species: int) -> None:
    top = 1.0 if species == POSITRON else 0.5
    for energy in (2e-3, 0.1, 1.0, 50.0):
        least, most = least_and_most(species, energy, top, 2000)
        assert most <= 1.0 + 1e-12
        assert least > 0.3


@pytest.mark.parametrize("species", [ELECTRON, POSITRON])
def test_nothing_happens_where_no_transfer_is_possible(species: int) -> None:
    energy = 0.0199 if species == ELECTRON else 0.00999
    assert (sampled(species, energy, 0.01)[:10] == [0.0, 1.0, 1.0]).all()
