"""Water without end in which one layer in two is finely divided: electrons start evenly, so the dose is even as well.

Fano's theorem needs no density to differ: only the boundaries do here, and each history meets many of them, which makes
the comparison a sharp one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.simulation.coupled_settings import CoupledSettings
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
