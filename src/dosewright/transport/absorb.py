"""Energy left where a particle is."""

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.trace import PATIENT, SCENE, leave_box, medium_of, voxel_index
from dosewright.materials.lookup import WATER_RATIO, position, value
from dosewright.scoring.deposit import BEFORE_PATIENT, add, deposit, score_let, scored_voxel
from dosewright.transport.tracks import PROTON

THINNEST = 1.0e-4  # g/cm3; in thinner media the rest of a range is cut short


@inlined
def absorb(problem, tally, track, energy, water_ratio, let):
    """Deposit an energy (MeV) at a particle, with the LET (MeV cm2/g) of the proton that lost it, or zero."""
    scoring, place, ray = problem.scoring, track.place, track.ray
    if place.region == SCENE:
        voxel = absorb_in_part(scoring, tally, place.iy, ray.x, ray.y, ray.z, energy, water_ratio)
        if scoring.let and let > 0.0 and track.species == PROTON:
            score_let(tally, voxel, energy, 0.0, let)
        return
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


@inlined
def absorb_in_part(scoring, tally, part, x, y, z, energy, water_ratio):
    """Deposit an energy (MeV) at a point (cm) of a part, also on a scored grid; returns its voxel, -1 for none."""
    tally.account[BEFORE_PATIENT] += energy
    add(tally.parts, part, energy)
    if scoring.same_voxels:
        return -1
    voxel = scored_voxel(scoring, x, y, z)
    if voxel >= 0:
        add(tally.energy, voxel, energy)
        if scoring.to_water:
            add(tally.energy_to_water, voxel, energy * water_ratio)
    return voxel


@kernel
def end_of_range(problem, tally, track):
    """Add the rest of a stopped proton's range to the LET sums: its energy is left in one place, but not at one LET.

    Below the cut LET changes twofold (41 keV/um at 0.5 MeV, 82 at its maximum), and that is where much of the
    dose-averaged LET beyond the peak comes from. The rest lies within micrometres; density and ratio are those here.
    """
    scoring, tables, place, energy = problem.scoring, problem.tables, track.place, track.energy
    cells = problem.geometry.cells
    if not scoring.let or track.species != PROTON or place.region != PATIENT or energy <= 0.0:
        return
    if min(place.ix, place.iy, place.iz) < 0 or place.ix >= cells[PATIENT, 0]:
        return
    if place.iy >= cells[PATIENT, 1] or place.iz >= cells[PATIENT, 2]:
        return
    voxel = voxel_index(problem.geometry, place)
    material, density = medium_of(problem.geometry.voxels[voxel])
    if not scoring.same_voxels:
        at = leave_box(problem.geometry, track.ray, place)
        voxel = scored_voxel(scoring, at.x, at.y, at.z)
    score_rest(tables, tally, voxel, material, density, energy)


@inlined
def score_rest(tables, tally, voxel, material, density, energy):
    """Add the rest of the range of a proton that has stopped with an energy (MeV) to the LET sums."""
    i, f = position(energy)
    let = tables.rest_let[i] + f * (tables.rest_let[i + 1] - tables.rest_let[i])
    way = tables.rest_range[i] + f * (tables.rest_range[i + 1] - tables.rest_range[i])
    path = way * value(tables, material, WATER_RATIO, i, f) / max(density, THINNEST)
    score_let(tally, voxel, energy, 0.0, let)
    score_let(tally, voxel, 0.0, path, energy / way)
