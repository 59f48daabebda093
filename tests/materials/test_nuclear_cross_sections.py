"""Nuclear cross sections of protons against ICRU Report 63."""

import numpy as np
import pytest

from dosewright.materials.elements import element
from dosewright.materials.nuclear_cross_sections import LOWEST_MEV, elastic, nonelastic

MILLIBARN = 1e-27
NODES_MEV = np.array([10.0, 20.0, 30.0, 50.0, 100.0, 150.0, 250.0])
# ICRU Report 63 (2000), non-elastic cross sections in mb at `NODES_MEV`; iron at 250 MeV smoothed.
ICRU_63 = {
    "C": (320, 441, 401, 334, 227, 222, 210),
    "N": (415, 519, 472, 362, 260, 257, 257),
    "O": (425, 535, 501, 401, 297, 295, 295),
    "Al": (732, 760, 686, 575, 421, 399, 400),
    "Si": (797, 850, 724, 575, 431, 410, 424),
    "P": (620, 766, 795, 688, 488, 441, 443),
    "Ca": (703, 843, 880, 755, 583, 537, 535),
    "Fe": (832, 1012, 986, 898, 726, 672, 700),
    "Cu": (920, 1173, 1171, 971, 780, 739, 739),
    "W": (288, 1289, 1681, 1830, 1756, 1631, 1600),
    "Pb": (211, 1485, 1939, 2071, 1842, 1688, 1702),
}


@pytest.mark.parametrize("symbol", ICRU_63)
def test_nodes_of_icru_63_are_met_within_3_percent(symbol: str) -> None:
    sigma = nonelastic(element(symbol).Z, NODES_MEV) / MILLIBARN
    np.testing.assert_allclose(sigma, ICRU_63[symbol], rtol=0.03)


def test_the_high_plateau_is_met_within_half_a_percent() -> None:
    for symbol, values in ICRU_63.items():
        sigma = nonelastic(element(symbol).Z, np.array([150.0, 250.0])) / MILLIBARN
        np.testing.assert_allclose(sigma, values[-2:], rtol=0.005)


@pytest.mark.parametrize(("symbol", "below", "above"), [("F", "O", "Al"), ("Ti", "Ca", "Fe"), ("Ag", "Cu", "W")])
@pytest.mark.parametrize("node", [3, 5])
def test_elements_between_are_linear_in_z_per_surface(symbol: str, below: str, above: str, node: int) -> None:
    z, low, high = element(symbol).Z, element(below).Z, element(above).Z
    share = (z - low) / (high - low)
    surface = [ICRU_63[s][node] / element(s).atomic_weight ** (2 / 3) for s in (below, above)]
    wanted = (surface[0] * (1 - share) + surface[1] * share) * element(symbol).atomic_weight ** (2 / 3)
    assert nonelastic(z, NODES_MEV[node : node + 1])[0] / MILLIBARN == pytest.approx(wanted, rel=0.025)


@pytest.mark.parametrize(("symbol", "ratio"), [("S", 0.863), ("Ti", 1.133)])
def test_interpolated_elements_keep_their_ratio_to_calcium(symbol: str, ratio: float) -> None:
    """Reaction cross sections at 150 MeV over that of calcium in an eikonal model (docs/physics/nuclear): to 3 %."""
    at = np.array([150.0])
    found = nonelastic(element(symbol).Z, at)[0] / nonelastic(element("Ca").Z, at)[0]
    assert found == pytest.approx(ratio, rel=0.03)


def test_beyond_the_table_the_surface_of_the_last_element_holds() -> None:
    energy = np.array([150.0])
    for symbol, neighbour in (("Be", "C"), ("U", "Pb")):
        surface = [
            nonelastic(element(s).Z, energy)[0] / element(s).atomic_weight ** (2 / 3) for s in (symbol, neighbour)
        ]
        assert surface[0] / surface[1] == pytest.approx(1.0)


def test_between_nodes_the_oxygen_curve_is_smooth_and_keeps_its_order() -> None:
    energy = np.geomspace(10, 300, 400)
    carbon, oxygen, calcium = (nonelastic(z, energy) for z in (6, 8, 20))
    assert np.all(carbon < oxygen)
    assert np.all(oxygen < calcium)
    assert abs(np.diff(np.log(oxygen))).max() < 0.03


def test_hydrogen_has_no_non_elastic_interaction() -> None:
    assert not nonelastic(1, NODES_MEV).any()


def test_elastic_on_hydrogen_is_the_proton_proton_cross_section() -> None:
    # Fippel and Soukup, Med. Phys. 31, 2263 (2004), eq. 13, worked by hand: mb per proton.
    sigma = elastic(1, np.array([50.0, 100.0, 150.0, 250.0])) / MILLIBARN
    np.testing.assert_allclose(sigma, [60.4, 32.0, 25.2, 23.5], rtol=0.003)


def test_elastic_on_nuclei_grows_with_the_number_of_nucleons() -> None:
    energy = np.array([40.0, 100.0, 200.0])
    oxygen = elastic(8, energy)
    # eq. 15 of the same, worked by hand at 100 MeV: (0.0188 + 0.004 - 0.01475)/3.3428e22 cm2.
    assert oxygen[1] / MILLIBARN == pytest.approx(240.8, rel=0.002)
    # A^0.69 at 100, A^0.94 at 200 MeV, A^(2/3) below: an eikonal calculation, docs/physics/nuclear.
    power = np.array([2 / 3, 0.69, 0.94])
    np.testing.assert_allclose(elastic(20, energy) / oxygen, (element("Ca").atomic_weight / 15.999) ** power)


def test_elastic_on_oxygen_stays_below_that_of_slow_neutrons() -> None:
    """Held at 1.0 b below 40 MeV: neutrons of 10 to 20 MeV scatter elastically on oxygen with about as much."""
    np.testing.assert_allclose(elastic(8, np.array([10.0, 20.0, 40.0])) / MILLIBARN, 1010, rtol=0.03)


@pytest.mark.parametrize("z", [1, 6, 8, 26, 82])
def test_all_is_zero_below_the_barrier_and_never_negative(z: int) -> None:
    energy = np.concatenate([np.geomspace(0.1, LOWEST_MEV * 0.999, 50), np.geomspace(LOWEST_MEV, 350.0, 300)])
    for sigma in (elastic(z, energy), nonelastic(z, energy)):
        assert np.all(np.isfinite(sigma))
        assert sigma.min() >= 0.0
        assert not sigma[:50].any()
    assert elastic(z, energy)[50:].min() > 0.0
