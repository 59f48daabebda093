"""Inner shells ionised by electrons: the photons that come out, and what they take from the electron."""

from functools import cache

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.library import named
from dosewright.materials.photons.atoms import Atoms, atoms
from dosewright.materials.photons.attenuation import attenuation
from dosewright.materials.photons.impact import impact
from dosewright.transport.electrons.impact import ionise
from dosewright.transport.tracks import PHOTON, empty_stack

EVENTS = 200_000
NAMES = ("G4_W", "CERROBEND", "G4_WATER")


@kernel
def many(atoms, material, energy, photon_cut, events, stack, sums):
    """Sums: what electrons lose, worst balance, photons, photons above 55 keV, other particles, largest loss."""
    for n in range(events):
        stream = start_stream(2, n)
        ray, place = Ray(0.5, 0.5, 0.5, 0.0, 0.0, 1.0), Place(1, 0, 0, 0)
        lost, waiting, stream = ionise(atoms, material, energy, ray, place, photon_cut, stack, 0, stream)
        carried = 0.0
        for k in range(waiting):
            carried += stack[k, 6]
            sums[2] += 1.0
            sums[3] += stack[k, 6] > 0.055
            sums[4] += stack[k, 7] != PHOTON
        sums[0] += lost
        sums[1] = max(sums[1], abs(lost - carried))
        sums[5] = max(sums[5], lost)


@cache
def packed() -> Atoms:
    media = [named(name) for name in NAMES]
    return atoms(media, attenuation(media, [1.0] * len(media)))


def sampled(material: int, energy: float, cut: float) -> np.ndarray:
    sums = np.zeros(6)
    many(packed(), material, energy, cut, EVENTS, empty_stack(), sums)
    return sums


@pytest.mark.parametrize(
    ("material", "energy", "cut"), [(0, 0.15, 0.001), (0, 0.15, 0.01), (0, 6.0, 0.02), (1, 1.0, 0.005)]
)
def test_mean_loss_is_that_of_the_tables(material: int, energy: float, cut: float) -> None:
    """What is taken from the condensed losses comes back as photons: within 1 % (200 000 events, 0.5 %)."""
    sums = sampled(material, energy, cut)
    table = impact(named(NAMES[material]), np.array([energy]), cut)
    assert sums[0] / EVENTS == pytest.approx(table.loss[0] / table.rate[0], rel=0.01)
    assert sums[1] < 1e-15
    assert sums[4] == 0.0
    assert sums[5] <= 0.0906  # no more than the K edge of bismuth


def test_k_photons_of_tungsten_per_ionisation() -> None:
    """At 150 keV with a cut of 20 keV every event is K: 0.954 photons above 55 keV."""
    sums = sampled(0, 0.15, 0.02)
    assert sums[3] / EVENTS == pytest.approx(0.9538, abs=0.002)


def test_nothing_happens_where_no_shell_can_be_reached() -> None:
    assert sampled(2, 0.15, 0.001)[2] == 0.0
    assert sampled(0, 0.0694, 0.02)[2] == 0.0
