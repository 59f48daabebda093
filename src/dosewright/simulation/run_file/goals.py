"""The goals of a run file, as the engine takes them."""

from dosewright.scoring.dose_error import CUT_OFF_PERCENT, DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation.goal import Goal
from dosewright.simulation.run_file.tables import Goals


def goal_of(goals: Goals, particles: float | None = None) -> Goal:
    """Return the goals as the engine takes them; a reference dose is for `particles`, None: per primary."""
    seconds = None if goals.max_minutes is None else 60.0 * goals.max_minutes
    asked = dose_error_of(goals)
    return Goal(
        histories=goals.histories,
        uncertainty_percent=goals.uncertainty_percent,
        max_seconds=seconds,
        dose_error=None if asked is None else asked.per(particles or 1.0),
    )


def dose_error_of(goals: Goals) -> DoseErrorGoal | None:
    """Return the goal for the errors of the dose, None where there is none."""
    if goals.dose_error_percent is None:
        return None
    cut_off = CUT_OFF_PERCENT if goals.dose_error_cutoff_percent is None else goals.dose_error_cutoff_percent
    measure = DoseErrorMeasure(cut_off, goals.dose_error_type != "local", goals.dose_error_reference_Gy)
    return DoseErrorGoal(goals.dose_error_percent, measure)
