"""Dose of scanned proton spots by a pencil-beam formula, for the demonstration only.

The depth dose of water along the water-equivalent path, times a Gaussian across: spot optics, scattering in the range
shifter and in the patient (taken as water). Every point uses the path of its own ray. Like the simple engines of
planning systems it knows nothing of what happens beside that ray, nor of dose to bone: this is what an independent
calculation should find.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.demonstration.beams_eye import Seen
from dosewright.commissioning.demonstration.water_depth_dose import DepthDose, energy_for_range_MeV, range_in_water_mm
from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.units import MEV_PER_G_IN_GY, PROTON_MASS_MEV
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

Floats = NDArray[np.float64]

SCATTERING_LENGTH_WATER_MM = 468.8  # Gottschalk, Med. Phys. 37, 352 (2010), table I
SCATTERING_ENERGY_MEV = 15.0  # ditto, eq. 4
HALO_WIDTH = 0.09  # of the range, 1 sigma: fitted to the halo of 100 and 200 MeV in water, Geant4 11.4
SHORTEST_MM = 0.5  # residual range below which scattering is not followed
MM2_PER_CM2 = 100.0


@dataclass(frozen=True)
class PlacedSlab:
    """A range shifter in the field: water equivalent and geometric thickness, gantry z of its patient side, mm."""

    water_mm: float
    thickness_mm: float
    downstream_mm: float

    @classmethod
    def of(cls, shifter: RangeShifter, downstream_mm: float) -> "PlacedSlab":
        """Place a range shifter; the missing one of its two thicknesses follows from its material."""
        relative = float(
            shifter.material.density_g_cm3
            * proton_mass_stopping_power(shifter.material, 100.0)
            / proton_mass_stopping_power(named("G4_WATER"), 100.0)
        )
        if shifter.thickness_mm is not None:
            return cls(shifter.thickness_mm * relative, shifter.thickness_mm, downstream_mm)
        water = shifter.wet_mm or 0.0
        return cls(water, water / relative, downstream_mm)


@dataclass(frozen=True)
class PencilBeam:
    """The formula for all spots of one energy; `upstream_mm` is the water equivalent of air and range shifter."""

    depth_dose: DepthDose
    optics: tuple[Floats, Floats]
    plane_mm: float
    scanning_mm: tuple[float, float]
    upstream_mm: float
    slab: PlacedSlab | None
    slab_moments: tuple[float, float, float]
    water_mm: Floats
    spread_mm2: Floats

    @classmethod
    def of(cls, model: BeamModel, nominal_MeV: float, *, air_mm: float, slab: PlacedSlab | None) -> "PencilBeam":
        """Prepare it; `air_mm` is the length of air between the model plane and the first voxel of the patient."""
        beam = model.at(nominal_MeV)
        air = named("G4_AIR")
        relative = air.density_g_cm3 * proton_mass_stopping_power(air, nominal_MeV)
        relative /= proton_mass_stopping_power(named("G4_WATER"), nominal_MeV)
        before = air_mm * float(relative) if model.medium == "air" else 0.0
        upstream = before + (slab.water_mm if slab else 0.0)
        reach = float(range_in_water_mm(beam.mean_energy_MeV))
        water = np.linspace(0.0, reach, 400)
        total = sum(o.weight for o in beam.optics)
        return cls(
            depth_dose=DepthDose.of(beam.mean_energy_MeV, beam.energy_sigma_MeV),
            optics=(
                np.asarray(sum(o.weight * o.cov_x for o in beam.optics) / total),
                np.asarray(sum(o.weight * o.cov_y for o in beam.optics) / total),
            ),
            plane_mm=model.plane_mm,
            scanning_mm=model.scanning_mm,
            upstream_mm=upstream,
            slab=slab,
            slab_moments=_slab_moments(reach - before, slab),
            water_mm=water,
            spread_mm2=spread_mm2(reach - upstream, water),
        )

    @property
    def deepest_mm(self) -> float:
        """Water-equivalent depth in the patient beyond which there is no dose."""
        return self.depth_dose.range_mm - float(self.depth_dose.residual_mm[0]) - self.upstream_mm

    def dose_per_proton_Gy(self, at: Seen, x_mm: Floats, y_mm: Floats) -> Floats:
        """Return the dose at each point of one proton in each spot, [point, spot]; spots in the isocentre plane."""
        dose = np.zeros((at.x_mm.size, x_mm.size))
        for height, across_x, across_y in self._parts(at, x_mm, y_mm):
            dose += height[:, None] * across_x * across_y
        return dose

    def dose_Gy(self, at: Seen, x_mm: Floats, y_mm: Floats, protons: Floats) -> Floats:
        """Return the dose of all spots at each point; quick where spots share columns and rows."""
        columns, column = np.unique(x_mm, return_inverse=True)
        rows, row = np.unique(y_mm, return_inverse=True)
        number = np.zeros((columns.size, rows.size))
        np.add.at(number, (column, row), protons)
        dose = np.zeros(at.x_mm.size)
        for height, across_x, across_y in self._parts(at, columns, rows):
            dose += height * np.einsum("pr,pr->p", across_x @ number, across_y)
        return dose

    def _parts(self, at: Seen, x_mm: Floats, y_mm: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Yield core and halo: dose per proton on the axis [point], and Gaussians in x and y [point, spot]."""
        core, halo = self.depth_dose.at(at.water_mm + self.upstream_mm)
        wide = (HALO_WIDTH * self.depth_dose.range_mm) ** 2
        sigma2 = [self.sigma2_mm2(axis, at.z_mm, at.water_mm) for axis in (0, 1)]
        away2 = [
            ((p[:, None] - spot) * _spread(s, at.z_mm)[:, None]) ** 2
            for p, spot, s in zip((at.x_mm, at.y_mm), (x_mm, y_mm), self.scanning_mm, strict=True)
        ]
        for part, added in ((core, 0.0), (halo, wide)):
            sx2, sy2 = sigma2[0] + added, sigma2[1] + added
            height = part * MEV_PER_G_IN_GY * MM2_PER_CM2 / (2 * np.pi * np.sqrt(sx2 * sy2))
            yield height, np.exp(-0.5 * away2[0] / sx2[:, None]), np.exp(-0.5 * away2[1] / sy2[:, None])

    def sigma2_mm2(self, axis: int, z_mm: Floats, water_mm: Floats) -> Floats:
        """Return the variance of a spot at gantry z below `water_mm` of patient, along x (0) or y (1), mm2."""
        way = self.plane_mm - z_mm
        c = self.optics[axis]
        sigma2 = c[0, 0] + 2 * way * c[0, 1] + way**2 * c[1, 1]
        if self.slab:
            beyond = self.slab.downstream_mm - z_mm
            a0, a1, a2 = self.slab_moments
            sigma2 = sigma2 + a2 + 2 * a1 * beyond + a0 * beyond**2
        return np.asarray(sigma2 + np.interp(water_mm, self.water_mm, self.spread_mm2))


def _spread(scanning_mm: float, z_mm: Floats) -> Floats:
    """Return how much closer than in the isocentre plane two rays of the scanning magnet lie at gantry z."""
    return (scanning_mm - z_mm) / scanning_mm if np.isfinite(scanning_mm) else np.ones_like(z_mm)


def scattering_power_per_mm(residual_mm: Floats, first_residual_mm: float) -> Floats:
    """Return the increase of the mean square projected angle per mm of water, rad2/mm.

    Differential Moliere formula (Gottschalk, Med. Phys. 37, 352 (2010), eqs. 4 and 5), first residual range at entry.
    """
    pv, pv1 = (_pv_MeV(energy_for_range_MeV(r)) for r in (np.maximum(residual_mm, SHORTEST_MM), first_residual_mm))
    slowed = np.log10(np.maximum(1 - (pv / pv1) ** 2, 1e-4))
    log = np.log10(pv)
    factor = 0.5244 + 0.1975 * slowed + 0.2320 * log - 0.0098 * log * slowed
    return np.asarray(factor * (SCATTERING_ENERGY_MEV / pv) ** 2 / SCATTERING_LENGTH_WATER_MM)


def _pv_MeV(energy_MeV: Floats) -> Floats:
    return np.asarray(energy_MeV * (energy_MeV + 2 * PROTON_MASS_MEV) / (energy_MeV + PROTON_MASS_MEV))


def _slab_moments(reach_mm: float, slab: PlacedSlab | None) -> tuple[float, float, float]:
    """Return angle variance, covariance and position variance behind the slab (Fermi-Eyges moments; mm, rad)."""
    if slab is None:
        return 0.0, 0.0, 0.0
    edges = np.linspace(0.0, 1.0, 101)
    share = 0.5 * (edges[1:] + edges[:-1])
    gained = scattering_power_per_mm(reach_mm - share * slab.water_mm, reach_mm) * slab.water_mm / share.size
    lever = (1 - share) * slab.thickness_mm
    return float(gained.sum()), float((gained * lever).sum()), float((gained * lever**2).sum())


def spread_mm2(reach_mm: float, water_mm: Floats) -> Floats:
    """Return the variance of position gained in the patient at each water-equivalent depth."""
    step = water_mm[1] - water_mm[0]
    middle = water_mm[:-1] + 0.5 * step
    power = scattering_power_per_mm(reach_mm - middle, max(reach_mm, SHORTEST_MM)) * (middle < reach_mm) * step
    m0, m1, m2 = (np.concatenate([[0.0], np.cumsum(power * middle**n)]) for n in (0, 1, 2))
    return np.asarray(np.maximum(water_mm**2 * m0 - 2 * water_mm * m1 + m2, 0.0))
