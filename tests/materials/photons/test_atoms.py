"""The tables of atoms: shares of elements and shells."""

from functools import cache

import numpy as np
import pytest

from dosewright.materials.library import named
from dosewright.materials.photons.atoms import Atoms, atoms, shell_shares
from dosewright.materials.photons.attenuation import attenuation, partial_coefficients
from dosewright.materials.photons.cross_sections import edges_MeV, photoelectric_barn
from dosewright.materials.photons.lookup import Attenuation
from dosewright.materials.photons.vacancies import FOLLOWED

NAMES = ("G4_WATER", "G4_BONE_CORTICAL_ICRP", "G4_W", "G4_Pb")


@cache
def tables() -> tuple[Attenuation, Atoms]:
    media = [named(name) for name in NAMES]
    attenuated = attenuation(media, [1.0] * len(media))
    return attenuated, atoms(media, attenuated)


def test_elements_add_up_to_the_photoelectric_coefficient() -> None:
    attenuated, packed = tables()
    for m, name in enumerate(NAMES):
        photoelectric = partial_coefficients(named(name), attenuated.energies)[3]
        np.testing.assert_allclose(packed.cumulated[packed.first[m + 1] - 1], photoelectric, rtol=1e-12)
        rest = attenuated.total[m] - attenuated.cumulated[m, :, -1]
        np.testing.assert_allclose(rest, photoelectric, rtol=1e-6)


def test_rows_are_found_from_the_material_and_from_the_atomic_number() -> None:
    _, packed = tables()
    for m, name in enumerate(NAMES):
        here = packed.row[packed.first[m] : packed.first[m + 1]]
        assert list(packed.z[here]) == list(named(name).mass_fractions)
        assert np.sum(packed.weight[packed.first[m] : packed.first[m + 1]]) == pytest.approx(1.0)
    assert all(packed.row_of_z[z] == row for row, z in enumerate(packed.z))
    assert packed.row_of_z[26] == -1


def shares(z: int, energy: float) -> np.ndarray:
    attenuated, packed = tables()
    row = packed.row_of_z[z]
    node = int(np.searchsorted(attenuated.energies, energy))
    summed = packed.share[FOLLOWED * row : FOLLOWED * (row + 1), node]
    return np.diff(summed, prepend=0.0)


@pytest.mark.parametrize("z", [20, 29, 50, 74, 82])
def test_share_of_the_k_shell_agrees_with_the_jump_of_the_total(z: int) -> None:
    """Two evaluations: Kissel's shells, and the edge in XCOM's photoelectric cross section. Seen: 1.5 % (tungsten)."""
    edge = dict(edges_MeV(z))["K"]
    below, above = photoelectric_barn(z, edge * np.array([1 - 1e-9, 1 + 1e-9]))
    assert k_share(z, edge * 1.0001) == pytest.approx(1 - below / above, rel=0.02)
    assert k_share(z, edge * 0.9999) == 0.0


def k_share(z: int, energy: float) -> float:
    return float(shell_shares(z, np.array([1e-3, energy, 60.0]))[0, 1])


def test_l_shells_of_tungsten_change_with_energy() -> None:
    """Scofield (1973): L3 leads just above its edge, L1 far above it."""
    low, high = shares(74, 0.0125), shares(74, 0.060)
    assert low[3] > low[2] > low[1] > 0.1
    assert high[1] > high[3] > high[2]


def test_shares_grow_inwards_to_outwards_and_stay_below_one() -> None:
    _, packed = tables()
    by_shell = packed.share.reshape(-1, FOLLOWED, packed.share.shape[1])
    assert np.all(np.diff(by_shell, axis=1) >= 0.0)
    assert np.all((by_shell >= 0.0) & (by_shell <= 1.0 + 1e-12))


def test_light_elements_absorb_in_the_k_shell() -> None:
    assert shares(8, 0.01)[0] == pytest.approx(0.948, abs=0.005)  # oxygen: 1 - 1/jump is 0.935
    assert shares(8, 5.0)[0] == pytest.approx(0.95, abs=0.02)
    assert shares(1, 0.03)[0] == pytest.approx(1.0)


def test_without_fluorescence_no_vacancy_is_filled() -> None:
    attenuated, _ = tables()
    packed = atoms([named(name) for name in NAMES], attenuated, ("fluorescence",))
    assert packed.probability.size == 0
    assert packed.begin[-1] == 0
    assert np.all(packed.line == 0.0)
