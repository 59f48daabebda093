"""How vacancies are filled: lines and yields of the literature, and bookkeeping of energy."""

import numpy as np
import pytest

from dosewright.materials.photons.cross_sections import SHELLS, edges_MeV
from dosewright.materials.photons.vacancies import (
    FOLLOWED,
    OUTER,
    highest_line_MeV,
    mean_photon_energy_MeV,
    transitions,
)

# K fluorescence yields of Krause, J. Phys. Chem. Ref. Data 8, 307 (1979).
KRAUSE_K = {20: 0.163, 29: 0.440, 42: 0.765, 53: 0.884, 74: 0.958, 82: 0.968}
# Energies (keV) of K alpha 1, K alpha 2 and L3-M5: Bearden, Rev. Mod. Phys. 39, 78 (1967).
BEARDEN = {
    29: (8.04778, 8.02783, 0.9297),
    42: (17.47934, 17.3743, 2.29316),
    74: (59.31824, 57.9817, 8.3976),
    82: (74.9694, 72.8042, 10.5515),
}


@pytest.mark.parametrize("z", KRAUSE_K)
def test_k_yields_are_those_of_krause(z: int) -> None:
    """xraylib has later values: 3.5 % at calcium, 1 % from molybdenum on."""
    radiative = sum(t.probability for t in transitions(z, 0) if t.radiative)
    assert radiative == pytest.approx(KRAUSE_K[z], rel=0.04 if z < 42 else 0.01)


@pytest.mark.parametrize("z", BEARDEN)
def test_lines_lie_where_bearden_measured_them(z: int) -> None:
    of_k = {t.left[0]: t.energy * 1e3 for t in transitions(z, 0) if t.radiative}
    l3m5 = max((t for t in transitions(z, 3) if t.radiative), key=lambda t: t.probability)
    assert of_k[3] == pytest.approx(BEARDEN[z][0], rel=1e-3)
    assert of_k[2] == pytest.approx(BEARDEN[z][1], rel=1e-3)
    assert l3m5.energy * 1e3 == pytest.approx(BEARDEN[z][2], rel=2e-3)


@pytest.mark.parametrize("z", [11, 20, 29, 47, 74, 82, 92])
def test_every_vacancy_is_filled_and_moves_outwards(z: int) -> None:
    edges = dict(edges_MeV(z))
    for shell in range(FOLLOWED):
        found = transitions(z, shell)
        if not found:
            continue
        assert sum(t.probability for t in found) == pytest.approx(1.0, abs=1e-12)
        for t in found:
            assert all(left == OUTER or left > shell for left in t.left)
            bound = sum(edges[SHELLS[left]] for left in t.left if left != OUTER)
            assert 0.0 <= t.energy <= edges[SHELLS[shell]] - bound + 1e-12


@pytest.mark.parametrize("z", [1, 6, 8, 20])
def test_shells_below_the_lowest_cut_need_no_data(z: int) -> None:
    assert all(isinstance(transitions(z, shell), tuple) for shell in range(FOLLOWED))


def test_coster_kronig_moves_vacancies_of_l1_to_l3() -> None:
    """Tungsten: f13 = 0.33, f12 = 0.17 (Krause 1979; xraylib: Campbell 2003, 0.36 and 0.11)."""
    moved = {t.left[0]: t.probability for t in transitions(74, 1) if not t.radiative and t.left[1] == OUTER}
    assert moved[3] == pytest.approx(0.36, abs=0.01)
    assert moved[2] == pytest.approx(0.11, abs=0.01)


def test_mean_photon_energy_of_tungsten() -> None:
    """From 20 keV on only K lines: yield times mean K line energy, 0.954 x 61.1 keV."""
    mean = mean_photon_energy_MeV(74, 0, 0.02)
    lines = [t for t in transitions(74, 0) if t.radiative]
    assert mean == pytest.approx(sum(t.probability * t.energy for t in lines), rel=1e-12)
    assert mean == pytest.approx(0.9538 * 0.0602, rel=0.01)
    assert mean_photon_energy_MeV(74, 0, 0.001) > mean + 0.001  # the L lines that follow
    assert mean_photon_energy_MeV(74, 0, 0.07) == 0.0


def test_faint_lines_do_not_count() -> None:
    """L3-N5 of tungsten (9.96 keV) counts, its O lines at 10.2 keV do not."""
    assert highest_line_MeV(74, 3) == pytest.approx(9.96e-3, rel=0.005)
    assert highest_line_MeV(1, 0) == 0.0
    assert np.isclose(highest_line_MeV(74, 0), 69.1e-3, rtol=0.002)
