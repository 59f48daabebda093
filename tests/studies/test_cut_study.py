"""Studies of cuts: what is asked, what is refused, what is suggested."""

from typing import Any

import numpy as np
import pytest
from tests.studies.made_story import crossings
from tests.studies.made_study import made_study

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.scoring.planes import PLACE
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PencilSource, PhaseSpaceSource
from dosewright.simulation.run_file.tables import Goals, RunFile
from dosewright.studies.collected import RUN
from dosewright.studies.cut_study import Plane, plane_of, study_cuts, to_plane, within

SOURCE = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, 1002), direction=(0, 0, -1))
BOX = Phantom(size_mm=(40, 40, 40), voxel_mm=(10, 10, 5), origin_mm=(-20, -20, -200), material="G4_WATER")
PLANE = Plane(0.0, -1.0)


def run_file(**tables: Any) -> RunFile:
    return RunFile(**{"scene": Scene(file="head.toml"), "source": SOURCE, "goal": Goals(histories=500), **tables})


def test_forward_is_away_from_the_source() -> None:
    assert plane_of(run_file(), 100.0, None) == Plane(100.0, -1.0)
    assert plane_of(run_file(), 1100.0, (10.0, 20.0)) == Plane(1100.0, 1.0, (10.0, 20.0))


def test_without_a_height_the_target_is_that_of_the_run() -> None:
    score = Score(quantity="phase_space", z_mm=(300.0, 100.0), normal=(0, 0, -1))
    assert plane_of(run_file(score=(score,)), None, None) == Plane(100.0, -1.0)
    assert plane_of(run_file(phantom=BOX), None, None) == Plane(-160.0, -1.0)
    recorded = PhaseSpaceSource(file="head.IAEAheader")
    assert plane_of(run_file(score=(score,), source=recorded), None, None) == Plane(100.0, -1.0)
    with pytest.raises(InputError, match="Where the target plane lies is not known"):
        plane_of(run_file(), None, None)


@pytest.mark.parametrize("half_width", [(0.0, 10.0), (10.0, -1.0)])
def test_half_widths_are_positive(half_width: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="half width"):
        plane_of(run_file(), 0.0, half_width)


def test_the_run_ends_at_the_plane_and_scores_nothing_else() -> None:
    asked = to_plane(run_file(phantom=BOX, goal=Goals(histories=500, uncertainty_percent=1.0)), PLANE)
    assert [(one.quantity, one.z_mm, one.normal, one.kill) for one in asked.score] == [
        ("phase_space", (0.0,), (0.0, 0.0, -1.0), True)
    ]
    assert (asked.goal.histories, asked.goal.uncertainty_percent) == (500, None)
    assert to_plane(run_file(), PLANE, 70).goal.histories == 70


def test_only_what_goes_through_the_rectangle_counts() -> None:
    rows = crossings([1.0] * 4)
    rows[:, PLACE : PLACE + 2] = [(0.9, 0.0), (1.1, 0.0), (-0.9, -1.9), (0.0, 2.1)]  # cm
    assert within(rows, Rigid.identity(), (10.0, 20.0)).tolist() == [True, False, True, False]
    moved = Rigid(np.eye(3), np.array([2.0, 0.0, 0.0]))
    assert within(rows, moved, (10.0, 20.0)).tolist() == [False, False, True, False]
    assert within(rows, moved, None).all()


@pytest.mark.parametrize("percent", [0.0, -1.0, 50.1, float("nan")])
def test_shares_out_of_range_are_refused(percent: float) -> None:
    with pytest.raises(InputError, match="may not be lost"):
        study_cuts(run_file(), PLANE, lose_percent=percent)


def test_runs_without_a_scene_are_refused() -> None:
    with pytest.raises(InputError, match="studied in a scene"):
        study_cuts(run_file(scene=None, phantom=BOX), PLANE)


def test_few_particles_suggest_nothing_and_it_is_said_how_many_it_takes() -> None:
    with pytest.raises(InputError, match=r"about 15,000 histories would do.*Given: 50 of 5,000 histories, worth 50"):
        made_study(particles=50)
    with pytest.raises(InputError, match="Nothing reaches the target plane"):
        made_study(particles=0)


def test_cuts_of_the_run_lose_less_than_is_asked_together() -> None:
    study = made_study()
    target, photons, electrons = study.regions.names.index("target, of W"), 0, 1
    energies = study.ways[RUN].together.energies_MeV
    assert 0.005 < study.ways[RUN].together.lost.value < 0.02
    # Photons from 0.05 to 1 MeV and electrons from 1 to 6 MeV, evenly: each may lose about 0.75 %, which is 7.5 ± 2.7
    # particles of the 1000; three such errors.
    assert energies[target, photons] == pytest.approx(0.05 + 0.0075 * 0.95, abs=0.008)
    assert energies[target, electrons] == pytest.approx(1.0 + 0.0075 * 5.0, abs=0.042)


def test_where_any_cut_will_do_it_is_the_highest_energy() -> None:
    study = made_study()
    target, filtered = study.run_cuts()
    assert (target.name, filtered.name) == ("target, of W", "filter")
    assert filtered.photon_cut_MeV == filtered.electron_cut_MeV == study.any_cut_MeV == 6.0
    assert target.photon_cut_MeV is not None
    assert 0.05 <= target.photon_cut_MeV < 0.06
