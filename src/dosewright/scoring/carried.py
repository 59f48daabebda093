"""Energy that is carried out of a voxel, where a cut would have left it: how it is kept.

Particles that a cut would have ended are not ended but tagged with the voxel where it would have been; what they make
has their tag. `Tally.carried` begins with the tag of who is at work now, then comes the energy (MeV) that tagged
particles left in each scored voxel but their own. No room: nothing is tagged. Voxels are those of the phantom itself.
"""

import numpy as np
from numpy.typing import NDArray

AT_WORK = 0  # in `Tally.carried`; a voxel has the next entry but its number
NO_TAG = 0.0
TAG_OF_FIRST_VOXEL = 1

# Rows of what tags, kinetic energies (MeV) by material: of photons, and of electrons and positrons, where they are
# made; of photons where they are scattered, and of electrons and positrons wherever they are.
PHOTON_MADE, ELECTRON_MADE, PHOTON_SCATTERED, ELECTRON_ANYWHERE = range(4)
TAG_ROWS = 4
NO_TAGS = np.zeros((TAG_ROWS, 0))


def room_for_carried(voxels: int) -> NDArray[np.float64]:
    """Return room for what is carried into so many voxels; none at all for none."""
    return np.zeros(voxels + 1 if voxels else 0)
