"""The past of recorded particles in terms of regions: where they were made, what they crossed, where they interacted.

The terms are those of GAMOS's extra information (GAMOS user guide, "Adding extra information to a phase space") and of
EGSnrc's LATCH and ZLAST (BEAMnrc Users Manual, NRCC report PIRS-0509(A)revL, section 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import DosewrightError
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.scoring.lineage import BORN, INTERACTED
from dosewright.simulation.lineage import Story, stories
from dosewright.simulation.regions import Regions
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Bits = NDArray[np.bool_]

# LATCH (PIRS-0509A, section 8): bit 0 bremsstrahlung or annihilation, 1-23 regions, 24-28 region of origin.
LATCH_REGIONS = 23
LATCH_ORIGIN_BIT = 24


@dataclass(frozen=True)
class Surroundings:
    """What the places of a log mean.

    Parameters
    ----------
    regions
        Of the run.
    part_names
        In the order in which a log counts parts.
    box_to_run
        From its axes to those of the run (mm).
    """

    regions: Regions
    part_names: tuple[str, ...]
    box_to_run: Rigid


@dataclass(frozen=True)
class Past:
    """Of each record; regions by index, z in cm in the axes of the run.

    Parameters
    ----------
    crossed, interacted
        (n, regions): it or an ancestor was there, or interacted there.
    origin
        Region in which it was made.
    z_origin, z_last
        Where it was made; where it last interacted, or was made if it never did.
    z_last_elsewhere
        The same, and further back to its ancestors, without what happened in parts that are left out of account.
    radiated
        It or an ancestor is a photon made by an electron or positron.
    primary
        It comes from the source itself.
    """

    crossed: Bits
    interacted: Bits
    origin: Indices
    z_origin: Array
    z_last: Array
    z_last_elsewhere: Array
    radiated: Bits
    primary: Bits

    @classmethod
    def of(cls, rows: Array, log: Array, around: Surroundings, ignored: Sequence[str] = ()) -> "Past":
        """Find it for crossings of a batch; ``ignored`` are materials for `z_last_elsewhere`."""
        story, many = stories(rows, log), len(rows)
        of_part = around.regions.of_parts(around.part_names)
        left_out = around.regions.made_of(around.part_names, ignored)
        own = story.generation == 0
        born, happened = story.kind == BORN, (story.kind == BORN) | (story.kind == INTERACTED)
        made = np.flatnonzero(own & born)
        if not np.array_equal(story.of[made], np.arange(many)):
            raise DosewrightError("The log does not tell where each particle was made; the result is not usable.")
        oldest = np.flatnonzero(np.append(story.of[1:] != story.of[:-1], True)[: len(story.of)])
        z = around.box_to_run.points(story.place_cm * MM_PER_CM)[:, 2] / MM_PER_CM if many else np.zeros(0)
        elsewhere = happened & ~left_out[story.part]
        elsewhere[oldest] = True  # the source, where all else is left out of account
        region, regions = of_part[story.part], len(around.regions.names)
        return cls(
            crossed=_marked(story.of, region, many, regions),
            interacted=_marked(story.of[~born & happened], region[~born & happened], many, regions),
            origin=region[made],
            z_origin=z[made],
            z_last=z[_first(story.of, own & happened)],
            z_last_elsewhere=z[_first(story.of, elsewhere)],
            radiated=_radiated(story, many),
            primary=story.generation[oldest] == 0,
        )

    def latch(self) -> NDArray[np.int32]:
        """Return LATCH without its bits of charge; there are regions 1 to 23 at most."""
        bits = self.radiated.astype(np.int64)
        for region in range(1, self.crossed.shape[1]):
            bits |= self.crossed[:, region].astype(np.int64) << region
        bits |= np.where(self.primary, 0, self.origin) << LATCH_ORIGIN_BIT
        return bits.astype(np.int32)


def _marked(of: Indices, region: Indices, many: int, regions: int) -> Bits:
    marks = np.zeros((many, regions), np.bool_)
    marks[of, region] = True
    return marks


def _first(of: Indices, chosen: Bits) -> Indices:
    """Return the first event of each record that is chosen: the latest one."""
    events = np.flatnonzero(chosen)
    return events[np.flatnonzero(np.diff(of[events], prepend=-1))]


def _radiated(story: Story, many: int) -> Bits:
    """Say which records have a photon that was made by a charged particle among them and their ancestors."""
    charged = (story.species == ELECTRON) | (story.species == POSITRON)
    by_charged = np.append(charged[1:] & (story.of[1:] == story.of[:-1]), False)[: len(charged)]
    found = np.zeros(many, np.bool_)
    found[story.of[(story.kind == BORN) & (story.species == PHOTON) & by_charged]] = True
    return found
