"""Suggested cuts set in a run: as many particles are lost as the study says, and more with larger ones."""

from pathlib import Path

import numpy as np
import pytest
from tests.studies.target_runs import PLANE, reached, target_run

from dosewright.simulation.run_file.transport_tables import Region
from dosewright.studies.collected import RUN
from dosewright.studies.cut_study import CutStudy, study_cuts
from dosewright.studies.suggested import Together

ERRORS = 3.0  # standard errors


def lost_share(folder: Path, cuts: tuple[Region, ...], histories: int) -> tuple[float, float]:
    """Return the share that cuts lose, of other histories than those of the study, with its standard error."""
    before, its_error = reached(target_run(folder, histories, seed=1))
    after, error = reached(target_run(folder, histories, seed=2, regions=cuts))
    return 1.0 - after / before, float(np.hypot(error, its_error * after / before) / before)


def twice(cuts: tuple[Region, ...]) -> tuple[Region, ...]:
    """Return cuts of twice the energies; in air they would end all electrons of the source and stay."""
    return tuple(
        cut
        if cut.name == "G4_AIR"
        else cut.model_copy(
            update={key: min(2 * value, 6.0) for key, value in cut if key != "name" and value is not None}
        )
        for cut in cuts
    )


def together(study: CutStudy) -> Together:
    return study.ways[RUN].together


def test_the_cut_of_the_target_loses_what_was_found(tmp_path: Path) -> None:
    histories = 3000
    study = study_cuts(target_run(tmp_path, histories), PLANE, lose_percent=20.0, only=("target",))
    (cut,) = study.run_cuts()
    assert cut.name == "target"
    assert 0.18 < together(study).lost.value < 0.20
    lost, error = lost_share(tmp_path, (cut,), histories)
    assert error < 0.03
    expected = together(study).lost
    assert abs(lost - expected.value) < ERRORS * np.hypot(error, expected.error)


def test_the_same_study_comes_out_of_any_number_of_threads(tmp_path: Path) -> None:
    run_file = target_run(tmp_path, 600)
    one, two = (
        study_cuts(run_file.model_copy(update={"run": run_file.run.model_copy(update={"threads": threads})}), PLANE)
        for threads in (1, 2)
    )
    assert one.run_cuts() == two.run_cuts()
    assert np.array_equal(one.target.weight, two.target.weight)
    assert together(one) == together(two)


@pytest.mark.slow
def test_all_cuts_together_lose_less_than_was_asked(tmp_path: Path) -> None:
    histories = 100_000
    study = study_cuts(target_run(tmp_path, histories), PLANE, lose_percent=5.0)
    cuts = study.run_cuts()
    assert {cut.name for cut in cuts} == {"G4_AIR", "target", "backing", "filter"}
    assert 0.045 < together(study).lost.value < 0.05
    lost, error = lost_share(tmp_path, cuts, histories)
    assert error < 0.006
    assert lost < 0.05 + ERRORS * error
    assert abs(lost - together(study).lost.value) < ERRORS * np.hypot(error, together(study).lost.error)
    more, its_error = lost_share(tmp_path, twice(cuts), histories)
    assert more > lost + ERRORS * np.hypot(error, its_error)
