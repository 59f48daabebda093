"""The beams of a plan as what runs deliver: what `calc` runs, and what a script says."""

from dosewright.simulation.problem import TransportSettings
from dosewright.simulation.seeds import seed_of
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.target import Target, beam_frame
from dosewright.workflow.treatment.beams import BeamGroup
from dosewright.workflow.treatment.portion import Around, Portion

PATIENT = "Patient"
NO_NUMBER = 0  # of histories: goals tell


def plan_portions(case: Case, target: Target) -> tuple[Portion, ...]:
    """Return one portion per beam, each a step of its own; their particles are those of all fractions."""
    return tuple(_portion(case, target, step, one) for step, one in enumerate(case.beams, 1))


def _portion(case: Case, target: Target, step: int, one: EquippedBeam) -> Portion:
    particles = one.pencils.particles * (case.fractions * one.correction.dose_factor)
    return Portion(
        step=step,
        field=f"field_{one.beam.number}",
        region=PATIENT,
        beams=BeamGroup(one.pencils.rows, particles, NO_NUMBER, beam_frame(one.beam)),
        voxels=target.patient.voxels,
        around=Around(one.devices, one.pencils.medium),
        settings=TransportSettings(),
        seed=beam_seed(case.request.seed, one.beam.number),
        score_grid=target.score.grid,
    )


def beam_seed(seed: int, number: int) -> int:
    """Return the seed of one beam: beams with the same random numbers would not be independent, as their sum takes them
    to be. Two equal beams would even have one and the same dose."""
    return seed_of(seed, f"beam {number}")
