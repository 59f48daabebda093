"""What of the pencil beams of a FRED input cannot be transported."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.core.units import MM_PER_CM
from dosewright.formats.text.fred.beam_shape import CrossSection, Energy, Envelope, PointSource
from dosewright.formats.text.fred.pencil_beams import PencilBeam
from dosewright.materials.ion_tables import HIGHEST_MEV
from dosewright.simulation.pack import pencil_energies_MeV
from dosewright.sources import emit
from dosewright.workflow.treatment.beams import PER_SIGMA, SHAPES, SIGMAS, bounded, energy_sigma_MeV, put_energy

LOWEST_MEV = 1.0  # of a beam; below, it stops within 25 um of water
LEAST_SHARE = 0.01  # of what is drawn that must lie within bounds
DRAWN = 20_000  # to see how much does


def check_beams(beams: Sequence[PencilBeam]) -> list[str]:
    """Return what cannot be transported of pencil beams, by name."""
    problems: list[str] = []
    for beam in beams:
        tried(lambda beam=beam: _check(beam), problems)  # type: ignore[misc]
    return problems


def _check(beam: PencilBeam) -> None:
    what, energy, section = f"pb {beam.id} of field {beam.field}", beam.energy, beam.section
    problems: list[str] = []

    def problem(text: str, given: object, allowed: str) -> None:
        problems.extend(refuse(f"{what}: {text}", given=given, allowed=allowed, where=beam.where).problems)

    if beam.particle != "proton":
        problem("only protons are transported", beam.particle, "proton")
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    put_energy(row[0], energy)
    highest = float(pencil_energies_MeV(row)[1][0])
    if energy.mean_MeV < LOWEST_MEV or highest > HIGHEST_MEV:
        problem("the energy is beyond the tables", f"{energy.mean_MeV:g} MeV, up to {highest:.4g} MeV",
                f"{LOWEST_MEV:g} to {HIGHEST_MEV:g} MeV with five sigmas")  # fmt: skip
    elif _share_of_energies(energy) < LEAST_SHARE:
        problem("hardly an energy lies within its bounds", f"{energy.least_MeV:g} to {energy.most_MeV:g} MeV",
                f"bounds around {energy.mean_MeV:g} MeV")  # fmt: skip
    if section.shape not in SHAPES:
        problem("this cross-section is not done here", f"Xsec = {section.shape}", ", ".join(SHAPES))
    elif bounded(section):
        words = f"{section.least_radius_mm / MM_PER_CM:g} to {section.most_radius_mm / MM_PER_CM:g} cm"
        if isinstance(beam.spread, Envelope):
            problem("a beam in phase space has no radial bounds", words, "no rmin, rmax")
        elif isinstance(beam.spread, PointSource) and beam.spread.source_mm[0] != beam.spread.source_mm[1]:
            problem("between radii a beam has one point source", "VSDx, VSDy", "VSD")
        elif _share_of_places(section) < LEAST_SHARE:
            problem("hardly a particle starts within the radial bounds", words, "rmin, rmax around the beam")
    if problems:
        raise InputError(*problems)


def _share_of_energies(energy: Energy) -> float:
    """Return the share of a distribution of energies that lies within its bounds."""
    sigma = energy_sigma_MeV(energy)
    if energy.least_MeV <= energy.mean_MeV - SIGMAS * sigma and energy.mean_MeV + SIGMAS * sigma <= energy.most_MeV:
        return 1.0
    if sigma == 0:
        return 0.0
    law = stats.uniform(-emit.WIDTH_OF_FLAT / 2, emit.WIDTH_OF_FLAT) if energy.distribution == "uniform" else stats.norm
    low, high = ((bound - energy.mean_MeV) / sigma for bound in (energy.least_MeV, energy.most_MeV))
    return float(law.cdf(high) - law.cdf(low))


def _share_of_places(section: CrossSection) -> float:
    """Return the share of a cross-section that lies within its radial bounds, by drawing."""
    a, b = np.random.default_rng(1).random((2, DRAWN))
    x, y = stats.norm.ppf(a), stats.norm.ppf(b)
    if section.shape == "box":
        x, y = emit.WIDTH_OF_FLAT * (a - 0.5), emit.WIDTH_OF_FLAT * (b - 0.5)
    elif section.shape == "disc":
        x, y = (emit.RADIUS_OF_DISC * np.sqrt(a) * wave(2 * np.pi * b) for wave in (np.cos, np.sin))
    sigmas = [fwhm / PER_SIGMA.get(section.shape, np.inf) for fwhm in section.fwhm_mm]
    radius = np.hypot(sigmas[0] * x, sigmas[1] * y)
    return float(np.mean((section.least_radius_mm <= radius) & (radius <= section.most_radius_mm)))
