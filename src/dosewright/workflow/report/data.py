"""Everything the report shows, as plain values; the report itself computes no physics.

Texts may come from DICOM and are escaped by the report, not here. Whatever may be missing is None or empty, and the
report then says that it is missing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Image
from dosewright.core.structures import Structure
from dosewright.geometry.patient_report import PatientReport


@dataclass(frozen=True)
class DosePair:
    """One dose (a beam's or the plan's) from Monte Carlo, and the planning system's, like with like.

    Parameters
    ----------
    mc
        Dose in Gy, all fractions of `ReportData.fractions`.
    uncertainty
        Relative statistical uncertainty (1 sigma, 0.01 is one percent) on the grid of `mc`; nan where there is no dose.
    tps
        Dose of the planning system in Gy, comparable with `mc` (same fractions, RBE divided out), on any grid.
    body
        Voxels of `mc` that lie in the patient and are no air; None for all. Only they tell where the dose is high.
    """

    mc: Image
    uncertainty: Image | None = None
    tps: Image | None = None
    body: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.uncertainty is not None and not self.uncertainty.grid.matches(self.mc.grid):
            raise refuse("The uncertainty must be on the grid of its dose", given=self.uncertainty.grid.shape)
        if self.body is not None and self.body.shape != self.mc.grid.array_shape:
            raise refuse("The voxels of the patient must be on the grid of the dose", given=self.body.shape)

    @property
    def mc_in_body(self) -> Image:
        """The Monte Carlo dose in the patient, nan elsewhere; in air a single particle makes a high dose."""
        if self.body is None:
            return self.mc
        return Image(self.mc.grid, np.where(self.body, self.mc.values, np.float32(np.nan)))


@dataclass(frozen=True)
class LayerRow:
    """One energy layer in the meterset audit, per fraction.

    `meterset` is in the beam's unit; `particles_per_unit` is the calibration c(E), 1 where the unit counts particles.
    """

    control_point: int
    energy_MeV: float
    spots: int
    sum_of_weights: float
    meterset: float
    particles_per_unit: float
    particles: float


@dataclass(frozen=True)
class Factor:
    """A number that the dose was multiplied by, and why (``basis``: one sentence)."""

    name: str
    value: float
    basis: str = ""


@dataclass(frozen=True)
class BeamRow:
    """One beam: what was planned, how it was counted, what was simulated.

    Parameters
    ----------
    gantry_to_patient
        Its translation is the isocentre (mm), its third column points to the source; depth and lateral profiles
        run along these axes.
    meterset, final_cumulative_weight, sum_of_weights
        Per fraction, as the plan writes them; `meterset` None where the plan has none.
    particles
        Planned particles per fraction.
    primaries
        Simulated histories.
    mean_uncertainty_percent
        IDEAL's mean, over the voxels that `uncertainty_voxels` names.
    dose_errors
        Largest and mean error of the dose (``largest_percent``, ``mean_percent``), in how many ``voxels``, how many of
        them are ``failing`` (None where no error is a goal), and what they are ``of``.
    goal
        What was asked, in words, such as ``"2 % mean uncertainty"``.
    dose
        Dose of this beam; without it the profiles show the plan's dose.
    """

    number: int
    name: str
    machine: str
    radiation: str
    gantry_deg: float
    couch_deg: float
    gantry_to_patient: Rigid
    meterset_unit: str
    meterset: float | None
    final_cumulative_weight: float
    sum_of_weights: float
    particles: float
    primaries: int
    mean_uncertainty_percent: float
    goal: str
    goal_reached: bool
    layers: tuple[LayerRow, ...] = ()
    factors: tuple[Factor, ...] = ()
    devices: tuple[str, ...] = ()
    batches: int | None = None
    wall_seconds: float | None = None
    dose: DosePair | None = None
    dose_errors: Mapping[str, Any] = field(default_factory=dict)
    uncertainty_voxels: str = "voxels above 50 % of the mean of the 100 highest"


@dataclass(frozen=True)
class DvhCurve:
    """A cumulative dose-volume histogram of one structure from one dose.

    `volume_percent[i]` of the structure receives at least `dose_Gy[i]`. `metrics` maps a label with its unit, such as
    ``"D95 (Gy)"`` or ``"V20Gy (%)"``, to its value, in the order to show; `indices` are those of a target.
    """

    dose_Gy: NDArray[np.float64]
    volume_percent: NDArray[np.float64]
    mean_Gy: float
    minimum_Gy: float
    maximum_Gy: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    indices: Mapping[str, float] = field(default_factory=dict)
    without_noise: "DvhWithoutNoise | None" = None

    def __post_init__(self) -> None:
        if self.dose_Gy.ndim != 1 or self.dose_Gy.shape != self.volume_percent.shape:
            raise refuse("A DVH needs one volume per dose", given=(self.dose_Gy.shape, self.volume_percent.shape))


@dataclass(frozen=True)
class DvhWithoutNoise:
    """What a histogram would be without noise: a band (percent at each dose, two sigma), metrics and their sigmas."""

    lower_percent: NDArray[np.float64]
    upper_percent: NDArray[np.float64]
    mean_sigma_Gy: float
    metrics: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class DvhRow:
    """The histograms of one structure: Monte Carlo, and the planning system where it gave a dose."""

    structure: str
    mc: DvhCurve
    tps: DvhCurve | None = None
    volume_cm3: float | None = None


@dataclass(frozen=True)
class GammaRate:
    """The share of compared voxels of a region with gamma of at most one; None where no voxel was compared.

    `without_noise` is the rate corrected for the noise of the Monte Carlo dose, `sigma` its uncertainty (percent); None
    where there is none.
    """

    region: str
    pass_percent: float | None
    voxels: int
    without_noise: float | None = None
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.pass_percent is not None and not 0 <= self.pass_percent <= 100:
            raise refuse("A pass rate is between 0 and 100 percent", given=self.pass_percent, where=self.region)


@dataclass(frozen=True)
class GammaResult:
    """One gamma comparison: of the plan or a beam (`comparison` in words), with one criterion.

    `rates` start with the whole dose, then that of the other direction, the structures, the outside of each.
    `threshold` is in words with its unit. `image` is nan where nothing was compared; `outside_value` is written there.
    `note` says the direction and the normalisation.
    """

    comparison: str
    dose_percent: float
    distance_mm: float
    rates: tuple[GammaRate, ...]
    threshold: str = "10 %"
    local: bool = False
    image: Image | None = None
    note: str = ""
    outside_value: float = -1.0

    @property
    def criterion(self) -> str:
        """The criterion in words, such as ``"3 % / 3 mm global"``."""
        return f"{self.dose_percent:g} % / {self.distance_mm:g} mm {'local' if self.local else 'global'}"


@dataclass(frozen=True)
class HighDoseRatio:
    """Mean Monte Carlo dose over mean planning-system dose in the high-dose region, not normalised.

    `uncertainty` is the absolute statistical uncertainty of the ratio (1 sigma); `region` says what the region is.
    """

    comparison: str
    ratio: float
    uncertainty: float | None
    region: str
    voxels: int

    def __post_init__(self) -> None:
        if math.isfinite(self.ratio) and self.ratio < 0:
            raise refuse("A dose ratio cannot be negative", given=self.ratio, where=self.comparison)


@dataclass(frozen=True)
class ReportData:
    """The content of one report.

    Parameters
    ----------
    plan_label, plan_uid, created
        The plan, and when the report was made (text, local time with zone).
    dose_label
        What the doses are, such as ``"Physical dose to water"``.
    plan
        The dose of the whole plan. Gamma images and CT may have other grids.
    plan_figures
        ``mean_uncertainty_percent`` of the plan's dose, and its ``dose_errors`` as a beam has them.
    patient
        Label to value, shown in the report's head and nowhere else; empty to keep the report anonymous.
    settings, versions, hashes, timings
        Label to value, in the order to show; `hashes` maps a file's role or name to its SHA-256.
    made_from
        What the voxels of the patient were made from.
    focus_mm
        Point through which the three planes are cut; None for the centre of mass of the high dose.
    """

    plan_label: str
    plan_uid: str
    created: str
    user: str
    role: str
    seed: int
    fractions: int
    dose_label: str
    plan: DosePair
    beams: tuple[BeamRow, ...]
    ct: Image | None = None
    structures: tuple[Structure, ...] = ()
    dvh: tuple[DvhRow, ...] = ()
    gammas: tuple[GammaResult, ...] = ()
    ratios: tuple[HighDoseRatio, ...] = ()
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, str] = field(default_factory=dict)
    patient: Mapping[str, str] = field(default_factory=dict, repr=False)
    focus_mm: tuple[float, float, float] | None = None
    made_from: PatientReport | None = None
    plan_figures: Mapping[str, Any] = field(default_factory=dict)
