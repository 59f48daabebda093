"""What leaves the phantom: photons, electrons and positrons by energy and by angle to the phantom's z axis."""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined
from dosewright.scoring.deposit import LEAVING_KINDS, Tally, add

FIRST_SPECIES = 5  # photons; electrons and positrons follow, as `transport.tracks` numbers them
_EDGE = 1.0 + 1.0e-6  # single precision may put the highest energy that much above itself


class Leaving(NamedTuple):
    """Bins of what leaves: equal in energy from zero to ``highest_MeV``, equal in angle from 0 to 180 degrees.

    Counts are flat: [kind, energy bin, angle bin], kinds being photons, electrons, positrons; one more energy bin
    holds what has more than ``highest_MeV``. Without energy bins nothing is scored.
    """

    energy_bins: int
    highest_MeV: float
    angle_bins: int


NOTHING_LEAVING = Leaving(0, 0.0, 0)


def leaving_bins(leaving: Leaving) -> int:
    """Return the number of counts; zero where nothing is scored."""
    return LEAVING_KINDS * (leaving.energy_bins + 1) * leaving.angle_bins if leaving.energy_bins else 0


@inlined  # type: ignore[untyped-decorator]
def score_leaving(leaving: Leaving, tally: Tally, species: int, energy: float, w: float, weight: float) -> None:
    """Count a particle that leaves with a kinetic energy (MeV) and a direction cosine to the phantom's z axis."""
    if leaving.energy_bins == 0:
        return
    kind = species - FIRST_SPECIES
    row = leaving.energy_bins
    if energy <= leaving.highest_MeV * _EDGE:
        row = min(int(energy / leaving.highest_MeV * leaving.energy_bins), leaving.energy_bins - 1)
    turned = np.arccos(min(max(w, -1.0), 1.0)) / np.pi
    column = min(int(turned * leaving.angle_bins), leaving.angle_bins - 1)
    add(tally.leaving, (kind * (leaving.energy_bins + 1) + row) * leaving.angle_bins + column, weight)
    add(tally.leaving_energy, kind, weight * energy)
