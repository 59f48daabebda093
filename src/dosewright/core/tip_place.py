"""Where the end of a jaw or leaf must lie for its field edge to be where it should be.

The plane of travel: u along the travel, 0 under the focus; heights grow against the flight. Everything is written for a
leaf on the positive side; that on the negative side is its mirror image (the edge and u with the other sign). The field
edge is the ray from the focus to the edge at the isocentre plane; a round tip touches it or, with a half-value layer,
is cut by it in a chord of that length. Lengths in mm.
"""

from itertools import pairwise
from math import hypot, sqrt

Span = tuple[float, float]


def slope(edge: float, focus: float, isocentre: float) -> float:
    """Return how far the ray to the edge goes outward per mm of flight."""
    return edge / (focus - isocentre)


def circle_centre(s: float, focus: float, centre: float, radius: float, chord: float) -> float:
    """Return u of the centre of the tip's circle.

    The centre is sqrt(radius^2 - (chord/2)^2) away from the ray, measured at a right angle to it.
    """
    return s * (focus - centre) + distance_of_chord(radius, chord) * hypot(1.0, s)


def chord_heights(s: float, centre: float, radius: float, chord: float) -> Span:
    """Return between which heights the ray is in the circle; the same twice where it only touches."""
    normal = hypot(1.0, s)
    middle = centre - distance_of_chord(radius, chord) * s / normal
    return middle - 0.5 * chord / normal, middle + 0.5 * chord / normal


def distance_of_chord(radius: float, chord: float) -> float:
    """Return how far a chord of a circle lies from its centre."""
    return sqrt(radius**2 - 0.25 * chord**2)


def on_circle(s: float, focus: float, pivot: float, radius: float) -> tuple[float, float] | None:
    """Return (u, height) where the ray meets the circle about a pivot under the focus, downstream; None if it does not.

    With the pivot in the focus this is the rotation about the focus by atan(s).
    """
    above = focus - pivot
    square = (1.0 + s * s) * radius**2 - (s * above) ** 2
    if square < 0.0:
        return None
    height = (s * s * above - sqrt(square)) / (1.0 + s * s) + pivot
    return s * (focus - height), height


def interpolated(table: tuple[tuple[float, float], ...], opening: float) -> float:
    """Return the tip position of an opening, linear between the rows of a table; nan outside it."""
    for (x0, y0), (x1, y1) in pairwise(table):
        if x0 <= opening <= x1:
            return y0 + (y1 - y0) * (opening - x0) / (x1 - x0)
    return float("nan")
