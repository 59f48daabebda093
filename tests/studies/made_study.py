"""A study of made-up stories: electrons that make photons in a target, which a filter scatters."""

import numpy as np
from tests.studies.made_story import Event, crossings, story_of

from dosewright.studies.basis import Basis
from dosewright.studies.collected import Collected
from dosewright.studies.cut_study import CutStudy, Plane, evaluated
from dosewright.studies.ranges import Ranges
from dosewright.studies.regions import Region, Regions

NODES = np.array([0.001, 10.0])
TARGET, FILTER, FILL = 0, 1, 2
HISTORIES = 5000
MANY = 1000


def made_regions() -> Regions:
    """Return a target, a filter, air and no phantom; ranges (cm) are energies (MeV)."""
    alike = np.tile(NODES, (4, 1))
    ranges = Ranges(np.array([1.0, 1.0, 1.0, 0.0]), (NODES, NODES, NODES), (alike, alike, alike))
    named = (
        Region("(fill)", ("G4_AIR",), None),
        Region("target, of W", ("G4_W",), "target, of W"),
        Region("filter", ("G4_Cu",), "filter"),
        Region("(phantom)", (), None),
    )
    return Regions(named, np.array([1, 2, 0, 3]), ranges)


def story(rng: np.random.Generator) -> list[Event]:
    """Return a story; of a hundred photons one or so is scattered in the filter."""
    electron, photon = rng.uniform(1.0, 6.0), rng.uniform(0.05, 1.0)
    events: list[Event] = [
        ("born", "electron", FILL, 6.0),
        ("entered", "electron", TARGET, 5.99),
        ("interacted", "electron", TARGET, electron),
        ("born", "photon", TARGET, photon),
        ("entered", "photon", FILTER, photon),
    ]
    if rng.random() < 0.005:
        events += [("interacted", "photon", FILTER, photon), ("entered", "photon", FILL, photon / 2)]
    else:
        events.append(("entered", "photon", FILL, photon))
    return events


def made_study(lose_percent: float = 2.0, particles: int = MANY) -> CutStudy:
    """Return the study of so many particles."""
    rng = np.random.default_rng(7)
    told = [story(rng) for _ in range(particles)]
    collected = Collected(made_regions())
    if particles:
        collected.add(crossings([one[-1][3] for one in told]), story_of(*told), 0)
    return evaluated(
        collected, Plane(100.0, -1.0, (50.0, 40.0)), lose_percent, HISTORIES, (0, 1, 2), Basis(3, {}), ("a warning",)
    )
