"""Water without end in which one layer in two is finely divided, or thin: electrons start evenly, so the dose is even.

Fano's theorem needs no density to differ: of divided layers only the boundaries do. Each history meets many of them,
which makes the comparison a sharp one.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.geometry.scene.cell_rays import PART
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.transport.coupled import CoupledProblem
from tests.physics.coupled_runs import glowing_box
from tests.physics.test_fano import LOCAL

from .scene_runs import mean_and_error, run, scene_problem, slab

Array = NDArray[np.float64]
FAR_MM = 2.0e5


@dataclass(frozen=True)
class Divided:
    """Electrons of an energy, and layers of so many sheets beside undivided ones as thick; nothing flies farther."""

    energy_MeV: float
    sheet_cm: float
    sheets: int
    range_cm: float
    cut_MeV: float


FINE = Divided(1.0, 0.001, 20, 0.485, 0.1)
COARSE = Divided(1.0, 0.01, 3, 0.485, 0.1)
SLOW = Divided(0.1, 0.00004, 20, 0.0158, 0.01)


def dose_in_divided_layers(case: Divided, histories: int, seed: int = 1) -> tuple[float, float]:
    """Return the dose in divided layers over that in all, and its standard error."""
    period = np.append(np.full(case.sheets, case.sheet_cm), case.sheets * case.sheet_cm)
    around = int(np.ceil(case.range_cm / period.sum()))
    faces = np.append(0.0, np.cumsum(np.tile(period, 2 * around + 1))) - around * period.sum()
    parts = [
        slab(f"sheet {n}", "G4_WATER", 10 * low, 10 * high, width_mm=FAR_MM)
        for n, (low, high) in enumerate(pairwise(faces))
    ]
    settings = CoupledSettings(photon_cut_MeV=50.0, electron_cut_MeV=case.cut_MeV, processes_off=LOCAL,
                               dose_to_water=False)  # fmt: skip
    source = glowing_box(case.energy_MeV, 0.1, 0.1, period.sum())
    problem = scene_problem(parts, source, "electron", settings, begin_mm=5 * period.sum())
    batches = 40
    done = run(problem, histories, batches=batches, seed=seed)
    energy: Array = done.parts[:, :-1].reshape(batches, -1, case.sheets + 1).sum(1)
    mean, error = mean_and_error(2.0 * energy[:, :-1].sum(1) / energy.sum(1))
    return float(mean), float(error)


def dose_in_thin_layers(energy_MeV: float, mass_g_cm2: float, density: float, histories: int) -> tuple[float, float]:
    """Return the dose in layers of thin water beside layers of water of the same mass over that in all, its error.

    The medium of the tables is the same; cuts and ranges are those of `FINE`.
    """
    around = int(np.ceil(FINE.range_cm / (2 * mass_g_cm2)))
    densities = np.tile([1.0, density], 2 * around + 1)
    faces = 10 * np.append(0.0, np.cumsum(mass_g_cm2 / densities))
    parts = [
        slab(f"layer {n}", "G4_WATER", low, high, width_mm=10 * FAR_MM) for n, (low, high) in enumerate(pairwise(faces))
    ]
    settings = CoupledSettings(photon_cut_MeV=50.0, electron_cut_MeV=FINE.cut_MeV, processes_off=LOCAL,
                               max_step_mm=1e6, dose_to_water=False)  # fmt: skip
    batches = 40
    energy = np.zeros((batches, 2))
    for layer in (2 * around, 2 * around + 1):
        low, high = faces[layer : layer + 2]
        source = glowing_box(energy_MeV, 0.1, 0.1, (high - low) / 10)
        problem = scene_problem(parts, source, "electron", settings, begin_mm=(low + high) / 2)
        packed = problem.packed
        assert isinstance(packed, CoupledProblem)
        thinned = packed.scene._replace(density=np.append(densities, 0.0)[packed.scene.cells[:, PART]])
        problem = replace(problem, packed=packed._replace(scene=thinned))
        done = run(problem, histories // 2, batches=batches, seed=layer)
        energy += done.parts[:, :-1].reshape(batches, -1, 2).sum(1)
    mean, error = mean_and_error(2.0 * energy[:, 1] / energy.sum(1))
    return float(mean), float(error)
