"""Range shifters become slabs where the plan puts them, as thick as plan or beam model say."""

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.plan import EnergyLayer, IonBeam, RangeShifterSetting
from dosewright.materials.library import named
from dosewright.workflow.range_shifters import beamline_slabs, relative_stopping_power

PMMA = named("G4_PLEXIGLASS")


def model(**shifters: RangeShifter) -> BeamModel:
    return BeamModel(
        "m",
        "M",
        "PROTON",
        500.0,
        (2000.0, 2500.0),
        (70.0, 230.0),
        lambda e: BeamAtEnergy(e, 0.5, (), 1e6),
        "air",
        shifters,
    )


def beam(*settings: RangeShifterSetting, snout: float | None = None) -> IonBeam:
    layer = EnergyLayer(0, 150.0, np.zeros(1), np.zeros(1), np.ones(1))
    return IonBeam(
        1, "B", "M", "PROTON", "MU", 1.0, 1.0, 0, 0, 0, 0, "HFS", (0, 0, 0), (layer,), settings, snout_position_mm=snout
    )


def test_relative_stopping_power_of_acrylic() -> None:
    # 1.16 to 1.17 for 1.19 g/cm3, e.g. ICRU Report 49: ratio of ranges in water and acrylic.
    assert relative_stopping_power(PMMA, 1.19) == pytest.approx(1.162, abs=0.006)


def test_a_known_shifter_keeps_its_thickness_and_a_different_plan_is_said() -> None:
    known = model(RS=RangeShifter("RS", PMMA, 50.0, None))
    placed = beamline_slabs(beam(RangeShifterSetting("RS", 1, "BINARY", 200.0, 57.0)), known)
    assert (placed.slabs[0].downstream_mm, placed.slabs[0].upstream_mm) == (200.0, 250.0)
    assert "58." in placed.warnings[0]
    assert placed.assumptions == ()


def test_an_unknown_shifter_with_a_water_equivalent_thickness_is_assumed_acrylic() -> None:
    placed = beamline_slabs(beam(RangeShifterSetting("RS_5CM", 1, "BINARY", 200.0, 57.0)), model())
    slab = placed.slabs[0]
    assert slab.thickness_mm * relative_stopping_power(PMMA, PMMA.density_g_cm3) == pytest.approx(57.0)
    assert slab.thickness_mm == pytest.approx(49.1, abs=0.5)
    assert any("is assumed" in said for said in placed.assumptions)


def test_the_snout_places_a_shifter_without_a_distance() -> None:
    placed = beamline_slabs(beam(RangeShifterSetting("RS", 1, "BINARY", None, 40.0), snout=150.0), model())
    assert placed.slabs[0].downstream_mm == 150.0
    assert any("snout" in said for said in placed.assumptions)


def test_every_problem_is_listed() -> None:
    lost = RangeShifterSetting("A", 1, "BINARY", None, 40.0)
    thin = RangeShifterSetting("B", 2, "BINARY", 100.0, None)
    far = RangeShifterSetting("C", 3, "BINARY", 480.0, 40.0)
    with pytest.raises(InputError) as refused:
        beamline_slabs(beam(lost, thin, far), model())
    assert len(refused.value.problems) == 3


def test_slabs_run_from_upstream_to_downstream_and_never_overlap() -> None:
    near, far = RangeShifterSetting("N", 1, "BINARY", 100.0, 20.0), RangeShifterSetting("F", 2, "BINARY", 300.0, 20.0)
    assert [s.downstream_mm for s in beamline_slabs(beam(near, far), model()).slabs] == [300.0, 100.0]
    with pytest.raises(InputError, match="overlap"):
        beamline_slabs(beam(near, RangeShifterSetting("F", 2, "BINARY", 105.0, 20.0)), model())
