"""What tests of photons, electrons and positrons share: a box of two media, a beam, a run."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dosewright.geometry.trace import PATIENT
from dosewright.geometry.voxels import Voxels
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room

from .flights import DOWN, water_and_bone

MIXED_FIELD_MEV = np.array([0.05, 0.2, 0.6, 2.0])
SETTINGS = CoupledSettings(electron_cut_MeV=0.02, photon_cut_MeV=0.002, dose_to_water=True)


def small_voxels() -> Voxels:
    """The box of water and bone in voxels of 2.5 mm."""
    coarse = water_and_bone()
    across, deep = np.linspace(-50, 50, 41), np.linspace(0, 60, 25)
    fine = [np.repeat(np.repeat(np.repeat(a, 2, 0), 4, 1), 4, 2) for a in (coarse.material, coarse.density_g_cm3)]
    return Voxels((across, across, deep), coarse.frame, fine[0], fine[1], coarse.materials)


@cache
def coupled(particle: str = "photon", settings: CoupledSettings = SETTINGS) -> CoupledProblem:
    """Water with a layer of bone, a square field of 4 cm in which all these energies are."""
    one_row, none = np.zeros((1, emit.PENCIL_COLUMNS)), np.zeros(2)
    low = np.concatenate([[0.02], MIXED_FIELD_MEV[:-1]])
    shares = np.cumsum(np.full(MIXED_FIELD_MEV.size, 1.0))
    source = Source(emit.RECTANGLE, one_row, np.array([4.0, 4.0, 0.0]), none, low, MIXED_FIELD_MEV, shares)
    packed = coupled_problem(
        voxels=small_voxels(), source=source, particle=particle, weights=np.ones(1), to_patient=DOWN,
        settings=settings,
    ).packed  # fmt: skip
    assert isinstance(packed, CoupledProblem)
    return packed


def run_coupled(problem: CoupledProblem, histories: int, *, first: int = 0, seed: int = 3) -> Tally:
    """Run histories into a tally of their own."""
    tally = empty_tally(problem.scoring, int(np.prod(problem.geometry.cells[PATIENT])))
    pencils: NDArray[np.int64] = np.zeros(histories, np.int64)
    run_coupled_histories(problem, np.uint64(first), pencils, np.uint64(seed), tally, empty_room())
    return tally
