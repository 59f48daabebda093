"""Roles from the settings of a site, over the whole way: what a clinical user is refused, and what a result says."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.commissioning.upkeep.approvable import find
from dosewright.commissioning.upkeep.approval import approve, content_sha256
from dosewright.formats.dose.mhd import read_mhd_header
from dosewright.workflow.users import account_of

ACCOUNT = account_of(os.getuid())
ROLES = {"CL": "clinical", "CO": "commissioning", "AD": "admin", "RE": "research"}


def user(acronym: str, role: str, account: str = ACCOUNT) -> str:
    return f'[[user]]\nacronym = "{acronym}"\nname = "n_{acronym}"\nrole = "{role}"\nsystem_user = "{account}"\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's usual library: approved models, a user in every role, a list of materials."""
    library = tmp_path / "site"
    shutil.copytree(PACKAGED, library)
    for path in (library, *library.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    settings = library / "settings.toml"
    settings.write_text(
        'override_materials = ["G4_WATER"]\n[goals.uncertainty_percent]\nmin = 0.5\ndefault = 40.0\nmax = 45.0\n'
        "step = 0.1\non = true\n" + "".join(user(*one) for one in ROLES.items()) + user("XX", "clinical", "somebody")
    )
    settings.chmod(0o644)
    opened = Library.open(library)
    for kind in ("beam", "ct"):
        found = find(opened, "generic", kind)
        approve(found.file, "jdoe", role="commissioning", models=found.models)
    monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(library))
    return library


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("-z", "generic"), "may not choose a beam model (-z): generic. Allowed: commissioning, research."),
        (("--ignore-devices",), "may not leave devices out of the beam (--ignore-devices)"),
        (("-s", str(PACKAGED)), "list no users"),
        (("-u", "46"), "The uncertainty (-u) of 46 percent is outside what the site allows: 0.5 to 45 percent."),
        (("-n", "50"), "The number of primaries (-n) of 50 is outside what the site allows: 100 to 1e+12."),
        (("-m", "Cord:G4_Ti"), "may not override (-m) with a material that the site does not list: Cord:G4_Ti"),
    ],
)
def test_what_a_clinical_user_is_refused(
    tiny: Any, tmp_path: Path, site: Path, wrong: tuple[str, ...], said: str
) -> None:
    refused = tiny.calc(tmp_path / "out", "-l", "CL:clinical", *wrong)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not (tmp_path / "out").exists()


def test_another_library_gives_no_clinical_role_even_with_the_same_users(tiny: Any, tmp_path: Path, site: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(site, other)
    refused = tiny.calc(tmp_path / "out", "-l", "CL", "-s", str(other))
    assert refused.returncode == 2
    assert "may not calculate with another library (-s) than the site's usual one" in refused.stderr
    assert "Not approved" not in refused.stderr
    linted = tiny.run("lint", str(tiny.folder), "-l", "CO", "-s", str(other))
    assert linted.returncode == 0
    assert "was chosen (-s); it is not the usual one" in linted.stdout


def test_other_settings_for_the_same_models_give_no_clinical_role(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IDEAL's configuration names the commissioning folder, so one of one's own can name that of the site."""
    (tmp_path / "commissioning" / "beamlines").mkdir(parents=True)
    text = f"[directories]\ncommissioning = {tmp_path}/commissioning\n[user roles]\nCL, {ACCOUNT} = clinical\n"
    places = {}
    for name, factor in (("site", 1.1), ("own", 1.4)):
        (tmp_path / name).mkdir(mode=0o755)
        places[name] = tmp_path / name / "system.cfg"
        places[name].write_text(f"{text}[simulation]\nRBE factor protons = {factor}\n")
        places[name].chmod(0o644)
    monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(places["site"]))
    said = "may not calculate with another library (-s) than the site's usual one"
    for name in places:
        linted = tiny.run("lint", str(tiny.folder), "-l", "CL", "-s", str(places[name]))
        assert (said in linted.stdout) == (name == "own"), linted.stdout + linted.stderr


def test_a_model_that_is_not_approved_or_changed_since_is_refused(tiny: Any, tmp_path: Path, site: Path) -> None:
    (site / "ct" / "generic.toml.approval.json").unlink()
    with (site / "beam_models" / "generic.toml").open("a") as file:
        file.write("# edited\n")
    refused = tiny.calc(tmp_path / "out", "-l", "CL")
    assert refused.returncode == 2
    assert "2 reasons" in refused.stderr
    assert "has changed since it was approved by jdoe (commissioning)" in refused.stderr
    assert "generic.toml has no approval record" in refused.stderr
    linted = tiny.run("lint", str(tiny.folder), "-l", "RE")
    assert linted.returncode == 0, linted.stdout
    assert linted.stdout.count("Not approved: ") == 2


def test_settings_that_others_may_write_give_no_clinical_role(tiny: Any, tmp_path: Path, site: Path) -> None:
    (site / "settings.toml").chmod(0o664)
    refused = tiny.calc(tmp_path / "out", "-l", "CL")
    assert refused.returncode == 2
    assert f"chmod go-w '{(site / 'settings.toml').resolve()}'" in refused.stderr
    assert tiny.run("lint", str(tiny.folder), "-l", "RE").returncode == 0
    refused = tiny.calc(tmp_path / "out", "-l", "XX")
    assert "belongs to another account" in refused.stderr


def test_a_clinical_result_says_who_in_which_role_and_what_was_approved(make_case: Any, site: Path) -> None:
    case = make_case()
    finished = case.run("calc", str(case.folder), "-l", "CL", "-b", "1")
    assert finished.returncode == 0, finished.stderr
    (output,) = case.folder.glob("CL_*")
    assert re.fullmatch(r"CL_[0-9a-f]{8}_\d{8}T\d{6}", output.name)
    summary = case.summary(output)
    assert (summary["acronym"], summary["role"], summary["account"]) == ("CL", "clinical", ACCOUNT)
    assert any("No goal was given. Stop at 40 % mean uncertainty" in said for said in summary["assumptions"])
    models = {one["kind"]: one for one in summary["models"]}
    assert models["settings"]["sha256"] == content_sha256(site / "settings.toml")
    for kind in ("beam model", "CT protocol"):
        assert (models[kind]["approval"]["who"], models[kind]["not_approved"]) == ("jdoe", None)
        assert len(models[kind]["sha256"]) == 64
    for path in (output / "dicom").glob("*.dcm"):
        assert str(pydicom.dcmread(path, stop_before_pixels=True).OperatorsName) == "CL (clinical)"
    for path in (output / "mhd").glob("*.mhd"):
        header = read_mhd_header(path)
        assert (header["Operator"], header["OperatorRole"]) == ("CL", "clinical")
        assert "calculated by CL (clinical)" in header["Comment"] or "Gamma" in header["Comment"]
    report = (output / "report.html").read_text()
    assert "approved by jdoe (commissioning)" in report
    assert models["CT protocol"]["sha256"] in report
    again = case.run("calc", str(case.folder), "-l", "CL", "-b", "1")
    assert "finished already" in again.stderr
    assert list(case.folder.glob("CL_*")) == [output]


def test_research_may_all_and_the_result_says_so(tiny: Any, tmp_path: Path, site: Path) -> None:
    arguments = ("-l", "RE", "-n", "60", "-z", "generic", "-m", "Cord:G4_Ti", "-b", "1")
    finished = tiny.calc(tmp_path / "out", *arguments)
    assert finished.returncode == 0, finished.stderr
    said = " ".join(tiny.summary(tmp_path / "out")["assumptions"])
    assert "The role research may ask for it." in said
    assert "Cord:G4_Ti is of a material that the site does not list" in said
    assert "The goals promise less than those that the site takes where none is named" in said
