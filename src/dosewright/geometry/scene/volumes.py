"""How much room a part leaves for its own material: by formula, or by chords where other parts cut it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.shapes import Cone, Polycone, Shape, Sphere
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import lengths, without
from dosewright.geometry.scene_check.placed import Placed, own_box

Array = NDArray[np.float64]
LATTICES, RAYS = 16, 256  # lattices of rays, each shifted at random; rays in one
SEED = 20_260_101  # of the shifts: the same volume every time
GENERATOR = 99  # of the rank-1 lattice of 256 points: spread in all directions (spectral test)
FULL_TURN = 360.0


@dataclass(frozen=True)
class Volume:
    """A volume in mm3, and its relative standard error; no error where it is a formula's."""

    mm3: float
    relative_error: float = 0.0


def free_volume(part: Placed, inside: Sequence[Placed]) -> Volume:
    """Return the volume of a part less what lies inside it.

    A formula for a plain shape that nothing cuts; else the mean length of chords through the box around it, along the
    axis that gives the smallest error of three. Its error is that between shifted lattices of rays.
    """
    formula = None if inside else own_volume_mm3(part.part.shape)
    if formula is not None:
        return Volume(formula)
    return min((_by_chords(part, inside, axis) for axis in range(3)), key=lambda found: found.relative_error)


def _by_chords(part: Placed, inside: Sequence[Placed], along: int) -> Volume:
    low, high = own_box(part.part.shape)
    if np.any(high <= low):
        return Volume(0.0)
    a, b = (axis for axis in range(3) if axis != along)
    shifts = np.random.default_rng(SEED).random((LATTICES, 1, 2))
    lattice = np.stack([np.arange(RAYS), GENERATOR * np.arange(RAYS)], axis=1) / RAYS
    across = ((lattice[None] + shifts) % 1.0).reshape(-1, 2)
    origin = np.empty((LATTICES * RAYS, 3))
    origin[:, along] = low[along]
    origin[:, a], origin[:, b] = low[a] + across[:, 0] * (high - low)[a], low[b] + across[:, 1] * (high - low)[b]
    direction = np.tile(np.eye(3)[along], (len(origin), 1))
    phase = np.zeros(len(origin))
    rays = part.to_scene(Rays(origin, direction), phase)
    free = part.chords(rays, phase)
    for one in inside:
        free = without(free, one.chords(rays, phase))
    means = lengths(free).sum(axis=1).reshape(LATTICES, RAYS).mean(axis=1) * float(np.prod((high - low)[[a, b]]))
    mean, spread = float(means.mean()), float(means.std(ddof=1)) / np.sqrt(LATTICES)
    return Volume(mean, spread / mean if mean > 0 else 1.0)


def own_volume_mm3(shape: Shape) -> float | None:
    """Return the volume of a plain shape, mm3; None for what is made of several."""
    match shape:
        case Box():
            return float(np.prod(shape.size_mm))
        case Tube():
            area = np.pi * (shape.radius_mm**2 - shape.inner_radius_mm**2)
            return float(area * shape.length_mm * _share(shape.sweep_deg))
        case Prism():
            x, y = shape.outline_mm.T
            return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 * shape.length_mm)
        case Frustum():
            (a, b), (c, d) = shape.lower_mm, shape.upper_mm
            return float(shape.length_mm * (2 * a * b + a * d + c * b + 2 * c * d) / 6)
        case Cone():
            outer = _frustum_of_cone(shape.lower_radius_mm, shape.upper_radius_mm, shape.length_mm)
            inner = _frustum_of_cone(shape.lower_inner_mm, shape.upper_inner_mm, shape.length_mm)
            return (outer - inner) * _share(shape.sweep_deg)
        case Sphere():
            return float(4 / 3 * np.pi * (shape.radius_mm**3 - shape.inner_radius_mm**3))
        case Polycone():
            levels = zip(shape.z_mm, shape.radius_mm, shape.inner_mm, strict=True)
            return sum(
                _frustum_of_cone(r0, r1, abs(z1 - z0)) - _frustum_of_cone(q0, q1, abs(z1 - z0))
                for (z0, r0, q0), (z1, r1, q1) in pairwise(levels)
            )
        case _:
            return None


def _share(sweep_deg: float) -> float:
    return min(sweep_deg, FULL_TURN) / FULL_TURN


def _frustum_of_cone(lower: float, upper: float, length: float) -> float:
    return float(np.pi * length * (lower**2 + lower * upper + upper**2) / 3)
