"""A beam model run whole by the Monte Carlo, from its plane through air, and laid beside the measurements."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import erf

from dosewright.analysis.profile import Profile, distal_falloff, distal_position, peak
from dosewright.commissioning.beam_fit.curve_fit import BEYOND
from dosewright.commissioning.beam_fit.kernels import (
    GY_MM2_PER_MEV_CM,
    INTO_WATER,
    depth_edges,
    energy_by_ring,
    water,
)
from dosewright.commissioning.beam_fit.measurements import Curve, DepthDoseFile, SpotSizes
from dosewright.commissioning.beam_fit.rings import seen
from dosewright.commissioning.water_depth_dose import range_in_water_mm
from dosewright.core.beam_model import BeamModel
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import cholesky_cm, drifted

Array = NDArray[np.float64]

HISTORIES = 100_000
SEED = 7  # others than those of the runs that the fit rests on
LAYER_MM = 10.0  # of air in which a spot is scored
BINS_PER_SIGMA, HALF_WIDTH = 5, 6.0  # of the profile of a spot, in sigmas
CORE = 2.0  # sigmas to which a Gaussian is fitted


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


def _falloff(profile: Profile) -> float:
    return distal_falloff(profile) if profile.values[-1] < 0.2 * profile.values.max() else float("nan")


def depth_dose(
    model: BeamModel, nominal_MeV: float, setup: DepthDoseFile, *, histories: int, threads: int = 0, seed: int = SEED
) -> tuple[Array, Array]:
    """Return depths (mm) and dose times area per proton (Gy mm2) that the chamber sees, of one spot on the axis."""
    beam = model.at(nominal_MeV)
    edges = depth_edges() * float(range_in_water_mm(beam.mean_energy_MeV))
    gap = model.plane_mm - setup.surface_mm
    problem = _problem(model, nominal_MeV, water(edges, gap if model.medium == "air" else 0.0), setup.surface_mm)
    rings = energy_by_ring(problem, histories, threads, seed)[-(edges.size - 1) :]
    dose = rings @ seen(setup.chamber_radius_mm, 0.0) / (np.diff(edges) / MM_PER_CM) * GY_MM2_PER_MEV_CM
    return np.asarray(0.5 * (edges[1:] + edges[:-1])), np.asarray(dose)


def spot_sizes(
    model: BeamModel, nominal_MeV: float, z_mm: Array, *, histories: int, threads: int = 0, seed: int = SEED
) -> Array:
    """Return sigmas (mm) of the cores of a spot along x and y at gantry z of planes, [axis, plane]."""
    sizes = np.zeros((2, z_mm.size))
    for n, z in enumerate(z_mm):
        way = model.plane_mm - float(z)
        for axis in range(2):
            sizes[axis, n] = (
                _spot_size(model, nominal_MeV, axis, way, histories, threads, seed + n)
                if model.medium == "air"
                else np.sqrt(drifted(_cov(model, nominal_MeV, axis), way)[0, 0])
            )
    return sizes


def _cov(model: BeamModel, nominal_MeV: float, axis: int) -> Array:
    return model.at(nominal_MeV).optics[0].cov_x if axis == 0 else model.at(nominal_MeV).optics[0].cov_y


def _spot_size(
    model: BeamModel, nominal_MeV: float, axis: int, way_mm: float, histories: int, threads: int, seed: int
) -> float:
    guess = float(np.sqrt(drifted(_cov(model, nominal_MeV, axis), way_mm)[0, 0])) + 3e-3 * way_mm
    edges = np.linspace(-HALF_WIDTH * guess, HALF_WIDTH * guess, int(2 * HALF_WIDTH * BINS_PER_SIGMA) + 1)
    across = [np.array([-500.0, 500.0])] * 2
    across[axis] = np.concatenate([[-500.0], edges, [500.0]])
    layers = np.array([-way_mm, -0.5 * LAYER_MM, 0.5 * LAYER_MM])
    if way_mm <= 0.5 * LAYER_MM:
        layers = np.array([-way_mm, LAYER_MM])
    shape = (layers.size - 1, across[1].size - 1, across[0].size - 1)
    medium = named("G4_AIR")
    density = np.full(shape, medium.density_g_cm3, np.float32)
    voxels = Voxels((across[0], across[1], layers), Rigid.identity(), np.zeros(shape, np.uint8), density, (medium,))
    problem = _problem(model, nominal_MeV, voxels, model.plane_mm - way_mm)
    result = simulate(problem, Goal(histories=histories), seed=seed, threads=threads)
    profile = (result.dose_Gy * problem.mass_g)[-1].ravel()[1:-1]
    return core_sigma(edges, profile, guess)


def core_sigma(edges_mm: Array, profile: Array, guess_mm: float) -> float:
    """Return the sigma of a Gaussian, integrated over bins, fitted to the core of a profile."""

    def bell(x: Array, height: float, sigma: float) -> Array:
        root = np.sqrt(2.0) * sigma
        return np.asarray(height * (erf((x + half) / root) - erf((x - half) / root)))

    half = 0.5 * (edges_mm[1] - edges_mm[0])
    middle, sigma = 0.5 * (edges_mm[1:] + edges_mm[:-1]), guess_mm
    for _ in range(6):
        core = np.abs(middle) <= CORE * sigma + half
        (_, sigma), _ = curve_fit(bell, middle[core], profile[core], p0=[profile.max(), sigma])
        sigma = abs(float(sigma))
    return sigma


def _problem(model: BeamModel, nominal_MeV: float, voxels: Voxels, surface_mm: float) -> Problem:
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
        settings=TransportSettings(dose_to_water=False),
    )
