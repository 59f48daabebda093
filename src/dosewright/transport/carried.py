"""Who is tagged, where energy carried out of voxels is scored: see `scoring.carried`.

On a thread one particle at a time is worked on, but for the steps of lanes. So its tag stands in the tally, and what
has come onto the stack meanwhile inherits it. Without room in the tally nothing of this is done.
"""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.geometry.trace import PATIENT, medium_of, voxel_index
from dosewright.scoring.carried import (
    AT_WORK,
    ELECTRON_ANYWHERE,
    ELECTRON_MADE,
    NO_TAG,
    PHOTON_MADE,
    PHOTON_SCATTERED,
    TAG_OF_FIRST_VOXEL,
)
from dosewright.transport.lanes import ENERGY, LANES, LOST, VOXEL, WEIGHT
from dosewright.transport.lanes import TAG as LANE_TAG
from dosewright.transport.tracks import INTERACTING, PHOTON, SAME, TAG, UNSET


@inlined
def at_work(tally, tag):
    """Say that a particle with this tag is worked on from now on."""
    if tally.carried.shape[0] > 0:
        tally.carried[AT_WORK] = tag


@inlined
def inherit(tally, stack, waiting):
    """Give what has come onto the stack the tag of who is at work."""
    if tally.carried.shape[0] > 0:
        row = waiting - 1
        while row >= 0 and stack[row, TAG] == UNSET:
            stack[row, TAG] = tally.carried[AT_WORK]
            row -= 1


@inlined
def carry(tally, voxel, energy):
    """Add an energy (MeV, times its weight) that who is at work has left in a voxel, if it is tagged with another."""
    if tally.carried.shape[0] > 0:
        tag = np.int64(tally.carried[AT_WORK])
        if tag > 0 and voxel >= 0 and tag != voxel + TAG_OF_FIRST_VOXEL:
            tally.carried[voxel + 1] += energy


@inlined
def begin_work(problem, tally, stack, row, track):
    """Say that what waited in a row of the stack is worked on; it is tagged if a cut would not have let it be made."""
    if tally.carried.shape[0] > 0:
        tag = stack[row, TAG]
        if tag == NO_TAG and stack[row, SAME] == 0.0 and track.place.region == PATIENT:
            voxel = voxel_index(problem.geometry, track.place)
            which = PHOTON_MADE if track.species in (PHOTON, INTERACTING) else ELECTRON_MADE
            if track.energy < problem.tag_below[which, medium_of(problem.geometry.voxels[voxel])[0]]:
                tag = np.float64(voxel + TAG_OF_FIRST_VOXEL)
        tally.carried[AT_WORK] = tag


@inlined
def tag_scattered(problem, tally, material, place, before, after, stack, waiting):
    """Tag a photon that a cut would have absorbed where it is scattered; what it has made there is not."""
    if tally.carried.shape[0] == 0 or tally.carried[AT_WORK] != NO_TAG or after >= before:
        return
    if after < problem.tag_below[PHOTON_SCATTERED, material]:
        inherit(tally, stack, waiting)
        tally.carried[AT_WORK] = np.float64(voxel_index(problem.geometry, place) + TAG_OF_FIRST_VOXEL)


@inlined
def score_carried(problem, lanes, tally):
    """Tag electrons and positrons that have come below a cut, and score what tagged ones lost in their last step."""
    f, n = lanes.floats, lanes.integers
    for i in range(LANES):
        lost = np.float64(f[LOST + i])
        if lost <= 0.0:
            continue
        voxel = n[VOXEL + i]
        tag = n[LANE_TAG + i]
        if tag == 0:
            material = medium_of(problem.geometry.voxels[voxel])[0]
            if np.float64(f[ENERGY + i]) < problem.tag_below[ELECTRON_ANYWHERE, material]:
                n[LANE_TAG + i] = np.int32(voxel + TAG_OF_FIRST_VOXEL)
        elif tag != voxel + TAG_OF_FIRST_VOXEL:
            tally.carried[voxel + 1] += np.float64(f[WEIGHT + i]) * lost


@inlined
def tag_lane(lanes, i, tally):
    """Give a lane the tag of who is at work."""
    if tally.carried.shape[0] > 0:
        lanes.integers[LANE_TAG + i] = np.int32(tally.carried[AT_WORK])
