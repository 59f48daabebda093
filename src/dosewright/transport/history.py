"""One history, from emission to the last secondary."""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four, start_stream
from dosewright.geometry.trace import BEAMLINE, OUTSIDE, Place, Ray, leave_beamline, locate
from dosewright.scoring.deposit import CAPPED_HISTORIES, ESCAPED, STARTED, deposit
from dosewright.sources.emit import emit
from dosewright.transport.step import patient_voxel, step
from dosewright.transport.tracks import PROTON, Track, pop

MOST_STEPS = 1_000_000  # of one history; reaching it is counted and reported, never silent


@kernel
def history(problem, number, pencil, seed, tally, stack):
    """Follow one primary proton and all it makes."""
    stream = start_stream(seed, number)
    x, y, z, u, v, w, energy, stream = emit(problem.source, pencil, stream)
    tally.account[STARTED] += energy
    ray, place = _enter(problem.geometry, Ray(x, y, z, u, v, w))
    if place.region == OUTSIDE:
        tally.account[ESCAPED] += energy
        return
    paths, stream = _free_paths(stream)
    track = Track(ray, place, energy, PROTON, 0.0, paths)
    waiting = 0
    for _ in range(MOST_STEPS):
        if track.energy <= 0.0:
            if waiting == 0:
                return
            paths, stream = _free_paths(stream)
            track = pop(stack, waiting, paths)
            waiting -= 1
            if track.energy < problem.controls.cut_MeV:
                track = _absorb(problem, track, tally)
                continue
        track, waiting, stream = step(problem, track, tally, stack, waiting, stream)
    tally.account[CAPPED_HISTORIES] += 1.0


@kernel
def _enter(geometry, ray):
    """Place a new ray: in the beamline where there is one, else on its way to the patient."""
    if geometry.cells[BEAMLINE, 0] > 0:
        return ray, locate(geometry, ray, BEAMLINE)
    return leave_beamline(geometry, ray)


@kernel
def _free_paths(stream):
    a, _, _, _, stream = draw_four(stream)
    return -np.log(a), stream


@kernel
def _absorb(problem, track, tally):
    """Leave a secondary below the cut where it was made."""
    voxel = patient_voxel(problem.geometry, track.place)
    deposit(problem.scoring, tally, voxel, (track.ray.x, track.ray.y, track.ray.z), track.energy, 1.0)
    return Track(track.ray, Place(OUTSIDE, 0, 0, 0), 0.0, track.species, 0.0, 0.0)
