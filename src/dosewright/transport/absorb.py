"""Energy left where a particle is."""

from dosewright.core.jit import inlined
from dosewright.geometry.trace import PATIENT, leave_box, voxel_index
from dosewright.scoring.deposit import BEFORE_PATIENT, deposit, score_let, scored_voxel
from dosewright.transport.tracks import PROTON


@inlined
def absorb(problem, tally, track, energy, water_ratio, let):
    """Deposit an energy (MeV) at a particle, with the LET (MeV cm2/g) of the proton that lost it, or zero."""
    scoring, place = problem.scoring, track.place
    if place.region != PATIENT:
        tally.account[BEFORE_PATIENT] += energy
        return
    voxel = voxel_index(problem.geometry, place)
    if not scoring.same_voxels:
        at = leave_box(problem.geometry, track.ray, place)
        voxel = scored_voxel(scoring, at.x, at.y, at.z)
    deposit(scoring, tally, voxel, energy, water_ratio)
    if scoring.let and let > 0.0 and track.species == PROTON:
        score_let(tally, voxel, energy, 0.0, let)
