"""What is histogrammed and compared of a particle, by name."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import Particles

Column = NDArray[np.floating]

# In cm, degrees, MeV.
QUANTITIES: dict[str, Callable[[Particles], Column]] = {
    "X": lambda p: p.x_cm,
    "Y": lambda p: p.y_cm,
    "R": lambda p: np.sqrt(p.x_cm * p.x_cm + p.y_cm * p.y_cm),
    # From both sides of the triangle: near the axis the arc cosine of a single-precision w knows 0.02 degrees only.
    "Direction Theta": lambda p: np.degrees(np.arctan2(np.sqrt(p.u * p.u + p.v * p.v), p.w)),
    "Direction Phi": lambda p: np.degrees(np.arctan2(p.v, p.u)),
    "Energy": lambda p: p.energy_MeV,
    "Vx": lambda p: p.u,
    "Vy": lambda p: p.v,
    "Vz": lambda p: p.w,
    "Weight": lambda p: p.weight,
}
UNITS = {"X": "cm", "Y": "cm", "R": "cm", "Direction Theta": "degrees", "Direction Phi": "degrees", "Energy": "MeV"}


def labelled(quantity: str) -> str:
    """Return a quantity with its unit, as an axis shows it."""
    return f"{quantity} ({UNITS[quantity]})" if quantity in UNITS else quantity
