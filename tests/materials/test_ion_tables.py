"""Tables of the proton transport against the integrals they stand for."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad

from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.materials import lookup
from dosewright.materials.elements import element
from dosewright.materials.ion_tables import (
    HARD_PATH_G_CM2,
    HIGHEST_MEV,
    PROCESSES,
    _columns,
    hard_path_g_cm2,
    ion_tables,
    largest_transfer_MeV,
)
from dosewright.materials.library import named
from dosewright.materials.lookup import COLUMNS, NODES, IonTables, node_energies_MeV, position, value
from dosewright.materials.nuclear_cross_sections import elastic, nonelastic
from dosewright.materials.stopping import proton_mass_stopping_power

Array = NDArray[np.float64]

MATERIALS = (named("G4_WATER"), named("G4_AIR"), named("G4_Ti"))
CUT_MEV = 0.2
TABLES = ion_tables(MATERIALS, delta_cut_MeV=CUT_MEV)
ELECTRON_MEV, PROTON_MEV = 0.51099895, 938.272089
AVOGADRO = 6.02214076e23
RADIUS_2_CM2 = (2.8179403e-13) ** 2
ENERGIES = [3.0, 60.0, 120.0, 200.0, 328.0]  # nodes of the tables, where nothing is interpolated


def at(tables: IonTables, material: int, column: int, energy: float) -> float:
    return float(value(tables, material, column, *position(energy)))


def knock_on_rate(tables: IonTables, material: int, energy: float) -> float:
    return at(tables, material, lookup.ION_RATE, energy) - at(tables, material, lookup.HARD_SCATTERING, energy)


def nuclear_rate(tables: IonTables, material: int, energy: float) -> float:
    return at(tables, material, lookup.PROTON_RATE, energy) - at(tables, material, lookup.ION_RATE, energy)


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
    assert knock_on_rate(TABLES, 0, energy) == pytest.approx(rate, rel=2e-4, abs=1e-6)
    assert at(TABLES, 0, lookup.STRAGGLING, energy) == pytest.approx(variance, rel=2e-4)


@pytest.mark.parametrize("energy", [20.0, 70.0, 152.0, 228.0])
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
    assert knock_on_rate(tables, 0, energy) == 0.0


LARGEST_ON_ELECTRON = (ELECTRON_MEV / PROTON_MEV) ** 2  # q of the largest deflection by a free electron


@pytest.mark.parametrize("energy", ENERGIES)
def test_in_gases_all_losses_are_condensed(energy: float) -> None:
    knock, electrons = Knock(energy), electrons_per_gram(MATERIALS[1])
    assert knock_on_rate(TABLES, 1, energy) == 0.0
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
    cut = at(TABLES, m, lookup.HARD_CUT, energy)
    hard_mean = _rutherford(MATERIALS[m], energy, 1, cut, 4.0)
    soft = at(TABLES, m, lookup.SCATTERING, energy)
    whole = at(condensed, m, lookup.SCATTERING, energy)
    assert soft + hard_mean == pytest.approx(whole, rel=3e-4)
    assert at(TABLES, m, lookup.HARD_SCATTERING, energy) == pytest.approx(
        _rutherford(MATERIALS[m], energy, 0, cut, 4.0), rel=1e-3
    )  # beyond the cut the tables leave out the screening, 5e-4 in titanium at 5 MeV
    nuclei = _rutherford(MATERIALS[m], energy, 1, 0.0, 4.0)
    electrons = _rutherford(MATERIALS[m], energy, 1, 0.0, LARGEST_ON_ELECTRON, charges=1)
    assert whole == pytest.approx(nuclei + electrons, rel=3e-4)


@pytest.mark.parametrize("energy", [5.0, 70.0, 180.0])
def test_hard_deflections_come_about_once_per_wanted_path_in_water(energy: float) -> None:
    """Elsewhere they are cut at the same angle, so that they come as often as Z^2/A says."""
    wanted = float(hard_path_g_cm2(np.array(energy)))
    assert wanted <= HARD_PATH_G_CM2
    water = at(TABLES, 0, lookup.HARD_SCATTERING, energy)
    assert 0.9 < water * wanted <= 1.0
    strength = [sum(w * z**2 / element(z).atomic_weight for z, w in m.mass_fractions.items()) for m in MATERIALS]
    for m in range(len(MATERIALS)):
        assert at(TABLES, m, lookup.HARD_CUT, energy) == at(TABLES, 0, lookup.HARD_CUT, energy)
        rate = at(TABLES, m, lookup.HARD_SCATTERING, energy)
        assert rate == pytest.approx(water * strength[m] / strength[0], rel=1e-6)


NODE_ENERGIES = node_energies_MeV()
# Largest relative error half way between two nodes: E^-1.8 gives 1.8 x 2.8/8/32^2 = 6.2e-4, E^-2 gives 7.3e-4.
INTERPOLATED = {
    lookup.STOPPING: 2e-4,
    lookup.TOTAL_STOPPING: 2e-4,
    lookup.WATER_RATIO: 2e-4,
    lookup.STRAGGLING: 8e-4,
    lookup.SCATTERING: 8e-4,
    lookup.HARD_SCATTERING: 8e-4,
    lookup.HARD_CUT: 8e-4,
}


@pytest.mark.parametrize("name", ["G4_WATER", "G4_AIR", "G4_BONE_CORTICAL_ICRP", "G4_Ti", "G4_Pb"])
def test_interpolation_between_the_nodes(name: str) -> None:
    """From 1 MeV, but for the intervals that hold a threshold of the algorithm (knock-on electrons, hard path)."""
    between = (NODE_ENERGIES[1:] + NODE_ENERGIES[:-1]) / 2
    material = named(name)
    exact = _columns(material, between, CUT_MEV, ())
    tables = ion_tables([material], delta_cut_MeV=CUT_MEV)
    above = between > 1.0
    for column, bound in INTERPOLATED.items():
        got = np.array([at(tables, 0, column, e) for e in between[above]])
        threshold = np.zeros(above.sum(), bool)
        for changes in (lambda e: hard_path_g_cm2(e) >= HARD_PATH_G_CM2, lambda e: largest_transfer_MeV(e) > CUT_MEV):
            threshold |= changes(NODE_ENERGIES[:-1][above]) != changes(NODE_ENERGIES[1:][above])
        assert threshold.sum() == 2
        off = np.abs(got / exact[above, column] - 1)
        assert off[~threshold].max() < bound, (column, between[above][off.argmax()])
        assert off.max() < 6e-3


def test_nodes_are_hit() -> None:
    rows = TABLES.values.reshape(len(MATERIALS), NODES, COLUMNS)
    for n in (0, 1, 31, 32, 33, 63, 64, 200, NODES - 2):
        i, f = position(NODE_ENERGIES[n])
        assert (i, f) == (n, 0.0)
        assert at(TABLES, 1, lookup.STOPPING, NODE_ENERGIES[n]) == rows[1, n, lookup.STOPPING]


def test_every_octave_has_the_same_number_of_even_steps() -> None:
    assert (NODE_ENERGIES[0], NODE_ENERGIES[-1]) == (0.0625, 512.0)
    octaves = NODE_ENERGIES[:-1].reshape(-1, 2**lookup.STEP_BITS)
    np.testing.assert_array_equal(octaves / octaves[:, :1], np.tile(1 + np.arange(32) / 32, (13, 1)))
    assert np.log2(octaves[:, 0]).tolist() == list(range(-4, 9))


@settings(deadline=None)
@given(st.floats(0.0625, 511.0, width=32))
@example(0.0625)
@example(float(np.nextafter(np.float32(2), np.float32(0))))
@example(2.0)
@example(511.0)
def test_a_position_is_the_node_below_and_the_way_to_the_next(energy: float) -> None:
    i, f = position(energy)
    assert NODE_ENERGIES[i] <= energy < NODE_ENERGIES[i + 1]
    assert 0.0 <= f < 1.0
    assert NODE_ENERGIES[i] + float(f) * (NODE_ENERGIES[i + 1] - NODE_ENERGIES[i]) == energy, "not one bit is lost"


@pytest.mark.parametrize(("energy", "node"), [(0.0, 0), (-1.0, 0), (1e-6, 0), (0.0624, 0), (512.0, -1), (1e9, -1)])
def test_the_ends_hold_beyond_the_table(energy: float, node: int) -> None:
    i, f = position(energy)
    assert 0 <= i <= NODES - 2
    assert 0.0 <= f < 1.0
    for column in range(COLUMNS):
        wanted = float(TABLES.values.reshape(-1, NODES, COLUMNS)[0, node, column])
        assert float(value(TABLES, 0, column, i, f)) == pytest.approx(wanted, rel=1e-5)


def test_sources_may_reach_no_further_than_the_tables() -> None:
    assert NODE_ENERGIES[-1] >= HIGHEST_MEV


def test_helium_meets_four_times_the_electrons() -> None:
    """The rate of knock-on electrons goes with the charge squared, that of hard deflections is the proton's."""
    for energy in (60.0, 120.0, 200.0):
        helium = at(TABLES, 0, lookup.HELIUM_RATE, energy) - at(TABLES, 0, lookup.HARD_SCATTERING, energy)
        assert helium == pytest.approx(4 * knock_on_rate(TABLES, 0, energy), rel=1e-4, abs=1e-5)


def test_nuclear_rates_are_sums_over_elements() -> None:
    energy = np.array([152.0])
    water = MATERIALS[0].mass_fractions
    per_gram = sum(
        AVOGADRO * w / element(z).atomic_weight * float((elastic(z, energy) + nonelastic(z, energy))[0])
        for z, w in water.items()
    )
    assert nuclear_rate(TABLES, 0, 152.0) == pytest.approx(per_gram, rel=1e-4)
    i, f = position(152.0)
    rows = slice(TABLES.element_first[0], TABLES.element_first[1])
    both = TABLES.nuclear_elastic[rows] + TABLES.nuclear_nonelastic[rows]
    from_rows = (both[:, i] + f * (both[:, i + 1] - both[:, i])).sum()
    assert float(from_rows) == pytest.approx(per_gram, rel=1e-5)
    oxygen = float(TABLES.nuclear_nonelastic[rows][1, i])
    assert oxygen == pytest.approx(3.343e22 * 295e-27, rel=0.01), "295 mb at 150 MeV, ICRU 63"


def test_elements_of_all_materials_follow_each_other() -> None:
    numbers = [z for m in MATERIALS for z in m.mass_fractions]
    np.testing.assert_array_equal(TABLES.element_z, numbers)
    np.testing.assert_array_equal(TABLES.element_first, [0, 2, 2 + len(MATERIALS[1].mass_fractions), len(numbers)])


SUMS = (lookup.PROTON_RATE, lookup.ION_RATE, lookup.HELIUM_RATE)
# What each process owns: columns, and differences of columns.
RATES = {
    "knock-on": (lookup.ION_RATE, lookup.HARD_SCATTERING),
    "knock-on of helium": (lookup.HELIUM_RATE, lookup.HARD_SCATTERING),
    "nuclear": (lookup.PROTON_RATE, lookup.ION_RATE),
}
OFF: dict[str, tuple[int | str, ...]] = {
    "delta": ("knock-on", "knock-on of helium"),
    "straggling": (lookup.STRAGGLING, "knock-on", "knock-on of helium"),
    "scattering": (lookup.SCATTERING, lookup.HARD_SCATTERING, lookup.HARD_CUT),
    "hard_scattering": (lookup.HARD_SCATTERING,),
    "nuclear": ("nuclear",),
}
MOVED: dict[str, tuple[int, ...]] = {
    "delta": (lookup.STOPPING, lookup.STRAGGLING, lookup.QUANTUM),
    "straggling": (lookup.STOPPING, lookup.QUANTUM),
    "hard_scattering": (lookup.SCATTERING, lookup.HARD_CUT),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_what_is_off_is_zero_and_the_rest_stays(process: str) -> None:
    def parts(off: tuple[str, ...]) -> dict[int | str, Array]:
        values = ion_tables(MATERIALS[:1], delta_cut_MeV=CUT_MEV, processes_off=off).values.astype(float)
        table = values.reshape(NODES, COLUMNS)
        single = {c: table[:, c] for c in range(COLUMNS) if c not in SUMS}
        return single | {name: table[:, a] - table[:, b] for name, (a, b) in RATES.items()}

    off, on = parts((process,)), parts(())
    assert set(on) == set(off)
    for part in on:
        if part in OFF[process]:
            assert not off[part].any(), part
            assert on[part].any(), part
        elif part not in MOVED.get(process, ()):
            np.testing.assert_allclose(off[part], on[part], rtol=1e-6, atol=2e-6)  # the rates are float32


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
