"""Phantoms: a box of voxels with inserts, placed so that one of its points lies at the isocentre."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dosewright.commissioning.site.content_hash import content_hash
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.geometry.voxels import Voxels

Points = NDArray[np.float64]
Triple = tuple[float, float, float]
MOST_VOXELS = 500_000_000


class Shape(Protocol):
    """A region in the phantom's own axes (mm from its lower corner)."""

    def holds(self, x: Points, y: Points, z: Points) -> NDArray[np.bool_]:
        """Say which points lie inside; the arrays broadcast to [z, y, x]."""


@dataclass(frozen=True)
class Box:
    """A box between two corners, mm."""

    lower_mm: Triple
    upper_mm: Triple

    def holds(self, x: Points, y: Points, z: Points) -> NDArray[np.bool_]:
        """Say which points lie inside."""
        low, high = self.lower_mm, self.upper_mm
        inside = (x >= low[0]) & (x < high[0]) & (y >= low[1]) & (y < high[1]) & (z >= low[2]) & (z < high[2])
        return np.asarray(inside)


@dataclass(frozen=True)
class Cylinder:
    """A cylinder along the x, y or z axis: centre, radius and length, mm."""

    axis: str
    center_mm: Triple
    radius_mm: float
    length_mm: float

    def holds(self, x: Points, y: Points, z: Points) -> NDArray[np.bool_]:
        """Say which points lie inside."""
        offsets = [p - c for p, c in zip((x, y, z), self.center_mm, strict=True)]
        along = offsets.pop("xyz".index(self.axis))
        across2 = offsets[0] ** 2 + offsets[1] ** 2
        return np.asarray((across2 <= self.radius_mm**2) & (np.abs(along) <= self.length_mm / 2))


@dataclass(frozen=True)
class Insert:
    """A shape of one medium and density."""

    shape: Shape
    material: Material
    density_g_cm3: float


@dataclass(frozen=True)
class DoseBox:
    """A box of dose voxels around the point that lies at the isocentre: full size in mm, and numbers of voxels."""

    size_mm: Triple
    counts: tuple[int, int, int]

    def __post_init__(self) -> None:
        if min(self.size_mm) <= 0 or min(self.counts) < 1 or not np.all(np.isfinite(self.size_mm)):
            raise refuse("A dose grid needs a positive size and at least one voxel along each axis",
                         given=(self.size_mm, self.counts))  # fmt: skip

    def grid(self, isocenter_mm: Triple = (0.0, 0.0, 0.0)) -> Grid:
        """Return it in patient axes when the phantom's point lies at `isocenter_mm`."""
        spacing = _triple([s / n for s, n in zip(self.size_mm, self.counts, strict=True)])
        x, y, z = (i - s / 2 + v / 2 for i, s, v in zip(isocenter_mm, self.size_mm, spacing, strict=True))
        return Grid(self.counts, spacing, (x, y, z))


@dataclass(frozen=True)
class Phantom:
    """A box of voxels of one medium with inserts; later inserts win.

    Parameters
    ----------
    name, description
        Library name; what it is, for listings.
    size_mm, voxel_mm
        Extent and voxel size along x, y, z.
    isocenter_mm
        The point, measured from the lower corner, that is placed at the isocentre of the plan.
    material, density_g_cm3
        The medium that fills the box.
    inserts
        What lies inside.
    sha256
        Hash of the files it came from and of its media.
    dose_box
        The dose grid that belongs to it; None leaves the choice to the calculation.
    dose_to_water
        Whether its dose is one to water (True) or to the medium (False); None leaves it to the site's settings.
    assumptions, notes
        Sentences that a report repeats; what its files say that has no effect here.
    """

    name: str
    size_mm: Triple
    voxel_mm: Triple
    isocenter_mm: Triple
    material: Material
    density_g_cm3: float
    inserts: tuple[Insert, ...] = ()
    description: str = ""
    sha256: str = ""
    dose_box: "DoseBox | None" = None
    dose_to_water: bool | None = None
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (
            min(self.size_mm) <= 0
            or min(self.voxel_mm) <= 0
            or not np.all(np.isfinite([*self.size_mm, *self.voxel_mm]))
        ):
            raise refuse(f"Phantom {self.name!r} needs positive sizes", given=(self.size_mm, self.voxel_mm))
        counts = np.array(self.size_mm) / self.voxel_mm
        if np.any(np.abs(counts - np.rint(counts)) > 1e-6) or np.any(counts < 0.5):
            raise refuse(f"The voxels of phantom {self.name!r} must fill its size", given=self.voxel_mm)
        if np.prod(counts) > MOST_VOXELS:
            raise refuse(
                f"Phantom {self.name!r} has too many voxels", given=f"{np.prod(counts):g}", allowed=MOST_VOXELS
            )
        if not all(np.isfinite(d) and d > 0 for d in (self.density_g_cm3, *(i.density_g_cm3 for i in self.inserts))):
            raise refuse(f"Phantom {self.name!r} needs positive densities")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along x, y, z."""
        nx, ny, nz = (round(s / v) for s, v in zip(self.size_mm, self.voxel_mm, strict=True))
        return nx, ny, nz

    def grid(self, isocenter_mm: Triple = (0.0, 0.0, 0.0)) -> Grid:
        """Return the phantom's voxel grid in patient axes when its point lies at `isocenter_mm`."""
        x, y, z = (i - p + v / 2 for i, p, v in zip(isocenter_mm, self.isocenter_mm, self.voxel_mm, strict=True))
        return Grid(self.shape, self.voxel_mm, (x, y, z))

    def voxels(self, isocenter_mm: Triple = (0.0, 0.0, 0.0)) -> Voxels:
        """Return material and density of every voxel, by voxel centres, placed at `isocenter_mm`."""
        grid = self.grid(isocenter_mm)
        materials = list(dict.fromkeys([self.material, *(one.material for one in self.inserts)]))
        number = np.full(grid.array_shape, materials.index(self.material), np.uint8)
        density = np.full(grid.array_shape, self.density_g_cm3, np.float32)
        x, y, z = (v * np.arange(0.5, n, dtype=np.float64) for n, v in zip(self.shape, self.voxel_mm, strict=True))
        for one in self.inserts:
            inside = one.shape.holds(x[None, None, :], y[None, :, None], z[:, None, None])
            if not inside.any():
                raise refuse(f"An insert of phantom {self.name!r} holds no centre of a voxel; make the voxels smaller",
                             given=one.shape)  # fmt: skip
            number[inside] = materials.index(one.material)
            density[inside] = one.density_g_cm3
        return Voxels.on_grid(grid, number, density, materials)


class BoxFile(Checked):
    """A box insert: material and its extent along each axis, mm from the lower corner."""

    material: str
    density_g_cm3: float | None = None
    x_mm: list[float] = Field(min_length=2, max_length=2)
    y_mm: list[float] = Field(min_length=2, max_length=2)
    z_mm: list[float] = Field(min_length=2, max_length=2)


class CylinderFile(Checked):
    """A cylinder insert."""

    material: str
    density_g_cm3: float | None = None
    axis: str = "z"
    center_mm: list[float] = Field(min_length=3, max_length=3)
    radius_mm: float = Field(gt=0)
    length_mm: float = Field(gt=0)


class DoseGridFile(Checked):
    """The dose grid, around the point that lies at the isocentre."""

    size_mm: list[float] = Field(min_length=3, max_length=3)
    voxels: list[int] = Field(min_length=3, max_length=3)


class PhantomFile(Checked):
    """The file as it stands; `isocenter_mm` defaults to the centre."""

    name: str
    description: str = ""
    size_mm: list[float] = Field(min_length=3, max_length=3)
    voxel_mm: list[float] = Field(min_length=3, max_length=3)
    isocenter_mm: list[float] | None = Field(default=None, min_length=3, max_length=3)
    material: str
    density_g_cm3: float | None = None
    dose_grid: DoseGridFile | None = None
    dose_to_water: bool | None = None
    box: list[BoxFile] = Field(default_factory=list)
    cylinder: list[CylinderFile] = Field(default_factory=list)


def read_phantom(path: Path, named: Callable[[str], Material]) -> Phantom:
    """Read a phantom file (TOML); boxes come first, cylinders after them; `named` gives the media."""
    file = read_checked(path, PhantomFile)
    problems: list[str] = []
    inserts: list[Insert] = []
    parts: list[BoxFile | CylinderFile] = [*file.box, *file.cylinder]
    for one in parts:
        try:
            material = named(one.material)
            density = material.density_g_cm3 if one.density_g_cm3 is None else one.density_g_cm3
            inserts.append(Insert(_shape(one, path), material, density))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    filling = named(file.material)
    size = _triple(file.size_mm)
    return Phantom(
        name=file.name,
        size_mm=size,
        voxel_mm=_triple(file.voxel_mm),
        isocenter_mm=_triple(file.isocenter_mm) if file.isocenter_mm else (size[0] / 2, size[1] / 2, size[2] / 2),
        material=filling,
        density_g_cm3=filling.density_g_cm3 if file.density_g_cm3 is None else file.density_g_cm3,
        inserts=tuple(inserts),
        description=file.description,
        sha256=content_hash((path,), [filling, *(one.material for one in inserts)]),
        dose_box=DoseBox(_triple(file.dose_grid.size_mm), _counts(file.dose_grid.voxels)) if file.dose_grid else None,
        dose_to_water=file.dose_to_water,
    )


def _triple(values: list[float]) -> Triple:
    x, y, z = values
    return x, y, z


def _counts(values: list[int]) -> tuple[int, int, int]:
    x, y, z = values
    return x, y, z


def _shape(one: BoxFile | CylinderFile, path: Path) -> Shape:
    if isinstance(one, CylinderFile):
        if one.axis not in ("x", "y", "z"):
            raise refuse("Unknown axis of a cylinder", given=one.axis, allowed="x, y, z", where=path.name)
        return Cylinder(one.axis, _triple(one.center_mm), one.radius_mm, one.length_mm)
    spans = (one.x_mm, one.y_mm, one.z_mm)
    if any(not low < high for low, high in spans):
        raise refuse("A box needs ascending edges along each axis", given=spans, where=path.name)
    return Box(_triple([s[0] for s in spans]), _triple([s[1] for s in spans]))
