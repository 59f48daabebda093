"""What the settings decide where the user says nothing, and that a user's word beats them."""

import os
from pathlib import Path

import pytest

from dosewright.commissioning.phantom import Phantom
from dosewright.core.matter import Material
from dosewright.formats.text.site_settings import Calculation, Output, SiteSettings
from dosewright.formats.text.site_settings import Goals as SiteGoals
from dosewright.workflow.goals import Goals
from dosewright.workflow.preprocess.settled import outputs, settled
from dosewright.workflow.request import Wishes

WATER = Material("G4_WATER", 1.0, {1: 0.112, 8: 0.888})
SITE = SiteSettings(
    goals=SiteGoals(scope="plan"),
    calculation=Calculation(dose_to="medium", remove_dose_outside_external=True, threads=1024),
    output=Output(mhd_plan=False),
)
ASKED = Wishes(Path("p"), Goals(histories=5), goals_assumed=True)


def test_the_settings_decide_what_is_open() -> None:
    found = settled(ASKED, SITE)
    assert (found.goals, found.goal_scope) == (Goals(uncertainty_percent=1.0), "plan")
    assert (found.dose_to, found.remove_outside, found.threads) == ("medium", True, len(os.sched_getaffinity(0)))


def test_the_word_of_the_user_beats_them() -> None:
    said = Wishes(Path("p"), Goals(histories=5), goal_scope="beam", dose_to="water", remove_outside=False, threads=1)
    assert settled(said, SITE) == said


@pytest.mark.parametrize(("to_water", "dose_to"), [(None, "medium"), (True, "water"), (False, "medium")])
def test_a_phantom_beats_the_settings_and_the_user_beats_the_phantom(to_water: bool | None, dose_to: str) -> None:
    phantom = Phantom("p", (1, 1, 1), (1, 1, 1), (0, 0, 0), WATER, 1.0, dose_to_water=to_water)
    assert settled(ASKED, SITE, phantom).dose_to == dose_to
    said = Wishes(Path("p"), Goals(histories=5), dose_to="water")
    assert settled(said, SITE, phantom).dose_to == "water"


def test_outputs_are_those_of_the_settings_and_those_asked_for() -> None:
    wanted = outputs(Wishes(Path("p"), Goals(histories=5), write=("mass", "mhd_plan")), SITE)
    assert wanted == Output(mass=True, mhd_plan=True)
