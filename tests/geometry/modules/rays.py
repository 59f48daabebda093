"""A ray through shapes in closed form, as intervals of distance: written for the tests, and for nothing else."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Shape, Sphere, Union
from dosewright.core.solids import Box, Prism, Tube

Array = NDArray[np.float64]
Spans = list[tuple[float, float]]
EVER = 1e9


def length_in(parts: Iterable[Part], origin: Iterable[float], towards: Iterable[float]) -> float:
    """The path of the line through two points in all parts; parts without material take theirs away."""
    return sum(high - low for low, high in spans_in(parts, origin, towards))


def spans_in(parts: Iterable[Part], origin: Iterable[float], towards: Iterable[float]) -> Spans:
    parts = list(parts)
    by_name = {part.name: part for part in parts}
    p, q = np.array(list(origin), float), np.array(list(towards), float)
    u = (q - p) / np.linalg.norm(q - p)
    found: Spans = []
    for part in parts:
        chain, one = [], part
        while one.parent in by_name:
            one = by_name[one.parent]
            chain.append(one.placement)
        here_p, here_u = p, u
        for placement in reversed(chain):
            here_p, here_u = into(placement, here_p, here_u)
        spans = through(part.shape, *into(part.placement, here_p, here_u))
        found = united(found, spans) if part.material is not None else without(found, spans)
    return found


def into(placement: Placement, p: Array, u: Array) -> tuple[Array, Array]:
    turn = placement.rotation.T
    return turn @ (p - np.array(placement.centre_mm)), turn @ u


def through(shape: Shape, p: Array, u: Array) -> Spans:
    """Where a line p + t u is in a shape."""
    if isinstance(shape, Union | Intersection | Difference):
        both = through(shape.first, p, u), through(shape.second, *into(shape.placement, p, u))
        rule = {Union: united, Intersection: common, Difference: without}[type(shape)]
        return rule(*both)
    if isinstance(shape, Box):
        half = 0.5 * np.array(shape.size_mm)
        spans = [(-EVER, EVER)]
        for k in range(3):
            spans = common(spans, slab(p[k], u[k], half[k]))
        return spans
    if isinstance(shape, Prism):
        return common(polygon(shape.outline_mm, p, u), slab(p[2], u[2], 0.5 * shape.length_mm))
    if isinstance(shape, Tube):
        ring = Cone(shape.radius_mm, shape.radius_mm, shape.length_mm, shape.inner_radius_mm, shape.inner_radius_mm,
                    shape.start_deg, shape.sweep_deg)  # fmt: skip
        return through(ring, p, u)
    if isinstance(shape, Cone):
        return cone(shape, p, u)
    assert isinstance(shape, Sphere)
    a, b = p @ u, p @ p
    inside = [roots(1.0, a, b - r * r) for r in (shape.radius_mm, shape.inner_radius_mm)]
    return without(*inside)


def slab(p: float, u: float, half: float) -> Spans:
    if u == 0:
        return [(-EVER, EVER)] if abs(p) <= half else []
    ends = sorted([(-half - p) / u, (half - p) / u])
    return [(ends[0], ends[1])]


def roots(a: float, half_b: float, c: float) -> Spans:
    """Where a t^2 + 2 half_b t + c < 0, for a > 0."""
    square = half_b**2 - a * c
    return [((-half_b - np.sqrt(square)) / a, (-half_b + np.sqrt(square)) / a)] if square > 0 else []


def polygon(outline: Array, p: Array, u: Array) -> Spans:
    cuts = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        edge = b - a
        side_a, side_b = (float(u[0] * (c[1] - p[1]) - u[1] * (c[0] - p[0])) for c in (a, b))
        if (side_a > 0) != (side_b > 0):
            point = a + edge * side_a / (side_a - side_b)
            cuts.append(float((point - p[:2]) @ u[:2] / (u[:2] @ u[:2])))
    if not cuts:
        return [(-EVER, EVER)] if not np.any(u[:2]) and inside(outline, p) else []
    cuts.sort()
    return list(zip(cuts[::2], cuts[1::2], strict=True))


def inside(outline: Array, p: Array) -> bool:
    crossings = polygon(outline, p, np.array([0.6, 0.8, 0.0]))
    return any(low <= 0 <= high for low, high in crossings)


def cone(shape: Cone, p: Array, u: Array) -> Spans:
    """Where the line crosses all surfaces, and what is true between the crossings."""
    half = 0.5 * shape.length_mm
    cuts = [-EVER, EVER]
    for lower, upper in ((shape.lower_radius_mm, shape.upper_radius_mm), (shape.lower_inner_mm, shape.upper_inner_mm)):
        k = (upper - lower) / shape.length_mm
        r, dr = 0.5 * (lower + upper) + k * p[2], k * u[2]
        a, b, c = u[0] ** 2 + u[1] ** 2 - dr**2, p[0] * u[0] + p[1] * u[1] - r * dr, p[0] ** 2 + p[1] ** 2 - r**2
        square = b * b - a * c
        if abs(a) < 1e-14:
            cuts += [-0.5 * c / b] if b else []
        elif square > 0:
            cuts += [(-b - np.sqrt(square)) / a, (-b + np.sqrt(square)) / a]
    cuts += [t for span in slab(p[2], u[2], half) for t in span]
    for angle in np.deg2rad([shape.start_deg, shape.start_deg + shape.sweep_deg]):
        across = np.cos(angle) * u[1] - np.sin(angle) * u[0]
        if across:
            cuts.append(-(np.cos(angle) * p[1] - np.sin(angle) * p[0]) / across)
    cuts.sort()

    def holds(t: float) -> bool:
        x, y, z = p + t * u
        share = z / shape.length_mm + 0.5
        out = shape.lower_radius_mm + share * (shape.upper_radius_mm - shape.lower_radius_mm)
        within = shape.lower_inner_mm + share * (shape.upper_inner_mm - shape.lower_inner_mm)
        turn = (np.rad2deg(np.arctan2(y, x)) - shape.start_deg) % 360.0
        return bool(abs(z) < half and within <= np.hypot(x, y) < out and turn < shape.sweep_deg)

    pieces = pairwise(cuts)
    return united([(a, b) for a, b in pieces if b > a and holds(0.5 * (a + b))], [])


def united(one: Spans, other: Spans) -> Spans:
    return merged(one, other, lambda a, b: a or b)


def common(one: Spans, other: Spans) -> Spans:
    return merged(one, other, lambda a, b: a and b)


def without(one: Spans, other: Spans) -> Spans:
    return merged(one, other, lambda a, b: a and not b)


def merged(one: Spans, other: Spans, keep: Callable[[bool, bool], bool]) -> Spans:
    cuts = sorted({end for span in (*one, *other) for end in span})
    found: Spans = []
    for a, b in pairwise(cuts):
        middle = 0.5 * (a + b)
        if keep(*(any(low < middle < high for low, high in spans) for spans in (one, other))):
            if found and found[-1][1] == a:
                found[-1] = (found[-1][0], b)
            else:
                found.append((a, b))
    return found
