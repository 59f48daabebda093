"""Nuclear interactions: kinematics, and yields of the non-elastic model against ICRU Report 63."""

from functools import cache

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV, PROTON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.ion_tables import ion_tables
from dosewright.materials.library import named
from dosewright.materials.lookup import COLUMNS, STOPPING, node_energies_MeV
from dosewright.transport import nuclear
from dosewright.transport.tracks import ALPHA, DEUTERON, HELION, MASS_MEV, NUCLEONS, PROTON, TRITON, Track, empty_stack

EVENTS = 20_000
SPECIES = {"p": PROTON, "d": DEUTERON, "t": TRITON, "h": HELION, "a": ALPHA}


@kernel
def break_up(tables, element, energy, events, stack, sums):
    """Sums: left here, neutral, binding; then count and energy by species; last the worst balance of one event."""
    for n in range(events):
        stream = start_stream(7, n)
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0, 1.0)
        here, neutral, binding, waiting, stream = nuclear.nonelastic(tables, element, track, stack, 0, stream)
        total = here + neutral + binding
        sums[0] += here
        sums[1] += neutral
        sums[2] += binding
        sums[13] = min(sums[13], min(here, neutral))
        for i in range(waiting):
            species = int(stack[i, 7])
            sums[3 + 2 * species] += 1.0
            sums[4 + 2 * species] += stack[i, 6]
            sums[13] = min(sums[13], stack[i, 6])
            total += stack[i, 6]
        sums[14] = max(sums[14], abs(total - energy))


class Yields:
    """Means per event: energies left, counts and mean energies by species, and the worst of all events."""

    def __init__(self, sums: np.ndarray, energy: float) -> None:
        self.here, self.neutral, self.binding = sums[:3] / EVENTS
        self.count = {name: sums[3 + 2 * s] / EVENTS for name, s in SPECIES.items()}
        self.energy = {name: sums[4 + 2 * s] / EVENTS for name, s in SPECIES.items()}
        self.charged_share = sum(self.energy.values()) / energy
        self.least, self.imbalance = sums[13:15]

    def mean(self, name: str) -> float:
        return self.energy[name] / self.count[name]


@cache
def yields(medium: str, z: int, energy: float) -> Yields:
    tables = ion_tables([named(medium)], delta_cut_MeV=0.2)
    element = int(np.flatnonzero(tables.element_z == z)[0])
    sums = np.zeros(15)
    break_up(tables, element, energy, EVENTS, empty_stack(), sums)
    return Yields(sums, energy)


# p + O, ICRU Report 63 integrated: energy share of p, d, t, He-3, alpha; of the recoil; mean energy of alphas.
ICRU_63 = {100.0: (0.566, 0.034, 8.2), 150.0: (0.602, 0.024, 9.8), 200.0: (0.612, 0.021, 11.6)}


@pytest.mark.parametrize("energy", ICRU_63)
def test_energy_that_stays_with_charged_particles_is_that_of_icru_63(energy: float) -> None:
    """No number is fitted to these; 20 000 events know the share to 0.3 %. Seen: 3.5, 1.7 % low, 1.3 % high."""
    sampled = yields("G4_WATER", 8, energy)
    charged, recoil, alpha = ICRU_63[energy]
    assert sampled.charged_share == pytest.approx(charged, rel=0.045)
    assert sampled.here / energy == pytest.approx(recoil, abs=0.005)
    assert sampled.mean("a") == pytest.approx(alpha, rel=0.25)


def test_the_target_decides_what_comes_out() -> None:
    """From oxygen to lead: more energy to neutrons and binding, fewer alphas, fewer protons through the barrier."""
    light, middle, heavy = (yields(m, z, 150.0) for m, z in (("G4_WATER", 8), ("G4_Fe", 26), ("G4_Pb", 82)))
    assert light.charged_share > 1.15 * middle.charged_share > 1.5 * heavy.charged_share
    assert light.neutral < middle.neutral < heavy.neutral
    assert light.count["a"] > 3 * middle.count["a"] > 10 * heavy.count["a"]
    assert heavy.count["p"] < 0.5 * light.count["p"]
    assert heavy.mean("p") > light.mean("p")  # slow ones do not get out


@pytest.mark.parametrize(("medium", "z"), [("G4_WATER", 8), ("G4_Ti", 22), ("G4_Pb", 82)])
@pytest.mark.parametrize("energy", [8.0, 30.0, 100.0, 250.0])
def test_every_break_up_conserves_energy(medium: str, z: int, energy: float) -> None:
    sampled = yields(medium, z, energy)
    assert sampled.imbalance < 1e-9 * energy
    assert sampled.least >= 0.0


@kernel
def collide_with_hydrogen(energy, events, stack, out):
    for n in range(events):
        stream = start_stream(9, n)
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0, 1.0)
        kept, ray, _, stream = nuclear.elastic_on_hydrogen(track, stack, 0, stream)
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = kept, ray.u, ray.v, ray.w
        for i in range(4):
            out[n, 4 + i] = stack[0, (6, 3, 4, 5)[i]]


def test_proton_proton_kinematics_is_exact() -> None:
    """Energy and momentum are kept to rounding; energies are uniform, as isotropy in the centre of mass asks."""
    out = np.zeros((5_000, 8))
    collide_with_hydrogen(160.0, 5_000, empty_stack(), out)
    first, second = out[:, :4], out[:, 4:]
    assert first[:, 0] + second[:, 0] == pytest.approx(np.full(5_000, 160.0), rel=1e-12)
    momentum = sum(np.sqrt(p[:, :1] * (p[:, :1] + 2 * PROTON_MASS_MEV)) * p[:, 1:] for p in (first, second))
    assert momentum == pytest.approx(
        np.tile([0, 0, np.sqrt(160.0 * (160.0 + 2 * PROTON_MASS_MEV))], (5_000, 1)), abs=1e-4
    )
    assert first[:, 0].mean() == pytest.approx(80.0, abs=4 * 160 / np.sqrt(12 * 5_000))


@kernel
def bounce(tables, element, energy, out):
    for n in range(out.shape[0]):
        stream = start_stream(11, n)
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0, 1.0)
        recoil, ray, stream = nuclear.elastic_on_nucleus(tables, element, track, stream)
        out[n, 0], out[n, 1] = recoil, ray.w


def test_elastic_recoils_follow_the_diffraction_slope() -> None:
    """Mean |t| = 1/b for exp(-b|t|), b = 23.6 A^0.523 per GeV2: the mean recoil energy is 1/(2 M b)."""
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2)
    element = int(np.flatnonzero(tables.element_z == 8)[0])
    out = np.zeros((40_000, 2))
    bounce(tables, element, 180.0, out)
    a = tables.element_a[element]
    expected = 1 / (2 * a * ATOMIC_MASS_UNIT_MEV * 23.6e-6 * a**0.523)
    assert out[:, 0].mean() == pytest.approx(expected, rel=4 / np.sqrt(40_000))
    assert out[:, 1].min() > 0.5


def test_species_have_the_masses_of_their_nucleons() -> None:
    np.testing.assert_allclose(MASS_MEV / NUCLEONS[: MASS_MEV.size], ATOMIC_MASS_UNIT_MEV, rtol=0.0085)


def test_primary_fluence_in_water_against_geant4() -> None:
    """Removal of 200 MeV protons by non-elastic interactions along their range.

    Geant4 11.4 (BGG cross sections) agrees with ICRU 63, used here, above 130 MeV and is up to 20 % higher below. The
    bounds follow that observed difference between the codes and are no claim on either: 0.5 % of the fluence in the
    first half of the range, 2.7 % at its end.
    """
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2)
    from_energy = node_energies_MeV()
    nonelastic = tables.nuclear_nonelastic.sum(0)
    stopping = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2, processes_off=("delta",)).values[STOPPING::COLUMNS]
    energy, depth, removal = 200.0, 0.0, 0.0
    geant4_fluence = {2.608: 0.97502, 6.520: 0.93810, 13.040: 0.87522, 19.560: 0.81088, 23.472: 0.76894}
    for at, fluence in geant4_fluence.items():
        while depth < at:
            step = min(0.01, at - depth)
            removal += step * np.interp(energy, from_energy, nonelastic)
            energy -= step * np.interp(energy, from_energy, stopping)
            depth += step
        assert np.exp(-removal) == pytest.approx(fluence, rel=0.005 if at < 13.1 else 0.027)
