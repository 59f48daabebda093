"""Entries gathered batch by batch."""

import numpy as np
import pytest
from tests.studies.made_story import Event, crossings, story_of

from dosewright.studies.collected import LIMITS, PRODUCTION, RUN, Collected, pairs_of, smallest_of
from dosewright.studies.ranges import Ranges
from dosewright.studies.regions import Region, Regions

NODES = np.array([0.001, 10.0])
VACUUM_PART = 2


def regions() -> Regions:
    """Return two parts of one module, a vacuum and a phantom; ranges are energies, in the second part twice as much."""
    density = np.array([1.0, 0.5, 0.0, 1.0])
    alike = np.tile(NODES, (4, 1))
    ranges = Ranges(density, (NODES, NODES, NODES), (alike, alike, alike))
    named = (Region("(fill)", ("vacuum",), None), Region("leaves", ("W",), "leaves"), Region("(phantom)", (), None))
    return Regions(named, np.array([1, 1, 0, 2]), ranges)


SOFT: list[Event] = [
    ("born", "electron", VACUUM_PART, 6.0),
    ("entered", "electron", 0, 6.0),
    ("interacted", "electron", 0, 3.0),
    ("born", "photon", 0, 1.0),
    ("entered", "photon", 1, 1.0),
    ("interacted", "photon", 1, 1.0),
    ("entered", "photon", VACUUM_PART, 0.4),
]
HARD: list[Event] = [("born", "electron", VACUUM_PART, 6.0), ("entered", "electron", 0, 6.0),
                     ("interacted", "electron", 0, 4.0), ("born", "photon", 0, 2.0),
                     ("entered", "photon", VACUUM_PART, 2.0)]  # fmt: skip


def collected() -> Collected:
    one = Collected(regions())
    one.add(crossings([0.4, 2.0], [1.0, 0.5]), story_of(SOFT, HARD), 0)
    one.add(crossings([2.0], [0.25]), story_of(HARD), 10)
    return one


def test_target_particles_of_batches_are_numbered_on() -> None:
    one = collected()
    target = one.target()
    assert one.count == 3
    assert target.history.tolist() == [0, 1, 10]
    assert target.weight.tolist() == [1.0, 0.5, 0.25]
    assert one.highest_MeV == 6.0
    assert one.found(PRODUCTION).smallest.of.tolist() == [0, 1, 2]


def test_the_smallest_of_a_region_with_several_parts_is_taken() -> None:
    photons = collected().found(RUN).smallest.at(1, 0)
    assert photons.of.tolist() == [0, 1, 2]
    assert photons.energy_MeV.tolist() == [0.4, 2.0, 2.0]
    assert photons.range_cm == pytest.approx([0.8, 2.0, 2.0])  # half the density
    electrons = collected().found(RUN).smallest.at(1, 1)
    assert electrons.energy_MeV.tolist() == [3.0, 4.0, 4.0]


def test_nothing_is_ended_in_a_vacuum() -> None:
    for way in (PRODUCTION, LIMITS, RUN):
        assert 0 not in collected().found(way).smallest.region


def test_numbers_and_pairs_of_entries_have_the_weight_of_their_particles() -> None:
    found = collected().found(LIMITS)
    # soft: electron and photon in part 0, photon in part 1; hard: electron and photon in part 0
    assert found.numbers[:5].tolist() == [0.0, 0.0, 0.75, 1.0, 0.0]
    assert found.pairs[1, 1] == pytest.approx(3 * 1.0 + 1 * 0.75)
    assert found.pairs.sum() == found.pairs[1, 1]


def test_pairs_against_counting_them_one_by_one() -> None:
    rng = np.random.default_rng(5)
    of, region, weight = rng.integers(0, 20, 200), rng.integers(0, 4, 200), rng.random(20)
    expected = np.zeros((4, 4))
    for i in range(200):
        for j in range(i):
            if of[i] == of[j]:
                expected[region[i], region[j]] += weight[of[i]]
                if region[i] != region[j]:
                    expected[region[j], region[i]] += weight[of[i]]
    assert pairs_of(of, region, 4, weight) == pytest.approx(expected)


def test_smallest_against_looking_one_by_one() -> None:
    rng = np.random.default_rng(6)
    of, region, kind = (rng.integers(0, n, 300) for n in (10, 3, 2))
    energy, range_cm = rng.random(300), rng.random(300)
    found = smallest_of(of, region, kind, energy, range_cm)
    keys = sorted(set(zip(of.tolist(), region.tolist(), kind.tolist(), strict=True)))
    assert list(zip(found.of.tolist(), found.region.tolist(), found.kind.tolist(), strict=True)) == keys
    for n, (a, b, c) in enumerate(keys):
        here = (of == a) & (region == b) & (kind == c)
        assert (found.energy_MeV[n], found.range_cm[n]) == (energy[here].min(), range_cm[here].min())
