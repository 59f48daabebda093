"""What must hold whatever the cross sections: energy is kept, photons fade as the tables say, histories stand alone."""

import numpy as np
import pytest

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.scoring.deposit import BINDING, DEPOSITED, ESCAPED, empty_tally
from dosewright.scoring.leaving import Leaving
from dosewright.simulation.coupled_settings import CoupledSettings, RegionCuts
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room
from tests.physics.coupled_runs import (
    ELECTRONS,
    PHOTONS,
    POSITRONS,
    CoupledRun,
    Layer,
    glowing_box,
    mean_and_error,
    narrow_beam,
    run,
    slabs,
)

FINE = CoupledSettings(photon_cut_MeV=0.005, electron_cut_MeV=0.01)
LEFT = 1.0e-7  # of the energy started; a single-precision energy is rounded by up to 6e-8 of itself
W_K_EDGE_MEV = 0.06953  # Bearden and Burr, Rev. Mod. Phys. 39, 125 (1967)
W_K_ALPHA_MEV = (0.05798, 0.05932)  # Bearden, Rev. Mod. Phys. 39, 78 (1967)
LAYERS: list[Layer] = [
    (0.0, 0.5, "G4_WATER", 0.0),
    (0.5, 0.7, "G4_Ti", 0.0),
    (0.7, 0.9, "G4_AIR", 0.0),
    (0.9, 1.0, "G4_LUNG_ICRP", 0.26),
]
PAIR_MEV = 2.0 * ELECTRON_MASS_MEV


@pytest.mark.parametrize(
    ("particle", "energy_MeV", "material"),
    [
        ("photon", 0.03, "G4_WATER"),
        ("photon", 0.2, "G4_Pb"),  # fluorescence
        ("photon", 6.0, "G4_WATER"),
        ("photon", 40.0, "G4_Pb"),  # pairs and showers
        ("electron", 0.15, "G4_W"),
        ("electron", 20.0, "G4_BONE_CORTICAL_ICRP"),
        ("positron", 0.05, "G4_WATER"),
        ("positron", 10.0, "G4_Pb"),
    ],
)
def test_energy_is_deposited_or_leaves(particle: str, energy_MeV: float, material: str) -> None:
    done = run(slabs(np.linspace(0, 0.5, 6), [(0, 9, material, 0)]), narrow_beam(energy_MeV), particle, FINE, 1000)
    assert done.residual < LEFT
    assert done.capped == 0
    np.testing.assert_allclose(done.energy.sum(axis=(1, 2, 3)), done.account[:, DEPOSITED], rtol=1e-9)


def test_energy_is_kept_between_regions_with_cuts_of_their_own() -> None:
    settings = CoupledSettings(
        photon_cut_MeV=0.005,
        electron_cut_MeV=0.01,
        regions=(RegionCuts("G4_Pb", photon_cut_MeV=0.1, electron_cut_MeV=0.5, range_rejection_MeV=2.0),),
    )
    layers = [(0, 0.3, "G4_WATER", 0), (0.3, 0.4, "G4_Pb", 0), (0.4, 1.0, "G4_AIR", 0), (1.0, 9, "G4_WATER", 0)]
    for particle in ("photon", "electron", "positron"):
        done = run(slabs(np.linspace(0, 2, 21), layers), narrow_beam(8.0), particle, settings, 300)
        assert done.residual < LEFT


@pytest.mark.parametrize(
    ("energy_MeV", "layers"),
    [
        *((energy, [(0.0, 1.0, "G4_WATER", 0.0)]) for energy in (0.03, 0.1, 1.0, 6.0)),
        *((energy, [(0.0, 1.0, "G4_Pb", 0.0)]) for energy in (0.1, 1.0, 20.0)),
        *((energy, LAYERS) for energy in (0.1, 6.0)),
    ],
)
def test_a_narrow_beam_fades_exponentially(energy_MeV: float, layers: list[Layer]) -> None:
    """What passes a slab as it came, to 0.3 %, four standard errors of the counts. Scattered photons are absorbed."""
    faces = np.unique([edge for low, high, _, _ in layers for edge in (low, high)])
    unscaled = run(slabs(faces, layers), narrow_beam(energy_MeV), "photon", FINE, 2, batches=2)
    scale = 0.3 / _mean_free_paths(unscaled, energy_MeV, layers)
    scaled = [(scale * low, scale * high, name, density) for low, high, name, density in layers]
    absorbed = CoupledSettings(photon_cut_MeV=0.999 * energy_MeV, electron_cut_MeV=50.0)
    unscattered = Leaving(1, energy_MeV, 1800)  # within a tenth of a degree
    done = run(slabs(scale * faces, scaled), narrow_beam(energy_MeV), "photon", absorbed, 600_000, leaving=unscattered)
    passed, _ = mean_and_error(done.leaving[:, PHOTONS, 0, 0])
    assert passed == pytest.approx(np.exp(-0.3), rel=3e-3)


def _mean_free_paths(done: CoupledRun, energy_MeV: float, layers: list[Layer]) -> float:
    """Return those of the tables through layers that are one voxel each, with the densities of a run."""
    names = list(dict.fromkeys(name for _, _, name, _ in layers))
    attenuation = done.problem.photons.attenuation
    paths = 0.0
    for (low, high, name, _), density in zip(layers, done.voxels.density_g_cm3[:, 0, 0], strict=True):
        total = np.interp(energy_MeV, attenuation.energies, attenuation.total[names.index(name)])
        paths += float(total) * float(density) * (high - low)
    return paths


@pytest.mark.parametrize(
    ("name", "energy_MeV", "published_cm2_g"),
    [
        # Hubbell and Seltzer, NIST X-Ray Mass Attenuation Coefficients (NISTIR 5632, 1995), tables 3 and 4.
        ("G4_WATER", 0.03, 0.3756),
        ("G4_WATER", 0.1, 0.1707),
        ("G4_WATER", 1.0, 0.07072),
        ("G4_WATER", 6.0, 0.02770),
        ("G4_Pb", 0.1, 5.549),
        ("G4_Pb", 1.0, 0.07102),
        ("G4_Pb", 6.0, 0.04391),
    ],
)
def test_attenuation_is_that_of_nist(name: str, energy_MeV: float, published_cm2_g: float) -> None:
    layer: list[Layer] = [(0.0, 1.0, name, 0.0)]
    attenuation = run(slabs([0, 1], layer), narrow_beam(1.0), "photon", FINE, 2, batches=2).problem.photons.attenuation
    total = np.interp(energy_MeV, attenuation.energies, attenuation.total[0])
    assert total == pytest.approx(published_cm2_g, rel=0.01)


def test_a_positron_at_rest_becomes_two_photons() -> None:
    """Positrons in a grain of water: each sends out two photons of 511 keV, of which one in a thousand scatters."""
    settings = CoupledSettings(photon_cut_MeV=0.01, electron_cut_MeV=0.02)
    spectrum = Leaving(1022, 1.022, 1)
    done = run(slabs([0, 0.01]), glowing_box(0.025, 1e-4, 1e-4, 1e-4), "positron", settings, 20_000, middle_cm=0.005,
               leaving=spectrum)  # fmt: skip
    counts = done.leaving.mean(0)[:, :, 0]
    near = abs(np.arange(1023) / 1000 + 0.0005 - ELECTRON_MASS_MEV) < 0.0015
    assert counts[PHOTONS].sum() == pytest.approx(2.0, rel=2e-3)
    assert counts[PHOTONS][near].sum() == pytest.approx(2.0, rel=0.01)
    assert counts[POSITRONS].sum() == 0
    total = done.account.mean(0)
    assert total[BINDING] == pytest.approx(-PAIR_MEV, rel=1e-9)
    assert total[ESCAPED] == pytest.approx(PAIR_MEV, rel=5e-3)


def test_positrons_leave_with_their_rest_energy_unspent() -> None:
    """Thin foil: positrons pass, so the account holds only what the few that annihilate in flight gave up."""
    done = run(slabs([0, 0.01]), narrow_beam(2.0), "positron", FINE, 20_000, leaving=Leaving(10, 2.0, 1))
    through = done.leaving[:, POSITRONS].sum((1, 2)).mean()
    assert done.account[:, BINDING].mean() == pytest.approx(-(1.0 - through) * PAIR_MEV, abs=1e-12)
    assert 0.99 < through < 1.0


@pytest.mark.parametrize(("energy_MeV", "lines"), [(0.065, False), (0.12, True)])
def test_tungsten_sends_out_k_lines_only_above_the_edge(energy_MeV: float, lines: bool) -> None:
    """The bins of K alpha hold more than those beside them, by five standard errors, if electrons reach the shell."""
    settings, histories = CoupledSettings(photon_cut_MeV=0.02, electron_cut_MeV=0.02), 300_000
    bins = Leaving(round(1000 * energy_MeV), energy_MeV, 2)  # of 1 keV
    foil = slabs([0, 0.002], [(0, 9, "G4_W", 0)])
    done = run(foil, narrow_beam(energy_MeV), "electron", settings, histories, leaving=bins)
    counts = histories * done.leaving.mean(0)[PHOTONS].sum(1)
    k_alpha = counts[[int(1000 * line) for line in W_K_ALPHA_MEV]].sum()
    beside = counts[[55, 56, 60, 61]].sum() / 2
    excess = (k_alpha - beside) / np.sqrt(k_alpha + beside / 2)
    assert excess > 5 if lines else abs(excess) < 4
    assert (energy_MeV > W_K_EDGE_MEV) == lines


def test_what_becomes_of_a_history_does_not_depend_on_its_neighbours() -> None:
    """Histories in one call, or in several and in another order: the same sums, up to the order of addition."""
    problem = run(slabs(np.linspace(0, 5, 26), [(0, 2, "G4_WATER", 0), (2, 9, "G4_Pb", 0)]), narrow_beam(6.0), "photon",
                  FINE, 2, batches=2).problem  # fmt: skip

    def sums(parts: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        tally, room = empty_tally(problem.scoring, 25), empty_room()
        for first, count in parts:
            run_coupled_histories(problem, np.uint64(first), np.zeros(count, np.int64), np.uint64(7), tally, room)
        return tally.energy, tally.account

    whole, account = sums([(0, 1500)])
    parted, same = sums([(1000, 500), (17, 1), (0, 17), (18, 982)])
    np.testing.assert_allclose(parted, whole, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(same, account, rtol=1e-11, atol=1e-9)


def test_another_seed_gives_other_histories_of_the_same_mean() -> None:
    """Two seeds differ, and by no more than four standard errors of the energy deposited."""
    beam, water = narrow_beam(1.0), slabs([0, 1])
    one, two = (run(water, beam, "electron", FINE, 4000, seed=seed).account[:, DEPOSITED] for seed in (1, 2))
    assert not np.array_equal(one, two)
    (a, da), (b, db) = mean_and_error(one), mean_and_error(two)
    assert abs(a - b) < 4 * np.hypot(da, db)


def test_electrons_of_a_photon_beam_come_out_behind() -> None:
    """6 MeV photons set electrons free that mostly fly on: more leave a slab downstream than upstream."""
    done = run(slabs([0, 1]), narrow_beam(6.0), "photon", FINE, 20_000, leaving=Leaving(6, 6.0, 2))
    ahead, back = done.leaving.mean(0)[ELECTRONS].sum(0)
    assert ahead > 10 * back
