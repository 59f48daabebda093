"""A patient as one field sees it: water-equivalent depth along the rays of the scanning magnets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import sample
from dosewright.geometry.patient_report import Patient
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

Floats = NDArray[np.float64]

STEP_MM = 2.0  # between samples, across and along the field
REFERENCE_MEV = 100.0  # relative stopping powers hardly depend on the energy


@dataclass(frozen=True)
class Seen:
    """Points in a field: (x, y) where their rays cross the isocentre plane, gantry z, water-equivalent depth; mm."""

    x_mm: Floats
    y_mm: Floats
    z_mm: Floats
    water_mm: Floats

    def only(self, chosen: NDArray[np.intp]) -> "Seen":
        """Return some of the points."""
        return Seen(self.x_mm[chosen], self.y_mm[chosen], self.z_mm[chosen], self.water_mm[chosen])


@dataclass(frozen=True)
class BeamsEyeView:
    """Water-equivalent depth on a grid of rays: (x, y) in the isocentre plane and the way from `top_mm` down."""

    to_patient: Rigid
    scanning_mm: tuple[float, float]
    top_mm: float
    water: Image

    @classmethod
    def through(
        cls, stopping: Image, to_patient: Rigid, scanning_mm: tuple[float, float], field_mm: tuple[Floats, Floats]
    ) -> "BeamsEyeView":
        """Trace rays through relative stopping powers; `field_mm` is the lower and upper (x, y) of the field."""
        corners = to_patient.inverse().points(stopping.grid.corners_mm())
        top, bottom = float(corners[:, 2].max()), float(corners[:, 2].min())
        shape = [int(np.ceil(w / STEP_MM)) + 1 for w in (*(field_mm[1] - field_mm[0]), top - bottom)]
        rays = Grid(
            (shape[0], shape[1], shape[2]),
            (STEP_MM, STEP_MM, STEP_MM),
            (float(field_mm[0][0]), float(field_mm[0][1]), 0.5 * STEP_MM),
        )
        x, y, z = rays.centres_mm(0)[None, None, :], rays.centres_mm(1)[None, :, None], top - rays.centres_mm(2)
        z = z[:, None, None]
        spread = [(s - z) / s if np.isfinite(s) else np.ones_like(z) for s in scanning_mm]
        gantry = np.stack(np.broadcast_arrays(x * spread[0], y * spread[1], z), axis=-1)
        steps = STEP_MM * sample(stopping, to_patient.points(gantry))
        return cls(to_patient, scanning_mm, top, Image(rays, np.cumsum(steps, axis=0) - 0.5 * steps))

    def look(self, points_mm: Floats) -> Seen:
        """Return how points in patient coordinates, shape (n, 3), lie in the field."""
        gantry = self.to_patient.inverse().points(points_mm)
        z = gantry[:, 2]
        x, y = (gantry[:, axis] / ((s - z) / s if np.isfinite(s) else 1.0) for axis, s in enumerate(self.scanning_mm))
        water = sample(self.water, np.stack([x, y, self.top_mm - z], axis=1), outside=np.nan)
        return Seen(x, y, z, water)


def relative_stopping_power(patient: Patient) -> Image:
    """Return the stopping power of each voxel relative to water."""
    voxels = patient.voxels
    water = proton_mass_stopping_power(named("G4_WATER"), REFERENCE_MEV)
    ratio = np.array([proton_mass_stopping_power(m, REFERENCE_MEV) / water for m in voxels.materials], np.float32)
    return Image(patient.report.grid, voxels.density_g_cm3 * ratio[voxels.material])
