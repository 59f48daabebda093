"""Spot sizes in air by the Monte Carlo, and what air adds to them."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import erf

from dosewright.commissioning.beam_fit.air import spread_mm2
from dosewright.commissioning.beam_fit.one_spot import one_spot
from dosewright.core.beam_model import BeamModel
from dosewright.core.frame import Rigid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate
from dosewright.sources.pencil_beams import drifted

Array = NDArray[np.float64]

SEED = 7
LAYER_MM = 10.0  # of air in which a spot is scored
BINS_PER_SIGMA, HALF_WIDTH = 5, 6.0  # of the profile of a spot, in sigmas
CORE = 2.0  # sigmas to which a Gaussian is fitted
# Every proton leaves the same energy, so that the profile is that of the fluence: one nucleus breaking up in a layer of
# air would outweigh a thousand protons.
EVENLY = ("straggling", "nuclear")
STRAIGHT = (*EVENLY, "scattering", "hard_scattering")


def air_factor(model: BeamModel, nominal_MeV: float, z_mm: float, *, histories: int, threads: int = 0) -> float:
    """Return by how much air widens a spot of this size, over the formula for a pencil (variances).

    The formula is that of the Gaussian core of a pencil. A spot that is wide beside it takes part of the tails of
    single scattering into its own core, so that it is widened more. The same histories are run with and without
    scattering: their difference has hardly any noise.
    """
    way = model.plane_mm - z_mm
    formula = float(spread_mm2(model.at(nominal_MeV).mean_energy_MeV, np.array([way]))[0])
    added = []
    for axis in range(2):
        wide, narrow = (
            _spot_size(model, nominal_MeV, axis, way, histories, threads, SEED, off) for off in (EVENLY, STRAIGHT)
        )
        added.append(wide**2 - narrow**2)
    return float(np.mean(added)) / formula


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
    model: BeamModel, nominal_MeV: float, axis: int, way_mm: float, histories: int, threads: int, seed: int,
    off: tuple[str, ...] = EVENLY,
) -> float:  # fmt: skip
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
    problem = one_spot(model, nominal_MeV, voxels, model.plane_mm - way_mm, processes_off=off)
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
