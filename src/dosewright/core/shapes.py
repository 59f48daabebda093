"""Shapes that parts of a scene may have, beside the boxes, tubes, prisms and frustums of `core.solids`.

Every shape lies around its own origin; lengths in mm, angles in degrees.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.solids import Box, Frustum, Prism, Triple, Tube


@dataclass(frozen=True)
class Cone:
    """A frustum of a cone along z, or a part of a hollow one: radii at the lower and the upper z face, full length.

    The sector begins at `start_deg` from the x axis, counted towards y.
    """

    lower_radius_mm: float
    upper_radius_mm: float
    length_mm: float
    lower_inner_mm: float = 0.0
    upper_inner_mm: float = 0.0
    start_deg: float = 0.0
    sweep_deg: float = 360.0


@dataclass(frozen=True)
class Sphere:
    """A ball, or a shell."""

    radius_mm: float
    inner_radius_mm: float = 0.0


@dataclass(frozen=True)
class Polycone:
    """Frustums of cones along z, one on another: heights (ascending or descending), outer and inner radii at each.

    A height given twice is a step in the radius.
    """

    z_mm: tuple[float, ...]
    radius_mm: tuple[float, ...]
    inner_mm: tuple[float, ...]


@dataclass(frozen=True)
class Placement:
    """Where a shape lies in the axes of what holds it: its origin (mm), and its own axes as columns, (3, 3)."""

    centre_mm: Triple = (0.0, 0.0, 0.0)
    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(3), compare=False)

    def __post_init__(self) -> None:
        if self.rotation.shape != (3, 3) or not np.allclose(self.rotation @ self.rotation.T, np.eye(3), atol=1e-6):
            raise refuse("A placement needs a rotation", given=self.rotation.tolist())
        if not np.isfinite(self.centre_mm).all():
            raise refuse("A placement needs finite lengths", given=self.centre_mm)


@dataclass(frozen=True)
class Union:
    """What lies in the first shape, the second (placed in the axes of the first), or both."""

    first: "Shape"
    second: "Shape"
    placement: Placement = field(default_factory=Placement)


@dataclass(frozen=True)
class Intersection:
    """What lies in both shapes; the second is placed in the axes of the first."""

    first: "Shape"
    second: "Shape"
    placement: Placement = field(default_factory=Placement)


@dataclass(frozen=True)
class Difference:
    """What lies in the first shape and not in the second, which is placed in the axes of the first."""

    first: "Shape"
    second: "Shape"
    placement: Placement = field(default_factory=Placement)


Boolean = Union | Intersection | Difference
Shape = Box | Tube | Prism | Frustum | Cone | Sphere | Polycone | Boolean
