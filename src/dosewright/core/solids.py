"""Solids of material in the beam, and the devices that are made of them.

Axes: IEC 61217 gantry coordinates, z from the isocentre towards the source, mm; or, for fixed beam lines described by
GATE macros, the room of such a macro (`Device.axes`). Where solids overlap the later one wins: a hole is a solid
without a material of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.matter import Material

Triple = tuple[float, float, float]
Field = tuple[tuple[float, float], tuple[float, float]]  # spans along x and y in which a beam may be, mm
KINDS = ("nozzle", "range_shifter", "range_modulator", "aperture", "compensator")
AXES = ("gantry", "room")


@dataclass(frozen=True)
class Box:
    """A box around its centre; full lengths, mm."""

    size_mm: Triple


@dataclass(frozen=True)
class Tube:
    """A cylinder along z around its centre, or a part of a hollow one; radii and full length in mm, angles in degrees.

    The sector begins at `start_deg` from the x axis, counted towards y.
    """

    radius_mm: float
    length_mm: float
    inner_radius_mm: float = 0.0
    start_deg: float = 0.0
    sweep_deg: float = 360.0


@dataclass(frozen=True)
class Prism:
    """A polygon extruded along z around its centre; outline (n, 2) of x and y in mm, not closed; full length in mm."""

    outline_mm: NDArray[np.float64]
    length_mm: float


@dataclass(frozen=True)
class Frustum:
    """A trapezoid (GATE's ``trpd``): full lengths along x and y at its lower and upper z face, full length along z."""

    lower_mm: tuple[float, float]
    upper_mm: tuple[float, float]
    length_mm: float


@dataclass(frozen=True)
class Relief:
    """Rectangular columns side by side: from `lower_mm` to `upper_mm` along z in the cells of an x and y grid, mm.

    `x_edges_mm` (nx + 1) and `y_edges_mm` (ny + 1) ascend; `lower_mm` and `upper_mm` are (ny, nx). A column whose upper
    end is not above its lower one is empty.
    """

    x_edges_mm: NDArray[np.float64]
    y_edges_mm: NDArray[np.float64]
    lower_mm: NDArray[np.float64]
    upper_mm: NDArray[np.float64]


Shape = Box | Tube | Prism | Frustum | Relief


@dataclass(frozen=True)
class Solid:
    """A placed shape of one material.

    Parameters
    ----------
    name
        What messages call it.
    shape
        Its form, around its own origin.
    material
        What it is made of; None for a hole, filled with what fills the gap.
    density_g_cm3
        Its density; of no meaning for a hole.
    centre_mm
        Where its origin lies.
    rotation
        Columns are its own axes, (3, 3).
    """

    name: str
    shape: Shape
    material: Material | None
    density_g_cm3: float
    centre_mm: Triple = (0.0, 0.0, 0.0)
    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(3), compare=False)

    def __post_init__(self) -> None:
        if self.material is not None and not self.density_g_cm3 > 0:
            raise refuse(f"The solid {self.name!r} needs a positive density", given=self.density_g_cm3)
        if self.rotation.shape != (3, 3) or not np.allclose(self.rotation @ self.rotation.T, np.eye(3), atol=1e-6):
            raise refuse(f"The solid {self.name!r} needs a rotation", given=self.rotation.tolist())


@dataclass(frozen=True)
class Device:
    """Something a machine has in the beam always (its nozzle), or puts there when a plan names it.

    Parameters
    ----------
    id
        By which the plan names it; for a nozzle the machine's name.
    kind
        One of `KINDS`.
    solids
        What it is made of; later ones win.
    on_snout
        Heights count from the snout's downstream face (the plan's snout position) instead of the isocentre.
    axes
        ``"gantry"``: turns with the gantry. ``"room"``: fixed in the axes of a GATE macro, whatever the gantry angle.
    source, sha256
        Where it comes from; hash of its files.
    """

    id: str
    kind: str
    solids: tuple[Solid, ...]
    on_snout: bool = False
    axes: str = "gantry"
    source: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise refuse(f"Unknown kind of device {self.id!r}", given=self.kind, allowed=", ".join(KINDS))
        if self.axes not in AXES:
            raise refuse(f"Unknown axes of device {self.id!r}", given=self.axes, allowed=", ".join(AXES))


def content_sha256(devices: Iterable[Device]) -> str:
    """Return a hash of all that devices put into a beam: shapes, places, materials."""
    digest = sha256()
    for device in devices:
        digest.update(f"{device.id};{device.kind};{device.on_snout};{device.axes}".encode())
        for solid in device.solids:
            values = [solid.name, solid.material, solid.density_g_cm3, solid.centre_mm, solid.rotation]
            for value in (*values, type(solid.shape).__name__, *vars(solid.shape).values()):
                digest.update(_bytes_of(value))
    return digest.hexdigest()


def _bytes_of(value: Any) -> bytes:
    """Return a value as bytes, an array with its shape."""
    if isinstance(value, np.ndarray):
        return f"{value.shape};".encode() + np.ascontiguousarray(value, np.float64).tobytes()
    return f"{value!r};".encode()
