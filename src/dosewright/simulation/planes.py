"""Planes that record the particles that go through them, checked, and packed for the kernels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.voxels import Voxels
from dosewright.scoring.planes import (
    BACKWARDS,
    BECOMES,
    DISTANCE,
    ENDS,
    GOES_ON,
    NO_PLANES,
    PLANE_COLUMNS,
    RECORDED,
    REPEATS,
)
from dosewright.transport.reuse import NO_REUSE, Reuse

Array = NDArray[np.float64]
Triple = tuple[float, float, float]

RECORDABLE = ("photon", "electron", "positron")  # in the order of the columns of a packed plane
MIRRORS = ("none", "x", "y", "xy")  # in the order of `transport.reuse`
MOST_COPIES = 1000
ALONG = 1.0e-6  # how far the cosine between axes that fit may be from one
OFF_THE_BOX_CM = 1.0e-4  # that near to the voxels single precision does not tell on which side something is
CM_IN_NM = 1.0e7


@dataclass(frozen=True)
class Plane:
    """A plane of the run (mm); forward is along its normal.

    Parameters
    ----------
    point_mm, normal
        One of its points; its direction, of any length.
    backwards
        Whether particles that come back through it are recorded too.
    kills
        Whether what goes forward ends there.
    particles
        What is recorded.
    """

    point_mm: Triple
    normal: Triple = (0.0, 0.0, 1.0)
    backwards: bool = False
    kills: bool = False
    particles: tuple[str, ...] = RECORDABLE

    @property
    def z_mm(self) -> float | None:
        """The height of a plane across z; None for others."""
        return self.point_mm[2] if self.normal[0] == self.normal[1] == 0.0 else None

    @property
    def said(self) -> str:
        """Where it is, in words."""
        if self.z_mm is not None:
            return f"z = {self.z_mm:g} mm"
        return f"through {list(self.point_mm)} mm, normal {list(self.normal)}"


@dataclass(frozen=True)
class ReusePlane:
    """A plane across z, of the run, behind which a particle goes on as several that share its weight.

    Parameters
    ----------
    z_mm, up
        Its height, and which way is forward, 1 or -1 along z.
    copies
        How many.
    mirror
        ``none``; ``x``, ``y``: every second with this coordinate of the run turned; ``xy``: as it is, x, y, both, and
        so on.
    """

    z_mm: float
    copies: int
    mirror: str = "none"
    up: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.copies <= MOST_COPIES or self.mirror not in MIRRORS:
            raise refuse("A particle is used again so many times", given=f"{self.copies}, mirror {self.mirror!r}",
                         allowed=f"2 to {MOST_COPIES}, mirror {', '.join(MIRRORS)}")  # fmt: skip


def with_reuse(
    planes: Sequence[Plane], reuse: ReusePlane | None, box: Voxels | None, run_to_box: Rigid
) -> tuple[Array, Reuse]:
    """Return planes for the kernels, a plane of reuse the last of them, and what happens there."""
    if reuse is None:
        return pack_planes(planes, box, run_to_box), NO_REUSE
    own = Plane((0.0, 0.0, reuse.z_mm), (0.0, 0.0, reuse.up), kills=True, particles=())
    packed = pack_planes([*planes, own], box, run_to_box)
    packed[-1, BECOMES] = REPEATS
    back = run_to_box.inverse()
    axes = np.ascontiguousarray(np.column_stack([back.rotation, back.translation / MM_PER_CM]))
    return packed, Reuse(float(reuse.copies), MIRRORS.index(reuse.mirror), axes)


def even_world(world_cm: Array, reuse: ReusePlane, run_to_box: Rigid) -> Array:
    """Return the box around a scene (6; cm, axes of the box of voxels) made even to the coordinates that are mirrored.

    Beyond it nothing is followed: what leaves it in front of the plane would be missed where its mirror image stays.
    """
    low, high = np.split(world_cm.copy(), 2)
    centre = run_to_box.points(np.zeros(3)) / MM_PER_CM
    for letter in reuse.mirror if reuse.mirror != MIRRORS[0] else "":
        along = run_to_box.rotation[:, "xy".index(letter)]
        axis = int(np.argmax(np.abs(along)))
        if abs(abs(along[axis]) - 1.0) > ALONG:
            raise refuse("Particles are mirrored about axes of the run, and those of the voxels lie across them",
                         given=f"mirror {reuse.mirror!r}", allowed="none",
                         where="variance_reduction.reuse_at_plane.mirror")  # fmt: skip
        half = max(centre[axis] - low[axis], high[axis] - centre[axis])
        low[axis], high[axis] = centre[axis] - half, centre[axis] + half
    return np.concatenate([low, high])


def pack_planes(planes: Sequence[Plane], box: Voxels | None, run_to_box: Rigid) -> Array:
    """Return planes for the kernels, cm in the axes of the box of voxels; refuse those that cut it.

    A plane that touches the box is taken `OFF_THE_BOX_CM` away from it: what goes in or out has crossed it then.
    """
    packed = np.zeros((len(planes), PLANE_COLUMNS)) if planes else NO_PLANES
    problems: list[str] = []
    for row, plane in zip(packed, planes, strict=True):
        normal = run_to_box.directions(np.array(plane.normal, float))
        normal /= np.linalg.norm(normal)
        distance = float(normal @ run_to_box.points(np.array(plane.point_mm))) / MM_PER_CM
        if box is not None:
            heights = corners_cm(box) @ normal - distance
            low, high = float(heights.min()), float(heights.max())
            if low < -1.0 / CM_IN_NM and high > 1.0 / CM_IN_NM:
                problems += _cuts(plane, box).problems
            elif low > -1.0 / CM_IN_NM:
                distance -= max(OFF_THE_BOX_CM - low, 0.0)
            else:
                distance += max(OFF_THE_BOX_CM + high, 0.0)
        row[:DISTANCE], row[DISTANCE] = normal, distance
        row[BACKWARDS], row[BECOMES] = plane.backwards, ENDS if plane.kills else GOES_ON
        row[RECORDED:] = [particle in plane.particles for particle in RECORDABLE]
    if problems:
        raise InputError(*problems)
    return packed


def corners_cm(box: Voxels) -> Array:
    """Return the eight corners of a box of voxels in its own axes, cm."""
    x, y, z = ((float(edges[0]), float(edges[-1])) for edges in box.edges_mm)
    return np.array([(a, b, c) for a in x for b in y for c in z]) / MM_PER_CM


def _cuts(plane: Plane, box: Voxels) -> InputError:
    z = box.frame.points(corners_cm(box) * MM_PER_CM)[:, 2]
    return refuse(
        "A phase space cannot be recorded inside the box of voxels",
        given=f"the plane {plane.said}",
        allowed=f"planes that do not cut the phantom, which lies from z = {z.min():g} to {z.max():g} mm",
    )
