"""What a cut would meet in the stories of particles that reached a target: where, of which kind, of what energy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.scoring.lineage import BORN, INTERACTED
from dosewright.simulation.lineage import Story
from dosewright.transport.tracks import PHOTON, POSITRON

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]

AT_REST = 1.0e-6  # of the mass of the electron: photons so near to it come of annihilation at rest


class Entries(NamedTuple):
    """What a cut would meet: target particle, part, species and kinetic energy; arrays of one length."""

    of: Whole
    part: Whole
    species: Whole
    energy_MeV: Array


class Told(NamedTuple):
    """A story whose events stand target by target, the latest first, each with what came next.

    Attributes
    ----------
    story
        The events.
    last, first
        Of each event: whether it is the last of its target, the first.
    same
        Whether the next event is of the same particle (false for the last).
    ahead_MeV
        Energy of that particle at its next event: at the target for the last; itself where its child was born next.
    """

    story: Story
    last: Truth
    first: Truth
    same: Truth
    ahead_MeV: Array


def told(story: Story, at_target_MeV: Array) -> Told:
    """Return a story in order, with the energies (MeV) at the target of the particles that it tells of."""
    order = np.argsort(story.of, kind="stable")
    story = Story._make(column[order] for column in story)
    begins = np.diff(story.of, prepend=-1) != 0
    ends = np.append(begins[1:], True)[: len(begins)]
    same = ~begins & (np.diff(story.generation, prepend=0) == 0)
    before = np.roll(story.energy_MeV, 1)
    ahead = np.where(begins, at_target_MeV[story.of], np.where(same, before, story.energy_MeV))
    return Told(story, begins, ends, same, ahead)


def born(one: Told) -> Entries:
    """Return every birth, of target particles and of their ancestors, with its energy: what production cuts meet.

    The first particles of histories are no products. A positron annihilates even where it is not to be followed: here
    and below, what led to photons of an annihilation at rest is not ended.
    """
    births = (one.story.kind == BORN) & ~one.first & ~_annihilated_at_rest(one)
    return _chosen(one.story, births, one.story.energy_MeV)


def left(one: Told) -> Entries:
    """Return every stay in a part with the energy at its end: what limits of the range meet.

    A stay ends where another part begins, at the target, or at the interaction that the next particle came of.
    """
    return _chosen(one.story, _stay_ends(one) & ~_annihilated_at_rest(one), one.ahead_MeV)


def cut(one: Told) -> Entries:
    """Return what cuts of a run file meet: they ask where particles are made; then electrons and positrons wherever
    they are, photons where they are scattered.
    """
    story, made = one.story, born(one)
    photons = story.species == PHOTON
    scattered = photons & (story.kind == INTERACTED) & (one.last | one.same) & (one.ahead_MeV < story.energy_MeV)
    stays = ~photons & _stay_ends(one) & ~_annihilated_at_rest(one)
    met = _chosen(story, scattered | stays, one.ahead_MeV)
    return Entries._make(np.concatenate(both) for both in zip(made, met, strict=True))


def _stay_ends(one: Told) -> Truth:
    """Say which events are the last of a stay in a part."""
    part = one.story.part
    ends: Truth = one.last | ~one.same | (part != np.roll(part, 1))
    return ends


def _annihilated_at_rest(one: Told) -> Truth:
    """Say which events are of positrons whose story ends in annihilation at rest."""
    story = one.story
    turns = ~one.same & ~one.last  # the particle before its child
    child = np.roll(story.energy_MeV * (story.kind == BORN) * (story.species == PHOTON), 1)
    rest = turns & (story.species == POSITRON) & (np.abs(child / ELECTRON_MASS_MEV - 1.0) < AT_REST)
    number = np.cumsum(~one.same) - 1  # of the particle that an event belongs to
    return np.isin(number, number[rest])


def _chosen(story: Story, which: Truth, energy_MeV: Array) -> Entries:
    return Entries(story.of[which], story.part[which], story.species[which], energy_MeV[which])
