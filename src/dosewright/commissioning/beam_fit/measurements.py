"""What was measured of a beam: MEASUREMENTS.toml and its tables, checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dosewright.analysis.profile import Profile, distal_position
from dosewright.commissioning.demonstration.water_depth_dose import energy_for_range_MeV
from dosewright.commissioning.provenance import FILE_STEM
from dosewright.core.errors import InputError, refuse
from dosewright.core.units import FWHM_PER_SIGMA
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.measured_columns import GY, MEV, MM, PLAIN, read_columns

Array = NDArray[np.float64]

FEWEST_DEPTHS, FEWEST_PLANES = 12, 3
LEAST_SPAN_MM = 100.0  # between the first and the last plane: less says nothing of a divergence of mrad
ENERGY_DOUBT = 0.10  # a range that belongs to another energy by more than this share is a mistake
SIGMA_MM = (0.3, 60.0)  # of a spot that is a spot
OTHER_UNITS = {"cm": 10.0, "inches": 25.4, "metres": 1000.0, "tenths of mm": 0.1}  # in mm
DOSE_UNITS = {"relative": 0.0, "Gy mm2 / MU": 1.0, "Gy cm2 / MU": 100.0}  # in Gy mm2 / MU; 0: no absolute dose


class DepthDoseFile(Checked):
    """Integral depth doses in water."""

    file: str = Field(description="table: nominal_MeV, depth_mm, dose")
    dose_unit: Literal["relative", "Gy mm2 / MU", "Gy cm2 / MU"] = "relative"
    chamber_radius_mm: float | None = Field(None, gt=0, description="none: all dose across the beam was collected")
    surface_mm: float = Field(0.0, description="gantry z of the water surface, upstream of the isocentre positive")
    offset_mm: float = Field(0.0, description="water equivalent added to every depth: walls and windows")
    uncertainty_percent: float = Field(1.0, gt=0, description="1 sigma of a point, of its dose")
    floor_percent: float = Field(0.3, gt=0, description="1 sigma of a point at least, of the largest dose")
    depth_uncertainty_mm: float = Field(0.0, ge=0, description="1 sigma of all depths together")


class SpotsFile(Checked):
    """Spot sizes in air."""

    file: str = Field(description="table: nominal_MeV, z_mm, and sigma_x_mm, sigma_y_mm or fwhm_x_mm, fwhm_y_mm")
    uncertainty_percent: float = Field(2.0, gt=0, description="1 sigma of a size")


class AbsoluteFile(Checked):
    """Absolute dose in broad fields of one energy, or particles per MU."""

    file: str = Field(description="table: nominal_MeV and particles_per_mu; or depth_mm, dose_Gy, mu_per_spot, "
                                  "spacing_x_mm, spacing_y_mm, field_mm")  # fmt: skip
    uncertainty_percent: float = Field(0.5, gt=0, description="1 sigma of a dose")


class MeasurementsFile(Checked):
    """MEASUREMENTS.toml as it stands."""

    name: str = Field(pattern=FILE_STEM)
    machine: str = ""
    radiation: Literal["PROTON"] = "PROTON"
    plane_mm: float = Field(gt=0)
    scanning_mm: list[float] = Field(min_length=2, max_length=2)
    medium: Literal["air", "vacuum"] = "air"
    who: str = ""
    depth_dose: DepthDoseFile
    spots: SpotsFile
    absolute: AbsoluteFile | None = None
    largest_step_MeV: float = Field(5.0, gt=0, description="between nominal energies of the model")


@dataclass(frozen=True)
class Curve:
    """An integral depth dose: depths (mm of water, walls included), doses and their 1 sigma."""

    nominal_MeV: float
    depth_mm: Array
    dose: Array
    sigma: Array

    @property
    def range_mm(self) -> float:
        """Depth of 80 % of the peak beyond it."""
        return distal_position(Profile(self.depth_mm, self.dose), 0.8)


@dataclass(frozen=True)
class SpotSizes:
    """Sigmas (mm) of a spot along x and y at gantry z of some planes, and their relative 1 sigma."""

    nominal_MeV: float
    z_mm: Array
    sigma_x_mm: Array
    sigma_y_mm: Array
    relative: float


@dataclass(frozen=True)
class BroadField:
    """Dose (Gy) at a depth in a square field (side in mm) of spots of one energy, spacing in the isocentre plane."""

    nominal_MeV: float
    depth_mm: float
    dose_Gy: float
    mu_per_spot: float
    spacing_mm: tuple[float, float]
    field_mm: float


@dataclass(frozen=True)
class BeamMeasurements:
    """Everything measured of a beam; `per_mu` is particles per MU by nominal energy where that was given."""

    file: MeasurementsFile
    files: tuple[Path, ...]
    curves: tuple[Curve, ...]
    spots: tuple[SpotSizes, ...]
    fields: tuple[BroadField, ...]
    per_mu: dict[float, float]


def read_measurements(path: Path) -> BeamMeasurements:
    """Read MEASUREMENTS.toml and its tables; every problem is listed."""
    file = read_checked(path, MeasurementsFile)
    problems: list[str] = []
    tables = {"depth_dose": file.depth_dose.file, "spots": file.spots.file}
    if file.absolute is not None:
        tables["absolute"] = file.absolute.file
    paths = {key: path.parent / name for key, name in tables.items()}
    curves: tuple[Curve, ...] = ()
    spots: tuple[SpotSizes, ...] = ()
    fields: tuple[BroadField, ...] = ()
    per_mu: dict[float, float] = {}
    try:
        curves = _curves(paths["depth_dose"], file.depth_dose)
    except InputError as error:
        problems += error.problems
    try:
        spots = _spots(paths["spots"], file.spots)
    except InputError as error:
        problems += error.problems
    try:
        fields, per_mu = _absolute(paths["absolute"]) if "absolute" in paths else ((), {})
    except InputError as error:
        problems += error.problems
    if not any(np.isnan(file.scanning_mm)) and min(file.scanning_mm) <= file.plane_mm:
        problems.append(str(refuse("The scanning magnets stand upstream of the model plane", given=file.scanning_mm,
                                   allowed=f"beyond plane_mm = {file.plane_mm:g}", where=path.name)))  # fmt: skip
    if curves and spots and not problems:
        problems += _uncovered(curves, [one.nominal_MeV for one in spots], "spot sizes", paths["spots"].name)
        absolute = [one.nominal_MeV for one in fields] + list(per_mu)
        if absolute:
            problems += _uncovered(curves, absolute, "absolute doses", paths["absolute"].name)
    if problems:
        raise InputError(*problems)
    return BeamMeasurements(file, (path, *paths.values()), curves, spots, fields, per_mu)


def _by_energy(columns: dict[str, Array]) -> Iterator[tuple[float, dict[str, Array]]]:
    for energy in np.unique(columns["nominal"]):
        rows = columns["nominal"] == energy
        yield float(energy), {name: values[rows] for name, values in columns.items()}


def _curves(path: Path, file: DepthDoseFile) -> tuple[Curve, ...]:
    columns = read_columns(path, {"nominal": MEV, "depth": MM, "dose": PLAIN})
    _check_each(columns, path, lambda energy, rows, where: _check_curve(energy, rows["depth"], rows["dose"], where))
    curves = []
    for energy, rows in _by_energy(columns):
        dose = rows["dose"]
        sigma = np.hypot(file.uncertainty_percent / 100 * dose, file.floor_percent / 100 * dose.max())
        curves.append(Curve(energy, rows["depth"] + file.offset_mm, dose, sigma))
    return tuple(curves)


def _check_each(columns: dict[str, Array], path: Path, check: Callable[[float, dict[str, Array], str], None]) -> None:
    """Check the rows of every energy; the problems of all are listed together."""
    problems: list[str] = []
    for energy, rows in _by_energy(columns):
        try:
            check(energy, rows, f"{path.name}, {energy:g} MeV")
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)


def _check_curve(energy: float, depth: Array, dose: Array, where: str) -> None:
    if depth.size < FEWEST_DEPTHS:
        raise refuse(
            "A depth dose needs more points", given=depth.size, allowed=f"at least {FEWEST_DEPTHS}", where=where
        )
    wrong = np.flatnonzero(np.diff(depth) <= 0)
    if wrong.size:
        raise refuse("The depths of a depth dose must ascend", given=f"{depth[wrong[0] + 1]:g} after "
                     f"{depth[wrong[0]]:g} mm", where=where)  # fmt: skip
    if dose.min() < -0.01 * dose.max() or dose.max() <= 0:
        raise refuse(
            "The doses of a depth dose must be positive", given=f"{dose.min():g} to {dose.max():g}", where=where
        )
    if dose[-1] > 0.5 * dose.max():
        raise refuse(
            "The depth dose ends before it has fallen to half of its peak", given=f"{depth[-1]:g} mm", where=where
        )
    reach = distal_position(Profile(depth, dose), 0.8)
    implied = float(energy_for_range_MeV(reach))
    if abs(implied / energy - 1) > ENERGY_DOUBT:
        guesses = [unit for unit, mm in OTHER_UNITS.items()
                   if abs(float(energy_for_range_MeV(mm * reach)) / energy - 1) <= ENERGY_DOUBT]  # fmt: skip
        raise refuse("The range is not that of the nominal energy."
                     + (f" Are the depths in {guesses[0]}?" if guesses else ""),
                     given=f"{reach:.1f} mm at 80 % beyond the peak, which belongs to {implied:.0f} MeV",
                     allowed=f"an energy within {100 * ENERGY_DOUBT:.0f} %", where=where)  # fmt: skip


def _spots(path: Path, file: SpotsFile) -> tuple[SpotSizes, ...]:
    sizes = {f"{kind}_{axis}": MM for kind in ("sigma", "fwhm") for axis in "xy"}
    columns = read_columns(path, {"nominal": MEV, "z": MM}, sizes)
    for axis in "xy":
        if (f"sigma_{axis}" in columns) == (f"fwhm_{axis}" in columns):
            raise refuse(f"Give the spot size along {axis} once", allowed=f"sigma_{axis}_mm or fwhm_{axis}_mm",
                         where=path.name)  # fmt: skip
        if f"fwhm_{axis}" in columns:
            columns[f"sigma_{axis}"] = columns[f"fwhm_{axis}"] / FWHM_PER_SIGMA
    _check_each(columns, path, lambda _, rows, where: _check_spots(rows, where))
    return tuple(
        SpotSizes(energy, rows["z"], rows["sigma_x"], rows["sigma_y"], file.uncertainty_percent / 100)
        for energy, rows in _by_energy(columns)
    )


def _check_spots(rows: dict[str, Array], where: str) -> None:
    planes = np.unique(rows["z"])
    if planes.size < FEWEST_PLANES:
        raise refuse("Size, divergence and their correlation need spot sizes at more planes", given=planes.size,
                     allowed=f"at least {FEWEST_PLANES}", where=where)  # fmt: skip
    if np.ptp(planes) < LEAST_SPAN_MM:
        raise refuse("The planes lie too close together to tell a divergence", given=f"{np.ptp(planes):g} mm",
                     allowed=f"at least {LEAST_SPAN_MM:g} mm apart", where=where)  # fmt: skip
    sizes = np.concatenate([rows["sigma_x"], rows["sigma_y"]])
    if sizes.min() < SIGMA_MM[0] or sizes.max() > SIGMA_MM[1]:
        raise refuse("These are no spot sizes; are they sigmas in mm?", given=f"{sizes.min():g} to {sizes.max():g} mm",
                     allowed=f"{SIGMA_MM[0]:g} to {SIGMA_MM[1]:g} mm", where=where)  # fmt: skip


def _absolute(path: Path) -> tuple[tuple[BroadField, ...], dict[float, float]]:
    broad = {"depth": MM, "dose": GY, "mu_per_spot": PLAIN, "spacing_x": MM, "spacing_y": MM, "field": MM}
    columns = read_columns(path, {"nominal": MEV}, {**broad, "particles_per_mu": PLAIN})
    if any(values.min() <= 0 for name, values in columns.items()):
        raise refuse("Every number of the table of absolute doses must be positive", where=path.name)
    if "particles_per_mu" in columns:
        if len(columns) > 2 or np.unique(columns["nominal"]).size < columns["nominal"].size:
            raise refuse("A table of particles per MU has two columns, and each energy once", where=path.name)
        return (), dict(zip(columns["nominal"].tolist(), columns["particles_per_mu"].tolist(), strict=True))
    missing = [name for name in broad if name not in columns]
    if missing:
        raise refuse("The table of absolute doses lacks columns", given=", ".join(missing),
                     allowed="particles_per_mu; or depth_mm, dose_Gy, mu_per_spot, spacing_x_mm, spacing_y_mm and "
                     "field_mm",
                     where=path.name)  # fmt: skip
    rows = zip(*(columns[name].tolist() for name in ("nominal", *broad)), strict=True)
    return tuple(BroadField(e, z, d, mu, (sx, sy), side) for e, z, d, mu, sx, sy, side in rows), {}


def _uncovered(curves: tuple[Curve, ...], energies: list[float], what: str, where: str) -> list[str]:
    """Say which energies with a depth dose lie outside those of another table: nothing is extrapolated."""
    low, high = min(energies), max(energies)
    beyond = [f"{one.nominal_MeV:g}" for one in curves if not low <= one.nominal_MeV <= high]
    if not beyond:
        return []
    return [str(refuse(f"Energies with a depth dose lie outside those with {what}", given=f"{', '.join(beyond)} MeV",
                       allowed=f"{low:g} to {high:g} MeV", where=where))]  # fmt: skip
