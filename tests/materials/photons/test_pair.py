"""The cross section of pair production by energy of the positron."""

import numpy as np
import pytest

from dosewright.materials.library import named
from dosewright.materials.photons.pair import bethe_heitler, pair_tables, sharing


def maximon(k: float) -> float:
    """Return the total of a bare nucleus over Z2 alpha r_e^2: Maximon, J. Res. Natl. Bur. Stand. 72B, 79 (1968)."""
    if k < 4.0:
        r = (2.0 * k - 4.0) / (k + 2.0 + 2.0 * np.sqrt(2.0 * k))
        series = 1.0 + r / 2.0 + 23.0 * r**2 / 40.0 + 11.0 * r**3 / 60.0 + 29.0 * r**4 / 960.0
        return 2.0 * np.pi / 3.0 * ((k - 2.0) / k) ** 3 * series
    L, zeta3 = np.log(2.0 * k), 1.2020569
    second = 6.0 * L - 3.5 + 2.0 * L**3 / 3.0 - L**2 - np.pi**2 * L / 3.0 + 2.0 * zeta3 + np.pi**2 / 6.0
    fourth, sixth = 3.0 * L / 16.0 + 0.125, 29.0 * L / 2304.0 - 77.0 / 13824.0
    return 28.0 * L / 9.0 - 218.0 / 27.0 + (2 / k) ** 2 * second - (2 / k) ** 4 * fourth - (2 / k) ** 6 * sixth


@pytest.mark.parametrize("k", [2.2, 3.0, 5.0, 10.0, 40.0, 98.0])
def test_cross_section_of_a_bare_nucleus_adds_up_to_the_known_total(k: float) -> None:
    energy = 1.0 + (k - 2.0) * (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 4001)))[1:-1]
    assert np.trapezoid(bethe_heitler(k, energy), energy) == pytest.approx(maximon(k), rel=1e-4)


@pytest.mark.parametrize(("name", "Z"), [("G4_C", 6), ("G4_Cu", 29), ("G4_Pb", 82)])
def test_screening_leads_to_the_limit_of_high_energies(name: str, Z: int) -> None:
    # Bethe and Heitler, Proc. R. Soc. A 146, 83 (1934): 28/9 ln(183 Z^-1/3) - 2/27, for the Thomas-Fermi atom
    limit = 28.0 / 9.0 * np.log(183.0 * Z ** (-1.0 / 3.0)) - 2.0 / 27.0
    share = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 4001))
    assert np.trapezoid(sharing(named(name), 1.0e5, share), share) == pytest.approx(limit, rel=0.015)
    assert np.trapezoid(sharing(named(name), 3.0, share), share) == pytest.approx(maximon(3.0), rel=0.004)


def test_shares_are_symmetric() -> None:
    share = pair_tables([named("G4_W")]).share[0]
    np.testing.assert_allclose(share + share[:, ::-1], 1.0, atol=2e-4)
    assert (np.diff(share, axis=1) > 0.0).all()
