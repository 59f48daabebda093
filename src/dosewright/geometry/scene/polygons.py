"""Polygons cut into convex pieces."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Array = NDArray[np.float64]

FLAT = 1.0e-12  # of the square of the polygon's size: triangles below are lines


def cross(a: Array, b: Array, c: Array) -> float:
    """Return twice the area of a triangle, positive where it is anticlockwise."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def tidy(outline: Array) -> Array:
    """Return an outline (n, 2) anticlockwise, without points given twice or on the line of their neighbours.

    Raises `InputError` where it encloses nothing or crosses itself.
    """
    points = np.asarray(outline, float)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise refuse("An outline needs finite points (x, y)", given=np.shape(outline))
    flat = _flat(points) if len(points) else 0.0
    kept = list(points)
    k = 0
    while len(kept) >= 3 and k < len(kept):
        before, after = kept[k - 1], kept[(k + 1) % len(kept)]
        if abs(cross(before, kept[k], after)) <= flat:
            kept.pop(k)
            k = max(k - 2, 0)
        else:
            k += 1
    if len(kept) < 3:
        raise refuse("An outline must enclose an area", given=points.tolist())
    tidied = np.array(kept)
    tidied = tidied if _area(tidied) > 0 else tidied[::-1]
    _refuse_crossing(tidied)
    return tidied


def _refuse_crossing(points: Array) -> None:
    count = len(points)
    for i in range(count):
        a, b = points[i], points[(i + 1) % count]
        for j in range(i + 2, count):
            if i == 0 and j == count - 1:
                continue
            c, d = points[j], points[(j + 1) % count]
            if cross(a, b, c) * cross(a, b, d) < 0 and cross(c, d, a) * cross(c, d, b) < 0:
                raise refuse(
                    "An outline must not cross itself",
                    given=f"the sides from {a.tolist()} to {b.tolist()} and from {c.tolist()} to {d.tolist()}",
                )


def convex_pieces(outline: Array) -> list[Array]:
    """Return convex anticlockwise polygons that together are the outline (n, 2) and share only sides."""
    points = tidy(outline)
    pieces = _triangles(points)
    merged = True
    while merged:
        merged = False
        for i in range(len(pieces)):
            for j in range(i + 1, len(pieces)):
                joined = _joined(points, pieces[i], pieces[j])
                if joined is not None:
                    pieces[i] = joined
                    pieces.pop(j)
                    merged = True
                    break
            if merged:
                break
    return [tidy(points[piece]) for piece in pieces if _area(points[piece]) > _flat(points)]


def _flat(points: Array) -> float:
    return FLAT * float(np.ptp(points, axis=0).max()) ** 2


def _area(points: Array) -> float:
    """Return twice the area, positive where anticlockwise."""
    following = np.roll(points, -1, axis=0)
    return float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]))


def _triangles(points: Array) -> list[list[int]]:
    """Return triangles as indices by cutting off ears, the fattest first."""
    left = list(range(len(points)))
    triangles = []
    while len(left) > 3:
        best, best_k = 0.0, -1
        for k in range(len(left)):
            a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
            fatness = _fatness(points[a], points[b], points[c])
            if fatness > best and not any(
                _within(points[a], points[b], points[c], points[p]) for p in left if p not in (a, b, c)
            ):
                best, best_k = fatness, k
        if best_k < 0:
            best_k = _flattest(points, left)
            if (
                abs(cross(points[left[best_k - 1]], points[left[best_k]], points[left[(best_k + 1) % len(left)]]))
                > 1e-9
            ):
                raise refuse("An outline could not be cut into convex pieces", given=points.tolist())
        else:
            triangles.append([left[best_k - 1], left[best_k], left[(best_k + 1) % len(left)]])
        left.pop(best_k)
    if cross(*points[left]) > 0:
        triangles.append(left)
    return triangles


def _fatness(a: Array, b: Array, c: Array) -> float:
    longest = max(float(np.sum((a - b) ** 2)), float(np.sum((b - c) ** 2)), float(np.sum((c - a) ** 2)))
    return cross(a, b, c) / longest


def _flattest(points: Array, left: list[int]) -> int:
    areas = [
        abs(cross(points[left[k - 1]], points[left[k]], points[left[(k + 1) % len(left)]])) for k in range(len(left))
    ]
    return int(np.argmin(areas))


def _within(a: Array, b: Array, c: Array, p: Array) -> bool:
    """Say whether a point lies in an anticlockwise triangle or on its sides, corners left out."""
    if any(bool(np.all(p == corner)) for corner in (a, b, c)):
        return False
    return cross(a, b, p) >= 0 and cross(b, c, p) >= 0 and cross(c, a, p) >= 0


def _joined(points: Array, one: list[int], other: list[int]) -> list[int] | None:
    """Return two pieces joined along their common side, or None where they have none or the sum is not convex."""
    for k in range(len(one)):
        a, b = one[k], one[(k + 1) % len(one)]
        for m in range(len(other)):
            if other[m] == b and other[(m + 1) % len(other)] == a:
                around = one[k + 1 :] + one[: k + 1]
                rest = other[m + 2 :] + other[: max(m, 0)] if m + 2 <= len(other) else other[1:m]
                loop = around + rest
                corners = [(loop[i - 1], loop[i], loop[(i + 1) % len(loop)]) for i in range(len(loop))]
                if len(set(loop)) == len(loop) and all(cross(*points[list(c)]) >= -_flat(points) for c in corners):
                    return loop
    return None
