"""What was measured of a CT: MEASUREMENTS.toml with the inserts of a phantom, checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dosewright.commissioning.provenance import FILE_STEM
from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.materials.elements import element

FEWEST = 5
LEAST_BONE_HU = 200.0  # the photoelectric coefficient shows in bone only
WATER_HU = 30.0  # a medium like water this far from 0 HU: the scanner, or the numbers, are not right
SHARES = (0.98, 1.02)  # what mass fractions may add up to


class InsertFile(Checked):
    """One insert: a material of the library, or density and mass fractions as its maker says."""

    name: str = Field(min_length=1)
    material: str = ""
    density_g_cm3: float | None = Field(None, gt=0, lt=25)
    mass_fractions: dict[str, float] = Field(default_factory=dict)
    hu: float = Field(ge=-1100, le=20000, description="mean of the insert")
    uncertainty_hu: float | None = Field(None, gt=0, description="1 sigma of that mean")


class HlutFile(Checked):
    """MEASUREMENTS.toml as it stands; `match` holds the DICOM keywords that mark a CT of this protocol."""

    name: str = Field(pattern=FILE_STEM)
    who: str = ""
    match: dict[str, str] = Field(default_factory=dict)
    uncertainty_hu: float = Field(5.0, gt=0, description="1 sigma of inserts that have none of their own")
    highest_hu: float = Field(3071.0, gt=1600, description="to which the line of bone goes on")
    insert: list[InsertFile] = Field(min_length=1)


@dataclass(frozen=True)
class HlutMeasurements:
    """Media of the inserts with their mean Hounsfield numbers and 1 sigma."""

    file: HlutFile
    files: tuple[Path, ...]
    media: tuple[Material, ...]
    hu: NDArray[np.float64]
    sigma_hu: NDArray[np.float64]


def read_measurements(path: Path, named: Callable[[str], Material]) -> HlutMeasurements:
    """Read MEASUREMENTS.toml; `named` gives the materials of the library. Every problem is listed."""
    file = read_checked(path, HlutFile)
    problems: list[str] = []
    media = []
    for one in file.insert:
        try:
            media.append(_medium(one, named, path))
        except InputError as error:
            problems += error.problems
    hu = np.array([one.hu for one in file.insert])
    problems += _doubts(file, hu, path)
    if problems:
        raise InputError(*problems)
    sigma = np.array([one.uncertainty_hu or file.uncertainty_hu for one in file.insert])
    return HlutMeasurements(file, (path,), tuple(media), hu, sigma)


def _medium(one: InsertFile, named: Callable[[str], Material], path: Path) -> Material:
    where = f"{path.name}, insert {one.name!r}"
    if bool(one.material) == bool(one.mass_fractions):
        raise refuse("An insert has a material, or mass fractions with a density", where=where)
    if one.material:
        found = named(one.material)
        return Material(one.name, one.density_g_cm3 or found.density_g_cm3, found.mass_fractions)
    total = sum(one.mass_fractions.values())
    if not SHARES[0] <= total <= SHARES[1]:
        raise refuse("Mass fractions must add up to 1; are they percents?" if 98 <= total <= 102
                     else "Mass fractions must add up to 1", given=round(total, 4), where=where)  # fmt: skip
    if one.density_g_cm3 is None:
        raise refuse("An insert with mass fractions needs its density_g_cm3", where=where)
    return Material(one.name, one.density_g_cm3, {element(word).Z: w for word, w in one.mass_fractions.items()})


def _doubts(file: HlutFile, hu: NDArray[np.float64], path: Path) -> list[str]:
    """Return what makes the numbers as a whole unusable."""
    said = []
    if hu.size < FEWEST:
        said.append(refuse("A calibration needs more inserts", given=hu.size, allowed=f"at least {FEWEST}",
                           where=path.name))  # fmt: skip
    if hu.max() < LEAST_BONE_HU:
        said.append(refuse("No insert is like bone, so that the photoelectric coefficient cannot be found",
                           given=f"at most {hu.max():.0f} HU", allowed=f"one above {LEAST_BONE_HU:g} HU",
                           where=path.name))  # fmt: skip
    names = [one.name for one in file.insert]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        said.append(refuse("Each insert needs a name of its own", given=", ".join(twice), where=path.name))
    for one in file.insert:
        if one.material.casefold() in ("g4_water", "water") and abs(one.hu) > WATER_HU:
            shifted = " Has 1000 or 1024 been added to the numbers?" if 950 < one.hu < 1050 else ""
            said.append(refuse(f"Water must be close to 0 HU.{shifted}", given=f"{one.hu:g} HU",
                               allowed=f"-{WATER_HU:g} to {WATER_HU:g} HU", where=path.name))  # fmt: skip
    return [str(one) for one in said]
