"""The settings of a site: one schema, from which the checks, the command line's defaults and the docs are made.

Ours are ``settings.toml`` in a library; IDEAL's ``system.cfg`` and ``log_daemon.cfg`` are read into the same values.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from dosewright.formats.text.checked_toml import Checked

ROLES = ("clinical", "commissioning", "admin", "research")
Role = Literal["clinical", "commissioning", "admin", "research"]
RADIATION = r"(?i)^(PROTON|ION_\d+_\d+_\d+)$"
CLINICAL_MEV = np.linspace(60.0, 250.0, 39)  # where a scaling of spot weights of protons must be positive


def scaling_span(polynomial: list[float]) -> tuple[float, float]:
    """Return the least and largest value of a polynomial, highest power first, at clinical energies of protons."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.polyval(polynomial, CLINICAL_MEV)
    return float(values.min()), float(values.max())


class Range(Checked):
    """What a goal may be: least, usual, largest value and step; `on` where it holds if a user names no goal."""

    min: float = Field(gt=0, description="least value allowed")
    default: float = Field(gt=0, description="value taken where the goal is on and no other is given")
    max: float = Field(gt=0, description="largest value allowed")
    step: float = Field(gt=0, description="step in which a user interface counts; no effect yet")
    on: bool = Field(False, description="the goal holds where a user names none")

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min <= default <= max must hold: {self.min:g}, {self.default:g}, {self.max:g}")
        return self


class Goals(Checked):
    """Statistical goals, and how the mean uncertainty is formed."""

    minutes: Range = Field(Range(min=1, default=20, max=10080, step=1), description="minutes per calculation")
    primaries: Range = Field(
        Range(min=100, default=1e6, max=1e12, step=100), description="primaries per beam, or of the plan"
    )
    uncertainty_percent: Range = Field(
        Range(min=0.1, default=1.0, max=99.0, step=0.1, on=True), description="mean uncertainty in percent"
    )
    top_voxels: int = Field(100, ge=1, description="voxels whose mean dose is the maximum of the mean uncertainty")
    dose_threshold_percent: float = Field(
        50.0, gt=0, lt=100, description="of that maximum: voxels above count in the mean uncertainty"
    )
    scope: Literal["beam", "plan"] = Field("beam", description="what must reach the goals: every beam, or the plan")

    @model_validator(mode="after")
    def _one_is_on(self) -> "Goals":
        if not (self.minutes.on or self.primaries.on or self.uncertainty_percent.on):
            raise ValueError("at least one of minutes, primaries, uncertainty_percent must have on = true")
        return self


class Gamma(Checked):
    """One gamma criterion; the unit of the threshold is in its key."""

    distance_mm: float = Field(gt=0, description="distance to agreement")
    dose_percent: float = Field(gt=0, description="dose difference")
    threshold_percent: float | None = Field(None, ge=0, lt=100, description="of the reference dose; or")
    threshold_Gy: float | None = Field(None, ge=0, description="absolute: doses below are not judged")
    local: bool = Field(False, description="the dose difference is a part of the local dose")
    outside_value: float = Field(-1.0, description="gamma written where no dose was judged")

    @model_validator(mode="after")
    def _one_threshold(self) -> "Gamma":
        if (self.threshold_percent is None) == (self.threshold_Gy is None):
            raise ValueError("give threshold_percent or threshold_Gy, one of them")
        return self


class Output(Checked):
    """Which files a calculation writes."""

    dicom_physical: bool = Field(True, description="physical dose of each beam, RT Dose")
    dicom_rbe: bool = Field(True, description="RBE-weighted dose of each beam, RT Dose")
    dicom_plan: bool = Field(True, description="sums of the beams, RT Dose")
    mhd_physical: bool = Field(True, description="physical dose of each beam, MetaImage")
    mhd_rbe: bool = Field(True, description="RBE-weighted dose of each beam, MetaImage")
    mhd_plan: bool = Field(True, description="sums of the beams, MetaImage")
    mhd_unscaled: bool = Field(False, description="sum over the simulated primaries, not scaled to the plan")
    mhd_scaled: bool = Field(False, description="dose scaled to the plan, on the transport's own dose grid")
    gamma: bool = Field(True, description="gamma analysis, with images")
    mass: bool = Field(False, description="mass density of the voxels of the patient, g/cm3")
    dose_mask: bool = Field(False, description="1 in the dose voxels inside the EXTERNAL, else 0")
    user_log: bool = Field(True, description="summary of settings and results as text")


class Calculation(Checked):
    """How doses are calculated and written."""

    threads: int = Field(0, ge=0, le=1024, description="threads; 0 = all cores")
    rbe_factor_protons: float = Field(1.1, gt=0, description="RBE-weighted dose over physical dose")
    air_margin_mm: float = Field(10.0, ge=0, description="air kept around the EXTERNAL")
    dose_to: Literal["water", "medium"] = Field("water", description="what the physical dose is a dose to")
    remove_dose_outside_external: bool = Field(False, description="doses outside the EXTERNAL are set to zero")
    least_dose_voxel_mm: float = Field(0.5, gt=0, description="least size of a dose voxel that -x may ask for")
    gamma: list[Gamma] = Field(
        default_factory=lambda: [
            Gamma(distance_mm=3, dose_percent=3, threshold_percent=10),
            Gamma(distance_mm=2, dose_percent=2, threshold_percent=10),
        ],
        description="criteria; empty for no gamma",
    )
    hu_density_tolerance_g_cm3: float | None = Field(
        None, gt=0, description="densities closer than this count as one; without it each Hounsfield number has its own"
    )


class MachineCorrection(Checked):
    """What the dose or the spot weights of a machine are multiplied by."""

    machine: str = Field(description="TreatmentMachineName")
    radiation: str = Field("PROTON", pattern=RADIATION, description="PROTON or ION_Z_A_Q")
    dose_factor: float = Field(1.0, gt=0, description="the whole dose is multiplied by it")
    weight_polynomial: list[float] = Field(
        default_factory=lambda: [1.0],
        min_length=1,
        description="spot weights are multiplied by it, in nominal energy (MeV per nucleon), highest power first",
    )

    @model_validator(mode="after")
    def _weights_stay_positive(self) -> "MachineCorrection":
        if self.radiation.upper() == "PROTON":
            refuse_scaling(self.weight_polynomial)
        return self


def refuse_scaling(polynomial: list[float]) -> None:
    """Raise `ValueError` where a polynomial of spot weights is not above zero at clinical energies of protons."""
    low, high = scaling_span(polynomial)
    if not 0.0 < low <= high < float("inf"):
        raise ValueError(
            f"a polynomial of spot weights must be above zero from 60 to 250 MeV, goes {low:g} to {high:g}"
        )


class Memory(Checked):
    """What a calculation may need; the estimate itself comes from measured coefficients."""

    most_MB: float | None = Field(None, gt=0, description="most memory of a calculation; default: what is free")


class UserEntry(Checked):
    """A user in one role."""

    acronym: str = Field(
        min_length=1, pattern=r"^\S+$", description="short and unique; stands in dose files and job names"
    )
    name: str = Field(min_length=1, pattern=r"^\S+$", description="unique name of the user in this role")
    role: Role = Field(description="clinical, commissioning, admin or research")
    system_user: str = Field("", description="account of the operating system; default: the name")


class Folders(Checked):
    """Where things lie; relative to the library."""

    output: str = Field("", description="folder for results; default: beside the plan")
    second_output: str = Field("", description="results are copied there too, such as a file share")
    input: str = Field("", description="where a file browser starts; no effect yet")
    logging: str = Field("", description="folder for logs; no effect yet: each result folder holds its own")


class Jobs(Checked):
    """What becomes of results in time."""

    historic_after_days: float = Field(30.0, gt=0, description="a job this old is archived")
    unsuccessful_after_hours: float = Field(
        1.0, gt=0, description="a job whose process is gone this long without a result is unsuccessful"
    )
    archive: str = Field("", description="folder for archived results; default: beside them")
    failed_archive: str = Field("", description="folder for archived unsuccessful jobs; default: as the others")


class SiteSettings(Checked):
    """settings.toml as it stands."""

    goals: Goals = Field(Goals(), description="statistical goals")
    calculation: Calculation = Field(Calculation(), description="how doses are calculated and written")
    output: Output = Field(Output(), description="which files a calculation writes")
    correction: list[MachineCorrection] = Field(default_factory=list, description="corrections of machines")
    default_dose_factor: float = Field(1.0, gt=0, description="dose factor of machines without a correction")
    default_weight_polynomial: list[float] = Field(
        default_factory=lambda: [1.0], min_length=1, description="weight polynomial of machines without a correction"
    )
    memory: Memory = Field(Memory(), description="what a calculation may need")
    user: list[UserEntry] = Field(default_factory=list, description="who may calculate, and in which role")
    override_materials: list[str] = Field(
        default_factory=list, description="materials that -m may name; empty: every material"
    )
    folders: Folders = Field(Folders(), description="where things lie")
    jobs: Jobs = Field(Jobs(), description="what becomes of results in time")

    @model_validator(mode="after")
    def _consistent(self) -> "SiteSettings":
        for what in ("acronym", "name"):
            words = [getattr(one, what).casefold() for one in self.user]
            twice = sorted({word for word in words if words.count(word) > 1})
            if twice:
                raise ValueError(f"the {what} of a user must be unique; given twice: {', '.join(twice)}")
        machines = [(one.machine.casefold(), one.radiation.casefold()) for one in self.correction]
        double = sorted({" ".join(one) for one in machines if machines.count(one) > 1})
        if double:
            raise ValueError(f"a machine and radiation has one correction; given twice: {', '.join(double)}")
        refuse_scaling(self.default_weight_polynomial)
        return self

    def correction_for(self, machine: str, radiation: str) -> MachineCorrection:
        """Return the correction of a machine and radiation type, else the site's default."""
        for one in self.correction:
            if (one.machine.casefold(), one.radiation.casefold()) == (machine.casefold(), radiation.casefold()):
                return one
        return MachineCorrection(
            machine=machine or "any",
            radiation=radiation,
            dose_factor=self.default_dose_factor,
            weight_polynomial=self.default_weight_polynomial,
        )
