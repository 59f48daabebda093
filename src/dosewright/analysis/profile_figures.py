"""All figures of a profile that exist in it, with what noise does to each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.profile import (
    Profile,
    distal_falloff,
    distal_position,
    peak,
    penumbras,
    proximal_position,
    width,
)
from dosewright.core.errors import InputError

Floats = NDArray[np.float64]

DRAWINGS = 200
FEWEST_DRAWINGS = 100  # of them in which a figure exists

# Positions are along the profile; ranges are where it last falls to a part of its peak.
FIGURES: dict[str, Callable[[Profile], float]] = {
    "R100_mm": lambda profile: peak(profile)[0],
    "R90_mm": lambda profile: distal_position(profile, 0.9),
    "R80_mm": lambda profile: distal_position(profile, 0.8),
    "R50_mm": lambda profile: distal_position(profile, 0.5),
    "R20_mm": lambda profile: distal_position(profile, 0.2),
    "rises_to_50_mm": lambda profile: proximal_position(profile, 0.5),
    "falloff_80_20_mm": lambda profile: distal_falloff(profile),
    "penumbra_rising_80_20_mm": lambda profile: penumbras(profile)[0],
    "penumbra_falling_80_20_mm": lambda profile: penumbras(profile)[1],
    "width_50_mm": lambda profile: width(profile),
    "centre_mm": lambda profile: (proximal_position(profile, 0.5) + distal_position(profile, 0.5)) / 2,
}


@dataclass(frozen=True)
class Figure:
    """A figure in mm, and its standard deviation from the noise of the profile; None where that is not known."""

    value_mm: float
    sigma_mm: float | None


def profile_figures(profile: Profile, sigma: Floats | None = None) -> dict[str, Figure]:
    """Return the figures that exist in a profile; noise is drawn anew, independent from point to point.

    `sigma` are standard errors of the values. Neighbouring voxels share particles, so the spread is a guide only.
    """
    found = {}
    random = np.random.default_rng(0)
    drawn = [] if sigma is None else [
        Profile(profile.position_mm, profile.values + sigma * random.standard_normal(len(sigma)))
        for _ in range(DRAWINGS)
    ]  # fmt: skip
    for name, of in FIGURES.items():
        value = _or_none(of, profile)
        if value is None:
            continue
        others = [one for one in (_or_none(of, one) for one in drawn) if one is not None]
        spread = float(np.std(others)) if len(others) >= FEWEST_DRAWINGS else None
        found[name] = Figure(value, spread)
    return found


def _or_none(of: Callable[[Profile], float], profile: Profile) -> float | None:
    try:
        value = of(profile)
    except InputError:
        return None
    return value if np.isfinite(value) else None
