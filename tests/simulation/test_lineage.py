"""Stories found in a log, against those that the particles of a made-up cascade keep themselves."""

from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.transport.scene.plane_runs import beam, problem_with
from tests.transport.scene.scene_runs import slab

from dosewright.scoring.lineage import BORN, ENTERED, GOES_ON, INTERACTED, LOG_COLUMNS
from dosewright.scoring.planes import CROSSING_COLUMNS, HISTORY, LOGGED, PARTICLE
from dosewright.simulation.goal import Goal
from dosewright.simulation.lineage import needed, stories
from dosewright.simulation.planes import Plane
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import simulate
from dosewright.simulation.work import AtPlanes
from dosewright.transport.coupled import CoupledProblem

Array = NDArray[np.float64]
Told = tuple[tuple[int, ...], ...]


@dataclass
class Particle:
    """One that keeps its story: depth, kind, species, part and number of each event, the earliest first."""

    history: int
    number: int
    species: int
    depth: int
    part: int
    story: tuple[tuple[int, ...], ...] = ()
    draws: int = 0
    copy: bool = False
    parent: int = -1
    parent_at: int = 0


class Cascade:
    """A log and crossings of particles that live by chance, and what led to each crossing."""

    def __init__(self, seed: int, histories: int, events: int, numbers: int = 1 << 16) -> None:
        self.random = np.random.default_rng(seed)
        self.log: list[list[float]] = []
        self.rows: list[list[float]] = []
        self.true: list[Told] = []
        self.numbers = cycle(self.random.permutation(numbers).tolist())
        first = 1 << 40
        self.waiting = [Particle(first + h, next(self.numbers), 6, 0, 1) for h in range(histories)]
        self.flying: list[Particle] = []
        for _ in range(events):
            self.step()

    def step(self) -> None:
        if self.waiting and (not self.flying or self.random.random() < 0.3):
            self.flying.append(self.begun(self.waiting.pop(self.random.integers(len(self.waiting)))))
            return
        if not self.flying:
            return
        particle = self.flying[self.random.integers(len(self.flying))]
        chance = self.random.random()
        if chance < 0.3:
            particle.part = int(self.random.integers(4))
            self.note(particle, ENTERED)
        elif chance < 0.55:
            particle.draws += 1
            self.note(particle, INTERACTED)
            for _ in range(self.random.integers(3)):
                self.waiting.append(self.heir(particle, copy=False))
            particle.draws += 1
        elif chance < 0.65:
            particle.draws += 1
            self.waiting += [self.heir(particle, copy=True) for _ in range(2)]
            self.flying.remove(particle)
        elif chance < 0.75:
            self.flying.remove(particle)
        else:
            row = np.zeros(CROSSING_COLUMNS)
            row[HISTORY], row[PARTICLE], row[LOGGED] = particle.history, particle.number, len(self.log)
            self.rows.append(row.tolist())
            self.true.append(tuple((particle.depth - depth, *event) for depth, *event in reversed(particle.story)))

    def heir(self, parent: Particle, copy: bool) -> Particle:
        species = parent.species if copy else int(self.random.integers(5, 8))
        part = int(self.random.integers(4)) if copy and self.random.random() < 0.3 else parent.part
        return Particle(
            parent.history, next(self.numbers), species, parent.depth + (not copy), part, parent.story, 0, copy,
            parent.number, parent.draws,
        )  # fmt: skip

    def begun(self, particle: Particle) -> Particle:
        moved = particle.copy and particle.story[-1][3] != particle.part
        self.note(particle, GOES_ON if particle.copy else BORN, kept=not particle.copy or moved)
        return particle

    def note(self, particle: Particle, kind: int, kept: bool = True) -> None:
        particle.draws += int(self.random.integers(2)) if kind == ENTERED else 0
        number = len(self.log)
        born = kind in (BORN, GOES_ON)
        parent, parent_at = (particle.parent, particle.parent_at) if born else (0, 0)
        row = [particle.history, particle.number, particle.draws, kind, parent, parent_at, particle.species]
        self.log.append([float(value) for value in (*row, particle.part, number, 0.0, 0.0, number)])
        if kept:
            told = ENTERED if kind == GOES_ON else kind
            particle.story += ((particle.depth, told, particle.species, particle.part, number),)


def stories_of(rows: Array, log: Array) -> list[Told]:
    found = stories(rows, log)
    assert np.all(np.diff(found.of) >= 0) and np.array_equal(found.energy_MeV, found.place_cm[:, 2])
    columns = np.column_stack([*found[1:5], found.energy_MeV.astype(np.int64)])
    return [tuple(tuple(event) for event in columns[found.of == row].tolist()) for row in range(len(rows))]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(0, 400))
def test_stories_are_those_that_particles_keep_themselves(seed: int, histories: int, events: int) -> None:
    """Also where the log is left with what is needed, and histories are counted as one."""
    cascade = Cascade(seed, histories, events)
    rows, log = np.reshape(cascade.rows, (-1, CROSSING_COLUMNS)), np.reshape(cascade.log, (-1, LOG_COLUMNS))
    assert stories_of(rows, log) == cascade.true
    fewer, left = needed(rows, log)
    assert len(left) <= len(log) and np.array_equal(fewer[:, HISTORY], rows[:, HISTORY])
    fewer[:, HISTORY], left[:, 0] = 0.0, 0.0
    assert stories_of(fewer, left) == cascade.true
    assert set(left[:, 8]) >= {event[-1] for told in cascade.true for event in told}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 400), st.integers(5, 50))
def test_particles_that_chance_to_have_one_number_still_have_a_story(
    seed: int, histories: int, events: int, numbers: int
) -> None:
    """Maybe that of the other, but each was made once."""
    cascade = Cascade(seed, histories, events, numbers)
    rows, log = np.reshape(cascade.rows, (-1, CROSSING_COLUMNS)), np.reshape(cascade.log, (-1, LOG_COLUMNS))
    for found in (stories(rows, log), stories(*needed(rows, log))):
        made = (found.generation == 0) & (found.kind == BORN)
        assert np.array_equal(found.of[made], np.arange(len(rows)))


def test_a_particle_that_is_not_in_the_log_has_no_story() -> None:
    row = np.zeros((1, CROSSING_COLUMNS))
    row[0, PARTICLE], row[0, LOGGED] = 3.0, 1.0
    log = np.zeros((1, LOG_COLUMNS))
    for of_log in (log, log[:0]):
        assert len(stories(row, of_log).of) == 0 and len(needed(row, of_log)[1]) == 0


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Return electrons on a target, with a log."""
    target = slab("target", "G4_W", 0.0, 1.0, width_mm=100.0)
    problem = problem_with([Plane((0, 0, 20.0))], beam(6.0), "electron", parts=(target,))
    assert isinstance(problem.packed, CoupledProblem)
    return replace(problem, packed=problem.packed._replace(lineage=1))


def recorded(problem: Problem, threads: int = 1) -> list[AtPlanes]:
    found: list[AtPlanes] = []

    def keep(batch: AtPlanes) -> None:
        found.append(batch._replace(rows=batch.rows.copy(), log=batch.log.copy()))

    simulate(problem, Goal(histories=400, batch_histories=100), seed=3, threads=threads, crossed=keep)
    return found


def test_runs_log_the_same_with_any_number_of_threads_and_any_room(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch after batch the same bytes; a batch whose log finds no room is run again."""
    alone, two = recorded(problem), recorded(problem, threads=2)
    monkeypatch.setattr("dosewright.simulation.batch.ROOM_FOR_LOG", 10)
    little = recorded(problem)
    assert len(alone) == 4 and sum(len(batch.log) for batch in alone) > 1000
    for one, other, third in zip(alone, two, little, strict=True):
        for name in ("rows", "log"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes() == getattr(third, name).tobytes()
        assert np.all(np.isin(np.arange(len(one.rows)), stories(one.rows, one.log).of))


def test_without_a_wish_nothing_is_logged(problem: Problem) -> None:
    assert isinstance(problem.packed, CoupledProblem)
    plain = replace(problem, packed=problem.packed._replace(lineage=0))
    assert not plain.logs and problem.logs
    assert all(len(batch.log) == 0 and len(batch.rows) for batch in recorded(plain))
