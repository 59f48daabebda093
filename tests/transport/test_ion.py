"""Losses: moments of the condensed loss, and the spectrum of knock-on electrons."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four, start_stream
from dosewright.core.single import f32
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, PROTON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.ion_tables import ion_tables, largest_transfer_MeV
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol, proton_mass_stopping_power
from dosewright.transport.ion import knock_on_energy, largest_transfer, mean_loss, normal, straggled_loss
from dosewright.transport.tracks import PROTON, Track

from .flights import exits, pencil_problem, slab

SAMPLES = 200_000


@pytest.mark.parametrize("quanta", [0.6, 1.0, 3.0, 30.0, 1000.0])
def test_condensed_loss_keeps_mean_and_variance(quanta: float) -> None:
    """Mean to 4 standard errors plus 0.5 %, variance to 5 %, third moment to 12 %, down to half a quantum in a step."""
    numbers = np.random.default_rng(1).standard_normal(SAMPLES)
    mean, variance, quantum = 0.8, 0.64 / quanta, 0.8 / quanta
    loss = np.array([straggled_loss(f32(mean), f32(variance), f32(quantum), f32(g)) for g in numbers], float)
    assert loss.min() >= 0.0
    assert loss.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / SAMPLES) + 0.005 * mean)
    assert loss.var() == pytest.approx(variance, rel=0.05)
    spread = 8 * np.sqrt(15 / SAMPLES) * variance**1.5  # of the estimate of a third moment
    assert ((loss - loss.mean()) ** 3).mean() == pytest.approx(2 * variance * quantum, rel=0.12, abs=spread)


def test_no_variance_is_the_mean_and_no_loss_is_nothing() -> None:
    assert float(straggled_loss(f32(0.8), f32(0.0), f32(0.1), f32(-2.0))) == pytest.approx(0.8, rel=1e-6)
    assert straggled_loss(f32(0.0), f32(0.0), f32(0.1), f32(3.0)) == 0.0


@pytest.mark.parametrize("power", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.15])
def test_the_mean_loss_is_that_of_a_power_law(power: float, share: float) -> None:
    """S = E^-p: the exact loss over a length, and over half of what was planned, to 1.2e-3 of the loss at the worst."""
    energy, planned = 100.0, share * 100.0
    stopping, halfway = 1.0, (1 - 0.5 * share) ** -power
    for part in (1.0, 0.5):
        got, _ = mean_loss(f32(energy), f32(stopping), f32(halfway), f32(planned), f32(part * planned))
        exact = energy * (1 - (1 - (power + 1) * part * share) ** (1 / (power + 1)))
        assert float(got) == pytest.approx(exact, rel=1.2e-3)


@kernel
def _normals(out):
    for n in range(out.size):
        a, b, _, _, _ = draw_four(start_stream(3, np.uint64(n)))
        out[n] = normal(np.float32(a), np.float32(b))


def test_normal_numbers_are_normal() -> None:
    out = np.zeros(SAMPLES, np.float32)
    _normals(out)
    assert kstest(out.astype(float), "norm").pvalue > 1e-3
    assert abs(out.mean()) < 4 / np.sqrt(SAMPLES)
    assert out.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * SAMPLES))


@pytest.mark.parametrize(("name", "energy"), [("G4_WATER", 150.0), ("G4_Ti", 150.0), ("G4_WATER", 60.0)])
def test_a_slab_takes_what_stopping_and_straggling_say(name: str, energy: float) -> None:
    """1 g/cm2 in 20 layers: mean loss to 0.1 %, its spread (Bohr, with the slowing down) to 2 %.

    Statistics of 200 000: 0.01 % and 0.2 %.
    """
    material = named(name)
    thickness = 1.0 / material.density_g_cm3
    problem = pencil_problem(slab(name, thickness, 20), energy, processes_off=("nuclear", "scattering"))
    out = exits(problem, energy, SAMPLES)
    mean, variance = _losses(name, energy, thickness * material.density_g_cm3)
    assert energy - out[:, 3].mean() == pytest.approx(mean, rel=1e-3)
    assert out[:, 3].std() == pytest.approx(np.sqrt(variance), rel=0.02)


def _losses(name: str, energy: float, path_g_cm2: float) -> tuple[float, float]:
    """Mean loss and its variance, step by step: dE/dx = -S and dV/dx = Bohr + 2 (-dS/dE) V."""
    material, e, variance, steps = named(name), energy, 0.0, 400
    dx = path_g_cm2 / steps

    def stopping(x: float) -> float:
        return float(proton_mass_stopping_power(material, np.array(x)))

    for _ in range(steps):
        half = e - 0.5 * dx * stopping(e)
        beta2 = 1 - 1 / (1 + half / PROTON_MASS_MEV) ** 2
        top = float(largest_transfer_MeV(np.array(half)))
        k = 0.5 * BETHE_K_MEV_CM2_PER_MOL * electrons_per_gram_mol(material) / beta2
        slope = (stopping(half * 1.01) - stopping(half * 0.99)) / (0.02 * half)
        variance += dx * (k * top * (1 - beta2 / 2) - 2 * slope * variance)
        e -= dx * stopping(half)
    return energy - e, variance


@kernel
def knock_ons(tables, energy, out):
    stream = start_stream(3, 1)
    track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0, 1.0)
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
