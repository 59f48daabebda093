"""Photoelectric absorption and relaxation, event by event: energy, shares, lines, angles."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.library import named
from dosewright.materials.photons.atoms import Atoms, atoms
from dosewright.materials.photons.attenuation import attenuation
from dosewright.materials.photons.lookup import Attenuation, position
from dosewright.materials.photons.vacancies import mean_photon_energy_MeV, transitions
from dosewright.transport.photons.photoelectric import photoelectric, sauter_cosine
from dosewright.transport.photons.relaxation import relax
from dosewright.transport.tracks import PHOTON, empty_stack

EVENTS = 100_000
NAMES = ("G4_WATER", "G4_BONE_CORTICAL_ICRP", "G4_W")
WATER, BONE, TUNGSTEN = range(3)


@kernel
def absorb(atoms, attenuation, material, energy, photon_cut, electron_cut, events, stack, found, sums):
    """Rows of `found`: counts of photons and electrons by energy (bins of 0.1 keV). Sums: deposit, worst balance."""
    ray, place = Ray(0.3, 0.4, 0.5, 0.6, 0.0, 0.8), Place(1, 2, 3, 4)
    i, f = position(attenuation, energy)
    for n in range(events):
        stream = start_stream(11, n)
        here, waiting, stream = photoelectric(
            atoms, i, f, material, energy, ray, place, photon_cut, electron_cut, stack, 0, stream
        )
        total = here
        for k in range(waiting):
            total += stack[k, 6]
            photon = stack[k, 7] == PHOTON
            found[0 if photon else 1, int(stack[k, 6] * 1.0e4)] += 1.0
            sums[3] = max(sums[3], abs(stack[k, 0] - 0.3) + abs(stack[k, 9] - 2.0))
        sums[0] += here
        sums[1] = max(sums[1], abs(total - energy))
        sums[2] = min(sums[2], here)


@kernel
def relaxations(atoms, row, shell, photon_cut, electron_cut, events, stack, sums):
    """Sums: energy of photons, of electrons, left here, worst balance, and cosines of photons (first two moments)."""
    ray, place = Ray(0.5, 0.5, 0.5, 0.0, 0.0, 1.0), Place(1, 0, 0, 0)
    for n in range(events):
        stream = start_stream(5, n)
        here, waiting, stream = relax(atoms, row, shell, ray, place, photon_cut, electron_cut, stack, 0, stream)
        total = here
        for k in range(waiting):
            total += stack[k, 6]
            which = 0 if stack[k, 7] == PHOTON else 1
            sums[which] += stack[k, 6]
            sums[4] += stack[k, 5]
            sums[5] += stack[k, 5] ** 2
            sums[6] += 1.0
        sums[2] += here
        sums[3] = max(sums[3], abs(total - atoms.edge[9 * row + shell]))


@kernel
def cosines(energy, events, moments):
    for n in range(events):
        cosine, _ = sauter_cosine(energy, start_stream(3, n))
        moments[0] += cosine
        moments[1] += cosine * cosine


@cache
def tables(off: Sequence[str] = ()) -> tuple[Attenuation, Atoms]:
    media = [named(name) for name in NAMES]
    attenuated = attenuation(media, [1.0] * len(media))
    return attenuated, atoms(media, attenuated, off)


def events(material: int, energy: float, photon_cut: float, electron_cut: float) -> tuple[np.ndarray, np.ndarray]:
    attenuated, packed = tables()
    found, sums = np.zeros((2, 2000)), np.zeros(4)
    absorb(packed, attenuated, material, energy, photon_cut, electron_cut, EVENTS, empty_stack(), found, sums)
    return found / EVENTS, sums


@pytest.mark.parametrize(("material", "energy"), [(WATER, 0.03), (BONE, 0.06), (TUNGSTEN, 0.1), (TUNGSTEN, 0.0115)])
@pytest.mark.parametrize("cut", [0.001, 0.01])
def test_energy_is_conserved_in_every_event(material: int, energy: float, cut: float) -> None:
    _, sums = events(material, energy, cut, cut)
    assert sums[1] < 1e-15
    assert sums[2] >= 0.0
    assert sums[3] == 0.0  # secondaries begin where the photon ended


def test_k_lines_of_tungsten_at_100_keV() -> None:
    """K share times yield times rate of each line; 100 000 events know K alpha 1 to 0.4 %."""
    found, _ = events(TUNGSTEN, 0.1, 0.02, 0.02)
    attenuated, packed = tables()
    i, _ = position(attenuated, 0.1)
    share = packed.share[9 * packed.row_of_z[74], i]
    expected = np.zeros(found.shape[1])
    for t in transitions(74, 0):
        expected[int(t.energy * 1e4)] += t.radiative * share * t.probability
    for line in np.flatnonzero(expected > 0.005):
        assert found[0, line] == pytest.approx(expected[line], abs=4 * np.sqrt(expected[line] / EVENTS))
    assert found[0].sum() == pytest.approx(expected.sum(), abs=0.005)
    # K, L1 and M1 photoelectrons leave with E - edge.
    assert found[1, int((0.1 - 0.069525) * 1e4)] == pytest.approx(share, abs=0.02)


def test_water_makes_no_fluorescence_and_one_electron() -> None:
    found, sums = events(WATER, 0.03, 0.001, 0.001)
    assert found[0].sum() == 0.0
    assert found[1].sum() == 1.0
    # Oxygen takes nearly all; its K shell keeps 0.5431 keV here.
    assert sums[0] / EVENTS == pytest.approx(0.543e-3 * 0.958, rel=0.03)


def test_what_is_below_the_cuts_stays_here() -> None:
    found, sums = events(TUNGSTEN, 0.05, 0.06, 0.06)
    assert found.sum() == 0.0
    assert sums[0] / EVENTS == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize(("z", "shell", "cut"), [(74, 0, 0.001), (74, 0, 0.02), (74, 1, 0.001), (20, 0, 0.001)])
def test_photons_of_a_vacancy_carry_their_mean_energy(z: int, shell: int, cut: float) -> None:
    """Means over 100 000 atoms; the expectation follows the cascade shell by shell. 1 % (L), 0.5 % (K)."""
    _, packed = tables()
    sums = np.zeros(7)
    relaxations(packed, packed.row_of_z[z], shell, cut, 1e3, EVENTS, empty_stack(), sums)
    expected = mean_photon_energy_MeV(z, shell, cut)
    assert sums[0] / EVENTS == pytest.approx(expected, rel=0.006 if z == 74 and shell == 0 else 0.015)
    assert sums[1] == 0.0
    assert sums[3] < 1e-15
    assert sums[4] / sums[6] == pytest.approx(0.0, abs=4 * np.sqrt(1 / 3 / sums[6]))
    assert sums[5] / sums[6] == pytest.approx(1 / 3, abs=4 * np.sqrt(4 / 45 / sums[6]))


def test_auger_electrons_of_calcium() -> None:
    """K-LL electrons of calcium have 3.0 to 3.3 keV; K yields 0.83 of them or of K-LM."""
    _, packed = tables()
    sums = np.zeros(7)
    relaxations(packed, packed.row_of_z[20], 0, 1e3, 0.001, EVENTS, empty_stack(), sums)
    assert sums[6] / EVENTS == pytest.approx(1.0 - 0.1687, abs=0.005)
    assert sums[1] / sums[6] == pytest.approx(3.31e-3, rel=0.03)


def test_without_fluorescence_all_stays_here() -> None:
    _, packed = tables(("fluorescence",))
    sums = np.zeros(7)
    relaxations(packed, packed.row_of_z[74], 0, 0.001, 0.001, 100, empty_stack(), sums)
    assert sums[2] / 100 == pytest.approx(packed.edge[9 * packed.row_of_z[74]], rel=1e-12)


def sauter_moments(kinetic: float) -> tuple[float, float]:
    """Integrate beta-weighted Sauter: sin^2/(1 - beta cos)^4 [1 + gamma(gamma-1)(gamma-2)(1 - beta cos)/2]."""
    gamma = 1 + kinetic / ELECTRON_MASS_MEV
    beta = np.sqrt(1 - 1 / gamma**2)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = 0.5 * (1 + nodes)
    c = 1 - 2 * t**4
    density = (1 - c**2) / (1 - beta * c) ** 4 * (1 + 0.5 * gamma * (gamma - 1) * (gamma - 2) * (1 - beta * c)) * t**3
    norm = np.sum(weights * density)
    return float(np.sum(weights * density * c) / norm), float(np.sum(weights * density * c**2) / norm)


@pytest.mark.parametrize("kinetic", [0.002, 0.03, 0.2, 2.0, 20.0])
def test_photoelectrons_follow_sauter(kinetic: float) -> None:
    sampled = np.zeros(2)
    cosines(kinetic, EVENTS, sampled)
    mean, square = sauter_moments(kinetic)
    spread = np.sqrt((square - mean**2) / EVENTS)
    assert sampled[0] / EVENTS == pytest.approx(mean, abs=4 * spread)
    assert sampled[1] / EVENTS == pytest.approx(square, abs=4 * spread)
