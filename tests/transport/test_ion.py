"""Losses: moments of the condensed loss, and the spectrum of knock-on electrons."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import PROTON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.ion_tables import ion_tables, largest_transfer_MeV
from dosewright.materials.library import named
from dosewright.transport.ion import knock_on_energy, largest_transfer, straggled_loss
from dosewright.transport.tracks import PROTON, Track

SAMPLES = 200_000


@pytest.mark.parametrize("quanta", [0.6, 1.0, 3.0, 30.0, 1000.0])
def test_condensed_loss_keeps_mean_and_variance(quanta: float) -> None:
    """Mean to 4 standard errors plus 0.5 %, variance to 5 %, down to less than one quantum in a step."""
    normal = np.random.default_rng(1).standard_normal(SAMPLES)
    mean, variance = 0.8, 0.64 / quanta
    loss = np.array([straggled_loss(mean, variance, g) for g in normal])
    assert loss.min() >= 0.0
    assert loss.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / SAMPLES) + 0.005 * mean)
    assert loss.var() == pytest.approx(variance, rel=0.05)


@kernel
def knock_ons(tables, energy, out):
    stream = start_stream(3, 1)
    track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0)
    for n in range(out.size):
        out[n], stream = knock_on_energy(tables, track, stream)


@pytest.mark.parametrize("energy", [110.0, 160.0, 230.0])
def test_knock_on_spectrum_follows_the_formula(energy: float) -> None:
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.1)
    sampled = np.zeros(20_000)
    knock_ons(tables, energy, sampled)
    top, total = float(largest_transfer_MeV(np.array(energy))), energy + PROTON_MASS_MEV
    beta2 = 1 - (PROTON_MASS_MEV / total) ** 2

    def density(t: float) -> float:
        return (1 - beta2 * t / top + t * t / (2 * total * total)) / t**2

    norm = quad(density, 0.1, top)[0]
    cumulated = np.vectorize(lambda t: quad(density, 0.1, t)[0] / norm)
    nodes = np.linspace(0.1, top, 200)
    assert kstest(sampled, lambda t: np.interp(t, nodes, cumulated(nodes))).pvalue > 1e-3


def test_host_and_kernel_agree_on_the_largest_transfer() -> None:
    for energy in (1.0, 70.0, 250.0):
        assert largest_transfer(energy, PROTON_MASS_MEV) == pytest.approx(float(largest_transfer_MeV(np.array(energy))))
