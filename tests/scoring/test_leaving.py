"""What leaves the phantom falls into its bins."""

import numba
import numpy as np
import pytest

from dosewright.scoring.deposit import Scoring, empty_tally
from dosewright.scoring.leaving import FIRST_SPECIES, NOTHING_LEAVING, Leaving, leaving_bins, score_leaving
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

SCORING = Scoring(True, np.zeros((3, 4), np.float32), np.ones(3, np.int32), False, False)


@numba.njit
def _score(leaving, tally, species, energy, w, weight):  # type: ignore[no-untyped-def]
    for i in range(species.size):
        score_leaving(leaving, tally, species[i], energy[i], w[i], weight)


def scored(
    leaving: Leaving, particles: list[tuple[int, float, float]], weight: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    tally = empty_tally(SCORING, 1, leaving_bins(leaving))
    species, energy, w = (np.array(column) for column in zip(*particles, strict=True))
    _score(leaving, tally, species, energy, w, weight)
    return tally.leaving, tally.leaving_energy


def test_species_are_those_of_the_transport() -> None:
    assert (PHOTON, ELECTRON, POSITRON) == (FIRST_SPECIES, FIRST_SPECIES + 1, FIRST_SPECIES + 2)


def test_each_particle_has_its_bin() -> None:
    leaving = Leaving(4, 2.0, 3)
    counts, energy = scored(
        leaving,
        [
            (PHOTON, 0.1, 1.0),
            (PHOTON, 0.51, np.cos(np.radians(59.9))),
            (PHOTON, 0.49, np.cos(np.radians(60.1))),
            (ELECTRON, 2.0, -1.0),
            (ELECTRON, float(np.float32(2.0) * (1 + 1e-7)), 1.0 + 1e-7),
            (POSITRON, 2.1, 0.0),
        ],
    )
    found = counts.reshape(3, 5, 3)
    wanted = np.zeros((3, 5, 3))
    wanted[0, 0, 0] = wanted[0, 1, 0] = wanted[0, 0, 1] = 1
    wanted[1, 3, 2] = wanted[1, 3, 0] = 1
    wanted[2, 4, 1] = 1
    assert np.array_equal(found, wanted)
    assert energy == pytest.approx([1.1, 4.0, 2.1])


def test_nothing_is_counted_where_nothing_is_asked() -> None:
    counts, energy = scored(NOTHING_LEAVING, [(PHOTON, 1.0, 1.0)])
    assert counts.size == energy.size == 0


def test_a_particle_counts_as_much_as_it_weighs() -> None:
    counts, energy = scored(Leaving(1, 2.0, 1), [(PHOTON, 0.5, 1.0), (PHOTON, 1.5, 1.0)], 0.25)
    assert counts[0] == 0.5
    assert energy[0] == 0.5
