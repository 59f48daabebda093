"""Outlines: polygons as lists of points, looked at before anything is made of them."""

from collections.abc import Sequence

import numpy as np

Points = Sequence[tuple[float, float]]


def area_of(points: Points) -> float:
    """Return the area inside an outline; positive where it runs counter-clockwise (first coordinate to the right)."""
    x, y = np.array(points, float).T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def fault_of(points: Points) -> str:
    """Return what is wrong with an outline, in a few words with the numbers; an empty string if nothing is."""
    if len(points) < 3:
        return f"it has {len(points)} points and needs three or more"
    if not np.isfinite(np.array(points, float)).all():
        return "it has points that are not finite"
    ends = list(zip(points, [*points[1:], points[0]], strict=True))
    for k, (a, b) in enumerate(ends):
        if a == b:
            return f"points {k + 1} and {(k + 1) % len(points) + 1} are the same, {a}"
    for i, one in enumerate(ends):
        for j in range(i + 1, len(ends)):
            near = j - i in (1, len(ends) - 1)
            if not near and _meet(*one, *ends[j]):
                return f"its sides {i + 1} and {j + 1} cross or touch, near {one[0]} and {ends[j][0]}"
    return "" if abs(area_of(points)) > 0.0 else "it holds no area"


def extent_at(points: Points, level: float) -> tuple[float, float] | None:
    """Return the lowest and highest second coordinate of an outline where its first has a value, or None."""
    found = []
    for (a, p), (b, q) in zip(points, [*points[1:], points[0]], strict=True):
        if a == level:
            found.append(p)
        if (a - level) * (b - level) < 0:
            found.append(p + (q - p) * (level - a) / (b - a))
    return (min(found), max(found)) if found else None


def _meet(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    """Say whether two line segments have a point in common."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    pairs = ((turns[0], a, b, c), (turns[1], a, b, d), (turns[2], c, d, a), (turns[3], c, d, b))
    return any(turn == 0 and _between(p, q, r) for turn, p, q, r in pairs)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])
