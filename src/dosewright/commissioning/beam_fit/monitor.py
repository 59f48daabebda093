"""Particles per MU, from the dose in a broad field of one energy.

Far from the edges of a field of equal spots the dose at a depth is the particles per area times the dose-area
product of one (Goma et al., Phys. Med. Biol. 59, 4961 (2014)).
"""

import numpy as np

from dosewright.commissioning.beam_fit.air import water_equivalent_mm
from dosewright.commissioning.beam_fit.depth_dose import DepthDoses
from dosewright.commissioning.beam_fit.kernels import Kernels
from dosewright.commissioning.beam_fit.measurements import BroadField

EQUAL_AREA = 1.0 / np.sqrt(np.pi)  # radius of the circle as large as a square, in sides


def particles_per_mu(
    field: BroadField, kernels: Kernels, mean_MeV: float, sigma_MeV: float, *, spot_sigma_mm: float,
    surface_mm: float, plane_mm: float, scanning_mm: tuple[float, float], medium: str,
) -> float:  # fmt: skip
    """Return the particles per MU that give the measured dose.

    By reciprocity the centre of the field sees of one spot what a chamber as large as the field would; a square
    counts as the circle of its area. Spacings are those of the isocentre plane; at the depth of the chamber they are
    smaller or larger by the distances of the scanning magnets.
    """
    upstream = water_equivalent_mm(mean_MeV, plane_mm - surface_mm) if medium == "air" else 0.0
    height = surface_mm - field.depth_mm
    spacing = [s * closer(height, d) for s, d in zip(field.spacing_mm, scanning_mm, strict=True)]
    side = field.field_mm * float(np.sqrt(closer(height, scanning_mm[0]) * closer(height, scanning_mm[1])))
    doses = DepthDoses.seen_by(kernels, EQUAL_AREA * side, spot_sigma_mm)
    per_proton = float(doses(mean_MeV, sigma_MeV, np.array([field.depth_mm + upstream]))[0])
    return field.dose_Gy * spacing[0] * spacing[1] / (field.mu_per_spot * per_proton)


def closer(height_mm: float, scanning_mm: float) -> float:
    """Return how much closer two spots lie at gantry z than in the isocentre plane; nan or infinite is parallel."""
    return (scanning_mm - height_mm) / scanning_mm if np.isfinite(scanning_mm) else 1.0
