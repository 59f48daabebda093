"""Attenuation coefficients against the tables of NIST, and the tables that are made of them."""

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.materials.library import named
from dosewright.materials.photons.attenuation import attenuation, partial_coefficients
from dosewright.materials.photons.cross_sections import edges_MeV, klein_nishina_barn
from dosewright.materials.photons.lookup import COMPTON, PAIR, RAYLEIGH, position

# cm2/g at MeV: Hubbell and Seltzer, NISTIR 5632, version 1.4 (2004), tables 3 and 4, made with XCOM.
NIST = {
    "G4_H": {0.1: 0.2944, 1.0: 0.1263, 10.0: 0.03254, 20.0: 0.02153},
    "G4_WATER": {
        0.0015: 1376.0, 0.002: 617.3, 0.003: 192.9, 0.005: 42.58, 0.01: 5.329, 0.015: 1.673, 0.02: 0.8096,
        0.03: 0.3756, 0.05: 0.2269, 0.08: 0.1837, 0.1: 0.1707, 0.15: 0.1505, 0.2: 0.1370, 0.3: 0.1186, 0.5: 0.09687,
        0.8: 0.07865, 1.0: 0.07072, 1.25: 0.06323, 1.5: 0.05754, 2.0: 0.04942, 3.0: 0.03969, 4.0: 0.03403,
        5.0: 0.03031, 6.0: 0.02770, 8.0: 0.02429, 10.0: 0.02219, 15.0: 0.01941, 20.0: 0.01813,
    },
    "G4_Al": {
        0.0015: 402.2, 0.002: 2263.0, 0.005: 193.4, 0.01: 26.23, 0.02: 3.441, 0.03: 1.128, 0.06: 0.2778, 0.1: 0.1704,
        0.3: 0.1042, 0.6: 0.07802, 1.0: 0.06146, 2.0: 0.04324, 3.0: 0.03541, 5.0: 0.02836, 10.0: 0.02318, 20.0: 0.02168,
    },
    "G4_Cu": {
        0.01: 215.9, 0.02: 33.79, 0.03: 10.92, 0.06: 1.593, 0.1: 0.4584, 0.2: 0.1559, 0.5: 0.08362, 0.8: 0.06605,
        1.0: 0.05901, 1.5: 0.04803, 2.0: 0.04205, 4.0: 0.03318, 6.0: 0.03108, 10.0: 0.03103, 20.0: 0.03408,
    },
    "G4_W": {
        0.01: 96.91, 0.015: 138.9, 0.02: 65.73, 0.03: 22.73, 0.06: 3.713, 0.08: 7.810, 0.1: 4.438, 0.2: 0.7844,
        0.5: 0.1378, 0.8: 0.08066, 1.0: 0.06618, 1.25: 0.05577, 1.5: 0.05000, 2.0: 0.04433, 3.0: 0.04075, 5.0: 0.04103,
        8.0: 0.04472, 10.0: 0.04747, 15.0: 0.05384, 20.0: 0.05893,
    },
    "G4_Pb": {
        0.0015: 2356.0, 0.002: 1285.0, 0.003: 1965.0, 0.005: 730.4, 0.01: 130.6, 0.02: 86.36, 0.05: 8.041, 0.08: 2.419,
        0.1: 5.549, 0.15: 2.014, 0.3: 0.4031, 0.5: 0.1614, 0.8: 0.08870, 1.0: 0.07102, 1.25: 0.05876, 1.5: 0.05222,
        2.0: 0.04606, 3.0: 0.04234, 4.0: 0.04197, 5.0: 0.04272, 6.0: 0.04391, 8.0: 0.04675, 10.0: 0.04972,
        15.0: 0.05658, 20.0: 0.06206,
    },
    "G4_U": {0.01: 179.1, 0.1: 1.954, 1.0: 0.07896, 10.0: 0.05195, 20.0: 0.06512},
}  # fmt: skip
# Both sides of the edges, same tables.
NIST_EDGES = {
    ("G4_Al", 1.5596e-3): (362.1, 3957.0),
    ("G4_Pb", 13.0352e-3): (67.01, 162.1),
    ("G4_Pb", 15.2e-3): (107.8, 148.5),
    ("G4_Pb", 15.8608e-3): (134.4, 154.8),
    ("G4_Pb", 88.0045e-3): (1.910, 7.683),
    ("G4_W", 69.525e-3): (2.552, 11.23),
}


def total(material: Material, energies: list[float]) -> np.ndarray:
    rayleigh, compton, pair, photoelectric = partial_coefficients(material, np.array(energies))
    return rayleigh + compton + pair + photoelectric


@pytest.mark.parametrize("name", NIST)
def test_totals_are_those_of_nist(name: str) -> None:
    """Seen: 0.41 % at most (uranium at 1 MeV), 0.15 % in water."""
    table = NIST[name]
    np.testing.assert_allclose(total(named(name), list(table)), list(table.values()), rtol=0.005)


@pytest.mark.parametrize(("name", "edge"), NIST_EDGES)
def test_both_sides_of_an_edge_are_those_of_nist(name: str, edge: float) -> None:
    seen = total(named(name), [edge * (1 - 1e-9), edge * (1 + 1e-9)])
    np.testing.assert_allclose(seen, NIST_EDGES[name, edge], rtol=0.005)
    around = total(named(name), list(edge * np.array([1 - 1e-3, 1 - 1e-5, 1 + 1e-5, 1 + 1e-3])))
    np.testing.assert_allclose(around[:2], seen[0], rtol=0.004)  # nothing jumps beside the edge
    np.testing.assert_allclose(around[2:], seen[1], rtol=0.004)


def at(tables: object, material: int, energy: float) -> tuple[float, np.ndarray]:
    i, f = position(tables, energy)
    whole = tables.total[material]  # type: ignore[attr-defined]
    parts = tables.cumulated[material]  # type: ignore[attr-defined]
    return float(whole[i] + f * (whole[i + 1] - whole[i])), parts[i] + f * (parts[i + 1] - parts[i])


def test_interpolation_adds_little() -> None:
    """From 1.02 keV: the data of xraylib have a kink at 1 keV. Seen: 0.11 % between the M edges of lead."""
    media = [named("G4_WATER"), named("G4_Pb")]
    tables = attenuation(media, [1.0, 11.0])
    energies = np.geomspace(1.02e-3, 50.0, 4000)
    for m, medium in enumerate(media):
        exact = total(medium, list(energies))
        seen = [at(tables, m, energy)[0] for energy in energies]
        np.testing.assert_allclose(seen, exact, rtol=1.3e-3)


def test_the_edge_belongs_to_the_upper_side_also_in_the_tables() -> None:
    tables = attenuation([named("G4_Pb")], [11.35])
    edge = dict(edges_MeV(82))["K"]
    below, above = at(tables, 0, edge * (1 - 2e-9))[0], at(tables, 0, edge)[0]
    assert below == pytest.approx(1.910, rel=0.005)
    assert above == pytest.approx(7.683, rel=0.005)


def test_begin_leads_to_the_right_node_everywhere() -> None:
    tables = attenuation([named("CERROBEND")], [9.4])
    rng = np.random.default_rng(1)
    for energy in np.concatenate([rng.uniform(0.9e-3, 0.02, 500), np.geomspace(1e-3, 60.0, 500), tables.energies[:-1]]):
        i, f = position(tables, energy)
        inside = max(energy, tables.energies[0])
        assert tables.energies[i] <= inside < tables.energies[i + 1]
        assert 0.0 <= f < 1.0


def test_the_majorant_is_never_exceeded() -> None:
    media, densities = [named("G4_WATER"), named("G4_BONE_CORTICAL_ICRP"), named("G4_Ti")], [1.1, 1.9, 4.5]
    tables = attenuation(media, densities)
    for energy in np.geomspace(1e-3, 50, 777):
        i, f = position(tables, energy)
        largest = tables.largest[i] + f * (tables.largest[i + 1] - tables.largest[i])
        assert largest >= max(d * at(tables, m, energy)[0] for m, d in enumerate(densities)) * (1 - 1e-12)


def test_no_pair_below_its_threshold_and_no_triplet_below_its_own() -> None:
    tables = attenuation([named("G4_Pb")], [11.35])
    parts = at(tables, 0, 1.0219)[1]
    assert parts[PAIR] == parts[COMPTON]
    parts = at(tables, 0, 1.0230)[1]
    assert parts[PAIR] > parts[COMPTON]


def test_processes_left_out() -> None:
    water = named("G4_WATER")
    off = attenuation([water], [1.0], ("rayleigh", "pair", "bound_compton"))
    assert np.all(off.cumulated[0, :, RAYLEIGH] == 0.0)
    assert np.all(off.cumulated[0, :, PAIR] == off.cumulated[0, :, COMPTON])
    electrons = 0.111907 / 1.008 + 0.888093 * 8 / 15.999
    free = klein_nishina_barn(off.energies) * 0.602214076 * electrons
    np.testing.assert_allclose(off.cumulated[0, :, COMPTON], free, rtol=1e-6)
