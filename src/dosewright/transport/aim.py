"""Whether a straight line meets a field, and which directions about an axis may meet it.

The field is a rectangle normal to z. Directions about an axis are a polar turn, 1 - cos(theta), and an azimuth.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.trace import Ray

_PAD = 1.0e-12  # of windows, so that rounding leaves nothing of the field out


class Field(NamedTuple):
    """A rectangle normal to z that photons are aimed at; cm, in the axes of the patient box."""

    x0: float
    x1: float
    y0: float
    y1: float
    z: float


class Window(NamedTuple):
    """A range of polar turns, 1 - cos(theta), and of azimuths (rad) about the axis (u, v, w).

    Azimuths count from (ax, ay, az) towards (bx, by, bz).
    """

    low: float
    high: float
    start: float
    span: float
    u: float
    v: float
    w: float
    ax: float
    ay: float
    az: float
    bx: float
    by: float
    bz: float


@inlined
def aimed(field, ray):
    """Return whether the straight line ahead of a ray meets the field."""
    way = field.z - ray.z
    if way * ray.w <= 0.0:
        return False
    s = way / ray.w
    x, y = ray.x + s * ray.u, ray.y + s * ray.v
    return field.x0 <= x <= field.x1 and field.y0 <= y <= field.y1


@kernel
def window(field, ray):
    """Return the smallest window about the ray's direction that holds the field as seen from its place.

    On each side of the field, an arc of a great circle, the turn is least and largest at an end or where the side comes
    closest to the axis; the azimuth at an end. Where the axis meets the field, ahead or behind, every azimuth does.
    """
    u, v, w = ray.u, ray.v, ray.w
    ax, ay, az, bx, by, bz = _across(u, v, w)
    x0, x1, y0, y1, z = field.x0 - ray.x, field.x1 - ray.x, field.y0 - ray.y, field.y1 - ray.y, field.z - ray.z
    low, high = 2.0, 0.0
    low, high = _side(x0, y0, z, x1 - x0, 0.0, u, v, w, low, high)
    low, high = _side(x1, y0, z, 0.0, y1 - y0, u, v, w, low, high)
    low, high = _side(x1, y1, z, x0 - x1, 0.0, u, v, w, low, high)
    low, high = _side(x0, y1, z, 0.0, y0 - y1, u, v, w, low, high)
    ahead = aimed(field, ray)
    behind = aimed(field, Ray(ray.x, ray.y, ray.z, -u, -v, -w))
    low = 0.0 if ahead else max(low - _PAD, 0.0)
    high = 2.0 if behind else min(high + _PAD, 2.0)
    if ahead or behind:
        return Window(low, high, 0.0, 2.0 * np.pi, u, v, w, ax, ay, az, bx, by, bz)
    a0, b0 = x0 * ax + y0 * ay + z * az, x0 * bx + y0 * by + z * bz
    a1, b1 = x1 * ax + y0 * ay + z * az, x1 * bx + y0 * by + z * bz
    a2, b2 = x1 * ax + y1 * ay + z * az, x1 * bx + y1 * by + z * bz
    a3, b3 = x0 * ax + y1 * ay + z * az, x0 * bx + y1 * by + z * bz
    one = _between(a0, b0, a1, b1)
    two = one + _between(a1, b1, a2, b2)
    three = two + _between(a2, b2, a3, b3)
    least = min(min(0.0, one), min(two, three)) - _PAD
    most = max(max(0.0, one), max(two, three)) + _PAD
    start, span = np.arctan2(b0, a0) + least, min(most - least, 2.0 * np.pi)
    return Window(low, high, start, span, u, v, w, ax, ay, az, bx, by, bz)


@inlined
def along(seen, ray, turn, azimuth):
    """Return the ray with the direction of a turn and an azimuth (a uniform share of the span) in a window."""
    cosine, sine = 1.0 - turn, np.sqrt(max(turn * (2.0 - turn), 0.0))
    phi = seen.start + azimuth * seen.span
    a, b = sine * np.cos(phi), sine * np.sin(phi)
    u = cosine * seen.u + a * seen.ax + b * seen.bx
    v = cosine * seen.v + a * seen.ay + b * seen.by
    w = cosine * seen.w + a * seen.az + b * seen.bz
    per_length = 1.0 / np.sqrt(u * u + v * v + w * w)
    return Ray(ray.x, ray.y, ray.z, u * per_length, v * per_length, w * per_length)


@inlined
def towards(field, ray):
    """Return the ray turned towards the middle of the field, about which windows are small."""
    x, y, z = 0.5 * (field.x0 + field.x1) - ray.x, 0.5 * (field.y0 + field.y1) - ray.y, field.z - ray.z
    per_length = 1.0 / np.sqrt(x * x + y * y + z * z)
    return Ray(ray.x, ray.y, ray.z, x * per_length, y * per_length, z * per_length)


@inlined
def _across(u, v, w):
    """Return two unit vectors across a direction: Duff et al., J. Comput. Graph. Tech. 6, 1 (2017)."""
    sign = 1.0 if w >= 0.0 else -1.0
    c = -1.0 / (sign + w)
    d = u * v * c
    return 1.0 + sign * u * u * c, sign * d, -sign * u, d, sign + v * v * c, -v


@inlined
def _side(x, y, z, dx, dy, u, v, w, low, high):
    """Widen a range of turns by those of a corner and of the side that begins there."""
    turn = _turn(x, y, z, u, v, w)
    low, high = min(low, turn), max(high, turn)
    # d/dt of (p + t s).n/|p + t s| vanishes at t
    on, across = x * u + y * v + z * w, dx * u + dy * v
    square, both, side = x * x + y * y + z * z, x * dx + y * dy, dx * dx + dy * dy
    over, under = across * square - on * both, on * side - across * both
    if under != 0.0 and 0.0 < over / under < 1.0:
        t = over / under
        turn = _turn(x + t * dx, y + t * dy, z, u, v, w)
        low, high = min(low, turn), max(high, turn)
    return low, high


@inlined
def _turn(x, y, z, u, v, w):
    """Return 1 - cos of the angle between a vector and a direction, exact where it is small."""
    length = np.sqrt(x * x + y * y + z * z)
    if length == 0.0:
        return 1.0
    x, y, z = x / length - u, y / length - v, z / length - w
    return 0.5 * (x * x + y * y + z * z)


@inlined
def _between(a0, b0, a1, b1):
    """Return the angle from one vector of a plane to another, in (-pi, pi]."""
    return np.arctan2(a0 * b1 - b0 * a1, a0 * a1 + b0 * b1)
