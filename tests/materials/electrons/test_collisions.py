"""Collisions below and above the cut against the closed forms of ICRU Report 37 and against each other."""

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.collisions import differential, restricted
from dosewright.materials.electrons.stopping import collision_stopping
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol

WATER = named("G4_WATER")
LEAD = Material("Pb", element(82).density_g_cm3, {82: 1.0}, element(82).mean_excitation_eV)
ENERGY = np.array([0.003, 0.025, 0.05, 0.3, 1.0, 10.0, 50.0])


def strength(material: Material, energy: np.ndarray) -> np.ndarray:
    """2 pi r_e^2 m c^2 N_A <Z/A>/beta^2."""
    gamma = 1 + energy / ELECTRON_MASS_MEV
    return 0.5 * BETHE_K_MEV_CM2_PER_MOL * electrons_per_gram_mol(material) / (1 - 1 / gamma**2)


def moller(energy: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray]:
    """Rate and mean loss above a cut in units of `strength`, integrated by hand."""
    gamma = 1 + energy / ELECTRON_MASS_MEV
    c = (2 * gamma - 1) / gamma**2
    total = energy + ELECTRON_MASS_MEV

    def count(w: np.ndarray) -> np.ndarray:
        return -1 / w + 1 / (energy - w) + w / total**2 - c / energy * np.log(w / (energy - w))

    def loss(w: np.ndarray) -> np.ndarray:
        rest = energy - w
        return np.log(w * rest) + energy / rest + w**2 / (2 * total**2) + c * np.log(rest)

    low, high = np.full_like(energy, cut), energy / 2
    return count(high) - count(low), loss(high) - loss(low)


@pytest.mark.parametrize("cut", [0.001, 0.01, 0.2])
def test_moller_above_the_cut(cut: float) -> None:
    energy = ENERGY[2 * cut < ENERGY]
    ours = restricted(WATER, energy, cut)
    rate, loss = moller(energy, cut)
    k = strength(WATER, energy)
    assert ours.rate == pytest.approx(k * rate, rel=1e-7)
    assert ours.hard_loss == pytest.approx(k * loss, rel=1e-7)


def test_bhabha_tends_to_moller_for_small_transfers() -> None:
    transfer = np.array([1e-4])
    for energy in (0.1, 1.0, 50.0):
        both = [differential(np.array([energy]), transfer, positron) for positron in (False, True)]
        assert both[0] == pytest.approx(both[1], rel=3e-3)
        assert both[0] == pytest.approx([1.0], rel=2e-3)


def test_bhabha_in_the_coefficients_of_rohrlich_and_carlson() -> None:
    """The same formula in gamma alone: Rohrlich and Carlson, Phys. Rev. 93, 38 (1954)."""
    g = 1 + 1 / ELECTRON_MASS_MEV
    e = np.array([0.03, 0.3, 1.0])
    square = ((g - 1) / g) ** 2
    b1 = square * (2 * (g + 1) ** 2 - 1) / (g**2 - 1)
    b2 = square * (3 * (g + 1) ** 2 + 1) / (g + 1) ** 2
    b3 = square * 2 * g * (g - 1) / (g + 1) ** 2
    b4 = square * (g - 1) ** 2 / (g + 1) ** 2
    expected = 1 - b1 * e + b2 * e**2 - b3 * e**3 + b4 * e**4
    assert differential(np.ones(3), e, True) == pytest.approx(expected)


@pytest.mark.parametrize("positron", [False, True])
@pytest.mark.parametrize("cut", [1e-3, 1e-2, 0.5, np.inf])
def test_losses_below_and_above_sum_to_all(cut: float, positron: bool) -> None:
    for material in (WATER, LEAD):
        parts = restricted(material, ENERGY, cut, positron)
        assert parts.stopping + parts.hard_loss == pytest.approx(collision_stopping(material, ENERGY, positron))
        reachable = ENERGY * (1 if positron else 0.5) > cut
        assert (parts.rate[reachable] > 0).all()
        assert (parts.rate[~reachable] == 0).all()
        assert (parts.stopping > 0).all()


@pytest.mark.parametrize("positron", [False, True])
def test_moments_between_two_cuts_are_those_of_free_electrons(positron: bool) -> None:
    """The variance and third moment that a larger cut adds are integrals of the cross section."""
    energy, low, high = np.array([0.5, 5.0, 50.0]), 0.02, 0.2
    below, above = (restricted(WATER, energy, cut, positron) for cut in (low, high))
    w = np.linspace(low, high, 20001)
    shape = differential(energy[:, None], np.broadcast_to(w, (3, w.size)), positron)
    k = strength(WATER, energy)
    assert above.variance - below.variance == pytest.approx(k * np.trapezoid(shape, w), rel=1e-3)
    assert above.third - below.third == pytest.approx(k * np.trapezoid(shape * w, w), rel=1e-3)


def test_moments_are_those_of_losses_up_to_the_cut() -> None:
    """No set of losses from 0 to the cut has a larger variance or third moment for its mean."""
    for material in (WATER, LEAD):
        for positron in (False, True):
            for cut in (1e-3, 1e-2, 0.5, np.inf):
                parts = restricted(material, ENERGY, cut, positron)
                largest = np.minimum(cut, ENERGY * (1 if positron else 0.5))
                assert (parts.variance > 0).all()
                assert (parts.variance <= parts.stopping * largest).all()
                assert (parts.third <= parts.variance * largest * (1 + 1e-9)).all()
                assert (parts.third * parts.stopping >= parts.variance**2 * (1 - 1e-9)).all()  # Cauchy and Schwarz


def test_distant_collisions_add_little_to_the_variance() -> None:
    """Water, cut 10 keV: free electrons alone would give the strength times the cut."""
    energy = np.array([10.0])
    ratio = restricted(WATER, energy, 0.01).variance / (strength(WATER, energy) * 0.01)
    assert 1.1 < ratio[0] < 1.35
