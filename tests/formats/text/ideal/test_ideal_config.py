"""IDEAL's system.cfg: every label of the manual, units in labels, both gamma labels, mistakes with their line."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.ideal.ideal_config import read_system_cfg, wrong_override_densities

CFG = """# a site of our own making
[directories]
input dicom = /clinic/in
tmpdir jobs = /clinic/work
first output dicom = /clinic/out
second output dicom =
logging = /clinic/logs
commissioning = tree

[mc stats]
n minutes per job   =    5        20      10080    5
N ions per beam     =  100   2000000 1000000000  100   default
x pct unc in target =    0.2       1.5        99.   0.3
n top voxels for mean dose max = 90
dose threshold as fraction in percent of mean dose max = 45.

[Simulation]
gate shell environment = /opt/gate.sh
number of cores = 56
proton physics list = QGSP_BIC_HP_EMZ
ion physics list = Shielding_EMZ
rbe factor protons = 1.12
Air Box  Margin [mm] = 11
remove dose outside external = TRUE
gamma index parameters dta_mm dd_percent thr_gray def = 3. 2. 0.2 -1.
stop on script actor time interval [s] = 300
htcondor next job start delay [s] = 1
minimum dose grid resolution [mm] = 0.7
run gamma analysis = yes
write mhd unscaled dose = 1
write mhd scaled dose = off
write mhd physical dose = yes
write dicom physical dose = no
write mhd rbe dose = on
write dicom rbe dose = false
write mhd plan dose = true
write dicom plan dose = 0

[(tmp) correction factors]
default = 0.99
RoomA proton = 0.97371
Room B ION_6_12_6 = 1.03

[msw scaling]
default = 0.0 1.0
RoomC proton = 1e-4 0.98

[condor memory]
condor memory request minimum [MB] =  7000
condor memory request default [MB] =  8000
condor memory request maximum [MB] = 50000
condor memory fit proton ct = offset 1200 dosegrid 2.5e-05 ct 1.8e-06
condor memory fit proton phantom = offset 500.0 dosegrid 2.0e-05 nspots 0.0060
condor memory fit carbon ct = offset 1800 dosegrid 5e-05
condor memory fit carbon phantom =  offset 1000.0 dosegrid 8.0e-06

[materials]
materials database = Site.db
hu density tolerance [g/cm3] = 0.02
G4_WATER = 1.0
PMMA = 1.195

[user roles]
OKE, obiwan = clinical
OKE_A, obiwan_admin, obi = Admin
YOD = research
"""


def write(folder: Path, text: str = CFG) -> Path:
    path = folder / "system.cfg"
    path.write_text(text)
    return path


def test_every_label_of_the_manual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    config = read_system_cfg(write(tmp_path))
    site = config.settings
    assert (config.commissioning, config.materials_database) == (tmp_path / "tree", "Site.db")
    assert config.override_densities == {"G4_WATER": 1.0, "PMMA": 1.195}
    folders = site.folders
    assert (folders.input, folders.output, folders.second_output) == ("/clinic/in", "/clinic/out", "")
    assert folders.logging == "/clinic/logs"
    minutes, primaries, percent = site.goals.minutes, site.goals.primaries, site.goals.uncertainty_percent
    assert (minutes.min, minutes.default, minutes.max, minutes.step, minutes.on) == (5, 20, 10080, 5, False)
    assert (primaries.min, primaries.default, primaries.max, primaries.step) == (100, 2e6, 1e9, 100)
    assert (percent.min, percent.default, percent.max, percent.step) == (0.2, 1.5, 99, 0.3)
    assert (primaries.on, percent.on) == (True, False)
    assert (site.goals.top_voxels, site.goals.dose_threshold_percent) == (90, 45.0)
    calculation = site.calculation
    assert (calculation.threads, calculation.rbe_factor_protons, calculation.air_margin_mm) == (56, 1.12, 11.0)
    assert (calculation.remove_dose_outside_external, calculation.least_dose_voxel_mm) == (True, 0.7)
    assert (calculation.hu_density_tolerance_g_cm3, calculation.dose_to) == (0.02, "water")
    (gamma,) = calculation.gamma
    assert (gamma.distance_mm, gamma.dose_percent, gamma.threshold_Gy, gamma.threshold_percent) == (3, 2, 0.2, None)
    assert (gamma.outside_value, gamma.local) == (-1.0, False)
    on = {name for name, value in site.output if value}
    assert on == {"gamma", "mhd_unscaled", "mhd_physical", "mhd_rbe", "mhd_plan", "user_log"}
    assert site.memory.most_MB == 50000
    assert site.override_materials == ["G4_WATER", "PMMA"]
    users = [(one.acronym, one.name, one.role, one.system_user) for one in site.user]
    assert users[:2] == [("OKE", "obiwan", "clinical", ""), ("OKE_A", "obiwan_admin", "admin", "obi")]
    assert users[2] == ("YOD", "YOD", "research", "")


def test_cores_of_a_cluster_are_not_more_than_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    config = read_system_cfg(write(tmp_path))
    assert config.settings.calculation.threads == 0  # all of them
    assert any("'number of cores = 56'" in note and "has fewer" in note for note in config.notes)
    assert read_system_cfg(write(tmp_path, CFG.replace("= 56", "= 5"))).settings.calculation.threads == 5


def test_factors_and_polynomials_of_machines(tmp_path: Path) -> None:
    site = read_system_cfg(write(tmp_path)).settings
    assert (site.default_dose_factor, site.default_weight_polynomial) == (0.99, [0.0, 1.0])
    a, b, c = (
        site.correction_for("rooma", "PROTON"),
        site.correction_for("Room B", "ION_6_12_6"),
        site.correction_for("RoomC", "proton"),
    )
    assert (a.dose_factor, a.weight_polynomial) == (0.97371, [0.0, 1.0])
    assert b.dose_factor == 1.03
    assert (c.dose_factor, c.weight_polynomial) == (0.99, [1e-4, 0.98])  # p(E) = 0.0001 E + 0.98
    assert site.correction_for("elsewhere", "PROTON").dose_factor == 0.99


def test_what_has_no_effect_is_said(tmp_path: Path) -> None:
    notes = "\n".join(read_system_cfg(write(tmp_path)).notes)
    for label in ("tmpdir jobs", "gate shell environment", "proton physics list", "ion physics list", "number of cores",
                  "stop on script actor", "htcondor next job", "request minimum", "fit carbon phantom"):  # fmt: skip
        assert label in notes
    assert "line 25: the gamma threshold was read in Gy (thr_gray): 0.2" in notes
    assert "IDEAL's defaults" not in notes


def test_a_threshold_in_percent(tmp_path: Path) -> None:
    text = CFG.replace("thr_gray def = 3. 2. 0.2 -1.", "thr_percent def = 3. 2. 5. 0.")
    config = read_system_cfg(write(tmp_path, text))
    (gamma,) = config.settings.calculation.gamma
    assert (gamma.threshold_percent, gamma.threshold_Gy, gamma.outside_value) == (5.0, None, 0.0)
    assert any("percent of the maximum (thr_percent): 5" in note for note in config.notes)


def test_no_gamma_without_parameters(tmp_path: Path) -> None:
    config = read_system_cfg(write(tmp_path, CFG.replace("def = 3. 2. 0.2 -1.", "def =")))
    assert config.settings.calculation.gamma == []
    assert any("no gamma analysis" in note for note in config.notes)


def test_defaults_are_those_of_ideal_and_are_said(tmp_path: Path) -> None:
    config = read_system_cfg(write(tmp_path, "[directories]\ncommissioning = /data/tree\n"))
    site = config.settings
    assert config.commissioning == Path("/data/tree")
    assert (config.materials_database, site.calculation.hu_density_tolerance_g_cm3) == ("GateMaterials.db", 0.01)
    assert {name for name, value in site.output if value} == {"dicom_physical", "user_log"}
    assert site.goals.primaries.on
    assert any("write mhd plan dose" in note and "IDEAL's defaults" in note for note in config.notes)


def test_a_scaling_far_from_one_is_said_and_one_below_zero_refused(tmp_path: Path) -> None:
    config = read_system_cfg(write(tmp_path, CFG.replace("= 1e-4 0.98", "= 1.0 0.0")))
    assert any("from 60 to 250" in note and "highest power first" in note for note in config.notes)
    with pytest.raises(InputError, match=r"'RoomC proton'.*-1 0.5.*highest power first.*line 46"):
        read_system_cfg(write(tmp_path, CFG.replace("= 1e-4 0.98", "= -1 0.5")))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("write mhd plan dose", "write mhd plan does", r"Did you mean 'write mhd plan dose'\?.*line 36"),
        ("Air Box  Margin [mm]", "air box margin [cm]", r"another unit.*\[cm\].*air box margin \[mm\].*line 23"),
        ("Air Box  Margin [mm]", "air box margin", r"lacks its unit.*air box margin \[mm\].*line 23"),
        ("= 0.7", "= 0,7", r"minimum dose grid resolution.*'0,7'.*number from 0.001 to 100.*line 28"),
        ("= TRUE", "= treu", r"remove dose outside external.*Did you mean 'true'.*line 24"),
        ("= 3. 2. 0.2 -1.", "= 3. 2. 0.2", r"gamma index.*3 values.*4 numbers.*line 25"),
        ("= 3. 2. 0.2 -1.", "= 0 2. 0.2 -1", r"dta_mm and dd_percent above 0.*line 25"),
        ("run gamma", "gamma index parameters dta_mm dd_percent thr_percent def = 3 3 5 -1\nrun gamma",
         r"other label in system.cfg, line 25.*line 29"),
        ("100   default", "100   defualt", r"N ions per beam.*Did you mean 'default'.*line 12"),
        ("100   default", "100", r"No goal is on.*line 10"),
        ("5        20      10080", "5        3      10080", r"min 5, default 3, max 10080.*line 11"),
        ("5        20      10080    5", "5  20  10080", r"n minutes per job.*min default max step"),
        ("[Simulation]", "[Simulaton]", r"Did you mean 'simulation'.*line 17"),
        ("commissioning = tree", "commissioning =", r"commissioning folder is missing.*line 8"),
        ("RoomA proton", "RoomA protn", r"Did you mean 'PROTON'.*ION_Z_A_Q.*line 41"),
        ("Room B ION_6_12_6", "RoomB carbon", r"Did you mean 'ION_6_12_6'.*line 42"),
        ("Room B ION_6_12_6", "RoomA  PROTON", r"stands twice.*line 41.*line 42"),
        ("= 0.97371", "= 0", r"RoomA proton.*line 41"),
        ("ct 1.8e-06", "cts 1.8e-06", r"fit proton ct.*Did you mean 'ct'.*line 52"),
        ("= Site.db", "= ../Site.db", r"name of a file in the folder material.*line 58"),
        ("PMMA = 1.195", "PMMA = heavy", r"'PMMA'.*'heavy'.*line 61"),
        ("= Admin", "= boss", r"OKE_A.*clinical, commissioning, admin, research.*line 65"),
        ("YOD = ", "Oke = ", r"'Oke', which stands in system.cfg, line 64 too.*line 66"),
        ("YOD = ", "YOD, obiwan = ", r"'obiwan', which stands in system.cfg, line 64 too.*line 66"),
        ("[materials]", "[materials", r"closing bracket.*line 57"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CFG
    with pytest.raises(InputError, match=message):
        read_system_cfg(write(tmp_path, CFG.replace(old, new, 1)))


def test_all_mistakes_come_together(tmp_path: Path) -> None:
    text = CFG.replace("TRUE", "perhaps").replace("= 1.12", "= many").replace("= research", "= guest")
    with pytest.raises(InputError) as refused:
        read_system_cfg(write(tmp_path, text))
    assert len(refused.value.problems) == 3


def test_densities_of_overrides_agree_with_the_materials(tmp_path: Path) -> None:
    known = {"G4_WATER": 1.0, "PMMA": 1.19}

    def named(name: str) -> Material:
        if name not in known:
            raise refuse("Unknown material", given=name)
        return Material(name, known[name], {1: 1.0})

    config = read_system_cfg(write(tmp_path, CFG.replace("= 1.195", "= 1.195\nLead = 11")))
    first, second = wrong_override_densities(config, named)
    assert "'PMMA' is given twice" in first
    assert "1.195 g/cm3; the material's own: 1.19 g/cm3" in first
    assert "system.cfg, line 61" in first
    assert "Lead" in second
    assert "line 62" in second
    known |= {"PMMA": 1.1945, "Lead": 11.0}
    assert wrong_override_densities(config, named) == []


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, len(CFG)), st.integers(0, 60))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "system.cfg"
    good = CFG.encode()
    for data in (noise, b"[materials]\n" + noise, good[:start] + noise[:12] + good[start + cut :]):
        path.write_bytes(data)
        try:
            read_system_cfg(path)
        except InputError:
            continue
