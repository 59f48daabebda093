"""What had happened to particles before they came to a plane, found in the log of a batch.

The log (`scoring.lineage`) is kept event after event. An event leads to a particle if it is one of its own up to the
plane, or of an ancestor up to the birth of the next one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring import lineage as logged
from dosewright.scoring import planes
from dosewright.scoring.lineage import AT, BORN, ENTERED, GOES_ON, KIND, NO_PARENT, PARENT, PARENT_AT, PART

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
NONE = -1
PARTICLE_BITS = 31  # of the number of a particle, see `transport.tracks.name_children`
DRAW_BITS = 33  # more than a particle may draw


class Story(NamedTuple):
    """Events that led to recorded particles, for each of them the latest first.

    Attributes
    ----------
    of
        Row of the crossings that it belongs to.
    generation
        0: the particle itself, 1: its parent, and so on. Copies that go on as they were are one particle.
    kind
        ``BORN``, ``ENTERED`` or ``INTERACTED`` of `scoring.lineage`.
    species
        ``PHOTON``, ``ELECTRON`` or ``POSITRON`` of `transport.tracks`.
    part
        In the order of the scene; then what fills it, then the voxels.
    energy_MeV
        Kinetic; before an interaction.
    place_cm
        (n, 3), in the axes of the box.
    """

    of: Indices
    generation: Indices
    kind: Indices
    species: Indices
    part: Indices
    energy_MeV: Array
    place_cm: Array


def stories(rows: Array, log: Array) -> Story:
    """Return what led to each of the crossings of a batch, from its log (neither with row 0)."""
    lives = _Lives(log)
    of, generation, events = _events(_chains(lives, rows))
    kind, part = lives.log[events, KIND].astype(np.int64), lives.log[events, PART].astype(np.int64)
    earlier = np.append(of[1:] == of[:-1], False)[: len(of)]
    stays = (kind == GOES_ON) & earlier & (part == np.append(part[1:], NONE)[: len(part)])
    kept = ~stays
    kind = np.where(kind == GOES_ON, ENTERED, kind)[kept]  # a mirrored copy goes on somewhere else
    chosen = lives.log[events[kept]]
    return Story(
        of[kept],
        generation[kept],
        kind,
        chosen[:, logged.SPECIES].astype(np.int64),
        part[kept],
        chosen[:, logged.ENERGY],
        chosen[:, logged.PLACE : logged.PLACE + 3],
    )


def needed(rows: Array, log: Array) -> tuple[Array, Array]:
    """Return crossings, and what of the log led to them, with numbers of particles that belong to one of them alone.

    So histories may be numbered anew, several as one.
    """
    lives = _Lives(log)
    chains = _chains(lives, rows)
    begins, ends = np.zeros(len(log) + 1, np.int64), np.zeros(len(log) + 1, np.int64)
    for chain in chains:
        np.add.at(begins, chain.birth, 1)
        np.add.at(ends, chain.last + 1, 1)
    kept = np.flatnonzero(np.cumsum(begins - ends)[:-1] > 0)
    births = np.unique(lives.birth[kept])
    number_of = np.full(len(log) + 1, NONE)  # the last one is that of `NONE`
    number_of[births] = np.arange(len(births))
    left = lives.log[kept]
    left[:, logged.PARTICLE] = number_of[lives.birth[kept]]
    left[:, PARENT] = number_of[lives.parent_of(kept)[0]]
    order = np.argsort(lives.order[kept])
    told = rows.copy()
    told[:, planes.PARTICLE] = NONE
    if chains:
        told[chains[0].of, planes.PARTICLE] = number_of[chains[0].birth]
    told[:, planes.LOGGED] = np.searchsorted(lives.order[kept][order], rows[:, planes.LOGGED])
    return told, np.ascontiguousarray(left[order])


class _Chain(NamedTuple):
    """Ancestors of recorded particles, as many before: their events are those from ``birth`` to ``last``."""

    of: Indices
    generation: Indices
    birth: Indices
    last: Indices


class _Lives:
    """A log particle after particle: `order` are the places of its rows in the log, `birth` where each life begins."""

    def __init__(self, log: Array) -> None:
        self.first = float(log[:, logged.HISTORY].min()) if len(log) else 0.0
        key = self.key_of(log[:, logged.HISTORY], log[:, logged.PARTICLE])
        self.order = np.argsort(key, kind="stable")
        self.log = log[self.order]
        self.keys, rank = np.unique(key[self.order], return_inverse=True)
        self.rank = rank.reshape(-1)
        self.many = len(log) + 1
        self.by_order = self.rank * self.many + self.order
        at = np.arange(len(log))
        first = np.diff(self.rank, prepend=NONE) != 0
        born = (self.log[:, KIND] == BORN) | (self.log[:, KIND] == GOES_ON)
        self.birth = np.maximum.accumulate(np.where(first | born, at, 0)) if len(log) else at
        self.by_draws = (self.birth << DRAW_BITS) + self.log[:, AT].astype(np.int64)

    def key_of(self, history: Array, particle: Array) -> Indices:
        """Return one number for both: histories of one log lie within 2^32."""
        return ((history - self.first).astype(np.int64) << PARTICLE_BITS) + particle.astype(np.int64)

    def latest(self, key: Indices, before: Indices) -> Indices:
        """Return the last event of a particle that stood in the log before a row of it, `NONE` where there is none."""
        if not len(self.log):
            return np.full(len(key), NONE)
        rank = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        found = np.searchsorted(self.by_order, rank * self.many + before) - 1
        there = (self.keys[rank] == key) & (found >= 0) & (self.rank[found] == rank)
        return np.where(there, found, NONE)

    def parent_of(self, events: Indices) -> tuple[Indices, Indices]:
        """Return the life of the parent of whom events belong to, and its last event before this birth.

        `NONE` where there is no parent.
        """
        birth = self.birth[events]
        row = self.log[birth]
        key = self.key_of(row[:, logged.HISTORY], np.maximum(row[:, PARENT], 0.0))
        last = self.latest(key, self.order[birth])
        begotten = (row[:, KIND] == BORN) | (row[:, KIND] == GOES_ON)
        last = np.where(begotten & (row[:, PARENT] != NO_PARENT), last, NONE)
        life = np.where(last == NONE, NONE, self.birth[last] if len(self.birth) else NONE)
        until = np.searchsorted(self.by_draws, (life << DRAW_BITS) + row[:, PARENT_AT].astype(np.int64), "right") - 1
        return life, np.maximum(np.minimum(last, until), life)  # its birth at least: two numbers may chance to be one


def _chains(lives: _Lives, rows: Array) -> list[_Chain]:
    """Return the recorded particles, their parents, the parents of those, and so on."""
    of = np.arange(len(rows))
    keys = lives.key_of(rows[:, planes.HISTORY], rows[:, planes.PARTICLE])
    last = lives.latest(keys, rows[:, planes.LOGGED].astype(np.int64))
    generation, chains = np.zeros(len(rows), np.int64), []
    while len(of):
        known = last != NONE
        of, last, generation = of[known], last[known], generation[known]
        if not len(of):
            break
        chains.append(_Chain(of, generation, lives.birth[last], last))
        generation = generation + (lives.log[chains[-1].birth, KIND] != GOES_ON)
        last = lives.parent_of(last)[1]
    return chains


def _events(chains: list[_Chain]) -> tuple[Indices, Indices, Indices]:
    """Return row, generation and place in the log of all events of chains, for each row the latest first."""
    if not chains:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    of, generation, birth, last = (np.concatenate(columns) for columns in zip(*chains, strict=True))
    by_row = np.argsort(of, kind="stable")
    of, generation, birth, last = of[by_row], generation[by_row], birth[by_row], last[by_row]
    count = last - birth + 1
    back = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(of, count), np.repeat(generation, count), np.repeat(last, count) - back
