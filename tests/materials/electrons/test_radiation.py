"""Bremsstrahlung: the fit against the evaluation it was made from, and against ESTAR."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.bremsstrahlung_fit import deviations, read_evaluation

from dosewright.core.matter import Material
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.electrons.lookup import COARSE, COARSE_NODES, NODES, SHAPE_NODES, node_energies_MeV
from dosewright.materials.electrons.radiation import positron_ratio, radiating_z, radiation, radiation_shape
from dosewright.materials.elements import element
from dosewright.materials.library import named

WATER = named("G4_WATER")
AIR = named("G4_AIR")
_BONE = {1: 0.047234, 6: 0.14433, 7: 0.04199, 8: 0.446096, 12: 0.0022, 15: 0.10497, 16: 0.00315, 20: 0.20993, 30: 1e-4}
CORTICAL_BONE = Material("bone", 1.85, _BONE)  # ICRP, as in ESTAR
TUNGSTEN = Material("W", 19.3, {74: 1.0})
ESTAR = [
    (WATER, {0.01: 3.898e-3, 0.1: 4.228e-3, 0.35: 5.914e-3, 1.0: 1.280e-2, 3.5: 5.164e-2, 10: 0.1814, 50: 1.146}),
    (AIR, {0.01: 3.897e-3, 0.1: 4.222e-3, 0.35: 5.890e-3, 1.0: 1.271e-2, 3.5: 5.115e-2, 10: 0.1795, 50: 1.133}),
    (CORTICAL_BONE, {0.01: 5.461e-3, 0.1: 6.356e-3, 0.35: 8.685e-3, 1.0: 1.824e-2, 3.5: 7.165e-2, 10: 0.2476}),
]
ENERGY = np.array([0.003, 0.05, 0.2, 1.0, 10.0, 50.0])


def test_every_element_against_the_evaluation(shared_data: Path) -> None:
    """Be to Pb, 1 keV to 50 MeV: radiative stopping power within 0.5 %, cross section within 3 % (1 % for 99 %)."""
    energy, share, table = read_evaluation(shared_data / "nbs-bremsstrahlung" / "nist_brems.data")
    used = (energy >= 1e-3) & (energy <= 50.0)
    cross_section, stopping = deviations(energy[used], share, table[:92, used])
    body = np.abs(cross_section[3:82][..., share <= 0.95])
    assert np.abs(stopping).max() < 0.005
    assert body.max() < 0.03
    assert np.quantile(body, 0.99) < 0.01


@pytest.mark.parametrize(("material", "expected"), ESTAR)
def test_radiative_stopping_power(material: Material, expected: dict[float, float]) -> None:
    """ESTAR (NISTIR 4999), which integrates and interpolates the same evaluation in its own way."""
    ours = radiation(material, np.array(list(expected)), np.inf).total
    assert ours == pytest.approx(list(expected.values()), rel=7e-3)


@pytest.mark.parametrize("positron", [False, True])
def test_losses_below_and_above_sum_to_all(positron: bool) -> None:
    for material in (WATER, TUNGSTEN):
        whole = radiation(material, ENERGY, np.inf, positron)
        assert (whole.rate == 0).all()
        for cut in (1e-3, 1e-2, 0.5):
            parts = radiation(material, ENERGY, cut, positron)
            assert parts.total == pytest.approx(whole.stopping, rel=5e-4)
            assert (parts.stopping > 0).all()
            assert ((parts.rate > 0) == (cut < ENERGY)).all()


def test_rate_and_loss_above_a_cut_are_integrals() -> None:
    """From one cut to another, against a fine sum over the sampling table's own shape."""
    energy = node_energies_MeV()[::COARSE][40:41]
    low, high = (radiation(WATER, energy, share * energy[0]) for share in (0.1, 0.5))
    share = np.linspace(0.1, 0.5, 2001)
    shape = np.interp(share, np.linspace(0, 1, SHAPE_NODES), radiation_shape(WATER)[40])
    photons, loss = np.trapezoid(shape / share, share), np.trapezoid(shape, share)
    mean = (low.hard_loss - high.hard_loss) / (low.rate - high.rate)
    assert mean == pytest.approx(energy * loss / photons, rel=1e-3)


def test_shape() -> None:
    table = radiation_shape(TUNGSTEN)
    assert table.shape == (COARSE_NODES, SHAPE_NODES)
    assert (NODES - 1) // COARSE + 1 == COARSE_NODES
    assert table.max(1) == pytest.approx(np.ones(COARSE_NODES))
    assert (table > 0).all()


def test_mixtures_add_their_elements() -> None:
    parts = {1: 0.2, 82: 0.8}
    mixed = radiation(Material("x", 1.0, parts), ENERGY, 0.01)
    alone = [w * radiation(Material(str(z), 1.0, {z: 1.0}), ENERGY, 0.01).total for z, w in parts.items()]
    assert mixed.total == pytest.approx(sum(alone))
    assert radiating_z(TUNGSTEN) == pytest.approx(74.0)
    assert 1.0 < radiating_z(WATER) < 8.0


def test_positrons_radiate_less() -> None:
    """Kim et al. (1986): a function of T/Z^2 alone, from zero to one."""
    energy = np.array([1e-3, 0.01, 0.1, 1.0, 10.0, 50.0])
    for z in (1, 8, 82):
        ratio = positron_ratio(z, energy)
        assert (np.diff(ratio) > -1e-3).all()
        assert ((ratio > 0) & (ratio < 1.001)).all()
    assert positron_ratio(40, energy) == pytest.approx(positron_ratio(80, 4 * energy))
    assert positron_ratio(82, np.array([1.0])) == pytest.approx([0.4923], abs=5e-4)  # by hand: t = 5.677, P = 0.6779


def test_outside_the_fit_its_ends_hold() -> None:
    """Beyond 1 keV and 100 MeV the scaled cross section stays, so S follows T/beta^2."""
    energy = np.array([0.98e-3, 1.0e-3, 100.0, 120.0])
    gamma = 1 + energy / ELECTRON_MASS_MEV
    scaled = radiation(WATER, energy, np.inf).total / energy * (1 - 1 / gamma**2)
    assert scaled[0] == pytest.approx(scaled[1])
    assert scaled[3] == pytest.approx(scaled[2], rel=5e-3)


def test_every_element_is_smooth_between_the_energies_of_the_evaluation() -> None:
    """Second differences of ln S over steps of 3 %: a wave between two nodes of the fit would show."""
    energy = np.geomspace(1e-3, 50.0, 366)
    for z in range(1, 93):
        material = Material(element(z).symbol, 1.0, {z: 1.0})
        bend = np.diff(np.log(radiation(material, energy, np.inf).total), 2)
        assert np.abs(bend).max() < 1.5e-3
