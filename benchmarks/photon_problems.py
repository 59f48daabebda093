"""Problems of photons and electrons whose speed is measured: fields of 10 x 10 cm2 on cubes of water."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed_problems import BEAM_ALONG_Z, edges
from dosewright.core.frame import Rigid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.problem import Problem
from dosewright.sources import emit
from dosewright.sources.emit import Source

Array = NDArray[np.float64]
BIN_MEV, LOWEST_MEV = 0.25, 0.01
# Photons by bin of 0.25 MeV of a beam of 6 MV: Mohan, Chui, Lidofsky, Med. Phys. 12, 592 (1985), as EGSnrc carries it.
MOHAN_6MV = (
    0.004108, 0.12952, 0.46090, 0.46090, 0.44359, 0.40850, 0.40850, 0.24965, 0.23677, 0.18671, 0.13827, 0.13045,
    0.14844, 0.09496, 0.12466, 0.09773, 0.08892, 0.05155, 0.04184, 0.04803, 0.01625, 0.02715, 0.01199, 0.01574,
)  # fmt: skip
FIELD_CM, FOCUS_CM = 10.0, 100.0
ELECTRON_CUT_MEV = 0.189  # ECUT of 0.7 MeV total
KILOVOLTAGE_CUT_MEV = 0.010  # ECUT of 0.521 MeV total


def megavoltage(voxel_mm: float = 5.0, depth_mm: float = 5.0, splitting: float = 0) -> Problem:
    """Return 6 MV from a point on a cube of 30 cm, voxels with another size along the depth."""
    high: Array = BIN_MEV * np.arange(1.0, len(MOHAN_6MV) + 1.0)
    low: Array = np.maximum(high - BIN_MEV, LOWEST_MEV)
    shape = np.array([FIELD_CM, FIELD_CM, FOCUS_CM])
    source = _source(emit.POINT, shape, np.zeros(2), low, high, np.cumsum(MOHAN_6MV))
    settings = CoupledSettings(
        electron_cut_MeV=ELECTRON_CUT_MEV, dose_to_water=False, photon_splitting=round(splitting)
    )
    return _packed(_water(300.0, voxel_mm, depth_mm), source, "photon", settings)


def parallel_photons(energy_MeV: float, voxel_mm: float = 5.0, rejection_MeV: float = 0.0) -> Problem:
    """Return a parallel field of photons of one energy on a cube of 30 cm, with the electron cut that belongs to it."""
    cut = ELECTRON_CUT_MEV if energy_MeV > 1.0 else KILOVOLTAGE_CUT_MEV
    settings = CoupledSettings(electron_cut_MeV=cut, range_rejection_MeV=rejection_MeV, dose_to_water=False)
    return _packed(_water(300.0, voxel_mm), _parallel(FIELD_CM, energy_MeV), "photon", settings)


def parallel_electrons(energy_MeV: float = 10.0, voxel_mm: float = 5.0, rejection_MeV: float = 0.0) -> Problem:
    """Return a parallel field of electrons of one energy on a cube of 30 cm."""
    settings = CoupledSettings(
        electron_cut_MeV=ELECTRON_CUT_MEV, range_rejection_MeV=rejection_MeV, dose_to_water=False
    )
    return _packed(_water(300.0, voxel_mm), _parallel(FIELD_CM, energy_MeV), "electron", settings)


def kilovoltage(side_mm: float, voxel_mm: float, field_cm: float, *, track_length: bool) -> Problem:
    """Return a parallel field of 100 keV photons on a cube, with dose by track length or from energy deposited.

    Electrons that cannot leave their voxel are absorbed at once, so that nothing is spent on what changes no dose.
    """
    settings = CoupledSettings(
        electron_cut_MeV=KILOVOLTAGE_CUT_MEV, range_rejection_MeV=1.0, dose_to_water=False, track_length=track_length
    )
    return _packed(_water(side_mm, voxel_mm), _parallel(field_cm, 0.1), "photon", settings)


def _parallel(field_cm: float, energy_MeV: float) -> Source:
    nothing = np.zeros(0)
    return _source(
        emit.RECTANGLE, np.array([field_cm, field_cm, 0.0]), np.array([energy_MeV, 0.0]), nothing, nothing, nothing
    )


def _source(kind: int, shape: Array, energy: Array, low: Array, high: Array, cumulated: Array) -> Source:
    return Source(kind, np.zeros((1, emit.PENCIL_COLUMNS)), shape, energy, low, high, cumulated)


def _water(side_mm: float, voxel_mm: float, depth_mm: float | None = None) -> Voxels:
    across = edges(-side_mm / 2, side_mm / 2, round(side_mm / voxel_mm))
    along = edges(0.0, side_mm, round(side_mm / (depth_mm or voxel_mm)))
    shape = (along.size - 1, across.size - 1, across.size - 1)
    water = (named("G4_WATER"),)
    return Voxels(
        (across, across, along), Rigid.identity(), np.zeros(shape, np.uint8), np.ones(shape, np.float32), water
    )


def _packed(voxels: Voxels, source: Source, particle: str, settings: CoupledSettings) -> Problem:
    return coupled_problem(
        voxels=voxels,
        source=source,
        particle=particle,
        weights=np.ones(1),
        to_patient=BEAM_ALONG_Z,
        settings=settings,
    )


PROBLEMS: dict[str, Callable[..., Problem]] = {"megavoltage": megavoltage}
