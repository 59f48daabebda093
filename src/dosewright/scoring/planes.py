"""Particles that go through planes: how planes and what they record are kept."""

import numpy as np
from numpy.typing import NDArray

# Columns of planes: unit normal, distance from the origin along it (cm); whether what comes back is recorded, what
# becomes of what goes forward; whether photons, electrons and positrons are recorded.
NORMAL, DISTANCE, BACKWARDS, BECOMES, RECORDED = 0, 3, 4, 5, 6
GOES_ON, ENDS, REPEATS = 0.0, 1.0, 2.0  # as it is, no more, as several
PLANE_COLUMNS = 9
NO_PLANES = np.zeros((0, PLANE_COLUMNS))

# Columns of records: which plane, species (as `transport.tracks` numbers them), kinetic energy (MeV), place (cm) and
# direction in the axes of the box, weight, and the numbers of the history and of the particle in it; how many events
# the log (see `scoring.lineage`) had then. Row 0 is none: it counts all there were, whether there was room or not.
PLANE, SPECIES, ENERGY, PLACE, DIRECTION, WEIGHT, HISTORY, PARTICLE, LOGGED = 0, 1, 2, 3, 6, 9, 10, 11, 12
CROSSING_COLUMNS = 13
FIRST_SPECIES = 5  # photons; electrons and positrons follow


def room_for(crossings: int) -> NDArray[np.float64]:
    """Return room for so many crossings; none at all for none."""
    return np.zeros((crossings + 1 if crossings else 0, CROSSING_COLUMNS))


def counted(rows: NDArray[np.float64]) -> int:
    """Return how many crossings (or events of a log) there were, with or without room for them."""
    return int(rows[0, 0]) if len(rows) else 0


def has_room(rows: NDArray[np.float64]) -> bool:
    """Say whether all of them found room."""
    return counted(rows) < max(len(rows), 1)
