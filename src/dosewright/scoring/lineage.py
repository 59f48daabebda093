"""What happens to particles, event after event: how the log of it is kept.

A particle is known by its history and its number in it. Events of one particle stand in the order of time; those of
several may be mixed. What led to a particle is found afterwards, see `simulation.lineage`.
"""

import numpy as np
from numpy.typing import NDArray

# Kinds of events: a particle is set free; a copy goes on where its parent was; one comes into another part or into the
# voxels; one interacts.
BORN, GOES_ON, ENTERED, INTERACTED = 0, 1, 2, 3

# Columns: history, number of the particle, random numbers it had drawn, kind; of births also the number of the parent
# (-1: none) and how many that had drawn; species (as `transport.tracks` numbers them), part (as in `Tally.parts`; the
# voxels count one more), kinetic energy (MeV; before an interaction), place (cm, axes of the box). Row 0 is none: it
# counts all there were, whether there was room for them or not.
HISTORY, PARTICLE, AT, KIND, PARENT, PARENT_AT, SPECIES, PART, ENERGY, PLACE = range(10)
LOG_COLUMNS = 12
NO_PARENT = -1.0


def room_for_log(events: int) -> NDArray[np.float64]:
    """Return room for so many events; none at all for none, and then nothing is logged."""
    return np.zeros((events + 1 if events else 0, LOG_COLUMNS))
