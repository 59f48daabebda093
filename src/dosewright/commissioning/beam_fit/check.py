"""A beam model run whole by the Monte Carlo, from its plane through air, and laid beside the measurements."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.profile import Profile, distal_falloff, distal_position, peak
from dosewright.commissioning.beam_fit.curve_fit import BEYOND
from dosewright.commissioning.beam_fit.kernels import GY_MM2_PER_MEV_CM, depth_edges, energy_by_ring, water
from dosewright.commissioning.beam_fit.measurements import BeamMeasurements, Curve, DepthDoseFile, SpotSizes
from dosewright.commissioning.beam_fit.one_spot import one_spot
from dosewright.commissioning.beam_fit.rings import seen
from dosewright.commissioning.beam_fit.spots_in_air import spot_sizes
from dosewright.commissioning.demonstration.water_depth_dose import range_in_water_mm
from dosewright.core.beam_model import BeamModel
from dosewright.core.units import MM_PER_CM

Array = NDArray[np.float64]

HISTORIES = 100_000
SEED = 7  # others than those of the runs that the fit rests on


@dataclass(frozen=True)
class Check:
    """The model against the measurement at one nominal energy; differences are model minus measurement.

    Parameters
    ----------
    chi2_per_point
        Of the depth dose, in the measurement's own uncertainties, its scale fitted.
    range_mm, falloff_mm, peak_percent
        Differences of R80, of the distal fall from 80 to 20 %, and of the height of the peak over the mean plateau.
    calculated
        The model's depth dose at the measured depths, in the unit of the measurement.
    spot_percent
        Differences of the spot sizes, [axis, plane], percent; none where the energy has no spots.
    """

    nominal_MeV: float
    chi2_per_point: float
    range_mm: float
    falloff_mm: float
    peak_percent: float
    calculated: Array
    spot_percent: Array


def check(
    model: BeamModel, curve: Curve, setup: DepthDoseFile, spots: SpotSizes | None,
    *, histories: int = HISTORIES, threads: int = 0,
) -> Check:  # fmt: skip
    """Run the model at a measured energy, in water and in air."""
    depth, dose = depth_dose(model, curve.nominal_MeV, setup, histories=histories, threads=threads)
    used = curve.depth_mm <= BEYOND * curve.range_mm
    at = np.interp(curve.depth_mm, depth, dose, right=0.0)
    weight = curve.sigma[used] ** -2
    scale = float(np.sum(weight * at[used] * curve.dose[used]) / np.sum(weight * at[used] ** 2))
    chi2 = float(np.sum(weight * (scale * at[used] - curve.dose[used]) ** 2) / max(used.sum() - 1, 1))
    ours, theirs = Profile(curve.depth_mm, scale * at), Profile(curve.depth_mm, curve.dose)
    sizes = np.zeros((2, 0))
    if spots is not None:
        ran = spot_sizes(model, spots.nominal_MeV, spots.z_mm, histories=histories, threads=threads)
        sizes = 100 * (ran / np.stack([spots.sigma_x_mm, spots.sigma_y_mm]) - 1)
    return Check(
        curve.nominal_MeV, chi2,
        distal_position(ours, 0.8) - distal_position(theirs, 0.8),
        _falloff(ours) - _falloff(theirs),
        100 * (peak(ours)[1] / peak(theirs)[1] - 1),
        scale * at, sizes,
    )  # fmt: skip


def check_all(
    model: BeamModel, measured: BeamMeasurements,
    *, histories: int = HISTORIES, threads: int = 0, tell: Callable[[str], None] = lambda _: None,
) -> tuple[Check, ...]:  # fmt: skip
    """Run the model at every energy with a depth dose."""
    spots = {one.nominal_MeV: one for one in measured.spots}
    checks = []
    for curve in measured.curves:
        tell(f"the model at {curve.nominal_MeV:g} MeV")
        of_energy = spots.get(curve.nominal_MeV)
        checks.append(check(model, curve, measured.file.depth_dose, of_energy, histories=histories, threads=threads))
    return tuple(checks)


def _falloff(profile: Profile) -> float:
    return distal_falloff(profile) if profile.values[-1] < 0.2 * profile.values.max() else float("nan")


def depth_dose(
    model: BeamModel, nominal_MeV: float, setup: DepthDoseFile, *, histories: int, threads: int = 0, seed: int = SEED
) -> tuple[Array, Array]:
    """Return depths (mm) and dose times area per proton (Gy mm2) that the chamber sees, of one spot on the axis."""
    beam = model.at(nominal_MeV)
    edges = depth_edges() * float(range_in_water_mm(beam.mean_energy_MeV))
    gap = model.plane_mm - setup.surface_mm
    problem = one_spot(model, nominal_MeV, water(edges, gap if model.medium == "air" else 0.0), setup.surface_mm)
    rings = energy_by_ring(problem, histories, threads, seed)[-(edges.size - 1) :]
    dose = rings @ seen(setup.chamber_radius_mm, 0.0) / (np.diff(edges) / MM_PER_CM) * GY_MM2_PER_MEV_CM
    return np.asarray(0.5 * (edges[1:] + edges[:-1])), np.asarray(dose)
