"""Questions about the library: materials for overrides, users, settings."""

import os
from pathlib import Path

import pytest

from dosewright.workflow.query import Question, answer, text_of
from dosewright.workflow.users import account_of


@pytest.fixture
def site(tmp_path: Path) -> Path:
    account = account_of(os.getuid())
    (tmp_path / "library.toml").write_text('name = "site"\nwith_packaged = true\n')
    (tmp_path / "settings.toml").write_text(
        'override_materials = ["G4_WATER", "G4_Ti"]\n[goals.minutes]\nmin = 1\ndefault = 5\nmax = 60\nstep = 1\n'
        '[[correction]]\nmachine = "R1"\ndose_factor = 0.97\n'
        '[[user]]\nacronym = "AS"\nname = "asmith"\nrole = "clinical"\n'
        f'[[user]]\nacronym = "ME"\nname = "me"\nrole = "admin"\nsystem_user = "{account}"\n'
    )
    return tmp_path


def test_materials_users_and_settings(site: Path) -> None:
    found = answer(Question(materials=True, users=True, settings=True, library=site))
    assert found["Materials"] == ["G4_WATER", "G4_Ti"]
    assert found["Users"] == ["AS, asmith: clinical", f"ME, me: admin, account {account_of(os.getuid())} (you)"]
    for line in (f"file: {site / 'settings.toml'}", "goals.minutes.max = 60", "correction[1].dose_factor = 0.97",
                 "output.mass = False", "calculation.gamma[2].distance_mm = 2", "memory.most_MB = none"):  # fmt: skip
        assert line in "".join(f"{one.replace('.0', '')}\n" for one in found["Settings"]), line
    assert "  goals.scope = beam" in text_of(found)


def test_without_settings_every_material_may_be_named_and_everyone_is_research(tmp_path: Path) -> None:
    (tmp_path / "library.toml").write_text('name = "bare"\n')
    found = answer(Question(materials=True, users=True, settings=True, library=tmp_path))
    assert "G4_WATER" in found["Materials"]
    assert found["Users"] == ["The settings list no users: everyone has the research role."]
    assert found["Settings"][0] == "file: none, so the defaults"
