"""The past of particles from logs made by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.simulation.test_regions import placed

from dosewright.core.errors import DosewrightError
from dosewright.core.frame import Rigid
from dosewright.scoring.lineage import BORN, ENTERED, GOES_ON, INTERACTED
from dosewright.scoring.planes import CROSSING_COLUMNS, LOGGED, PARTICLE
from dosewright.simulation.past import Past, Surroundings
from dosewright.simulation.regions import Regions
from dosewright.transport.tracks import ELECTRON, PHOTON

Array = NDArray[np.float64]
TARGET, LEAF, HOLE, OTHER_LEAF, FILL, PHANTOM = range(6)  # parts as a log counts them
PARTS = ("target", "leaf 1", "hole", "leaf 2")
UP_MM = 100.0
AROUND = Surroundings(Regions.of(placed(), phantom=True), PARTS, Rigid(np.eye(3), np.array([0.0, 0.0, UP_MM])))
NOBODY = -1

# particle, draws, kind, parent, its draws, species, part, z: an electron makes a photon (2) in the target, that is
# scattered in a leaf and in air, and makes an electron (3) there; a photon of the source (4) meets nothing.
EVENTS = [
    (0, 1, BORN, NOBODY, 0, ELECTRON, FILL, -5.0),
    (1, 1, GOES_ON, 0, 1, ELECTRON, FILL, -1.0),
    (1, 3, ENTERED, 0, 0, ELECTRON, TARGET, 0.0),
    (1, 9, INTERACTED, 0, 0, ELECTRON, TARGET, 0.1),
    (2, 1, BORN, 1, 9, PHOTON, TARGET, 0.1),
    (1, 20, INTERACTED, 0, 0, ELECTRON, TARGET, 0.2),
    (2, 1, ENTERED, 0, 0, PHOTON, FILL, 0.3),
    (2, 1, ENTERED, 0, 0, PHOTON, OTHER_LEAF, 1.0),
    (2, 4, INTERACTED, 0, 0, PHOTON, OTHER_LEAF, 1.5),
    (2, 5, ENTERED, 0, 0, PHOTON, FILL, 2.0),
    (2, 9, INTERACTED, 0, 0, PHOTON, FILL, 2.5),
    (3, 1, BORN, 2, 9, ELECTRON, FILL, 2.5),
    (4, 1, BORN, NOBODY, 0, PHOTON, FILL, -5.0),
]


def log() -> Array:
    """Return these events as rows of history 7."""
    return np.array([
        (7.0, particle, at, kind, parent, parent_at, species, part, 1.0, 0.0, 0.0, z)
        for particle, at, kind, parent, parent_at, species, part, z in EVENTS
    ])  # fmt: skip


def crossings(*particles: tuple[int, int]) -> Array:
    """Return crossings of particles after so many events."""
    rows = np.zeros((len(particles), CROSSING_COLUMNS))
    rows[:, 10] = 7.0
    rows[:, [PARTICLE, LOGGED]] = np.reshape(particles, (-1, 2))
    return rows


def past(ignored: tuple[str, ...] = ("G4_AIR",)) -> Past:
    """Return that of the photon before the leaf, and at the end; of its electron; of the other photon."""
    return Past.of(crossings((2, 7), (2, len(EVENTS)), (3, len(EVENTS)), (4, len(EVENTS))), log(), AROUND, ignored)


def test_regions_and_heights() -> None:
    """Regions: fill, target, leaves, hole, phantom; heights in the axes of the run."""
    found = past()
    assert found.crossed.astype(int).tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert found.interacted.astype(int).tolist() == [[0, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0] * 5]
    assert found.origin.tolist() == [1, 1, 0, 0]
    up = UP_MM / 10
    assert found.z_origin - up == pytest.approx([0.1, 0.1, 2.5, -5.0])
    assert found.z_last - up == pytest.approx([0.1, 2.5, 2.5, -5.0])
    assert found.z_last_elsewhere - up == pytest.approx([0.1, 1.5, 1.5, -5.0])
    assert past(("G4_AIR", "G4_Pb")).z_last_elsewhere - up == pytest.approx([0.1, 0.1, 0.1, -5.0])
    assert past(("G4_AIR", "G4_Pb", "G4_W")).z_last_elsewhere - up == pytest.approx([-5.0] * 4)


def test_latch() -> None:
    """Bit 0, bits of regions 1 and 2, and the region of origin from bit 24 on; a primary has none of it."""
    one, target, leaves, origin = 1, 1 << 1, 1 << 2, 1 << 24
    assert past().latch().tolist() == [one | target | origin, one | target | leaves | origin, one | target | leaves, 0]
    assert past().primary.tolist() == [False, False, False, True]


def test_a_particle_without_a_birth_is_an_error() -> None:
    with pytest.raises(DosewrightError, match="where each particle was made"):
        Past.of(crossings((5, 3)), log(), AROUND)


def test_no_records_have_no_past() -> None:
    assert len(Past.of(crossings(), log()[:0], AROUND).origin) == 0
