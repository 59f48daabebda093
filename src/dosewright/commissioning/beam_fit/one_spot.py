"""One spot on the axis of a beam model, from the model plane into voxels."""

import numpy as np

from dosewright.commissioning.beam_fit.kernels import INTO_WATER
from dosewright.core.beam_model import BeamModel
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import cholesky_cm


def one_spot(
    model: BeamModel, nominal_MeV: float, voxels: Voxels, surface_mm: float, processes_off: tuple[str, ...] = ()
) -> Problem:
    """Return one spot on the axis before voxels whose z = 0 lies at gantry z `surface_mm`."""
    beam = model.at(nominal_MeV)
    rows = np.zeros((len(beam.optics), emit.PENCIL_COLUMNS))
    for row, optics in zip(rows, beam.optics, strict=True):
        row[[emit.XX, emit.XS, emit.SS_X]] = cholesky_cm(optics.cov_x)
        row[[emit.YY, emit.YS, emit.SS_Y]] = cholesky_cm(optics.cov_y)
        row[emit.MEAN_ENERGY], row[emit.ENERGY_SIGMA] = beam.mean_energy_MeV, beam.energy_sigma_MeV
        row[emit.START_Z] = model.plane_mm / MM_PER_CM
    none = np.zeros(0)
    return phantom_problem(
        voxels=voxels,
        source=Source(emit.PENCILS, rows, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.array([optics.weight for optics in beam.optics]),
        to_patient=Rigid(INTO_WATER.rotation, np.array([0.0, 0.0, surface_mm])),
        settings=TransportSettings(dose_to_water=False, processes_off=processes_off),
    )
