"""Measurements of a known beam model, made by the Monte Carlo with noise, and what a fit makes of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.beam_fit.check import depth_dose
from dosewright.commissioning.beam_fit.measurements import DepthDoseFile
from dosewright.commissioning.beam_fit.spots_in_air import spot_sizes
from dosewright.commissioning.fit_beam import BeamFit
from dosewright.core.beam_model import BeamModel

Array = NDArray[np.float64]

CHAMBER_MM = 40.8  # radius of a common large plane-parallel chamber (PTW 34070: diameter 81.6 mm)
PLANES_MM = np.array([-400.0, -300, -200, -100, 0, 100, 200, 300, 400, 450])
SEEDS = {"depth": 77, "spots": 55}


def write_measurements(
    folder: Path,
    truth: BeamModel,
    energies: tuple[float, ...],
    *,
    dose_noise: float = 0.01,
    sigma_noise: float = 0.02,
    histories: int = 300_000,
    planes_mm: Array = PLANES_MM,
    seed: int = 3,
    threads: int = 0,
) -> Path:
    """Write MEASUREMENTS.toml and its tables: absolute depth doses of a chamber of 40.8 mm, sizes at some planes."""
    rng = np.random.default_rng(seed)
    setup = DepthDoseFile(file="depth.csv", chamber_radius_mm=CHAMBER_MM)
    doses, sizes = ["nominal_MeV,depth_mm,dose"], ["nominal_MeV,z_mm,sigma_x_mm,sigma_y_mm"]
    for energy in energies:
        depth, dose = depth_dose(truth, energy, setup, histories=histories, seed=SEEDS["depth"], threads=threads)
        reach = float(depth[np.argmax(dose)])
        at = np.concatenate(
            [np.arange(1.0, reach - 12, 2.0), np.arange(reach - 12, reach + max(8.0, 0.06 * reach), 0.5)]
        )
        measured = np.interp(at, depth, dose) * float(truth.at(energy).particles_per_mu or 1.0)
        measured += rng.normal(size=at.size) * np.hypot(dose_noise * measured, 0.3 * dose_noise * measured.max())
        doses += [f"{energy:g},{z:.2f},{d:.6g}" for z, d in zip(at, measured, strict=True)]
        of_spots = spot_sizes(truth, energy, planes_mm, histories=histories, seed=SEEDS["spots"], threads=threads)
        of_spots = of_spots * (1 + sigma_noise * rng.normal(size=of_spots.shape))
        sizes += [f"{energy:g},{z:g},{x:.4f},{y:.4f}" for z, x, y in zip(planes_mm, *of_spots, strict=True)]
    (folder / "depth.csv").write_text("\n".join(doses) + "\n")
    (folder / "spots.csv").write_text("\n".join(sizes) + "\n")
    path = folder / "measurements.toml"
    path.write_text(
        f'name = "recovered"\nmachine = "{truth.machine}"\nplane_mm = {truth.plane_mm}\n'
        f"scanning_mm = [{truth.scanning_mm[0]}, {truth.scanning_mm[1]}]\n"
        f'[depth_dose]\nfile = "depth.csv"\ndose_unit = "Gy mm2 / MU"\nchamber_radius_mm = {CHAMBER_MM}\n'
        f"uncertainty_percent = {100 * dose_noise}\nfloor_percent = {30 * dose_noise}\n"
        f'[spots]\nfile = "spots.csv"\nuncertainty_percent = {100 * sigma_noise}\n'
    )
    return path


@dataclass(frozen=True)
class Recovered:
    """Fitted over true at one energy, percent off; and how many of its own sigmas the optics are off, at most."""

    nominal_MeV: float
    energy: float
    spread: float
    isocentre: tuple[float, float]
    plane: tuple[float, float]
    per_mu: float
    optics_sigmas: float


def recovered(fit: BeamFit, truth: BeamModel) -> tuple[Recovered, ...]:
    """Compare a fit with the model whose measurements it was made from."""
    rows = []
    for curve, optics, particles in zip(fit.curves, fit.optics, fit.particles, strict=True):
        true = truth.at(curve.nominal_MeV)
        axes = [(optics.x, true.optics[0].cov_x), (optics.y, true.optics[0].cov_y)]
        rows.append(
            Recovered(
                curve.nominal_MeV,
                _off(curve.mean_MeV, true.mean_energy_MeV),
                _off(curve.sigma_MeV, true.energy_sigma_MeV),
                tuple(_off(_size(a.cov, truth.plane_mm), _size(c, truth.plane_mm)) for a, c in axes),  # type: ignore[arg-type]
                tuple(_off(_size(a.cov, 0.0), _size(c, 0.0)) for a, c in axes),  # type: ignore[arg-type]
                _off(particles.per_mu, float(true.particles_per_mu or 1.0)),
                max(abs(f - t) / u for a, c in axes for f, t, u in zip(a.size, _sizes(c), a.uncertainty, strict=True)),
            )
        )
    return tuple(rows)


def _off(value: float, true: float) -> float:
    return 100.0 * (value / true - 1.0)


def _size(cov: Array, drift: float) -> float:
    return float(np.sqrt(cov[0, 0] + 2 * drift * cov[0, 1] + drift**2 * cov[1, 1]))


def _sizes(cov: Array) -> tuple[float, float, float]:
    x, s = float(np.sqrt(cov[0, 0])), float(np.sqrt(cov[1, 1]))
    return x, s, float(cov[0, 1] / (x * s))
