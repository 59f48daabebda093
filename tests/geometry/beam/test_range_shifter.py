"""A range shifter becomes a plate, or is refused."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.plan import EnergyLayer, IonBeam, RangeShifterSetting
from dosewright.geometry.beam.range_shifter import range_shifter_plates, relative_stopping_power
from dosewright.geometry.beam.solid_inside import bounds_mm
from dosewright.materials.library import named

PMMA = named("G4_PLEXIGLASS")
LAYER = EnergyLayer(0, 120.0, np.zeros(1), np.zeros(1), np.ones(1))
BEAM = IonBeam(3, "b", "m", "PROTON", "MU", 1.0, 1.0, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), (LAYER,))
SETTING = RangeShifterSetting("RS_Block", 1, isocenter_distance_mm=280.0, water_equivalent_thickness_mm=57.0)


def _nothing(energy: float) -> BeamAtEnergy:
    raise AssertionError("optics are not asked for")


def _model(*shifters: RangeShifter) -> BeamModel:
    by_id = {one.id: one for one in shifters}
    return BeamModel("model", "m", "PROTON", 500.0, (2000.0, 2500.0), (70.0, 230.0), _nothing, range_shifters=by_id)


def _plates(beam: IonBeam, model: BeamModel) -> tuple[list[tuple[float, float]], list[Material], tuple[str, ...]]:
    """Heights of the faces of every plate, their materials, and what was assumed."""
    devices, said = range_shifter_plates(beam, beam.range_shifters, model)
    bounds = [bounds_mm(device.solids[0]) for device in devices]
    materials = [device.solids[0].material for device in devices]
    return [(float(low[2]), float(high[2])) for low, high in bounds], [m for m in materials if m], said


def _thickness(faces: list[tuple[float, float]]) -> float:
    return faces[0][1] - faces[0][0]


def _beam(*settings: RangeShifterSetting, snout: float | None = None) -> IonBeam:
    return replace(BEAM, range_shifters=settings, snout_position_mm=snout)


@pytest.mark.parametrize(
    ("name", "published"),
    [("G4_PLEXIGLASS", 1.160), ("G4_POLYCARBONATE", 1.150), ("G4_POLYETHYLENE", 1.000), ("G4_Al", 2.116)],
)
def test_relative_stopping_powers_are_the_published_ones(name: str, published: float) -> None:
    """Values that follow from PSTAR near 150 MeV, within the spread of measured samples."""
    assert relative_stopping_power(named(name)) == pytest.approx(published, rel=0.008)


def test_water_is_water() -> None:
    assert relative_stopping_power(named("G4_WATER")) == pytest.approx(1.0, abs=1e-12)


def test_no_shifter_no_slab() -> None:
    assert _plates(_beam(), _model()) == ([], [], ())


def test_the_model_s_slab_is_put_at_the_plan_s_place() -> None:
    model = _model(RangeShifter("RS_Block", PMMA, 50.0, None))
    faces, media, said = _plates(_beam(replace(SETTING, water_equivalent_thickness_mm=None)), model)
    assert faces == [pytest.approx((280.0, 330.0))]
    assert media == [PMMA]
    assert said == ()


def test_names_of_shifters_are_found_without_regard_to_case() -> None:
    faces, _media, said = _plates(
        _beam(replace(SETTING, id="rs_block")), _model(RangeShifter("RS_Block", PMMA, 49.0, None))
    )
    assert _thickness(faces) == pytest.approx(49.0)
    assert said == (), "49 mm of PMMA is 57 mm of water to the tolerance"


def test_a_model_that_contradicts_the_plan_wins_and_that_is_said() -> None:
    faces, _media, said = _plates(_beam(SETTING), _model(RangeShifter("RS_Block", PMMA, 60.0, None)))
    assert _thickness(faces) == pytest.approx(60.0)
    assert len(said) == 1
    assert "69.8 mm water-equivalent" in said[0]
    assert "57 mm" in said[0]
    assert "the model was used" in said[0]


def test_a_model_with_water_equivalence_alone_is_turned_into_its_material() -> None:
    model = _model(RangeShifter("RS_Block", PMMA, None, 40.0))
    faces, _media, said = _plates(_beam(SETTING), model)
    assert _thickness(faces) == pytest.approx(40.0 / relative_stopping_power(PMMA))
    assert _thickness(faces) == pytest.approx(34.5, rel=0.01)
    assert any("40 mm of water" in s for s in said)


def test_a_model_that_knows_the_material_alone_takes_the_plan_s_thickness() -> None:
    faces, _media, said = _plates(_beam(SETTING), _model(RangeShifter("RS_Block", PMMA, None, None)))
    assert _thickness(faces) == pytest.approx(57.0 / relative_stopping_power(PMMA))
    assert any("57 mm of water" in s and PMMA.name in s for s in said)


def test_an_unknown_shifter_becomes_polycarbonate_of_the_plan_s_thickness_aloud() -> None:
    faces, media, said = _plates(_beam(SETTING), _model())
    polycarbonate = named("G4_POLYCARBONATE")
    assert media == [polycarbonate]
    assert _thickness(faces) * relative_stopping_power(polycarbonate) == pytest.approx(57.0)
    assert any("'RS_Block' is not in the beam model" in s for s in said)
    assert any("relative stopping power" in s for s in said)


def test_a_missing_distance_is_the_snout_position_aloud() -> None:
    setting = replace(SETTING, isocenter_distance_mm=None)
    model = _model(RangeShifter("RS_Block", PMMA, 49.0, None))
    faces, _media, said = _plates(_beam(setting, snout=210.0), model)
    assert faces[0] == pytest.approx((210.0, 259.0))
    assert any("snout" in s and "210 mm" in s for s in said)


def test_the_plan_s_distance_wins_over_the_snout_position() -> None:
    faces, _media, said = _plates(_beam(SETTING, snout=210.0), _model(RangeShifter("RS_Block", PMMA, 49.0, None)))
    assert faces[0][0] == pytest.approx(280.0)
    assert not any("snout" in s for s in said)


def test_several_shifters_keep_their_order() -> None:
    other = RangeShifterSetting("Other", 2, isocenter_distance_mm=400.0)
    model = _model(RangeShifter("RS_Block", PMMA, 49.0, None), RangeShifter("Other", PMMA, 10.0, None))
    faces, _, _ = _plates(_beam(SETTING, other), model)
    assert [low for low, _ in faces] == pytest.approx([280.0, 400.0])


def test_unknown_shifters_without_thickness_are_refused_with_the_nearest_name() -> None:
    setting = replace(SETTING, id="RS_Blok", water_equivalent_thickness_mm=None)
    with pytest.raises(
        InputError, match=r"Beam 3: range shifter 'RS_Blok'.*Did you mean 'RS_Block'\?.*Known: RS_Block"
    ):
        _plates(_beam(setting), _model(RangeShifter("RS_Block", PMMA, 49.0, None)))


def test_a_known_shifter_of_no_thickness_at_all_is_refused() -> None:
    setting = replace(SETTING, water_equivalent_thickness_mm=None)
    with pytest.raises(InputError, match="'RS_Block'"):
        _plates(_beam(setting), _model(RangeShifter("RS_Block", PMMA, None, None)))


def test_all_that_is_missing_is_listed_together() -> None:
    bare = replace(SETTING, isocenter_distance_mm=None, water_equivalent_thickness_mm=None)
    with pytest.raises(InputError) as caught:
        _plates(_beam(bare, replace(bare, id="Second")), _model())
    assert len(caught.value.problems) == 4
    assert sum("its place is not known" in p for p in caught.value.problems) == 2
