"""Nuclear interactions: kinematics, and yields of the non-elastic model against ICRU Report 63."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV, DEUTERON_MASS_MEV, PROTON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.ion_tables import ion_tables
from dosewright.materials.library import named
from dosewright.transport import nuclear
from dosewright.transport.tracks import ALPHA, DEUTERON, PROTON, Track, empty_stack

EVENTS = 40_000


@kernel
def break_up(tables, element, energy, events, stack, sums):
    """Sums per event: left here, neutral, binding; then count, energy and energy squared by species."""
    for n in range(events):
        stream = start_stream(7, n)
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0)
        here, neutral, binding, waiting, stream = nuclear.nonelastic(tables, element, track, stack, 0, stream)
        total = here + neutral + binding
        sums[0] += here
        sums[1] += neutral
        sums[2] += binding
        for i in range(waiting):
            species = int(stack[i, 7])
            sums[3 + 2 * species] += 1.0
            sums[4 + 2 * species] += stack[i, 6]
            total += stack[i, 6]
        sums[9] = max(sums[9], abs(total - energy))


def on_oxygen(energy: float) -> np.ndarray:
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2)
    element = int(np.flatnonzero(tables.element_z == 8)[0])
    sums = np.zeros(10)
    break_up(tables, element, energy, EVENTS, empty_stack(), sums)
    worst = sums[9]
    sums /= EVENTS
    sums[9] = worst
    return sums


# Energy share of charged secondaries but the recoil, mean energy of protons: ICRU Report 63, p + O, integrated.
ICRU63 = {100.0: (0.566, 26.0), 150.0: (0.602, 36.0), 200.0: (0.612, 46.0)}


@pytest.mark.parametrize("energy", ICRU63)
def test_charged_secondaries_carry_the_share_of_icru_63(energy: float) -> None:
    """Shares to 2 %; mean energies of protons to 13 %: the model's spectrum is harder at 200, softer at 100 MeV."""
    sums = on_oxygen(energy)
    share, mean = ICRU63[energy]
    charged = sums[4 + 2 * PROTON] + sums[4 + 2 * DEUTERON] + sums[4 + 2 * ALPHA]
    assert charged / energy == pytest.approx(share, rel=0.02)
    assert sums[4 + 2 * PROTON] / sums[3 + 2 * PROTON] == pytest.approx(mean, rel=0.13)


def test_alphas_have_the_mean_energy_of_icru_63() -> None:
    sums = on_oxygen(150.0)
    assert sums[4 + 2 * ALPHA] / sums[3 + 2 * ALPHA] == pytest.approx(9.8, rel=0.03)


@pytest.mark.parametrize("energy", [8.0, 30.0, 100.0, 250.0])
def test_every_break_up_conserves_energy(energy: float) -> None:
    assert on_oxygen(energy)[9] < 1e-9 * energy


@kernel
def collide_with_hydrogen(energy, events, stack, out):
    for n in range(events):
        stream = start_stream(9, n)
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0)
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
        track = Track(Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0), Place(1, 0, 0, 0), energy, PROTON, 0.0, 1.0)
        recoil, ray, stream = nuclear.elastic_on_nucleus(tables, element, track, stream)
        out[n, 0], out[n, 1] = recoil, ray.w


def test_elastic_recoils_follow_the_diffraction_slope() -> None:
    """Mean |t| = 1/b for exp(-b|t|), b = 14.5 A^0.66 per GeV2: the mean recoil energy is 1/(2 M b)."""
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2)
    element = int(np.flatnonzero(tables.element_z == 8)[0])
    out = np.zeros((40_000, 2))
    bounce(tables, element, 180.0, out)
    a = tables.element_a[element]
    expected = 1 / (2 * a * ATOMIC_MASS_UNIT_MEV * 14.5e-6 * a**0.66)
    assert out[:, 0].mean() == pytest.approx(expected, rel=4 / np.sqrt(40_000))
    assert out[:, 1].min() > 0.5


def test_deuterons_weigh_two_nucleons() -> None:
    assert pytest.approx(1.999, abs=1e-3) == DEUTERON_MASS_MEV / PROTON_MASS_MEV


def test_primary_fluence_in_water_against_geant4() -> None:
    """Removal of 200 MeV protons by non-elastic interactions along their range.

    Geant4 11.4 (BGG cross sections) agrees with ICRU 63, used here, above 130 MeV and is up to 20 % higher below. The
    bounds follow that observed difference between the codes and are no claim on either: 0.5 % of the fluence in the
    first half of the range, 2.7 % at its end.
    """
    tables = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2)
    from_energy = np.exp(tables.log_low + np.arange(tables.values.shape[1]) / tables.per_log)
    nonelastic = tables.nuclear_nonelastic.sum(0)
    stopping = ion_tables([named("G4_WATER")], delta_cut_MeV=0.2, processes_off=("delta",)).values[0, :, 0]
    energy, depth, removal = 200.0, 0.0, 0.0
    geant4_fluence = {2.608: 0.97502, 6.520: 0.93810, 13.040: 0.87522, 19.560: 0.81088, 23.472: 0.76894}
    for at, fluence in geant4_fluence.items():
        while depth < at:
            step = min(0.01, at - depth)
            removal += step * np.interp(energy, from_energy, nonelastic)
            energy -= step * np.interp(energy, from_energy, stopping)
            depth += step
        assert np.exp(-removal) == pytest.approx(fluence, rel=0.005 if at < 13.1 else 0.027)
