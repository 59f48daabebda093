"""What cuts meet in stories that are written down by hand."""

import numpy as np
from tests.studies.made_story import CODE, Event, story_of

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.studies.entries import Entries, born, cut, left, told

TARGET, FILTER, AIR = 0, 1, 2
# An electron makes a photon in the target, which is scattered in the filter; through air to the plane with 1.5 MeV.
PHOTON_STORY: list[Event] = [
    ("born", "electron", AIR, 6.0),
    ("entered", "electron", TARGET, 5.9),
    ("interacted", "electron", TARGET, 5.0),
    ("interacted", "electron", TARGET, 4.0),
    ("born", "photon", TARGET, 2.0),
    ("entered", "photon", AIR, 2.0),
    ("entered", "photon", FILTER, 2.0),
    ("interacted", "photon", FILTER, 2.0),
    ("entered", "photon", AIR, 1.5),
]


def seen(entries: Entries) -> set[tuple[int, int, str, float]]:
    names = {code: name for name, code in CODE.items()}
    columns = (entries.of.tolist(), entries.part.tolist(), entries.species.tolist(), entries.energy_MeV.tolist())
    rows = [(of, part, names[species], energy) for of, part, species, energy in zip(*columns, strict=True)]
    assert len(rows) == len(set(rows))
    return set(rows)


def test_births_but_for_the_primary_are_what_production_cuts_meet() -> None:
    one = told(story_of(PHOTON_STORY), np.array([1.5]))
    assert seen(born(one)) == {(0, TARGET, "photon", 2.0)}


def test_limits_meet_the_energy_at_the_end_of_every_stay() -> None:
    one = told(story_of(PHOTON_STORY), np.array([1.5]))
    assert seen(left(one)) == {
        (0, AIR, "electron", 5.9),
        (0, TARGET, "electron", 4.0),  # of contiguous steps only the last counts
        (0, TARGET, "photon", 2.0),
        (0, AIR, "photon", 2.0),
        (0, FILTER, "photon", 1.5),
        (0, AIR, "photon", 1.5),
    }


def test_cuts_of_a_run_meet_photons_where_they_are_made_and_scattered() -> None:
    one = told(story_of(PHOTON_STORY), np.array([1.5]))
    assert seen(cut(one)) == {
        (0, AIR, "electron", 5.9),
        (0, TARGET, "electron", 4.0),
        (0, TARGET, "photon", 2.0),
        (0, FILTER, "photon", 1.5),
    }


def test_coherent_scattering_does_not_ask_for_a_cut() -> None:
    story: list[Event] = [("born", "photon", AIR, 1.0), ("interacted", "photon", AIR, 1.0)]
    assert not cut(told(story_of(story), np.array([1.0]))).of.size


def test_several_targets_stand_apart_in_any_order() -> None:
    other: list[Event] = [("born", "photon", AIR, 3.0), ("interacted", "photon", FILTER, 3.0),
                          ("born", "electron", FILTER, 0.7), ("entered", "electron", AIR, 0.5)]  # fmt: skip
    one = story_of(PHOTON_STORY, other)
    at_target = np.array([1.5, 0.4])
    expected = {(1, FILTER, "electron", 0.7)}
    assert seen(born(told(one, at_target))) == {(0, TARGET, "photon", 2.0)} | expected
    turned = np.concatenate([np.flatnonzero(one.of == 1), np.flatnonzero(one.of == 0)])
    mixed = type(one)._make(column[turned] for column in one)
    for entries in (born, left, cut):
        assert seen(entries(told(one, at_target))) == seen(entries(told(mixed, at_target)))
    assert {row for row in seen(left(told(one, at_target))) if row[0] == 1} == {
        (1, FILTER, "photon", 3.0), (1, FILTER, "electron", 0.5), (1, AIR, "electron", 0.4), (1, AIR, "photon", 3.0),
    }  # fmt: skip


def test_what_came_of_annihilation_at_rest_is_not_cut_with_its_positron() -> None:
    story: list[Event] = [
        ("born", "photon", AIR, 4.0),
        ("interacted", "photon", TARGET, 4.0),
        ("born", "positron", TARGET, 1.0),
        ("entered", "positron", FILTER, 0.6),
        ("interacted", "positron", FILTER, 0.1),
        ("born", "photon", FILTER, ELECTRON_MASS_MEV),
    ]
    one = told(story_of(story), np.array([ELECTRON_MASS_MEV]))
    assert seen(born(one)) == {(0, FILTER, "photon", ELECTRON_MASS_MEV)}
    assert seen(cut(one)) == {(0, FILTER, "photon", ELECTRON_MASS_MEV)}
    in_flight = [*story[:-2], ("interacted", "positron", FILTER, 0.4), ("born", "photon", FILTER, 0.6)]
    one = told(story_of(in_flight), np.array([0.6]))
    assert seen(cut(one)) == {
        (0, TARGET, "positron", 1.0), (0, TARGET, "positron", 0.6), (0, FILTER, "positron", 0.4),
        (0, FILTER, "photon", 0.6),
    }  # fmt: skip


def test_no_story_has_no_entries() -> None:
    none = story_of(PHOTON_STORY)
    none = type(none)._make(column[:0] for column in none)
    for entries in (born, left, cut):
        assert not entries(told(none, np.zeros(0))).of.size
