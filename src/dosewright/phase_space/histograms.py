"""The thirteen histograms of a phase space per particle class, weighted, with errors over original histories."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.history_sums import HistorySums
from dosewright.core import histogram
from dosewright.core.particles import ELECTRON, NEUTRON, PHOTON, POSITRON, PROTON, Particles
from dosewright.phase_space.histories import Numbering
from dosewright.phase_space.quantities import QUANTITIES, labelled

# GAMOS's names of the histograms, and the quantities on their axes.
THIRTEEN: dict[str, tuple[str, ...]] = {
    "X": ("X",),
    "Y": ("Y",),
    "XY": ("X", "Y"),
    "R": ("R",),
    "Direction Theta": ("Direction Theta",),
    "Direction Phi": ("Direction Phi",),
    "Energy": ("Energy",),
    "Vx": ("Vx",),
    "Vy": ("Vy",),
    "Vz": ("Vz",),
    "R vs Direction Theta": ("R", "Direction Theta"),
    "R vs Energy": ("R", "Energy"),
    "Direction Theta vs Energy": ("Direction Theta", "Energy"),
}
CLASSES = {"ALL": 0, "gamma": PHOTON, "e-": ELECTRON, "e+": POSITRON}
HADRONS = {"neutron": NEUTRON, "proton": PROTON}


@dataclass(frozen=True)
class Axis:
    """Equal bins of a quantity, in its unit; what lies outside is counted below and above."""

    quantity: str
    low: float
    high: float
    bins: int

    def edges(self) -> NDArray[np.float64]:
        """Return the limits of the bins."""
        return np.linspace(self.low, self.high, self.bins + 1)


@dataclass(frozen=True)
class Histogram:
    """One histogram of one particle class.

    Parameters
    ----------
    name
        GAMOS's: ``PhaseSpace: Z: class: quantities at Zstop``, Z in mm.
    particles
        ``ALL``, ``gamma``, ``e-``, ``e+``, ``neutron`` or ``proton``.
    axes
        One or two.
    sums
        Weights per bin, [bins] or [bins, bins], with the bins below and above at the ends.
    errors
        One standard deviation of `sums`, over histories.
    """

    name: str
    particles: str
    axes: tuple[Axis, ...]
    sums: NDArray[np.float64]
    errors: NDArray[np.float64]

    def as_written(self) -> histogram.Histogram:
        """Return it as files hold it: the bins below and above reach to infinity."""
        edges = tuple(np.concatenate(([-np.inf], axis.edges(), [np.inf])) for axis in self.axes)
        labels = tuple(labelled(axis.quantity) for axis in self.axes)
        return histogram.Histogram(self.name, edges, labels, self.sums, self.errors, "sum of weights")


@dataclass
class Histograms:
    """The thirteen while they are filled, for all classes at once.

    Parameters
    ----------
    axes
        By the name of the histogram.
    plane_mm
        z of the plane, None where there is no common one.
    hadrons
        Histograms of neutrons and protons as well.
    """

    axes: dict[str, tuple[Axis, ...]]
    plane_mm: float | None = None
    hadrons: bool = False
    _numbering: Numbering = field(default_factory=Numbering)
    _sums: dict[str, HistorySums] = field(init=False)

    def __post_init__(self) -> None:
        self._sums = {
            name: HistorySums.empty(len(self.classes()), int(np.prod([axis.bins + 2 for axis in axes])))
            for name, axes in self.axes.items()
        }

    def classes(self) -> dict[str, int]:
        """Return the classes with their species; 0 is all."""
        return CLASSES | HADRONS if self.hadrons else CLASSES

    def add(self, particles: Particles) -> None:
        """Add records that follow those added before."""
        rows_of = np.zeros(256, np.int8)  # species that have no row of their own count in the first one only
        for row, species in enumerate(self.classes().values()):
            rows_of[species] = row
        rows, numbers = rows_of[particles.species.view(np.uint8)], self._numbering.of(particles)
        columns = {q: QUANTITIES[q](particles) for q in {axis.quantity for axes in self.axes.values() for axis in axes}}
        for name, axes in self.axes.items():
            binned = tuple((columns[a.quantity], a.low, a.bins / (a.high - a.low), a.bins) for a in axes)
            self._sums[name].fill(binned, rows, particles.weight, numbers)

    def filled(self, original_histories: float) -> list[Histogram]:
        """Return all histograms of all classes."""
        where = "" if self.plane_mm is None else f"{self.plane_mm:g}: "
        found = []
        for row, particles in enumerate(self.classes()):
            for name, axes in self.axes.items():
                shape = [axis.bins + 2 for axis in axes]
                sums = self._sums[name]
                errors = sums.errors(original_histories)[row] * original_histories
                title = f"PhaseSpace: {where}{particles}: {name} at Zstop"
                found.append(Histogram(title, particles, axes, sums.sums()[row].reshape(shape), errors.reshape(shape)))
        return found


def axes_of(limits: dict[str, Axis], asked: Sequence[tuple[str, tuple[Axis, ...]]] = ()) -> dict[str, tuple[Axis, ...]]:
    """Return the axes of the thirteen: `limits` by quantity, replaced by those asked for by name of a histogram."""
    return {name: tuple(limits[q] for q in quantities) for name, quantities in THIRTEEN.items()} | dict(asked)
