"""Where rays run through a shape, by formula, each shape alone: what the packed scene is checked against.

Rays are origins and unit directions, (n, 3), in the shape's own axes, mm; bounds are those of `intervals`.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene_check.intervals import Floats, between, beyond, both, either, nothing, tidy, without

PARALLEL = 1.0e-12  # sine of an angle below which a ray is parallel


@dataclass(frozen=True)
class Rays:
    """Rays side by side: origins and unit directions, (n, 3), mm."""

    origin: Floats
    direction: Floats

    def __len__(self) -> int:
        return len(self.origin)

    def into(self, placement: Placement) -> "Rays":
        """Return the rays in the axes of what is placed."""
        moved = self.origin - np.array(placement.centre_mm)
        return Rays(moved @ placement.rotation, self.direction @ placement.rotation)

    def at(self, t: Floats) -> Floats:
        """Return the places at one distance along each ray."""
        there: Floats = self.origin + t[:, None] * self.direction
        return there

    def some(self, which: np.ndarray) -> "Rays":
        """Return some of the rays."""
        return Rays(self.origin[which], self.direction[which])


def chords(shape: Shape, rays: Rays) -> Floats:
    """Return the bounds of a shape along rays."""
    match shape:
        case Box():
            low, high = -np.array(shape.size_mm) / 2, np.array(shape.size_mm) / 2
            sides = [_slab(rays, k, low[k], high[k]) for k in range(3)]
            return between(np.max([s[0] for s in sides], axis=0), np.min([s[1] for s in sides], axis=0))
        case Frustum():
            return _frustum(shape, rays)
        case Prism():
            slab = between(*_slab(rays, 2, -shape.length_mm / 2, shape.length_mm / 2))
            return both(_polygon(shape.outline_mm, rays), slab)
        case Tube():
            radii = (shape.radius_mm,) * 2, (shape.inner_radius_mm,) * 2
            ring = _ring(rays, -shape.length_mm / 2, shape.length_mm / 2, *radii)
            return _sector(ring, shape.start_deg, shape.sweep_deg, rays)
        case Cone():
            radii = (shape.lower_radius_mm, shape.upper_radius_mm), (shape.lower_inner_mm, shape.upper_inner_mm)
            ring = _ring(rays, -shape.length_mm / 2, shape.length_mm / 2, *radii)
            return _sector(ring, shape.start_deg, shape.sweep_deg, rays)
        case Sphere():
            ball = _ball(rays, shape.radius_mm)
            return without(ball, _ball(rays, shape.inner_radius_mm)) if shape.inner_radius_mm > 0 else ball
        case Polycone():
            return _polycone(shape, rays)
        case Union():
            return either(chords(shape.first, rays), chords(shape.second, rays.into(shape.placement)))
        case Intersection():
            return both(chords(shape.first, rays), chords(shape.second, rays.into(shape.placement)))
        case Difference():
            return without(chords(shape.first, rays), chords(shape.second, rays.into(shape.placement)))
    raise TypeError(f"no chords of {type(shape).__name__}")


def _slab(rays: Rays, axis: int, low: float, high: float) -> tuple[Floats, Floats]:
    """Return from where to where rays run between two heights along an axis."""
    normal = np.eye(3)[axis]
    first, last = _below(rays, normal, high), _below(rays, -normal, -low)
    return np.maximum(first[0], last[0]), np.minimum(first[1], last[1])


def _below(rays: Rays, normal: Floats, distance: float) -> tuple[Floats, Floats]:
    """Return from where to where rays run below a plane (a point p with ``normal . p <= distance``)."""
    speed, rest = rays.direction @ normal, distance - rays.origin @ normal
    with np.errstate(divide="ignore", invalid="ignore"):
        t = rest / speed
    flat = np.abs(speed) < PARALLEL
    low = np.where(flat | (speed > 0), -np.inf, t)
    high = np.where(flat | (speed < 0), np.inf, t)
    return low, np.where(flat & (rest < 0), -np.inf, high)


def _frustum(shape: Frustum, rays: Rays) -> Floats:
    low, high = _slab(rays, 2, -shape.length_mm / 2, shape.length_mm / 2)
    for k in range(2):
        slope = (shape.lower_mm[k] - shape.upper_mm[k]) / 2 / shape.length_mm  # how far a side leans in per height
        for sign in (1.0, -1.0):
            normal = np.array([0.0, 0.0, slope])
            normal[k] = sign
            first, last = _below(rays, normal, (shape.lower_mm[k] + shape.upper_mm[k]) / 4)
            low, high = np.maximum(low, first), np.minimum(high, last)
    return between(low, high)


def _polygon(outline: Floats, rays: Rays) -> Floats:
    """Return the bounds of a polygon that runs on for ever along z (even-odd rule)."""
    (x, y, _), (dx, dy, _) = rays.origin.T, rays.direction.T
    flat = np.hypot(dx, dy) < PARALLEL
    # A ray along z stands where it stands: look along x instead, and keep the answer for its own place.
    dx, dy = np.where(flat, 1.0, dx), np.where(flat, 0.0, dy)
    side = dx[:, None] * (outline[:, 1] - y[:, None]) - dy[:, None] * (outline[:, 0] - x[:, None])
    other = np.roll(side, -1, axis=1)
    cuts = (side >= 0) != (other >= 0)  # one rule for every corner: the number of cuts is even
    share = np.where(cuts, side / np.where(cuts, side - other, 1.0), 0.0)
    way = np.roll(outline, -1, axis=0) - outline
    along_x, along_y = (outline[:, k] + share * way[:, k] for k in range(2))
    square = dx**2 + dy**2
    t = ((along_x - x[:, None]) * dx[:, None] + (along_y - y[:, None]) * dy[:, None]) / square[:, None]
    bounds = tidy(np.where(cuts, t, np.inf))
    if flat.any() and bounds.shape[1]:
        inside = (bounds <= 0).sum(axis=1) % 2 == 1
        bounds[flat] = np.inf
        bounds[flat & inside, 0] = -np.inf
    return bounds


def _ring(rays: Rays, low: float, high: float, outer: tuple[float, float], inner: tuple[float, float]) -> Floats:
    """Return the bounds of a hollow frustum of a cone between two heights; radii at the lower and the upper one."""
    slab = between(*_slab(rays, 2, low, high))
    ring = both(_round(rays, low, high, outer), slab)
    return without(ring, _round(rays, low, high, inner)) if max(inner) > 0 else ring


def _round(rays: Rays, low: float, high: float, radii: tuple[float, float]) -> Floats:
    """Return the bounds of a double cone or a cylinder without ends, x^2 + y^2 <= (r + s z)^2."""
    slope = (radii[1] - radii[0]) / (high - low)
    (x, y, z), (dx, dy, dz) = rays.origin.T, rays.direction.T
    radius, growth = radii[0] + slope * (z - low), slope * dz
    a = dx**2 + dy**2 - growth**2
    half_b = x * dx + y * dy - radius * growth
    return _quadratic(a, half_b, x**2 + y**2 - radius**2)


def _ball(rays: Rays, radius: float) -> Floats:
    o, d = rays.origin, rays.direction
    return _quadratic(np.ones(len(rays)), (o * d).sum(axis=1), (o * o).sum(axis=1) - radius**2)


def _quadratic(a: Floats, half_b: Floats, c: Floats) -> Floats:
    """Return where ``a t^2 + 2 half_b t + c <= 0``; the roots by the form that does not cancel."""
    root = half_b**2 - a * c
    straight = np.abs(a) < PARALLEL**1.5  # (nearly) parallel to the surface: linear in t
    with np.errstate(divide="ignore", invalid="ignore"):
        q = -(half_b + np.copysign(np.sqrt(np.maximum(root, 0.0)), half_b))
        first, second = np.where(q == 0, 0.0, c / q), np.where(straight, np.inf, q / a)
        line = -c / (2 * half_b)
    low, high = np.minimum(first, second), np.maximum(first, second)
    convex = between(np.where(root > 0, low, np.inf), np.where(root > 0, high, np.inf))
    concave = beyond(np.where(root > 0, low, np.inf), np.where(root > 0, high, np.inf))
    flat = np.abs(half_b) < PARALLEL
    linear = between(
        np.where(flat, np.where(c <= 0, -np.inf, np.inf), np.where(half_b > 0, -np.inf, line)),
        np.where(flat, np.inf, np.where(half_b > 0, line, np.inf)),
    )
    wide = np.full((len(a), 4), np.inf)
    wide[:, :2] = np.where(straight[:, None], linear, convex)
    hollow = (a < 0) & ~straight
    wide[hollow] = concave[hollow]
    return wide


def _polycone(shape: Polycone, rays: Rays) -> Floats:
    levels = list(zip(shape.z_mm, shape.radius_mm, shape.inner_mm, strict=True))
    whole = nothing(len(rays))
    for one, next_ in pairwise(levels):
        lower, upper = sorted((one, next_), key=lambda level: level[0])
        if upper[0] > lower[0]:
            radii = (lower[1], upper[1]), (lower[2], upper[2])
            whole = either(whole, _ring(rays, lower[0], upper[0], *radii))
    return whole


def _sector(ring: Floats, start_deg: float, sweep_deg: float, rays: Rays) -> Floats:
    """Return what of a ring lies in a sector about z."""
    if sweep_deg >= 360.0:
        return ring
    if sweep_deg > 180.0:
        return without(ring, _sector(ring, start_deg + sweep_deg, 360.0 - sweep_deg, rays))
    first, last = np.deg2rad(start_deg), np.deg2rad(start_deg + sweep_deg)
    one = _below(rays, np.array([np.sin(first), -np.cos(first), 0.0]), 0.0)
    two = _below(rays, np.array([-np.sin(last), np.cos(last), 0.0]), 0.0)
    return both(ring, between(np.maximum(one[0], two[0]), np.minimum(one[1], two[1])))
