"""Evaporation: kinematics, and what limits it."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV
from dosewright.materials.nuclear_masses import mass_excess_MeV
from dosewright.transport.evaporation import (
    Remnant,
    _above_barrier,
    barrier,
    cube_root,
    emission,
    part,
    recoil_energy,
    separation,
)


@kernel
def evaporate(mass, remnant, out):
    """Channel, energy between the two, energy of the particle, of the rest, and the changes of momentum and energy."""
    for n in range(out.shape[0]):
        stream = start_stream(5, n)
        channel, kinetic, stream = emission(mass, remnant, stream)
        out[n, 0], out[n, 1] = channel, kinetic
        if channel >= 0:
            px, py, pz, energy, rest, stream = part(mass, remnant, channel, kinetic, stream)
            out[n, 2], out[n, 3] = energy, recoil_energy(rest)
            out[n, 4] = abs(px + rest.px - remnant.px) + abs(py + rest.py - remnant.py) + abs(pz + rest.pz - remnant.pz)
            before = remnant.excitation + recoil_energy(remnant)
            out[n, 5] = before - energy - out[n, 3] - rest.excitation - separation(mass, remnant, channel)


@kernel
def draw_above(most, out):
    for n in range(out.size):
        out[n], _ = _above_barrier(most, 2.0, start_stream(6, n))


def sampled_above(most: float) -> np.ndarray:
    out = np.zeros(20_000)
    draw_above(most, out)
    return out


def sampled(protons: int, neutrons: int, excitation: float, momentum: float = 0.0, events: int = 5_000) -> np.ndarray:
    out = np.zeros((events, 6))
    evaporate(mass_excess_MeV(), Remnant(protons, neutrons, 0.0, 0.0, momentum, excitation), out)
    return out


def test_two_bodies_part_with_exact_momentum_and_energy() -> None:
    out = sampled(7, 8, 40.0, momentum=300.0)
    assert out[:, 4].max() < 1e-9 * 300.0
    assert abs(out[:, 5]).max() < 1e-9 * 40.0


def test_an_emitted_particle_takes_its_share_at_rest() -> None:
    """At rest the kinetic energy is divided as the masses, the lighter taking more."""
    out = sampled(7, 8, 40.0)
    neutrons = out[out[:, 0] == 0]
    np.testing.assert_allclose(neutrons[:, 2], neutrons[:, 1] * 14 / 15)


def test_nothing_leaves_below_separation() -> None:
    assert np.all(sampled(7, 8, 9.0)[:, 0] == -1)  # 15N: proton 10.2, neutron 10.8, alpha 11.0 MeV (AME2020)


@pytest.mark.parametrize("most", [0.5, 6.0])
def test_energies_above_the_barrier(most: float) -> None:
    """Mean of x exp(-x/T) below `most`, T = 2 MeV, by quadrature: to four standard errors."""
    x = np.linspace(0.0, most, 20_001)
    weight = x * np.exp(-x / 2.0)
    mean = np.average(x, weights=weight)
    error = np.sqrt(np.average((x - mean) ** 2, weights=weight) / 20_000)
    assert sampled_above(most).mean() == pytest.approx(mean, abs=4 * error)


def test_lead_sends_neutrons() -> None:
    """The barrier keeps protons in: hardly one in a hundred particles is charged at 50 MeV."""
    out = sampled(82, 125, 50.0)
    assert np.mean(out[:, 0] == 0) > 0.98


@pytest.mark.parametrize(("channel", "protons", "nucleons", "wanted"), [(1, 29, 63, 4.76), (5, 29, 63, 10.6)])
def test_barriers_of_copper(channel: int, protons: int, nucleons: int, wanted: float) -> None:
    """Table I of Dostrovsky et al. 1959 at Z = 30: 0.68 and 0.91 of e2 z Z / (1.5 A^(1/3) + rho)."""
    assert barrier(channel, protons, cube_root(float(nucleons))) == pytest.approx(wanted, rel=0.05)


def test_recoil_of_a_remnant() -> None:
    assert recoil_energy(Remnant(7, 8, 0.0, 0.0, 300.0, 0.0)) == pytest.approx(300.0**2 / (30 * ATOMIC_MASS_UNIT_MEV))
