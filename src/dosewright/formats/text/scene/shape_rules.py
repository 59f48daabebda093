"""What the numbers of a shape must fulfil, whichever file they come from."""

from collections.abc import Sequence

import numpy as np

from dosewright.core.errors import InputError, refuse
from dosewright.core.shapes import Boolean, Cone, Polycone, Shape, Sphere
from dosewright.core.solids import Box, Frustum, Prism, Tube

MOST_CORNERS = 10000


def check_shape(shape: Shape, name: str, where: str) -> None:
    """Refuse a shape that has no inside, or numbers that contradict each other; all problems are listed."""
    problems = [str(refuse(f"{name}: {rule}", given=given, where=where)) for rule, given in _broken(shape)]
    if problems:
        raise InputError(*problems)


Broken = list[tuple[str, object]]


def _broken(shape: Shape) -> Broken:
    """Return the rules a shape breaks, each with the numbers; the parts of a boolean shape were looked at before."""
    if isinstance(shape, Box):
        return [("the three lengths of a box must be positive", shape.size_mm)] if not min(shape.size_mm) > 0 else []
    if isinstance(shape, Tube):
        return [*_tube(shape), *_sector(shape.sweep_deg)]
    if isinstance(shape, Cone):
        return [*_cone(shape), *_sector(shape.sweep_deg)]
    if isinstance(shape, Sphere):
        if not 0 <= shape.inner_radius_mm < shape.radius_mm:
            rule = "the radius of a sphere must be positive, an inner radius smaller"
            return [(rule, f"{shape.inner_radius_mm:g} and {shape.radius_mm:g} mm")]
        return []
    if isinstance(shape, Polycone):
        return _polycone(shape)
    if isinstance(shape, Prism):
        return _prism(shape)
    return [] if isinstance(shape, Boolean) else _frustum(shape)


def _length(length_mm: float) -> Broken:
    return [] if length_mm > 0 else [("the length must be positive", f"{length_mm:g} mm")]


def _sector(sweep_deg: float) -> Broken:
    if 0 < sweep_deg <= 360:
        return []
    return [("a sector sweeps more than 0 and at most 360 degrees", f"{sweep_deg:g} degrees")]


def _tube(tube: Tube) -> Broken:
    found = _length(tube.length_mm)
    if not tube.radius_mm > 0:
        found.append(("the radius must be positive", f"{tube.radius_mm:g} mm"))
    elif not 0 <= tube.inner_radius_mm < tube.radius_mm:
        rule = "the inner radius must not be negative, and smaller than the outer"
        found.append((rule, f"{tube.inner_radius_mm:g} and {tube.radius_mm:g} mm"))
    return found


def _cone(cone: Cone) -> Broken:
    found = _length(cone.length_mm)
    outer, inner = (cone.lower_radius_mm, cone.upper_radius_mm), (cone.lower_inner_mm, cone.upper_inner_mm)
    return found + _rings(outer, inner)


def _rings(outer: Sequence[float], inner: Sequence[float]) -> Broken:
    if min(*outer, *inner) < 0:
        return [("no radius may be negative", (*outer, *inner))]
    if any(i > o for i, o in zip(inner, outer, strict=True)):
        return [("no inner radius may be larger than the outer one beside it", f"inner {inner}, outer {outer} mm")]
    if all(i == o for i, o in zip(inner, outer, strict=True)):
        return [("there is nothing between the inner and the outer radii", f"inner {inner}, outer {outer} mm")]
    return []


def _polycone(shape: Polycone) -> Broken:
    z = np.array(shape.z_mm)
    counts = (len(shape.z_mm), len(shape.radius_mm), len(shape.inner_mm))
    if len(set(counts)) != 1 or counts[0] < 2:
        return [("a polycone needs two heights or more, with an outer and an inner radius each", counts)]
    steps = np.diff(z)
    if not (np.all(steps >= 0) or np.all(steps <= 0)) or z[0] == z[-1]:
        return [("the heights of a polycone must ascend or descend", shape.z_mm)]
    if np.any((steps[:-1] == 0) & (steps[1:] == 0)):
        return [("a height of a polycone may be given twice, not more often", shape.z_mm)]
    return _rings(shape.radius_mm, shape.inner_mm)


def _frustum(shape: Frustum) -> Broken:
    lengths = (*shape.lower_mm, *shape.upper_mm)
    if min(lengths) < 0 or not all(max(pair) > 0 for pair in zip(shape.lower_mm, shape.upper_mm, strict=True)):
        return [*_length(shape.length_mm), ("the faces of a trapezoid must have positive lengths", lengths)]
    return _length(shape.length_mm)


def _prism(shape: Prism) -> Broken:
    found = _length(shape.length_mm)
    outline = np.asarray(shape.outline_mm, float)
    if outline.ndim != 2 or outline.shape[1] != 2 or not 3 <= len(outline) <= MOST_CORNERS:
        return [*found, ("an outline has three corners or more, each with x and y", f"an array {outline.shape}")]
    cross = crossing(outline)
    if cross is not None:
        first, second = ((k + 1, (k + 1) % len(outline) + 1) for k in cross)
        rule = f"its outline meets itself: the side from corner {first[0]} to {first[1]} and that from {second[0]} to"
        found.append((f"{rule} {second[1]}", [tuple(float(v) for v in outline[k]) for k in cross]))
    return found


def crossing(outline: np.ndarray) -> tuple[int, int] | None:
    """Return two sides of a closed outline (n, 2) that touch without being neighbours, or a side without length.

    Sides are numbered by the corner they begin at. Neighbours that fold back on each other count as touching.
    """
    n = len(outline)
    following = np.roll(outline, -1, axis=0)
    along = following - outline
    size = float(np.abs(outline - outline.mean(axis=0)).max())
    tiny = 1e-12 * max(size, 1e-300) ** 2
    for k in range(n):
        if not np.any(np.abs(along[k]) > 1e-12 * size):
            return k, k
        nxt = (k + 1) % n
        if abs(_turn(along[k], along[nxt])) <= tiny and float(along[k] @ along[nxt]) < 0:
            return k, nxt
    for k in range(n):
        others = np.arange(k + 2, n - (k == 0))
        hits = others[_touch(outline[k], following[k], outline[others], following[others], tiny)]
        if len(hits):
            return k, int(hits[0])
    return None


def _turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    turn: np.ndarray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return turn


def _touch(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, tiny: float) -> np.ndarray:
    """Return whether the side from a to b meets each of the sides from c to d."""
    turns = (_turn(b - a, c - a), _turn(b - a, d - a), _turn(d - c, a - c), _turn(d - c, b - c))
    signs = [np.where(np.abs(turn) <= tiny, 0.0, np.sign(turn)) for turn in turns]
    apart = (np.minimum(a, b) > np.maximum(c, d)) | (np.maximum(a, b) < np.minimum(c, d))
    met: np.ndarray = (signs[0] * signs[1] <= 0) & (signs[2] * signs[3] <= 0) & ~apart.any(axis=1)
    return met
