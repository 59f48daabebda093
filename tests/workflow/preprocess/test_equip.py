"""A beam gets its machine: what the model and the plan put into it, spot tunes, and where it starts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics
from dosewright.core.errors import InputError
from dosewright.core.plan import Block, EnergyLayer, IonBeam, RangeModulatorSetting
from dosewright.core.solids import Box, Device, Solid, Tube
from dosewright.formats.text.beam_toml import write_beam_toml
from dosewright.geometry.beam.beam_devices import device_text
from dosewright.materials.library import named
from dosewright.workflow.goals import Goals
from dosewright.workflow.preprocess.equip import equip_one
from dosewright.workflow.request import Wishes

WISHES = Wishes(Path("plan.dcm"), Goals(histories=1000))
OPTICS = (Optics(1.0, np.diag([16.0, 4e-6]), np.diag([16.0, 4e-6])),)
MODEL = BeamModel(
    "G1", "G1", "PROTON", 450.0, (2000.0, 2300.0), (70.0, 230.0),
    lambda e: BeamAtEnergy(e, 1.0, OPTICS, 1e7),
    nozzle=Device("Nozzle", "nozzle", (Solid("ring", Tube(90.0, 20.0, 70.0), named("G4_Al"), 2.7, (0, 0, 480.0)),)),
    devices={"RM": Device("RM", "range_modulator", (Solid("p", Box((90.0, 90.0, 3.0)), named("PMMA"), 1.19),), True)},
)  # fmt: skip
OUTLINE = np.array([[-20.0, -20.0], [20.0, -20.0], [20.0, 20.0], [-20.0, 20.0]])
BEAM = IonBeam(
    1, "b", "G1", "PROTON", "MU", 1.0, 1.0, 90.0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0),
    (EnergyLayer(0, 120.0, np.zeros(1), np.zeros(1), np.ones(1), "4.0"),),
    snout_position_mm=210.0, virtual_source_mm=(2000.0, 2300.0),
    blocks=(Block("apt", 1, "APERTURE", "house brass", 65.0, 110.0, "SOURCE_SIDE", False, OUTLINE),),
    range_modulators=(RangeModulatorSetting("RM", 1, "FIXED", 208.5),),
)  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A site's library with one machine and a material of its own."""
    (tmp_path / "beam_models").mkdir()
    tuned = replace(MODEL, name="t", at=lambda e: BeamAtEnergy(e, 1.0, OPTICS, 3e7))
    write_beam_toml(tmp_path / "beam_models" / "g1.toml", replace(MODEL, tunes={"4.0": tuned}), [70.0, 230.0])
    (tmp_path / "library.toml").write_text('name = "site"\n')
    (tmp_path / "materials.toml").write_text(
        '[[material]]\nname = "house brass"\ndensity_g_cm3 = 8.3\nmass_fractions = {Cu = 0.6, Zn = 0.4}\n'
    )
    return Library.open(tmp_path)


def test_everything_that_stands_in_a_beam_is_found_and_told(library: Library) -> None:
    equipped = equip_one(BEAM, WISHES, library)
    assert [device_text(device) for device in equipped.devices] == [
        "nozzle 'Nozzle': 20.00 mm G4_Al (2.7 g/cm3), 470.0 mm from the isocentre",
        "range modulator 'RM': 3.00 mm G4_PLEXIGLASS (1.19 g/cm3), 208.5 mm from the isocentre",
        "aperture 'apt': 65.00 mm house brass (8.3 g/cm3), 110.0 mm from the isocentre",
    ]
    assert equipped.pencils.start_mm == 491.0, "1 mm above the nozzle, which is above the model's plane"
    assert equipped.pencils.particles.sum() == pytest.approx(3e7), "the tune has a calibration of its own"
    said = " ".join(equipped.assumptions)
    for words in ("covers the whole beam", "starts 491 mm from", "Spot tune '4.0' was calculated with its own"):
        assert words in said


def test_what_is_wrong_with_devices_and_meterset_is_told_together(library: Library) -> None:
    wrong = replace(BEAM, meterset=None, range_modulators=(RangeModulatorSetting("RMX", 1),))
    with pytest.raises(InputError) as caught:
        equip_one(wrong, WISHES, library)
    assert len(caught.value.problems) == 2
