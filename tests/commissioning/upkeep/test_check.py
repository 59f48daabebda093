"""A whole library looked at: what is found, every problem at once, planned mistakes each with its message."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.upkeep.approvable import find
from dosewright.commissioning.upkeep.approval import approve
from dosewright.commissioning.upkeep.check import LibraryCheck, check_library
from dosewright.core.errors import InputError

Changed = Callable[[str, str, str], None]
LINE = "commissioning/beamlines/IR2/"
TR2 = '[[machine]]\nname = "TR2"\nbeam_model = "rom1"\n'


def lines(found: LibraryCheck) -> list[str]:
    return [one.line for one in found.problems]


def test_a_tree_of_ideal_is_listed(ideal: Path) -> None:
    found = check_library(ideal)
    assert found.problems == []
    assert found.form == "a tree of IDEAL"
    assert found.found == {
        "beam models": [
            "IR2_ION_6_12_6 (The horizontal beam line of room 2.)",
            "IR2_PROTON (The horizontal beam line of room 2.)",
            "MyToy_PROTON",
        ],
        "machines": ["IR2 (ION_6_12_6)", "IR2 (PROTON)", "MyToy (PROTON)"],
        "CT protocols": ["Schneider Head", "artificial"],
        "phantoms": ["water_box"],
        "materials of its own": ["PMMA"],
        "users": ["OKE (clinical)", "OKE_C (commissioning)"],
    }
    notes = "\n".join(found.notes)
    for said in ("'tmpdir jobs' has no effect", "number of cores", "chamber.mac, line 15", "ct-parameters.mac"):
        assert said in notes, said
    assert "No problem was found." in found.text()


def test_a_site_is_listed(site: Path) -> None:
    found = check_library(site)
    assert lines(found) == []
    assert found.found["machines"] == ["TR1 (PROTON)", "GENERIC (PROTON)"]
    assert check_library(site / "library.toml").found == found.found


def test_the_packaged_library_and_real_examples_are_sound(shared_data: Path) -> None:
    assert lines(check_library()) == []
    assert lines(check_library(shared_data / "beam-models" / "ideal-template")) == []


# Every mistake: file, what stands there, what is made of it, and what the check says.
MISTAKES = {
    "a wrong unit": (
        "cfg/system.cfg",
        "Air box margin [mm]",
        "Air box margin [cm]",
        r"A label has another unit\. Given: 'Air box margin \[cm\]'\. Allowed: air box margin \[mm\]\..*cfg, line 20",
    ),
    "a typo in a label": (
        "cfg/system.cfg",
        "RBE factor protons",
        "RBE factor protns",
        r"Did you mean .*rbe factor protons",
    ),
    "a density given twice": (
        "cfg/system.cfg",
        "PMMA = 1.195",
        "PMMA = 1.19",
        r"density of 'PMMA' is given twice.*1\.195",
    ),
    "a material of another case": (
        "cfg/system.cfg",
        "G4_WATER = 1.0",
        "G4_Water = 1.0",
        r"Unknown material\. Did you mean 'G4_WATER'\?.*system\.cfg, line 32",
    ),
    "a machine of a correction": (
        "cfg/system.cfg",
        "IR2 proton",
        "IR22 proton",
        r"a machine that the library does not have\. Did you mean 'IR2'\? Given: IR22 PROTON",
    ),
    "a role": ("cfg/system.cfg", "obiwan = clinical", "obiwan = clinicl", r"Did you mean 'clinical'"),
    "a database that is not there": (
        "cfg/system.cfg",
        "Clinic.db",
        "Clinics.db",
        r"The database of materials is missing\. Given: Clinics\.db\. Allowed: Clinic\.db",
    ),
    "a goal out of order": ("cfg/system.cfg", "0.1 1. 99.", "0.1 100. 99.", r"x pct unc in target"),
    "a word instead of a number": (
        f"{LINE}IR2_PROTON_source_properties.txt",
        "6700",
        "67OO",
        r"^beamlines/IR2/IR2_PROTON_source_properties\.txt: Expected the SMX.*line 3",
    ),
    "a coefficient too few": (
        f"{LINE}IR2_PROTON_source_properties.txt",
        "1\n1.0\n0.5\n",
        "2\n1.0\n0.5\n",
        r"^beamlines/IR2/IR2_PROTON_source",
    ),
    "a tune of an impossible beam": (
        f"{LINE}IR2_PROTON_3.0_source_properties.txt",
        "0.02",
        "2.0",
        r"describe no possible beam.*IR2_PROTON_3\.0",
    ),
    "a command that shapes the beam": (
        f"{LINE}IR2_beamline_details.mac",
        "/control/execute ./data/chamber.mac",
        "/gate/source/addSource x",
        r"A command that shapes the beam.*line 5",
    ),
    "a macro outside the library": (
        f"{LINE}IR2_beamline_details.mac",
        "./data/chamber.mac",
        "../../../chamber.mac",
        r"A macro outside the library cannot be executed",
    ),
    "an alias that is not there": (
        "commissioning/beamlines/common/chamber.mac",
        "300 mm",
        "{width} mm",
        r"Unknown alias.*chamber\.mac, line 4",
    ),
    "a file of a machine in common": (
        "commissioning/beamlines/common/IR2_old.mac",
        "",
        "#\n",
        r"The folder common holds files of machine IR2\. Given: IR2_old\.mac",
    ),
    "a source file of another machine": (
        f"{LINE}IR3_PROTON_source_properties.txt",
        "",
        "1\n",
        r"does not fit its beam line\. Given: IR3_PROTON_source_properties\.txt",
    ),
    "a missing density table": (
        "commissioning/CT/hlut.conf",
        "curve.txt",
        "curves.txt",
        r"^CT/hlut\.conf: The density table is missing\. Did you mean 'curve\.txt'\? Given: curves\.txt",
    ),
    "a wrong column count": (
        "commissioning/CT/composition/tissues.txt",
        "45.0 2.5",
        "45.0",
        r"5 mass percents.*line 7",
    ),
    "intervals with a gap": (
        "commissioning/CT/hlut.conf",
        "-500,3000",
        "-400,3000",
        r"a gap between -1024,-500 and -400,3000\. Where: hlut\.conf, line 9",
    ),
    "a keyword DICOM does not have": (
        "commissioning/CT/hlut.conf",
        "KVP",
        "KPV",
        r"Unknown label of a CT protocol\. Did you mean 'KVP'\? Given: 'KPV'.*hlut\.conf, line 5",
    ),
    "two protocols for the same CT": (
        "commissioning/CT/hlut.conf",
        '"QA"',
        '"Head"\nKVP = 120',
        r"Two CT protocols claim the same CTs\. Given: Schneider Head, artificial",
    ),
    "half a phantom": (
        "commissioning/phantoms/lung.cfg",
        "",
        "[dose grid]\n",
        r"A phantom needs its geometry.*no lung\.mac",
    ),
    "a phantom's size given twice": (
        "commissioning/phantoms/water_box.mac",
        "ZLength 100",
        "ZLength 120",
        r"^phantoms/water_box\.cfg: The z size of the phantom is given twice.*100 mm.*120 mm",
    ),
    "an element of the database": (
        "commissioning/material/Clinic.db",
        "name=Carbon",
        "name=Carbn",
        r"Clinic\.db, line",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planned_mistake_of_an_ideal_tree_is_named(ideal: Path, change: Changed, mistake: str) -> None:
    file, old, new, said = MISTAKES[mistake]
    change(file, old, new)
    found = check_library(ideal)
    assert any(re.search(said, line, re.DOTALL) for line in lines(found)), lines(found)


SITE_MISTAKES = {
    "a key": (
        "site/settings.toml",
        "air_margin_mm",
        "air_margin_cm",
        r"Unknown key.*Did you mean 'air_margin_mm'.*line 2",
    ),
    "a machine without a model": (
        "site/library.toml",
        'beam_model = "room1"',
        'beam_model = "rom1"',
        r"does not hold\. Did you mean 'room1'\? Given: rom1\. Allowed: room1",
    ),
    "a keyword that DICOM does not have": (
        "site/ct/head.toml",
        "[density]",
        '[match]\nKPV = "120"\n[density]',
        r"Unknown DICOM keyword\. Did you mean 'KVP'\? Given: KPV\. Where: CT protocol 'generic'",
    ),
    "a default that is not there": (
        "site/library.toml",
        'name = "our clinic"',
        'default_ct_protocol = "genric"',
        r"The default CT protocol is not in the library\. Did you mean 'generic'",
    ),
    "a machine twice": (
        "site/library.toml",
        "[[machine]]",
        '[[machine]]\nname = "tr1"\nbeam_model = "room1"\n[[machine]]',
        r"more than one beam model for a radiation type\. Given: tr1 \(proton\)",
    ),
    "an element": ("site/materials.toml", "Oxygen", "Oxigen", r"Oxigen"),
    "an override material": (
        "site/settings.toml",
        "[calculation]",
        'override_materials = ["G4_Water"]\n[calculation]',
        r"Did you mean 'G4_WATER'\?.*Where: settings\.toml, override materials",
    ),
    "a column": (
        "site/beam_models/room1.toml",
        "sigma_MeV = [0.7, ",
        "sigma_MeV = [",
        r"^beam_models/room1\.toml: .*sigma_MeV",
    ),
    "voxels that do not fill": (
        "site/phantoms/water_box.toml",
        "voxel_mm = [2.0",
        "voxel_mm = [3.0",
        r"must fill its size",
    ),
    "an insert smaller than a voxel": (
        "site/phantoms/water_box.toml",
        'material = "G4_WATER"',
        'material = "G4_WATER"\n[[cylinder]]\nmaterial = "G4_Ti"\n'
        "center_mm = [200.0, 200.0, 200.0]\nradius_mm = 0.5\nlength_mm = 40.0\n",
        r"holds no centre of a voxel",
    ),
}


@pytest.mark.parametrize("mistake", SITE_MISTAKES)
def test_a_planned_mistake_of_a_site_is_named(site: Path, change: Changed, mistake: str) -> None:
    file, old, new, said = SITE_MISTAKES[mistake]
    change(file, old, new)
    found = lines(check_library(site))
    assert any(re.search(said, line, re.DOTALL) for line in found), found


def test_all_mistakes_are_told_at_once(ideal: Path, change: Changed) -> None:
    chosen = ["a machine of a correction", "a word instead of a number", "a wrong column count", "half a phantom",
              "a density given twice", "an alias that is not there"]  # fmt: skip
    for mistake in chosen:
        file, old, new, _ = MISTAKES[mistake]
        change(file, old, new)
    found = check_library(ideal)
    for mistake in chosen:
        assert any(re.search(MISTAKES[mistake][3], line, re.DOTALL) for line in lines(found)), mistake
    assert len(lines(found)) == len(set(lines(found)))
    assert f"There are {len(found.problems)} problems:" in found.text()


def test_a_broken_configuration_hides_nothing_else(site: Path, change: Changed) -> None:
    change("site/settings.toml", "[calculation]", "[calculaton]")
    change("site/materials.toml", "1.5", "-1.5")
    change("site/beam_models/room1.toml", "plane_mm = 500.0", "plane_mm = -1.0")
    (site / "ct" / "bad.toml").write_text("name = 1\n")
    said = "\n".join(lines(check_library(site)))
    for part in ("calculaton", "density_g_cm3", "beam_models/room1.toml", "ct/bad.toml"):
        assert part in said, part


def test_settings_that_others_may_write_are_told(site: Path) -> None:
    (site / "settings.toml").chmod(0o664)
    said = lines(check_library(site))
    assert any(line.startswith("settings.toml: The settings can be changed by others than the owner. Given: -rw-rw-r--")
               for line in said), said  # fmt: skip
    (site / "settings.toml").chmod(0o644)
    site.chmod(0o777)
    assert "The folder of the settings can be changed" in "\n".join(lines(check_library(site)))


def test_models_changed_since_their_approval_are_told(site: Path, ideal: Path, change: Changed) -> None:
    for place, name, file, old, new in (
        (site, "room1", "site/beam_models/room1.toml", "plane_mm = 500.0", "plane_mm = 501.0"),
        (ideal, "IR2_PROTON", "commissioning/beamlines/common/chamber.mac", "0.2 mm", "0.3 mm"),
    ):
        one = find(Library.open(place), name, "beam")
        assert f" {name}," in "\n".join(check_library(place).notes)
        approve(one.file, "A. Physicist", models=one.models)
        found = check_library(place)
        assert lines(found) == []
        assert f" {name}," not in "\n".join(found.notes)
        change(file, old, new)
        said = lines(check_library(place))
        assert any(f"{one.file.name} has changed since it was approved by A. Physicist" in line for line in said), said


def test_two_models_of_one_machine_are_told_unless_the_library_decides(site: Path) -> None:
    shutil.copy(site / "beam_models" / "room1.toml", site / "beam_models" / "room2.toml")
    assert "Several beam models claim machine GENERIC. Given: room1, room2" in "\n".join(lines(check_library(site)))
    with (site / "library.toml").open("a") as file:
        file.write('[[machine]]\nname = "GENERIC"\nbeam_model = "room2"\n')
    assert lines(check_library(site)) == []


def test_what_is_not_read_is_noted(site: Path) -> None:
    (site / "beam_models" / "old.xls").write_text("x")
    (site / "beam_models" / "README").write_text("x")
    (site / "beam_models" / "room1.report.html").write_text("x")
    notes = [note for note in check_library(site).notes if "Not approved" not in note]
    assert notes == ["beam_models/old.xls is of no kind that is read there (.toml, .csv, .txt)."]


def test_settings_without_effect_are_noted(site: Path, ideal: Path) -> None:
    (site / "settings.toml").write_text('[folders]\nlogging = "/var/log/doses"\n')
    notes = "\n".join(check_library(site).notes)
    assert "folders.logging = '/var/log/doses' has no effect yet: the folder of each result holds its log." in notes
    assert "folders.input" not in notes
    assert "folders.input = '/clinic/in' has no effect yet: there is no file browser." in check_library(ideal).notes


def test_it_is_json(ideal: Path, change: Changed) -> None:
    change("cfg/system.cfg", "PMMA = 1.195", "PMMA = 1.19")
    told = json.loads(json.dumps(check_library(ideal).as_json()))
    assert set(told) == {"library", "form", "found", "problems", "notes"}
    assert {"file", "text"} == set(told["problems"][0])


def test_a_place_without_a_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="The library does not exist"):
        check_library(tmp_path / "none")
    assert "The folder holds no library" in "\n".join(lines(check_library(tmp_path)))


FUZZED = [
    "cfg/system.cfg",
    f"{LINE}IR2_PROTON_source_properties.txt",
    f"{LINE}IR2_beamline_details.mac",
    f"{LINE}IR2_description.txt",
    "commissioning/beamlines/common/chamber.mac",
    "commissioning/CT/hlut.conf",
    "commissioning/CT/density/curve.txt",
    "commissioning/CT/composition/tissues.txt",
    "commissioning/phantoms/water_box.cfg",
    "commissioning/phantoms/water_box.mac",
    "commissioning/material/Clinic.db",
    "commissioning/material/ct-parameters.mac",
    "site/library.toml",
    "site/settings.toml",
    "site/materials.toml",
    "site/beam_models/room1.toml",
    "site/ct/head.toml",
    "site/phantoms/water_box.toml",
]


@pytest.mark.parametrize("file", FUZZED)
def test_garbage_in_any_file_is_told_and_nothing_else(site: Path, ideal: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    whole = path.read_bytes()

    @settings(max_examples=12, deadline=None)
    @given(st.binary(max_size=30), st.floats(0, 1), st.integers(0, 60), st.booleans())
    def damaged(noise: bytes, where: float, cut: int, whole_file: bool) -> None:
        start = int(where * len(whole))
        path.write_bytes(noise if whole_file else whole[:start] + noise + whole[start + cut :])
        try:
            check_library(site if file.startswith("site") else ideal)
        except InputError:
            return

    damaged()
