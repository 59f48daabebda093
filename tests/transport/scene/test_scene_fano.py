"""Fano's theorem in the slabs of a scene: as `tests.physics.test_fano`, whose layers these are.

Stretches are shorter near boundaries here, by how near they are. The tables are those of one medium, whose density
effect is the same at all densities: else the theorem does not hold.
"""

from itertools import pairwise

import numpy as np
import pytest

from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.transport.coupled import CoupledProblem
from tests.physics.coupled_runs import glowing_box, mean_and_error
from tests.physics.test_fano import BOTH, DIVIDED, FAST, LOCAL, SHORT, THIN, Layer

from .evenly_filled import FAR_MM, FINE, dose_in_divided_layers, dose_in_thin_layers
from .scene_runs import run, scene_problem, slab


def dose_per_source(layer: Layer, histories: int) -> tuple[float, float]:
    """Return the dose in the layer over the energy started per mass, and its standard error."""
    wall, thick = layer.range_g_cm2, layer.mass_g_cm2 / layer.density_g_cm3
    edges = 10.0 * np.r_[0.0, wall, wall + thick * np.linspace(0, 1, layer.cells + 1)[1:], 2 * wall + thick]
    parts = [slab(f"slab {n}", "G4_WATER", low, high, width_mm=FAR_MM) for n, (low, high) in enumerate(pairwise(edges))]
    settings = CoupledSettings(photon_cut_MeV=50.0, electron_cut_MeV=layer.cut_MeV, processes_off=LOCAL,
                               dose_to_water=False)  # fmt: skip
    share = np.zeros(20)
    for seed, (middle, depth, mass) in enumerate(
        [(wall / 2, wall, 2 * wall), (wall + thick / 2, thick, layer.mass_g_cm2)]
    ):
        source = glowing_box(layer.energy_MeV, 0.1, 0.1, depth)
        problem = scene_problem(parts, source, "electron", settings, begin_mm=10 * middle)
        done = run(_thinned(problem, layer), histories, batches=20, seed=seed + 1)
        share += done.parts[:, 1 : layer.cells + 1].sum(1) * mass / (layer.mass_g_cm2 * layer.energy_MeV)
    mean, error = mean_and_error(share)
    return float(mean), float(error)


def _thinned(problem, layer: Layer):  # type: ignore[no-untyped-def]
    """Return the problem with the layer of its density, its medium unchanged."""
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    part = packed.scene.cells[:, 5]
    inside = (part > 0) & (part < layer.cells + 1)
    density = np.where(inside, layer.density_g_cm3, packed.scene.density)
    packed = packed._replace(scene=packed.scene._replace(density=density))
    return type(problem)(**{**vars(problem), "packed": packed})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "histories"),
    [(SHORT, 3_600_000), (THIN, 1_800_000), (DIVIDED, 2_200_000), (BOTH, 1_800_000), (FAST, 3_600_000)],
    ids=["0.1 MeV", "thin", "divided", "thin and divided", "10 MeV"],
)
def test_dose_is_uniform_per_mass_to_a_third_of_a_percent(layer: Layer, histories: int) -> None:
    """To 0.3 % beyond two standard errors, which are about 0.15 %."""
    share, error = dose_per_source(layer, histories)
    assert error < 0.002
    assert abs(share - 1.0) < 0.003 + 2 * error


def test_dose_is_uniform_per_mass() -> None:
    """To three standard errors, which are below 1 %."""
    share, error = dose_per_source(SHORT, 40_000)
    assert error < 0.01
    assert abs(share - 1.0) < 3 * error


def test_boundaries_alone_change_no_dose() -> None:
    """Sheets of 0.01 mm take what undivided water takes, to 0.2 % beyond two standard errors of about 0.1 %."""
    share, error = dose_in_divided_layers(FINE, 60_000)
    assert error < 0.0015
    assert abs(share - 1.0) < 0.002 + 2 * error


def test_a_gas_takes_what_it_should() -> None:
    """Electrons turn by what is due before they enter a gas; it takes its dose to 0.3 % and two standard errors."""
    share, error = dose_in_thin_layers(1.0, 0.02, 0.01, 60_000)
    assert error < 0.0015
    assert abs(share - 1.0) < 0.003 + 2 * error
