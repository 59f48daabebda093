"""Polygons cut into convex pieces."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Array = NDArray[np.float64]
Point = tuple[float, float]

FLAT = 1.0e-12  # of the square of the polygon's size: triangles below are lines


def convex_pieces(outline: Array) -> list[Array]:
    """Return convex anticlockwise polygons that together are the outline (n, 2) and share only sides.

    Ears are cut off, the fattest first; then triangles are joined while they stay convex (Hertel and Mehlhorn 1983).
    Raises `InputError` where the outline encloses nothing or crosses itself.
    """
    points = tidy(outline)
    flat = _flat(points)
    pieces = _triangles(points, flat)
    i = 0
    while i < len(pieces):
        for j in range(i + 1, len(pieces)):
            joined = _joined(points, pieces[i], pieces[j], flat)
            if joined:
                pieces[i] = joined
                pieces.pop(j)
                break
        else:
            i += 1
    loops = [[points[k] for k in piece] for piece in pieces]
    return [np.array(tidy(np.array(loop))) for loop in loops if _area(loop) > flat]


def tidy(outline: Array) -> list[Point]:
    """Return an outline (n, 2) anticlockwise, without points given twice or on the line of their neighbours.

    Raises `InputError` where it encloses nothing or crosses itself.
    """
    given = np.asarray(outline, float)
    if given.ndim != 2 or given.shape[1] != 2 or not np.isfinite(given).all():
        raise refuse("An outline needs finite points (x, y)", given=np.shape(outline))
    points: list[Point] = [(x, y) for x, y in given.tolist()]
    flat = _flat(points)
    k = 0
    while len(points) >= 3 and k < len(points):
        if abs(_turn(points[k - 1], points[k], points[(k + 1) % len(points)])) <= flat:
            points.pop(k)
            k = max(k - 2, 0)
        else:
            k += 1
    if len(points) < 3:
        raise refuse("An outline must enclose an area", given=given.tolist())
    points = points if _area(points) > 0 else points[::-1]
    _refuse_crossing(points)
    return points


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return twice the area of a triangle, positive where it is anticlockwise."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(points: list[Point]) -> float:
    """Return twice the area, positive where anticlockwise."""
    return sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*points, points[0]]))


def _flat(points: list[Point]) -> float:
    if not points:
        return 0.0
    x, y = zip(*points, strict=True)
    reach: float = max(max(x) - min(x), max(y) - min(y))
    return FLAT * reach * reach


def _refuse_crossing(points: list[Point]) -> None:
    sides = list(pairwise([*points, points[0]]))
    for i, (a, b) in enumerate(sides):
        for c, d in sides[i + 2 :]:
            if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
                raise refuse("An outline must not cross itself", given=f"the sides from {a} to {b} and from {c} to {d}")


def _triangles(points: list[Point], flat: float) -> list[list[int]]:
    """Return triangles as indices."""
    left = list(range(len(points)))
    triangles = []
    while len(left) > 3:
        ears = [(left[k - 1], left[k], left[(k + 1) % len(left)]) for k in range(len(left))]
        for a, b, c in sorted(ears, key=lambda ear: -_fatness(*(points[k] for k in ear))):
            corners = (points[a], points[b], points[c])
            if _turn(*corners) <= flat:  # no ears are left, only lines
                left.remove(_on_a_line(points, ears, flat))
                break
            if not any(_within(*corners, points[k]) for k in left if points[k] not in corners):
                triangles.append([a, b, c])
                left.remove(b)
                break
    if _turn(*(points[k] for k in left)) > 0:
        triangles.append(left)
    return triangles


def _on_a_line(points: list[Point], ears: list[tuple[int, int, int]], flat: float) -> int:
    for a, b, c in ears:
        if abs(_turn(points[a], points[b], points[c])) <= flat:
            return b
    raise refuse("An outline could not be cut into convex pieces; does it touch itself?", given=points)


def _fatness(a: Point, b: Point, c: Point) -> float:
    longest = max((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 for p, q in ((a, b), (b, c), (c, a)))
    return _turn(a, b, c) / longest if longest > 0 else 0.0


def _within(a: Point, b: Point, c: Point, p: Point) -> bool:
    """Say whether a point lies in an anticlockwise triangle or on its sides."""
    return _turn(a, b, p) >= 0 and _turn(b, c, p) >= 0 and _turn(c, a, p) >= 0


def _joined(points: list[Point], one: list[int], other: list[int], flat: float) -> list[int]:
    """Return two pieces joined along their common side; nothing where they have none or the sum is not convex."""
    for k in range(len(one)):
        turned = one[k:] + one[:k]
        if turned[0] in other and turned[-1] in other:
            m = other.index(turned[0])
            back = other[m:] + other[:m]
            if back[1] == turned[-1]:
                loop = turned + back[2:]
                corners = ((loop[i - 1], loop[i], loop[(i + 1) % len(loop)]) for i in range(len(loop)))
                convex = all(_turn(points[a], points[b], points[c]) >= -flat for a, b, c in corners)
                if convex and len(set(loop)) == len(loop):
                    return loop
    return []
