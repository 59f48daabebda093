"""What a run knows at its end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.scoring import deposit
from dosewright.scoring.dose_error import NOTHING_KNOWN, DoseErrors
from dosewright.scoring.leaving import Leaving
from dosewright.scoring.ratio_statistics import RatioSums
from dosewright.scoring.statistics import BatchSums
from dosewright.simulation.problem import Problem
from dosewright.simulation.records_used import RecordsUsed
from dosewright.simulation.sums import RunSums

ENERGY_TOLERANCE = 1e-4
KEV_PER_UM = 0.1  # of 1 MeV cm2/g in matter of 1 g/cm3


@dataclass(frozen=True)
class Let:
    """An average of LET, keV/um, with its relative standard error (one sigma), arrays [z, y, x].

    Protons, primary and secondary; unrestricted, in water of unit density. Zero where nothing was scored; the
    uncertainty is one where fewer than two batches scored anything. `weight` is what the average divides by, per
    history: averages of several runs are added with it.
    """

    keV_um: NDArray[np.float64]
    relative_uncertainty: NDArray[np.float64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class LeavingSpectrum:
    """What left the phantom, per primary, with relative standard errors (one where nothing was counted).

    Arrays start with the kind of particle: photons, electrons, positrons. `counts` and its uncertainty are
    [kind, energy, angle]; `number` and `energy_MeV` are of all that left, `above` is the number of particles of more
    energy than the bins reach.
    """

    bins: Leaving
    counts: NDArray[np.float64]
    counts_uncertainty: NDArray[np.float64]
    number: NDArray[np.float64]
    number_uncertainty: NDArray[np.float64]
    energy_MeV: NDArray[np.float64]
    energy_uncertainty: NDArray[np.float64]
    above: NDArray[np.float64]


@dataclass(frozen=True)
class CarriedDose:
    """Dose carried out of voxels where cuts would have left it (`scoring.carried`), Gy per primary, [z, y, x].

    With its relative standard error (one where there is none); and its share of all energy in voxels, with the error.
    """

    dose_Gy: NDArray[np.float64]
    relative_uncertainty: NDArray[np.float64]
    share: float
    share_uncertainty: float


@dataclass(frozen=True)
class PartEnergies:
    """Energy left in each part of a scene, MeV per primary, with its relative standard error (one where there is none).

    The arrays have one entry more than there are names: what fills the scene.
    """

    names: tuple[str, ...]
    energy_MeV: NDArray[np.float64]
    relative_uncertainty: NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """Dose per primary with its uncertainty, arrays [z, y, x], and how it was reached.

    Parameters
    ----------
    dose_Gy, dose_to_water_Gy
        Gy per primary; dose to water is None where it was not asked for.
    relative_uncertainty
        Relative standard error of the mean of `dose_Gy` (one sigma); 1 where nothing was scored.
    relative_uncertainty_to_water
        The same of `dose_to_water_Gy`.
    grid
        The scored grid, None when it is the phantom's own (perhaps uneven) voxels.
    energy
        Energy account, MeV per primary: started, deposited, before_patient, escaped, neutral, binding,
        russian_roulette (what it took, less what it gave), residual.
    let_d, let_t
        Dose-averaged and track-averaged LET of protons; None where they were not asked for.
    leaving
        What left the phantom; None where it was not asked for.
    stopped_on_request
        Somebody asked it to stop before its goal.
    parts
        What parts of the scene received; None where there is no scene.
    used_up
        The phase space ended before its goal.
    records
        What was used of a phase space; None for other sources.
    carried
        What cuts would have left elsewhere; None where it was not asked for.
    dose_errors
        Largest and mean error of the voxels that count, as the goal wants them, else of the maximum and above half.
    """

    dose_Gy: NDArray[np.float64]
    dose_to_water_Gy: NDArray[np.float64] | None
    relative_uncertainty: NDArray[np.float64]
    grid: Grid | None
    histories: int
    batches: int
    mean_uncertainty_percent: float
    goal_reached: bool
    energy: dict[str, float]
    wall_seconds: float
    cpu_seconds: float
    compile_seconds: float
    warnings: tuple[str, ...]
    relative_uncertainty_to_water: NDArray[np.float64] | None = None
    let_d: Let | None = None
    let_t: Let | None = None
    leaving: LeavingSpectrum | None = None
    stopped_on_request: bool = False
    parts: PartEnergies | None = None
    used_up: bool = False
    records: RecordsUsed | None = None
    carried: CarriedDose | None = None
    dose_errors: DoseErrors = NOTHING_KNOWN

    @property
    def dose(self) -> Image:
        """Dose to medium as an image."""
        return self._image(self.dose_Gy)

    @property
    def dose_to_water(self) -> Image:
        """Dose to water as an image."""
        if self.dose_to_water_Gy is None:
            raise ValueError("dose to water was not scored")
        return self._image(self.dose_to_water_Gy)

    @property
    def let_d_keV_um(self) -> NDArray[np.float64]:
        """Dose-averaged LET of protons, keV/um, [z, y, x]."""
        return _scored(self.let_d).keV_um

    @property
    def let_t_keV_um(self) -> NDArray[np.float64]:
        """Track-averaged LET of protons, keV/um, [z, y, x]."""
        return _scored(self.let_t).keV_um

    @property
    def uncertainty(self) -> Image:
        """Relative uncertainty as an image."""
        return self._image(self.relative_uncertainty)

    @property
    def histories_per_cpu_second(self) -> float:
        """Primaries per CPU second of transport."""
        return self.histories / max(self.cpu_seconds, 1e-9)

    def _image(self, values: NDArray[np.float64]) -> Image:
        if self.grid is None:
            raise ValueError("scored in the phantom's own voxels: there is no regular grid")
        return Image(self.grid, values)


def _scored(let: Let | None) -> Let:
    if let is None:
        raise ValueError("LET was not scored")
    return let


def averaged_let(sums: RatioSums, shape: tuple[int, ...], histories: int) -> Let:
    """Return an average of LET from sums of weight times LET (MeV cm2/g) and of weights over so many histories."""
    average, relative = sums.ratio().reshape(shape) * KEV_PER_UM, sums.relative_uncertainty().reshape(shape)
    return Let(average, relative, sums.bottom.reshape(shape) / max(histories, 1))


def leaving_spectrum(bins: Leaving, counts: BatchSums, totals: BatchSums) -> LeavingSpectrum:
    """Return what left the phantom from sums of counts by bin, and of numbers and energies by kind."""
    shape = (deposit.LEAVING_KINDS, bins.energy_bins + 1, bins.angle_bins)
    by_bin, of_bin = counts.mean().reshape(shape), counts.relative_uncertainty().reshape(shape)
    (number, energy), (of_number, of_energy) = (
        values.reshape(2, deposit.LEAVING_KINDS) for values in (totals.mean(), totals.relative_uncertainty())
    )
    return LeavingSpectrum(
        bins=bins,
        counts=by_bin[:, :-1],
        counts_uncertainty=of_bin[:, :-1],
        number=number,
        number_uncertainty=of_number,
        energy_MeV=energy,
        energy_uncertainty=of_energy,
        above=by_bin[:, -1].sum(axis=1),
    )


def energy_of_parts(names: tuple[str, ...], sums: BatchSums) -> PartEnergies:
    """Return what parts received, per primary."""
    return PartEnergies(names, sums.mean(), sums.relative_uncertainty())


def dose_per_primary(sums: BatchSums, problem: Problem) -> NDArray[np.float64]:
    """Return Gy per primary, [z, y, x]; zero where there is no mass."""
    energy = sums.mean().reshape(problem.score_shape[::-1])
    dose = np.zeros_like(energy)
    np.divide(energy * MEV_PER_G_IN_GY, problem.mass_g, out=dose, where=problem.mass_g > 0)
    return dose


def carried_dose(sums: RunSums, problem: Problem) -> CarriedDose | None:
    """Return what was carried out of voxels, if that was scored."""
    if sums.carried is None or sums.carried_share is None:
        return None
    shape = problem.score_shape[::-1]
    share = float(sums.carried_share.ratio()[0])
    error = share * float(sums.carried_share.relative_uncertainty()[0])
    dose, relative = dose_per_primary(sums.carried, problem), sums.carried.relative_uncertainty().reshape(shape)
    return CarriedDose(dose, relative, share, error)


def energy_account(account: NDArray[np.float64], histories: int) -> dict[str, float]:
    """Return the energy account per primary, MeV; the residual is what the parts miss of the start."""
    per = account / max(histories, 1)
    parts = {
        "deposited": float(per[deposit.DEPOSITED]),
        "before_patient": float(per[deposit.BEFORE_PATIENT]),
        "escaped": float(per[deposit.ESCAPED]),
        "neutral": float(per[deposit.NEUTRAL]),
        "binding": float(per[deposit.BINDING]),
        "russian_roulette": float(per[deposit.ROULETTE]),
    }
    started = float(per[deposit.STARTED])
    return {"started": started, **parts, "residual": started - sum(parts.values())}


def account_warnings(account: NDArray[np.float64], histories: int) -> tuple[str, ...]:
    """Return warnings for histories cut short and for an energy balance that does not close."""
    said = []
    if account[deposit.CAPPED_HISTORIES] > 0:
        cut_short = int(account[deposit.CAPPED_HISTORIES])
        said.append(f"{cut_short} histories were cut short: too many steps, or too many particles at a time.")
    energy = energy_account(account, histories)
    if not abs(energy["residual"]) <= ENERGY_TOLERANCE * max(energy["started"], 1e-12):
        said.append(f"The energy balance misses {energy['residual']:.3g} of {energy['started']:.6g} MeV per primary.")
    return tuple(said)
