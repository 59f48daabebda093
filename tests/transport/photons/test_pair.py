"""Pair production alone: shares, angles, and the books of energy."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.library import named
from dosewright.materials.photons.pair import pair_tables, sharing
from dosewright.transport.photons.pair import pair
from dosewright.transport.tracks import ELECTRON, POSITRON, empty_stack

EVENTS = 500_000


@kernel
def produce(tables, energy, photon_cut, electron_cut, stack, out):
    ray, place = Ray(0.3, 0.4, 0.5, 0.0, 0.0, 1.0), Place(1, 2, 3, 4)
    for n in range(out.shape[0]):
        deposited, waiting, _ = pair(
            tables, 0, energy, ray, place, photon_cut, electron_cut, stack, 0, start_stream(8, n)
        )
        out[n, 0] = deposited
        for row in range(waiting):
            species = np.int64(stack[row, 7])
            out[n, species - 4] = stack[row, 6]  # 1 photons, 2 electron, 3 positron
            out[n, species - 1] = stack[row, 5]  # cosine: 5 electron, 6 positron
            out[n, 7] += stack[row, 6]


def sampled(name: str, energy: float, cut: float = 1e-9) -> np.ndarray:
    out = np.zeros((EVENTS, 8))
    produce(pair_tables([named(name)]), energy, 1e-3, cut, empty_stack(), out)
    return out


@pytest.mark.parametrize(("name", "energy"), [("water", 1.03), ("water", 3.0), ("G4_Pb", 8.0), ("water", 47.0)])
def test_shares_follow_bethe_and_heitler(name: str, energy: float) -> None:
    both = energy - 2.0 * ELECTRON_MASS_MEV
    out = sampled(name, energy)
    np.testing.assert_allclose(out[:, 2] + out[:, 3], both, rtol=1e-9)
    share = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 4001))
    density = sharing(named(name), max(energy / ELECTRON_MASS_MEV, 2.02), share)
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(share))))
    counts, _ = np.histogram(np.interp(out[:, 3] / both, share, below / below[-1]), 40, (0.0, 1.0))
    assert ((counts - EVENTS / 40) ** 2).sum() / (EVENTS / 40) < 72.1  # 39 degrees of freedom, 0.1 %


def test_angles_go_as_the_leading_term() -> None:
    out = sampled("water", 6.0)
    for kinetic, cosine in ((out[:, 2], out[:, 5]), (out[:, 3], out[:, 6])):
        total = kinetic + ELECTRON_MASS_MEV
        beta = np.sqrt(1.0 - (ELECTRON_MASS_MEV / total) ** 2)
        # cumulative probability of 1/(1 - beta cos)^2 from backward to forward
        probability = (1.0 / (1.0 - beta * cosine) - 1.0 / (1.0 + beta)) * (1.0 - beta**2) / (2.0 * beta)
        counts, _ = np.histogram(probability, 40, (0.0, 1.0))
        assert ((counts - EVENTS / 40) ** 2).sum() / (EVENTS / 40) < 72.1


@pytest.mark.parametrize("energy", [1.1, 2.5])
def test_what_is_below_the_cut_stays_and_its_positron_annihilates(energy: float) -> None:
    cut = 0.3
    out = sampled("G4_Pb", energy, cut)
    annihilates = out[:, POSITRON - 4] == 0.0
    gained = 2.0 * ELECTRON_MASS_MEV * annihilates
    np.testing.assert_allclose(out[:, 0] + out[:, 7], energy - 2.0 * ELECTRON_MASS_MEV + gained, rtol=1e-9)
    born = out[:, [ELECTRON - 4, POSITRON - 4]]
    assert ((born == 0.0) | (born >= cut)).all()
    assert annihilates.any()
