"""IDEAL's cut parameters: values by region, what is said and what is named as of no effect."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.ideal.cut_parameters import read_cut_parameters

CT = """# cuts of our own making
/gate/physics/Gamma/SetCutInRegion      world 1 m
/gate/physics/Electron/SetCutInRegion   world 1 m
/gate/physics/Electron/SetCutInRegion   patient 0.5 mm
/gate/physics/Gamma/SetCutInRegion      patient 0.4 mm
/gate/physics/Positron/SetCutInRegion   patient 300 um
/gate/physics/SetMinRemainingRangeInRegion patient 0.6 mm
/gate/physics/ActivateSpecialCuts e-
/gate/physics/ActivateSpecialCuts e+
/gate/physics/SetMaxStepSizeInRegion patient 0.7 mm
/gate/physics/ActivateStepLimiter proton
/gate/physics/ActivateStepLimiter alpha
"""


def write(folder: Path, text: str = CT) -> Path:
    path = folder / "ct-parameters.mac"
    path.write_text(text)
    return path


def test_values_by_region(tmp_path: Path) -> None:
    cuts = read_cut_parameters(write(tmp_path))
    patient, world = cuts.regions["patient"], cuts.regions["world"]
    assert (patient.electron_cut_mm, patient.gamma_cut_mm, patient.positron_cut_mm) == (0.5, 0.4, 0.3)
    assert (patient.least_range_mm, patient.most_step_mm) == (0.6, 0.7)
    assert (world.electron_cut_mm, world.most_step_mm) == (1000.0, None)
    assert cuts.step_limited == ("proton", "alpha")
    assert cuts.proton_step_mm == 0.7
    # 0.5 mm of water lies between the ranges of 0.2 MeV (0.449 mm) and 0.5 MeV (1.766 mm)
    assert any("electron cut of 0.5 mm in patient" in said and "electron of 215 keV" in said for said in cuts.said)
    assert any("steps of protons in patient are to be at most 0.7 mm" in said for said in cuts.said)
    assert any("line 8, 9: /gate/physics/ActivateSpecialCuts" in said for said in cuts.ignored)
    assert any("region world" in said for said in cuts.ignored)


def test_a_step_counts_only_where_protons_are_limited(tmp_path: Path) -> None:
    cuts = read_cut_parameters(
        write(tmp_path, CT.replace("ActivateStepLimiter proton", "ActivateStepLimiter GenericIon"))
    )
    assert cuts.proton_step_mm is None


def test_the_region_of_a_phantom(tmp_path: Path) -> None:
    text = "/gate/physics/Electron/SetCutInRegion {phantom_name} 100 mm\n"
    text += "/gate/geometry/setIonisationPotential G4_WATER 75 eV\n"
    cuts = read_cut_parameters(write(tmp_path, text), {"phantom_name": "box"})
    assert cuts.regions["box"].electron_cut_mm == 100.0
    assert any("more than 1e+04 keV" in said for said in cuts.said)
    assert any("G4_WATER 75 eV has no effect" in said and "mean excitation" in said for said in cuts.ignored)
    assert list(read_cut_parameters(write(tmp_path, text)).regions) == ["phantom"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("patient 0.5 mm", "patient 0.5", r"a region, a number and a unit.*line 4"),
        ("patient 0.5 mm", "patient 0.5 inch", r"a number and a unit.*line 4"),
        ("patient 0.5 mm", "patient 0 mm", r"must be positive.*line 4"),
        ("patient 0.5 mm", "{region} 0.5 mm", r"Unknown alias.*line 4"),
        ("/gate/physics/Electron/", "/gate/physics/Electrons/", r"Did you mean 'Electron'.*line 3"),
        ("/gate/physics/SetMaxStep", "/gate/source/SetMaxStep", r"not known among cut parameters.*line 10"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CT
    with pytest.raises(InputError, match=message):
        read_cut_parameters(write(tmp_path, CT.replace(old, new, 1)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(CT)), st.integers(0, 60))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.mac"
    good = CT.encode()
    for data in (noise, good[:start] + noise[:12] + good[start + cut :]):
        path.write_bytes(data)
        try:
            read_cut_parameters(path)
        except InputError:
            continue
