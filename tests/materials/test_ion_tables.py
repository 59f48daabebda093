"""Tables of the proton transport against the integrals they stand for."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.materials import lookup
from dosewright.materials.elements import element
from dosewright.materials.ion_tables import HIGHEST_MEV, LOWEST_MEV, NODES, PROCESSES, ion_tables
from dosewright.materials.library import named
from dosewright.materials.lookup import IonTables, hard_path_g_cm2, position, value
from dosewright.materials.nuclear_cross_sections import elastic, nonelastic
from dosewright.materials.stopping import proton_mass_stopping_power

Array = NDArray[np.float64]

MATERIALS = (named("G4_WATER"), named("G4_AIR"), named("G4_Ti"))
CUT_MEV = 0.2
TABLES = ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV)
ELECTRON_MEV, PROTON_MEV = 0.51099895, 938.272089
AVOGADRO = 6.02214076e23
RADIUS_2_CM2 = (2.8179403e-13) ** 2
ENERGIES = [3.0, 60.0, 120.0, 200.0, 330.0]


def at(tables: IonTables, material: int, column: int, energy: float) -> float:
    return float(value(tables, material, column, *position(tables, energy)))


def electrons_per_gram(material: Material) -> float:
    return AVOGADRO * sum(w * z / element(z).atomic_weight for z, w in material.mass_fractions.items())


class Knock:
    """Collisions with free electrons, written from the cross section of a spin-1/2 particle (ICRU 37 and 49)."""

    def __init__(self, energy: float) -> None:
        total = energy + PROTON_MEV
        self.gamma = total / PROTON_MEV
        self.beta2 = 1 - 1 / self.gamma**2
        invariant = PROTON_MEV**2 + ELECTRON_MEV**2 + 2 * ELECTRON_MEV * total
        self.top = 2 * ELECTRON_MEV * energy * (energy + 2 * PROTON_MEV) / invariant
        self.total2 = total**2

    def moment(self, power: int, low: float, high: float) -> float:
        """Integral of T^power d(sigma)/dT, cm2 MeV^power per electron, substituted by ln T."""
        factor = 2 * np.pi * RADIUS_2_CM2 * ELECTRON_MEV / self.beta2

        def integrand(log_t: float) -> float:
            t = np.exp(log_t)
            return float(t ** (power - 1) * (1 - self.beta2 * t / self.top + t * t / (2 * self.total2)))

        return factor * float(quad(integrand, np.log(low), np.log(high), epsrel=1e-10)[0]) if high > low else 0.0


@pytest.mark.parametrize("m", range(len(MATERIALS)), ids=[m.name for m in MATERIALS])
@pytest.mark.parametrize("energy", ENERGIES)
def test_restricted_and_hard_losses_make_the_total(m: int, energy: float) -> None:
    knock = Knock(energy)
    total = float(proton_mass_stopping_power(MATERIALS[m], energy))
    if MATERIALS[m].name == "G4_AIR":
        hard = 0.0  # in gases electrons are condensed
    else:
        hard = electrons_per_gram(MATERIALS[m]) * knock.moment(1, CUT_MEV, knock.top)
        assert energy < 200 or hard > 0.02 * total, "the test must have something to find"
    assert at(TABLES, m, lookup.STOPPING, energy) + hard == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("energy", ENERGIES)
def test_knock_on_rate_and_variance_are_integrals_of_the_cross_section(energy: float) -> None:
    knock, electrons = Knock(energy), electrons_per_gram(MATERIALS[0])
    rate = electrons * knock.moment(0, CUT_MEV, knock.top)
    variance = electrons * knock.moment(2, 1e-9, min(CUT_MEV, knock.top))
    assert at(TABLES, 0, lookup.DELTA, energy) == pytest.approx(rate, rel=2e-4)
    assert at(TABLES, 0, lookup.STRAGGLING, energy) == pytest.approx(variance, rel=2e-4)


@pytest.mark.parametrize("energy", [20.0, 70.0, 150.0, 230.0])
def test_all_losses_condensed_give_bohr_s_variance(energy: float) -> None:
    tables = ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV, processes_off=["delta"])
    knock = Knock(energy)
    # Bohr 1948, relativistic: 4 pi r_e^2 (m c^2)^2 n (1 - beta^2/2)/(1 - beta^2).
    bohr = 4 * np.pi * RADIUS_2_CM2 * ELECTRON_MEV**2 * electrons_per_gram(MATERIALS[0])
    bohr *= (1 - knock.beta2 / 2) / (1 - knock.beta2)
    assert at(tables, 0, lookup.STRAGGLING, energy) == pytest.approx(bohr, rel=3e-3)
    assert at(tables, 0, lookup.STOPPING, energy) == pytest.approx(
        float(proton_mass_stopping_power(MATERIALS[0], energy)), rel=1e-4
    )
    assert at(tables, 0, lookup.DELTA, energy) == 0.0


LARGEST_ON_ELECTRON = (ELECTRON_MEV / PROTON_MEV) ** 2  # q of the largest deflection by a free electron


@pytest.mark.parametrize("energy", ENERGIES)
def test_in_gases_all_losses_are_condensed(energy: float) -> None:
    knock, electrons = Knock(energy), electrons_per_gram(MATERIALS[1])
    assert at(TABLES, 1, lookup.DELTA, energy) == 0.0
    variance = electrons * knock.moment(2, 1e-9, knock.top)
    assert at(TABLES, 1, lookup.STRAGGLING, energy) == pytest.approx(variance, rel=2e-4)


def _rutherford(material: Material, energy: float, power: int, low: float, high: float, charges: int = 2) -> float:
    """Integral of q^power over Moliere-screened Rutherford scattering, q = 4 sin^2(theta/2), per g/cm2.

    Nuclei scatter with Z^2, free electrons (`charges` 1) with Z.
    """
    momentum = np.sqrt(energy * (energy + 2 * PROTON_MEV))
    beta = momentum / (energy + PROTON_MEV)
    total = 0.0
    for z, w in material.mass_fractions.items():
        atoms = AVOGADRO * w / element(z).atomic_weight
        amplitude = 2 * z * 197.3269804e-13 / 137.035999 / (momentum * beta)  # cm; d(sigma)/d(Omega) = (a/q)^2
        screening = 197.3269804e-13 * z ** (1 / 3) / (0.885 * 5.29177e-9) / momentum
        chi2 = screening**2 * (1.13 + 3.76 * (z / 137.035999 / beta) ** 2)

        def integrand(log_q: float, chi2: float = chi2) -> float:
            q = np.exp(log_q)
            return float(q ** (power + 1) / (q + chi2) ** 2)

        # d(Omega) = pi dq
        share = quad(integrand, np.log(max(low, 1e-6 * chi2)), np.log(high), epsrel=1e-9, limit=200)[0]
        total += atoms * np.pi * amplitude**2 * z ** (charges - 2) * share
    return total


@pytest.mark.parametrize("m", range(len(MATERIALS)), ids=[m.name for m in MATERIALS])
@pytest.mark.parametrize("energy", [5.0, 70.0, 180.0])
def test_soft_and_hard_deflections_make_the_whole(m: int, energy: float) -> None:
    condensed = ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV, processes_off=["hard_scattering"])
    momentum2 = energy * (energy + 2 * PROTON_MEV)
    pv2 = momentum2 * (1 - 1 / Knock(energy).gamma ** 2)
    cut = float(TABLES.hard_path_scale[m] * hard_path_g_cm2(energy)) / pv2
    hard_mean = _rutherford(MATERIALS[m], energy, 1, cut, 4.0)
    soft = at(TABLES, m, lookup.SCATTERING, energy)
    whole = at(condensed, m, lookup.SCATTERING, energy)
    assert soft + hard_mean == pytest.approx(whole, rel=3e-4)
    assert at(TABLES, m, lookup.HARD_SCATTERING, energy) == pytest.approx(
        _rutherford(MATERIALS[m], energy, 0, cut, 4.0), rel=3e-4
    )
    nuclei = _rutherford(MATERIALS[m], energy, 1, 0.0, 4.0)
    electrons = _rutherford(MATERIALS[m], energy, 1, 0.0, LARGEST_ON_ELECTRON, charges=1)
    assert whole == pytest.approx(nuclei + electrons, rel=3e-4)


@pytest.mark.parametrize("energy", [5.0, 70.0, 180.0])
def test_hard_deflections_come_about_once_per_wanted_path(energy: float) -> None:
    wanted = float(hard_path_g_cm2(energy))
    for m in range(len(MATERIALS)):
        assert 0.9 < at(TABLES, m, lookup.HARD_SCATTERING, energy) * wanted <= 1.0


def test_interpolation_is_exact_to_1e_4_between_the_nodes() -> None:
    nodes = np.geomspace(LOWEST_MEV, HIGHEST_MEV, NODES)
    between = np.sqrt(nodes[:-1] * nodes[1:])
    whole = ion_tables(MATERIALS[:1], delta_cut_MeV=np.inf)
    exact = proton_mass_stopping_power(MATERIALS[0], between)
    got = np.array([at(whole, 0, lookup.STOPPING, e) for e in between])
    np.testing.assert_allclose(got, exact, rtol=1e-4)
    ratio = np.array([at(TABLES, 2, lookup.WATER_RATIO, e) for e in between[::20]])
    truth = exact[::20] / proton_mass_stopping_power(MATERIALS[2], between[::20])
    np.testing.assert_allclose(ratio, truth, rtol=2e-4)


def test_interpolation_of_every_column_is_within_1e_3_from_1_MeV() -> None:
    """The second difference of the nodes bounds the error of a linear interpolation: an eighth of it."""
    for energy in np.geomspace(1.03, 340.0, 97):
        i, _ = position(TABLES, energy)
        for column in range(lookup.COLUMNS):
            if column in (lookup.DELTA, lookup.NUCLEAR):
                continue  # these begin at a threshold
            around = TABLES.values[0, i - 1 : i + 3, column].astype(float)
            curvature = abs(np.diff(around, 2)).max()
            assert curvature / 8 < 1e-3 * around[1], (energy, column)


def test_nodes_are_hit() -> None:
    nodes = np.geomspace(LOWEST_MEV, HIGHEST_MEV, NODES)
    for n in (0, 1, 500, NODES - 2, NODES - 1):
        assert at(TABLES, 1, lookup.STOPPING, nodes[n]) == pytest.approx(
            float(TABLES.values[1, n, lookup.STOPPING]), rel=2e-6
        )


def test_the_ends_hold_beyond_the_table() -> None:
    for energy, node in ((1e-6, 0), (0.05, 0), (400.0, NODES - 1), (1e9, NODES - 1)):
        i, f = position(TABLES, energy)
        assert 0 <= i <= NODES - 2
        assert 0.0 <= f < 1.0
        for column in range(lookup.COLUMNS):
            wanted = float(TABLES.values[0, node, column])
            assert float(value(TABLES, 0, column, i, f)) == pytest.approx(wanted, rel=1e-5)


def test_positions_ascend() -> None:
    energies = np.geomspace(LOWEST_MEV, HIGHEST_MEV, 5000)
    along = [sum(position(TABLES, e)) for e in energies]
    assert np.all(np.diff(along) > 0)


def test_nuclear_rates_are_sums_over_elements() -> None:
    energy = np.array([150.0])
    water = MATERIALS[0].mass_fractions
    per_gram = sum(
        AVOGADRO * w / element(z).atomic_weight * float((elastic(z, energy) + nonelastic(z, energy))[0])
        for z, w in water.items()
    )
    assert at(TABLES, 0, lookup.NUCLEAR, 150.0) == pytest.approx(per_gram, rel=1e-3)
    i, f = position(TABLES, 150.0)
    rows = slice(TABLES.element_first[0], TABLES.element_first[1])
    both = TABLES.nuclear_elastic[rows] + TABLES.nuclear_nonelastic[rows]
    from_rows = (both[:, i] + f * (both[:, i + 1] - both[:, i])).sum()
    assert float(from_rows) == pytest.approx(per_gram, rel=1e-3)
    oxygen = float(TABLES.nuclear_nonelastic[rows][1, i])
    assert oxygen == pytest.approx(3.343e22 * 295e-27, rel=0.01), "295 mb at 150 MeV, ICRU 63"


def test_elements_of_all_materials_follow_each_other() -> None:
    numbers = [z for m in MATERIALS for z in m.mass_fractions]
    np.testing.assert_array_equal(TABLES.element_z, numbers)
    np.testing.assert_array_equal(TABLES.element_first, [0, 2, 2 + len(MATERIALS[1].mass_fractions), len(numbers)])


OFF = {
    "delta": (lookup.DELTA,),
    "straggling": (lookup.STRAGGLING, lookup.DELTA),
    "scattering": (lookup.SCATTERING, lookup.HARD_SCATTERING),
    "hard_scattering": (lookup.HARD_SCATTERING,),
    "nuclear": (lookup.NUCLEAR,),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_what_is_off_is_zero_and_the_rest_stays(process: str) -> None:
    off = ion_tables(MATERIALS[:1], delta_cut_MeV=CUT_MEV, processes_off=(process,)).values[0]
    on = TABLES.values[0]
    for column in range(lookup.COLUMNS):
        if column in OFF[process]:
            assert not off[:, column].any(), column
            assert on[:, column].any(), column
    moved = {"delta": {lookup.STOPPING, lookup.STRAGGLING}, "straggling": {lookup.STOPPING}}
    moved["hard_scattering"] = {lookup.SCATTERING}
    for column in set(range(lookup.COLUMNS)) - set(OFF[process]) - moved.get(process, set()):
        np.testing.assert_array_equal(off[:, column], on[:, column])


def test_nuclear_rows_of_elements_are_off_too() -> None:
    tables = ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV, processes_off=("nuclear",))
    assert not tables.nuclear_elastic.any()
    assert not tables.nuclear_nonelastic.any()


def test_the_kernels_never_meet_a_cut_that_is_off() -> None:
    for process, cut in (("delta", np.inf), ("straggling", np.inf), ("nuclear", CUT_MEV)):
        assert ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV, processes_off=(process,)).delta_cut_MeV == cut


def test_an_unknown_process_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'straglin'.* Did you mean 'straggling'"):
        ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV, processes_off=["straglin"])
