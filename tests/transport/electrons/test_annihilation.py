"""Annihilation sampled: in flight against Heitler's spectrum and conservation, at rest back to back."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import PATIENT, Place, Ray
from dosewright.transport.electrons.annihilation import at_rest, in_flight
from dosewright.transport.tracks import PHOTON, empty_stack

EVENTS = 200_000


@kernel
def annihilate_often(energy, out):
    """Fill [event, (energy and cosine of one photon, of the other)]."""
    stream = start_stream(12, 5)
    for n in range(out.shape[0]):
        out[n, 0], out[n, 1], out[n, 2], out[n, 3], stream = in_flight(energy, stream)


@kernel
def come_to_rest(photon_cut, stack, out):
    """Fill [event, (left here, photons)] and [event, (u, v, w) of both] of annihilations at rest."""
    stream = start_stream(13, 5)
    ray, place = Ray(0.1, 0.2, 0.3, 0.0, 0.0, 1.0), Place(PATIENT, 4, 5, 6)
    for n in range(out.shape[0]):
        out[n, 0], waiting, stream = at_rest(ray, place, photon_cut, stack, 0, stream)
        out[n, 1] = waiting
        for i in range(3):
            out[n, 2 + i] = stack[0, 3 + i]
            out[n, 5 + i] = stack[1, 3 + i]


@pytest.mark.parametrize("energy", [0.002, 0.1, 1.0, 20.0])
def test_in_flight(energy: float) -> None:
    """The share of the weaker photon: chi-square in 30 bins (four standard deviations: 61); momentum exactly."""
    out = np.zeros((EVENTS, 4))
    annihilate_often(energy, out)
    one, cos_one, other, cos_other = out.T
    total = energy + 2 * ELECTRON_MASS_MEV
    momentum = np.sqrt(energy * total)
    across = [k * np.sqrt(1 - c**2) for k, c in ((one, cos_one), (other, cos_other))]
    assert np.abs(one + other - total).max() < 1e-12 * total
    assert np.abs(one * cos_one + other * cos_other - momentum).max() < 1e-9 * total
    assert np.abs(across[0] - across[1]).max() < 1e-6 * total

    gamma = 1 + energy / ELECTRON_MASS_MEV
    least = 1 / (gamma + 1 + np.sqrt(gamma**2 - 1))
    fine = np.geomspace(least, 0.5, 6001)

    def half(s: np.ndarray) -> np.ndarray:
        return -((gamma + 1) ** 2) + (gamma**2 + 4 * gamma + 1) / s - 1 / s**2

    density = (half(fine) + half(1 - fine)) * fine  # per ln s
    whole = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(np.log(fine)))))
    expected = EVENTS * np.diff(whole[::200]) / whole[-1]
    edges = fine[::200] * np.concatenate(([1 - 1e-9], np.ones(29), [1 + 1e-9]))
    found, _ = np.histogram(np.minimum(one, other) / total, edges)
    assert found.sum() == EVENTS
    assert np.sum((found - expected) ** 2 / expected) < 61.0


def test_at_rest() -> None:
    out, stack = np.zeros((20_000, 8)), empty_stack()
    come_to_rest(0.01, stack, out)
    assert (out[:, 0] == 0.0).all()
    assert (out[:, 1] == 2).all()
    assert (stack[:2, 6] == ELECTRON_MASS_MEV).all()
    assert (stack[:2, 7] == PHOTON).all()
    assert stack[1, :3].tolist() == [0.1, 0.2, 0.3]
    assert stack[1, 8:12].tolist() == [PATIENT, 4, 5, 6]
    first, second = out[:, 2:5], out[:, 5:]
    assert first == pytest.approx(-second)
    assert np.sum(first**2, axis=1) == pytest.approx(np.ones(len(out)))
    assert np.abs(first.mean(0)).max() < 4 / np.sqrt(3 * len(out))
    assert (first**2).mean(0) == pytest.approx([1 / 3] * 3, abs=0.01)


def test_at_rest_below_the_photon_cut() -> None:
    out = np.zeros((3, 8))
    come_to_rest(0.6, empty_stack(), out)
    assert out[:, 0] == pytest.approx(2 * ELECTRON_MASS_MEV)
    assert (out[:, 1] == 0).all()
