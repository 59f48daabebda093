"""Rayleigh scattering alone: sampled angles against the form factors."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.geometry.trace import Ray
from dosewright.materials.library import named
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM
from dosewright.materials.photons.rayleigh import rayleigh_tables, squared_form_factor
from dosewright.transport.photons.rayleigh import rayleigh

EVENTS = 2_000_000


@kernel
def scatter(tables, material, energy, out):
    for n in range(out.size):
        ray, _ = rayleigh(tables, material, energy, Ray(0.1, 0.2, 0.3, 0.0, 0.0, 1.0), start_stream(3, n))
        out[n] = 1.0 - ray.w


@pytest.mark.parametrize("name", ["water", "G4_Pb"])
@pytest.mark.parametrize("energy", [0.001, 0.01, 0.06, 0.3])
def test_angles_follow_the_form_factor(name: str, energy: float) -> None:
    out = np.zeros(EVENTS)
    scatter(rayleigh_tables([named("G4_AIR"), named(name)]), 1, energy, out)
    x = np.linspace(0.0, energy / HC_MEV_ANGSTROM, 20_001)
    turn = 2.0 * (x * HC_MEV_ANGSTROM / energy) ** 2
    density = squared_form_factor(named(name), x) * (1.0 + (1.0 - turn) ** 2)
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(turn))))
    counts, _ = np.histogram(np.interp(out, turn, below / below[-1]), 40, (0.0, 1.0))
    assert ((counts - EVENTS / 40) ** 2).sum() / (EVENTS / 40) < 72.1  # 39 degrees of freedom, 0.1 %


def test_far_beyond_the_form_factors_the_photon_goes_nearly_straight_on() -> None:
    out = np.zeros(10_000)
    scatter(rayleigh_tables([named("water")]), 0, 50.0, out)
    assert 0.0 < out.mean() < 1e-6
