"""Stories written down in the order of time, and rows of crossings for them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.lineage import BORN, ENTERED, INTERACTED
from dosewright.scoring.planes import CROSSING_COLUMNS, ENERGY, HISTORY, SPECIES, WEIGHT
from dosewright.simulation.lineage import Story
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

Event = tuple[str, str, int, float]  # kind, species, part, energy
KIND = {"born": BORN, "entered": ENTERED, "interacted": INTERACTED}
CODE = {"photon": PHOTON, "electron": ELECTRON, "positron": POSITRON}


def story_of(*targets: Sequence[Event]) -> Story:
    """Return the stories of target particles, each told from its primary on; every birth begins a generation."""
    rows: list[tuple[int, int, int, int, int, float]] = []
    for of, events in enumerate(targets):
        births = sum(event[0] == "born" for event in events)
        begun = 0
        told = []
        for kind, species, part, energy in events:
            begun += kind == "born"
            told.append((of, births - begun, KIND[kind], CODE[species], part, energy))
        rows += reversed(told)
    of, generation, kind, species, part, energy = (np.array(column) for column in zip(*rows, strict=True))
    return Story(of, generation, kind, species, part, energy.astype(float), np.zeros((len(of), 3)))


def crossings(
    energies: Sequence[float], weights: Sequence[float] | None = None, histories: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Return rows of photons at a plane."""
    rows = np.zeros((len(energies), CROSSING_COLUMNS))
    rows[:, SPECIES], rows[:, ENERGY] = PHOTON, energies
    rows[:, WEIGHT] = 1.0 if weights is None else weights
    rows[:, HISTORY] = np.arange(len(energies)) if histories is None else histories
    return rows
