"""Units of geometry text and what they measure.

Values in mm, rad, g, mole and MeV; names as in CLHEP's table of units, which Geant4 reads (Geant4, Book for Application
Developers, "System of units").
"""

from typing import NamedTuple

import numpy as np


class Measure(NamedTuple):
    """Exponents of what a number measures; `other` stands for time, charge and all that no geometry needs."""

    length: float = 0.0
    angle: float = 0.0
    mass: float = 0.0
    amount: float = 0.0
    energy: float = 0.0
    other: float = 0.0

    def times(self, factor: float) -> "Measure":
        """Return the exponents of a power."""
        return Measure(*(factor * exponent for exponent in self))

    def and_of(self, second: "Measure", sign: float = 1.0) -> "Measure":
        """Return the exponents of a product, or of a quotient (sign -1)."""
        return Measure(*(a + sign * b for a, b in zip(self, second, strict=True)))

    def __str__(self) -> str:
        named = [(name, exponent) for name, exponent in self._asdict().items() if exponent]
        return " x ".join(name if exponent == 1 else f"{name}^{exponent:g}" for name, exponent in named) or "a number"


PLAIN = Measure()
LENGTH = Measure(length=1.0)
ANGLE = Measure(angle=1.0)
DENSITY = Measure(mass=1.0, length=-3.0)
MOLAR_MASS = Measure(mass=1.0, amount=-1.0)
ENERGY = Measure(energy=1.0)
OTHER = Measure(other=1.0)

_LENGTHS_MM = {
    ("km", "kilometer"): 1e6,
    ("m", "meter"): 1e3,
    ("cm", "centimeter"): 10.0,
    ("mm", "millimeter"): 1.0,
    ("um", "micrometer"): 1e-3,
    ("nm", "nanometer"): 1e-6,
    ("Ang", "angstrom"): 1e-7,
    ("fm", "fermi"): 1e-12,
    ("pc", "parsec"): 3.0856775807e19,
}
_OTHERS: dict[Measure, dict[tuple[str, ...], float]] = {
    ANGLE: {("rad", "radian"): 1.0, ("mrad", "milliradian"): 1e-3, ("deg", "degree"): float(np.pi / 180)},
    Measure(mass=1.0): {("g", "gram"): 1.0, ("kg", "kilogram"): 1e3, ("mg", "milligram"): 1e-3},
    Measure(amount=1.0): {("mole", "mol"): 1.0},
    ENERGY: {("eV", "electronvolt"): 1e-6, ("keV", "kiloelectronvolt"): 1e-3, ("MeV", "megaelectronvolt"): 1.0,
             ("GeV", "gigaelectronvolt"): 1e3, ("TeV", "teraelectronvolt"): 1e6},
    Measure(length=3.0): {("L", "liter"): 1e6, ("dL",): 1e5, ("cL",): 1e4, ("mL",): 1e3},
    PLAIN: {("perCent", "percent"): 1e-2, ("perThousand",): 1e-3, ("perMillion",): 1e-6},
    OTHER: {("s", "second"): 1.0, ("ms", "millisecond"): 1e-3, ("us", "microsecond"): 1e-6, ("ns", "nanosecond"): 1e-9,
            ("hertz", "Hz"): 1.0, ("kelvin",): 1.0, ("atmosphere", "atm"): 1.0, ("pascal",): 1.0, ("bar",): 1.0,
            ("tesla",): 1.0, ("gauss",): 1e-4, ("volt",): 1.0, ("becquerel", "Bq"): 1.0, ("curie", "Ci"): 3.7e10},
}  # fmt: skip


def _units() -> dict[str, tuple[float, Measure]]:
    """Return every unit by its name; lengths also squared and cubed, such as cm3."""
    units = {name: (value, LENGTH) for names, value in _LENGTHS_MM.items() for name in names}
    units |= {f"{names[0]}{n}": (value**n, LENGTH.times(n)) for names, value in _LENGTHS_MM.items() for n in (2, 3)}
    for measure, of_kind in _OTHERS.items():
        units |= {name: (value, measure) for names, value in of_kind.items() for name in names}
    return units


UNITS = _units()
