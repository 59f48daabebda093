"""Electrons must not know how finely their way is cut: ranges, depth doses with steps halved, and voxels divided."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.materials.electrons.lookup import COLUMNS, NODES, RANGE, node_energies_MeV
from dosewright.scoring.deposit import ESCAPED
from dosewright.simulation.coupled_settings import CoupledSettings
from tests.physics.coupled_runs import CoupledRun, mean_and_error, narrow_beam, run, slabs

Array = NDArray[np.float64]
STRAIGHT = ("scattering", "delta", "straggling", "impact_ionisation")
NO_PHOTONS_MEV = 50.0  # a photon cut that condenses all of bremsstrahlung
MV = CoupledSettings(photon_cut_MeV=0.01, electron_cut_MeV=0.189)


@pytest.mark.parametrize(
    ("name", "energy_MeV"),
    [("G4_WATER", 0.1), ("G4_WATER", 1.0), ("G4_WATER", 20.0), ("G4_Al", 0.5), ("G4_Pb", 5.0), ("G4_W", 50.0)],
)
@pytest.mark.parametrize("cells", [1, 97])
def test_a_straight_way_is_as_long_as_the_csda_range(name: str, energy_MeV: float, cells: int) -> None:
    """All losses condensed, nothing scattered: what is left after half of the range, and where it ends, to 0.2 %."""
    settings = CoupledSettings(
        photon_cut_MeV=NO_PHOTONS_MEV, electron_cut_MeV=0.01, processes_off=STRAIGHT, max_step_mm=1000
    )
    layer = [(0.0, 1e9, name, 0.0)]
    thin = run(slabs([0, 1e-3], layer), narrow_beam(energy_MeV), "electron", settings, 2, batches=2)
    energies, ranges = node_energies_MeV(), thin.problem.electrons.values.reshape(2, NODES, COLUMNS)[0, :, RANGE]
    density = float(thin.voxels.density_g_cm3[0, 0, 0])

    def left(depth_g_cm2: float) -> float:
        edges = np.linspace(0, depth_g_cm2 / density, cells + 1)
        done = run(slabs(edges, layer), narrow_beam(energy_MeV), "electron", settings, 20, batches=2)
        return float(done.account[:, ESCAPED].mean())

    whole = float(np.interp(energy_MeV, energies, ranges))
    to_cut = whole - float(np.interp(0.01, energies, ranges))
    half_left = np.interp(whole - 0.5 * to_cut, ranges, energies)
    assert left(0.5 * to_cut) == pytest.approx(half_left, rel=2e-3)
    assert left(0.998 * to_cut) > 0
    assert left(1.002 * to_cut) == 0


def depth_dose(done: CoupledRun) -> tuple[Array, Array]:
    """Return the depth dose as shares of its maximum, and the standard errors."""
    dose = done.layer_energy()
    mean, error = mean_and_error(dose / dose.mean(0).max())
    return mean, error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("particle", "energy_MeV", "depth_cm", "cells", "settings", "histories"),
    [
        ("electron", 1.0, 0.5, 20, replace(MV, electron_cut_MeV=0.05), 3_000_000),
        ("electron", 10.0, 6.6, 33, MV, 3_000_000),
        ("electron", 10.0, 6.6, 6, MV, 3_000_000),  # voxels of 11 mm: steps as long as they may be
        ("photon", 6.0, 10.0, 10, MV, 12_000_000),
    ],
    ids=["1 MeV", "10 MeV", "10 MeV, large voxels", "6 MeV photons"],
)
def test_halving_the_steps_changes_no_depth_dose(
    particle: str, energy_MeV: float, depth_cm: float, cells: int, settings: CoupledSettings, histories: int
) -> None:
    """By 0.3 % of the maximum at any depth, with errors below 0.12 %: of differences between batches of the same random
    numbers, which have much in common."""
    water, beam = slabs(np.linspace(0, depth_cm, cells + 1)), narrow_beam(energy_MeV)
    finer = replace(settings, step_deflection=settings.step_deflection / 2, step_loss=settings.step_loss / 2)
    usual, other = (run(water, beam, particle, one, histories, batches=30).layer_energy() for one in (settings, finer))
    change, error = mean_and_error((usual - other) / usual.mean(0).max())
    assert error.max() < 0.0012
    assert abs(change).max() < 0.003


def test_halving_the_steps_changes_a_depth_dose_little() -> None:
    """1 MeV electrons: by 0.5 % of the maximum and two standard errors, which are below 0.4 %."""
    settings = replace(MV, electron_cut_MeV=0.1)
    water, beam = slabs(np.linspace(0, 0.5, 11)), narrow_beam(1.0)
    dose, error = depth_dose(run(water, beam, "electron", settings, 250_000))
    finer = replace(settings, step_deflection=settings.step_deflection / 2, step_loss=settings.step_loss / 2)
    other, its_error = depth_dose(run(water, beam, "electron", finer, 250_000, seed=2))
    both = np.hypot(error, its_error)
    assert both.max() < 0.004
    assert np.all(abs(dose - other) < 0.005 + 2 * both)


def test_dividing_the_voxels_does_not_change_the_depth_dose() -> None:
    """1 MeV electrons, layers of 0.5 mm, whole or divided by ten and in strips: 0.5 % of the maximum and two errors."""
    settings, beam = replace(MV, electron_cut_MeV=0.1), narrow_beam(1.0)
    coarse = run(slabs(np.linspace(0, 0.5, 11)), beam, "electron", settings, 250_000)
    faces = np.linspace(-0.5, 0.5, 101)
    divided = slabs(np.linspace(0, 0.5, 101), x_edges_cm=[-15, *faces, 15])
    fine = run(divided, beam, "electron", settings, 250_000, seed=2)
    dose, error = mean_and_error(coarse.layer_energy())
    other, its_error = mean_and_error(fine.layer_energy().reshape(-1, 10, 10).sum(2))
    both = np.hypot(error, its_error)
    assert (both / dose.max()).max() < 0.0045
    assert np.all(abs(dose - other) < 0.005 * dose.max() + 2 * both)
