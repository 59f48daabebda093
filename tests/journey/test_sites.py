"""Journeys of a site: IDEAL's tree as it is, an approved model in clinical use, a QA phantom, devices on the snout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from tests.commissioning.conftest import make_ideal_tree, make_site
from tests.journey.bench import Bench

from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.plan import Block, Compensator, RangeShifterSetting

FEW = ("-n", "3000", "-j", "1")
ROOM1 = 'default_ct_protocol = "generic"\n[[machine]]\nname = "GENERIC"\nbeam_model = "room1"\n'
USERS = "".join(
    f'[[user]]\nacronym = "{acronym}"\nname = "{name}"\nrole = "{role}"\nsystem_user = "{{account}}"\n'
    for acronym, name, role in (("JD", "jane", "clinical"), ("JDC", "jane_c", "commissioning"))
)
PHANTOM = """name = "cube"
size_mm = [80.0, 80.0, 80.0]
voxel_mm = [4.0, 4.0, 4.0]
material = "G4_WATER"
"""


@pytest.fixture
def bench(
    tiny: Any,
    make_case: Callable[..., Any],
    make_beam: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    """A user whose account has no library, no cache and no registry but in a folder of this test."""
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "user" / variable))
    return Bench(
        tmp_path, tiny, make_case, make_beam, lambda library: monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(library))
    )


def calculated(bench: Bench, name: str, *arguments: object, case: Any = None) -> dict[str, Any]:
    """Calculate into a folder of that name and return the summary."""
    output = bench.folder / name
    ended = (case or bench.whole_case).calc(output, *FEW, *(str(argument) for argument in arguments))
    assert ended.returncode == 0, ended.stderr
    return dict(bench.whole_case.summary(output))


def image(bench: Bench, name: str, dose: str) -> tuple[np.ndarray, Any]:
    """A dose (z, y, x) and its geometry."""
    read = SimpleITK.ReadImage(bench.folder / name / "mhd" / f"{dose}.mhd")
    return SimpleITK.GetArrayFromImage(read), read


def range_mm(bench: Bench, name: str) -> float:
    """Where along y (from anterior, so along a beam of gantry 0) the dose has fallen to half of its peak."""
    dose, geometry = image(bench, name, "beam1_to_medium")
    profile = dose.sum(axis=(0, 2))
    peak = int(profile.argmax())
    behind = peak + int(np.argmax(profile[peak:] < 0.5 * profile[peak]))
    share = (profile[behind - 1] - 0.5 * profile[peak]) / (profile[behind - 1] - profile[behind])
    return float(geometry.GetOrigin()[1] + geometry.GetSpacing()[1] * (behind - 1 + share))


def test_ideals_tree_is_used_as_it_is_by_a_commissioning_user(bench: Bench) -> None:
    """The tree is checked, the user of the account is commissioning and chooses the machine's model with -z."""
    system = make_ideal_tree(bench.folder)
    roles = f"JD, {bench.account} = clinical\nJDC, {bench.account}_commissioning = commissioning\n"
    system.write_text(system.read_text().replace("[user roles]\n", f"[user roles]\n{roles}"))
    system.chmod(0o600)
    system.parent.chmod(0o700)
    checked = bench.whole_case.run("check", str(system))
    assert checked.returncode == 0, checked.stdout
    bench.takes(system)
    wishes = ("-z", "IR2", "-c", "Schneider Head", "-b", "Top")
    assert "may not choose a beam model (-z)" in " ".join(bench.calc(*wishes, "-l", "JD"))
    summary = calculated(bench, "result", *wishes, "-l", "JDC")
    said = " ".join([*summary["warnings"], *summary["assumptions"]])
    assert "The nozzle of IR2 is made of 2 solids" in said
    assert "was planned for machine 'GENERIC' and is calculated with the beam model 'IR2_PROTON' (-z)" in said
    assert "Not approved: Beam model" in said
    assert (summary["acronym"], summary["account"], summary["role"]) == ("JDC", bench.account, "commissioning")
    assert summary["beams"][0]["correction"]["dose_factor"] == 0.97371


def test_a_clinical_user_needs_an_approved_model(bench: Bench) -> None:
    """Refused; then approved by the commissioning role; calculated; changed; refused again."""
    site = make_site(bench.folder / "site")
    (site / "library.toml").write_text(ROOM1)
    (site / "ct" / "head.toml").unlink()
    (site / "ct" / "generic.toml").write_text((PACKAGED / "ct" / "generic.toml").read_text())
    (site / "settings.toml").write_text(USERS.format(account=bench.account))
    bench.takes(site)
    refused = bench.calc("-l", "JD")
    assert len(refused) == 2
    assert all("may not calculate with a model that is not approved" in said for said in refused)
    assert "may not approve" in " ".join(bench.refused("approve", "room1", "-l", "JD"))
    for what in (("room1",), ("generic", "--kind", "ct")):
        assert bench.whole_case.run("approve", *what, "-l", "JDC").returncode == 0
    summary = calculated(bench, "result", "-l", "JD", "-b", "Top")
    assert (summary["acronym"], summary["role"]) == ("JD", "clinical")
    approved = {used["kind"]: used["approval"]["who"] for used in summary["models"] if used["approval"]}
    assert approved == {"beam model": "jane_c", "CT protocol": "jane_c"}
    model = site / "beam_models" / "room1.toml"
    model.write_text(model.read_text().replace("plane_mm = 500.0", "plane_mm = 501.0"))
    assert "room1.toml has changed since it was approved by jane_c" in " ".join(bench.calc("-l", "JD"))


def test_a_plan_is_measured_in_a_phantom_that_is_shifted(bench: Bench) -> None:
    """Patient-specific QA: the plan's spots in a cube of water; 12 mm further from the source, so does the range."""
    (bench.folder / "cube.toml").write_text(PHANTOM)
    wishes = ("-p", bench.folder / "cube.toml", "-b", "Top")
    calculated(bench, "still", *wishes)
    summary = calculated(bench, "moved", *wishes, "--phantom-shift", 0, 12, 0)
    assert range_mm(bench, "moved") - range_mm(bench, "still") == pytest.approx(12.0, abs=0.5)
    assert any("shift" in said and "12" in said for said in [*summary["warnings"], *summary["assumptions"]])


def test_aperture_range_shifter_and_compensator_of_a_plan(bench: Bench) -> None:
    """A brass aperture open on one side only, 20 mm of polycarbonate, and 10 mm of PMMA: dose there only, and a shorter
    range."""
    outline = np.array([[2.0, -40.0], [40.0, -40.0], [40.0, 40.0], [2.0, 40.0]])
    aperture = Block("A1", 1, "APERTURE", "BRASS", 65.0, 150.0, "PATIENT_SIDE", False, outline)
    shifter = RangeShifterSetting("RS_2CM", 1, "BINARY", 260.0)
    thick = np.full((4, 4), 10.0)
    even = Compensator("RC", 1, "PMMA", 70.0, "SOURCE_SIDE", False, thick, (25.0, 25.0), (-37.5, 37.5))
    one = bench.make_beam(1, "Top")
    fitted = replace(one, blocks=(aperture,), range_shifters=(shifter,), compensators=(even,))
    calculated(bench, "open", case=bench.make_case(beams=(one,)))
    case = bench.make_case(beams=(fitted,))
    calculated(bench, "fitted", case=case)
    # 20 mm of polycarbonate of 1.2 g/cm3 are 23.0 mm of water: relative stopping power 1.148 by Bethe's formula with
    # I = 73.1 eV (ICRU Report 37); 10 mm of PMMA of 1.19 g/cm3, I = 74 eV, are 11.6 mm.
    assert range_mm(bench, "open") - range_mm(bench, "fitted") == pytest.approx(34.6, abs=1.0)
    dose, geometry = image(bench, "fitted", "beam1_to_medium")
    x = geometry.GetOrigin()[0] + geometry.GetSpacing()[0] * np.arange(dose.shape[2])
    across = dose.sum(axis=(0, 1))
    assert across[x < -4].sum() < 0.05 * across[x > 4].sum()
    linted = bench.whole_case.run("lint", str(case.folder)).stdout
    assert "found: range shifter 'RS_2CM': 20.00 mm G4_POLYCARBONATE (1.2 g/cm3), 260.0 mm from the isocentre" in linted
    assert "found: aperture 'A1': 65.00 mm G4_BRASS (8.52 g/cm3), 85.0 mm from the isocentre" in linted
    assert "found: compensator 'RC': 10.00 mm G4_PLEXIGLASS (1.19 g/cm3), 70.0 mm from the isocentre" in linted
