"""What a place is made of: a material, and the tables from Hounsfield number to material and density."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse


@dataclass(frozen=True)
class Material:
    """A homogeneous medium.

    Parameters
    ----------
    name
        Field name, such as ``G4_WATER``.
    density_g_cm3
        Default mass density; a voxel may have its own.
    mass_fractions
        Atomic number to mass fraction; normalised to one on construction.
    mean_excitation_eV
        Mean excitation energy, or None to take Bragg's rule over the elements.
    """

    name: str
    density_g_cm3: float
    mass_fractions: dict[int, float] = field(hash=False)
    mean_excitation_eV: float | None = None

    def __post_init__(self) -> None:
        total = sum(self.mass_fractions.values())
        if not self.mass_fractions or min(self.mass_fractions.values()) < 0 or not total > 0:
            raise refuse(f"Material {self.name!r} needs positive mass fractions", given=self.mass_fractions)
        if not (np.isfinite(self.density_g_cm3) and self.density_g_cm3 > 0):
            raise refuse(f"Material {self.name!r} needs a positive density", given=self.density_g_cm3)
        normal = {int(z): w / total for z, w in sorted(self.mass_fractions.items()) if w > 0}
        object.__setattr__(self, "mass_fractions", normal)


@dataclass(frozen=True)
class HounsfieldTable:
    """The way from Hounsfield number to density and material of one CT protocol.

    Parameters
    ----------
    name
        Protocol name.
    density_hu, density_g_cm3
        Nodes of the density curve, linear in between, constant beyond the ends; or empty for a direct table,
        whose voxels take the density of their material.
    lower_hu
        Ascending lower edge of each composition interval (included).
    upper_hu
        Upper edge of the last interval (excluded), or None where it is open.
    materials
        One material per interval.
    source
        Where the table comes from, for the report.
    sha256
        Hash of the file or files it came from.
    """

    name: str
    density_hu: NDArray[np.float64]
    density_g_cm3: NDArray[np.float64]
    lower_hu: NDArray[np.float64]
    upper_hu: float | None
    materials: tuple[Material, ...]
    source: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if len(self.lower_hu) != len(self.materials) or not len(self.materials):
            raise refuse(f"CT protocol {self.name!r} needs one material per HU interval")
        if np.any(np.diff(self.lower_hu) <= 0) or np.any(np.diff(self.density_hu) <= 0):
            raise refuse(f"CT protocol {self.name!r} needs ascending Hounsfield numbers")
        if len(self.density_hu) != len(self.density_g_cm3) or np.any(np.asarray(self.density_g_cm3) <= 0):
            raise refuse(f"CT protocol {self.name!r} needs one positive density per Hounsfield number")
