"""Blocks, compensators, range shifters and modulators of a plan stand in the beam as solids, or are refused."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.core.plan import (
    Block,
    Compensator,
    EnergyLayer,
    IonBeam,
    RangeModulatorSetting,
    RangeShifterSetting,
)
from dosewright.core.solids import Box, Device, Prism, Relief, Solid, Tube, content_sha256
from dosewright.geometry.beam.beam_devices import device_text, devices_in_beam
from dosewright.geometry.beam.beamline import beamline_box, heights_mm
from dosewright.geometry.beam.clearance import refuse_in_patient
from dosewright.geometry.beam.device_place import gantry_to_room
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named

PMMA = named("PMMA")
LAYER = EnergyLayer(0, 120.0, np.zeros(1), np.zeros(1), np.ones(1))
BEAM = IonBeam(
    3, "b", "m", "PROTON", "MU", 1.0, 1.0, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), (LAYER,),
    virtual_source_mm=(2000.0, 2500.0),
)  # fmt: skip
SQUARE = np.array([[-20.0, -30.0], [40.0, -30.0], [40.0, 50.0], [-20.0, 50.0]])
BLOCK = Block("apt", 1, "APERTURE", "BRASS", 65.0, 100.0, "SOURCE_SIDE", False, SQUARE)
COMPENSATOR = Compensator(
    "RC", 1, "pmma", 60.0, "SOURCE_SIDE", False, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (10.0, 8.0), (-8.0, 5.0)
)
RIPPLE = Device("RM_3", "range_modulator", (Solid("ridge", Box((60.0, 60.0, 3.0)), PMMA, 1.19, (0.0, 0.0, 401.5)),))
RS_PLATE = Solid("plate", Box((90.0, 90.0, 30.0)), PMMA, 1.19, (0.0, 0.0, 15.0))
SNOUT_RS = Device("RS_S", "range_shifter", (RS_PLATE,), on_snout=True)


def _nothing(energy: float) -> BeamAtEnergy:
    raise AssertionError("optics are not asked for")


MODEL = BeamModel("model", "m", "PROTON", 500.0, (1900.0, 2400.0), (70.0, 230.0), _nothing,
                  devices={"RM_3": RIPPLE, "RS_S": SNOUT_RS},
                  range_shifters={"RS_P": RangeShifter("RS_P", PMMA, 30.0, None)})  # fmt: skip


def _found(beam: IonBeam, model: BeamModel = MODEL) -> tuple[tuple[Device, ...], tuple[str, ...]]:
    return devices_in_beam(beam, model, named)


def _opening(beam: IonBeam, number: int = 1) -> tuple[np.ndarray, Solid]:
    (device, *_), _ = _found(beam)
    shape = device.solids[number].shape
    assert isinstance(shape, Prism)
    return shape.outline_mm, device.solids[number]


def test_an_empty_beam_has_nothing_in_it() -> None:
    assert _found(BEAM) == ((), ())


@pytest.mark.parametrize(("side", "low", "high"), [("SOURCE_SIDE", 100.0, 165.0), ("PATIENT_SIDE", 35.0, 100.0)])
def test_an_aperture_is_a_plate_on_its_side_of_the_tray_with_the_scaled_opening(
    side: str, low: float, high: float
) -> None:
    """The tray's distance is that of the face that touches it; the opening is scaled to it."""
    beam = replace(BEAM, blocks=(replace(BLOCK, mounting=side),))
    (device,), said = _found(beam)
    assert heights_mm((device,)) == pytest.approx((low, high))
    outline, solid = _opening(beam)
    np.testing.assert_allclose(outline, SQUARE * [1 - 100 / 2000, 1 - 100 / 2500])
    assert solid.material is None
    assert device.solids[0].material == named("G4_BRASS")
    assert any("plate of 65 mm G4_BRASS that covers the whole beam" in s for s in said)


def test_divergent_walls_follow_the_rays() -> None:
    beam = replace(BEAM, blocks=(replace(BLOCK, divergent=True),))
    (device,), _ = _found(beam)
    openings = device.solids[1:]
    assert len(openings) == 7, "50 mm from the axis the walls lean by 1.6 mm"
    for solid in openings:
        assert isinstance(solid.shape, Prism)
        z = solid.centre_mm[2]
        np.testing.assert_allclose(solid.shape.outline_mm, SQUARE * [1 - z / 2000, 1 - z / 2500])
    assert sum(s.shape.length_mm for s in openings) == pytest.approx(65.0)  # type: ignore[union-attr]


def test_a_divergent_outline_of_many_points_needs_few_voxels_and_keeps_its_area() -> None:
    """Voxel edges at every point of every slice would be 37 million voxels; the area is kept to 0.1 %."""
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    radius = 60 + 8 * np.sin(3 * angle)
    outline = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    devices, _ = _found(replace(BEAM, blocks=(replace(BLOCK, divergent=True, outline_mm=outline),)))
    box = beamline_box(devices, 500.0, named("G4_AIR"), ((-90.0, 90.0), (-90.0, 90.0)))
    assert box is not None
    assert box.material.size < 4_000_000
    dx, dy = np.diff(box.edges_mm[0]), np.diff(box.edges_mm[1])
    middles = (box.edges_mm[2][1:] + box.edges_mm[2][:-1]) / 2
    for layer, z in zip(box.density_g_cm3, middles, strict=True):
        if z < 165.0:
            x, y = (outline * (1 - z / np.array(BEAM.virtual_source_mm or MODEL.scanning_mm))).T
            wanted = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
            assert float(dy @ (layer < 1.0) @ dx) == pytest.approx(wanted, rel=1e-3)


def test_the_limiting_device_turns_blocks_counter_clockwise_seen_from_the_source() -> None:
    outline, _ = _opening(replace(BEAM, blocks=(BLOCK,), limiting_device_deg=90.0))
    turned = np.column_stack([-SQUARE[:, 1], SQUARE[:, 0]])
    np.testing.assert_allclose(outline, turned * [1 - 100 / 2000, 1 - 100 / 2500], atol=1e-9)


def test_several_apertures_are_openings_of_one_plate() -> None:
    other = replace(BLOCK, name="two", outline_mm=SQUARE + 100.0)
    (device,), _ = _found(replace(BEAM, blocks=(BLOCK, other)))
    assert [s.name for s in device.solids] == ["plate", "opening", "opening"]
    with pytest.raises(InputError, match="apertures 'apt' and 'two' differ in place"):
        _found(replace(BEAM, blocks=(BLOCK, replace(other, tray_mm=300.0))))


def test_a_shielding_block_is_what_its_outline_holds() -> None:
    (device,), _ = _found(replace(BEAM, blocks=(replace(BLOCK, kind="SHIELDING", material="cerrobend"),)))
    (solid,) = device.solids
    assert solid.material == named("CERROBEND")
    assert isinstance(solid.shape, Prism)


def test_without_a_virtual_source_the_model_s_is_taken_aloud() -> None:
    beam = replace(BEAM, blocks=(BLOCK,), virtual_source_mm=None)
    outline, _ = _opening(beam)
    np.testing.assert_allclose(outline, SQUARE * [1 - 100 / 1900, 1 - 100 / 2400])
    assert any("scaled with the scanning distances of the beam model" in s for s in _found(beam)[1])
    with pytest.raises(InputError, match=r"neither the plan .* nor beam model 'model' says how far the virtual source"):
        _found(beam, replace(MODEL, scanning_mm=(np.nan, np.nan)))


def test_unknown_materials_are_refused_with_the_plan_s_word_and_the_allowed_ones() -> None:
    with pytest.raises(InputError, match=r"Did you mean 'BRASS'\?.*Given: 'BRAS'.*query -M.*BRASS, CERROBEND, PMMA"):
        _found(replace(BEAM, blocks=(replace(BLOCK, material="BRAS"),)))


@pytest.mark.parametrize("word", ["BRASS", "Brass", "brass ", "g4_brass"])
def test_the_case_of_a_plan_s_material_does_not_count(word: str) -> None:
    (device, *_), _ = _found(replace(BEAM, blocks=(replace(BLOCK, material=word),)))
    assert device.solids[0].material == named("G4_BRASS")


def test_a_word_that_means_two_materials_in_other_cases_is_refused() -> None:
    """A site's own Brass beside the package's brass: which one BRASS means is not known."""
    own = replace(named("brass"), name="Brass", density_g_cm3=8.1)

    def of_site(word: str) -> Material:
        return own if word == "Brass" else named(word)

    beam = replace(BEAM, blocks=(BLOCK,))
    with pytest.raises(InputError, match=r"known in several cases.*Given: 'BRASS'"):
        devices_in_beam(beam, MODEL, of_site)
    (device, *_), _ = devices_in_beam(replace(beam, blocks=(replace(BLOCK, material="Brass"),)), MODEL, of_site)
    assert device.solids[0].density_g_cm3 == 8.1


def _relief(compensator: Compensator, beam: IonBeam = BEAM) -> tuple[Relief, Solid]:
    (device,), _ = _found(replace(beam, compensators=(compensator,)))
    (solid,) = device.solids
    assert isinstance(solid.shape, Relief)
    return solid.shape, solid


def test_a_compensator_stands_on_its_tray_with_scaled_columns_rows_downwards() -> None:
    shape, _ = _relief(COMPENSATOR)
    np.testing.assert_allclose(shape.x_edges_mm, np.array([-12.0, -4.0, 4.0, 12.0]) * (1 - 60 / 2000))
    np.testing.assert_allclose(shape.y_edges_mm, np.array([-10.0, 0.0, 10.0]) * (1 - 60 / 2500))
    np.testing.assert_allclose(shape.lower_mm, 60.0)
    np.testing.assert_allclose(shape.upper_mm - 60.0, [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]])
    hanging, _ = _relief(replace(COMPENSATOR, mounting="PATIENT_SIDE"))
    np.testing.assert_allclose(hanging.upper_mm, 60.0)
    np.testing.assert_allclose(60.0 - hanging.lower_mm, [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]])


def test_a_double_sided_compensator_has_both_surfaces() -> None:
    upper = np.array([[90.0, 91.0, 92.0], [93.0, 94.0, 95.0]])
    shape, _ = _relief(replace(COMPENSATOR, mounting="DOUBLE_SIDED", upper_mm=upper))
    np.testing.assert_allclose(shape.upper_mm, upper[::-1])
    np.testing.assert_allclose(shape.upper_mm - shape.lower_mm, [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]])


def test_every_second_row_of_a_hexagonal_compensator_is_shifted() -> None:
    shape, _ = _relief(replace(COMPENSATOR, column_offset_mm=4.0))
    scale = 1 - 60 / 2000
    thickness = (shape.upper_mm - shape.lower_mm)[::-1]
    np.testing.assert_allclose(shape.x_edges_mm / scale, [-12, -8, -4, 0, 4, 8, 12, 16])
    np.testing.assert_allclose(thickness, [[1, 1, 2, 2, 3, 3, 0], [0, 4, 4, 5, 5, 6, 6]])


def test_a_divergent_compensator_is_a_stack_that_widens_downstream() -> None:
    wide = replace(COMPENSATOR, divergent=True, spacing_mm=(10.0, 80.0), first_mm=(-80.0, 5.0),
                   thickness_mm=10 * COMPENSATOR.thickness_mm)  # fmt: skip
    (device,), _ = _found(replace(BEAM, compensators=(wide,)))
    edges = [solid.shape.x_edges_mm[-1] for solid in device.solids if isinstance(solid.shape, Relief)]
    assert len(edges) > 5
    assert all(a > b for a, b in itertools.pairwise(edges))
    box = beamline_box((device,), 200.0, None)
    assert box is not None
    column = int(np.searchsorted(box.edges_mm[0], 0.0)) - 1
    row = int(np.searchsorted(box.edges_mm[1], -5.0)) - 1
    thickness = float(box.density_g_cm3[:, row, column] @ np.diff(box.edges_mm[2])) / PMMA.density_g_cm3
    assert thickness == pytest.approx(50.0, abs=1e-3)


def test_what_a_compensator_does_not_say_is_said() -> None:
    _, said = _found(
        replace(BEAM, compensators=(replace(COMPENSATOR, milling_tool_mm=4.76, stopping_power_ratio=1.0),))
    )
    assert any("milling tool of 4.76 mm was not followed" in s for s in said)
    assert any("stopping power of 1 times water's, G4_PLEXIGLASS has 1.1" in s for s in said)


def test_range_modulators_are_those_of_the_machine_or_refused() -> None:
    setting = RangeModulatorSetting("rm_3", 1, "FIXED", 400.0)
    (device,), said = _found(replace(BEAM, range_modulators=(setting,)))
    assert (device, said) == (RIPPLE, ())
    _, said = _found(replace(BEAM, range_modulators=(replace(setting, isocenter_distance_mm=380.0),)))
    assert any("400.0 mm from the isocentre, the plan says 380 mm" in s for s in said)
    with pytest.raises(InputError, match=r"range modulator 'RM_4' is not in .*Did you mean 'RM_3'\? Known: RM_3\."):
        _found(replace(BEAM, range_modulators=(replace(setting, id="RM_4"),)))


def test_a_range_shifter_of_the_machine_rides_on_the_snout() -> None:
    setting = RangeShifterSetting("rs_s", 1, "BINARY", 211.0, 34.7)
    (device,), said = _found(replace(BEAM, range_shifters=(setting,), snout_position_mm=211.0))
    assert heights_mm((device,)) == (211.0, 241.0)
    assert said == ()
    _, said = _found(
        replace(BEAM, range_shifters=(replace(setting, water_equivalent_thickness_mm=57.0),), snout_position_mm=300.0)
    )
    assert any("downstream face 300.0 mm from the isocentre, the plan says 211 mm" in s for s in said)
    assert any("mm water-equivalent, the plan says 57 mm; the model was used" in s for s in said)
    with pytest.raises(InputError, match="Beam 3: The range shifter 'RS_S' rides on the snout, and the snout moves"):
        _found(replace(BEAM, range_shifters=(setting,), snout_position_mm=211.0, snout_moves=True))


@pytest.mark.parametrize("axes", ["gantry", "room"])
def test_a_range_shifter_that_cannot_follow_the_snout_is_told(axes: str) -> None:
    """As those of IDEAL's macros, which stand where the macro puts them."""
    turn = gantry_to_room(BEAM.gantry_deg) if axes == "room" else np.eye(3)
    x, y, z = turn @ np.array([0.0, 0.0, 365.0])
    solid = replace(RS_PLATE, centre_mm=(float(x), float(y), float(z)), rotation=turn)
    model = replace(MODEL, devices={"RS_M": Device("RS_M", "range_shifter", (solid,), axes=axes)})
    setting = RangeShifterSetting("RS_M", 1)
    (device,), said = _found(replace(BEAM, range_shifters=(setting,), snout_position_mm=250.0), model)
    assert heights_mm((device,)) == pytest.approx((350.0, 380.0))
    assert any("350.0 mm from the isocentre" in s and "does not follow the snout" in s and "250 mm" in s for s in said)
    _, said = _found(replace(BEAM, range_shifters=(setting,), snout_position_mm=350.0), model)
    assert said == ()


def test_all_that_is_wrong_with_one_beam_is_listed_together() -> None:
    beam = replace(
        BEAM, range_shifters=(RangeShifterSetting("RS_X", 1),), range_modulators=(RangeModulatorSetting("RM_X", 1),),
        blocks=(replace(BLOCK, material="unobtainium"),),
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        _found(beam)
    assert len(caught.value.problems) == 4
    assert "Known: RS_P, RS_S" in str(caught.value)


def test_the_nozzle_is_in_every_beam() -> None:
    ring = Solid("ring", Tube(60.0, 10.0, 40.0), named("G4_Al"), 2.7, (0.0, 0.0, 450.0))
    (device,), said = _found(BEAM, replace(MODEL, nozzle=Device("N1", "nozzle", (ring,))))
    assert device.id == "N1"
    assert said == ("The nozzle 'N1' of the beam model stands in the beam.",)
    assert device_text(device) == "nozzle 'N1': 10.00 mm G4_Al (2.7 g/cm3), 445.0 mm from the isocentre"


def test_the_hash_of_devices_sees_every_number() -> None:
    first, second = replace(COMPENSATOR, thickness_mm=np.full((80, 80), 5.0)), np.full((80, 80), 5.0)
    second[40, 40] = 5.001
    hashes = [
        content_sha256(_found(replace(BEAM, compensators=(one,)))[0])
        for one in (first, replace(first, thickness_mm=second), replace(first, material="G4_Al"), first)
    ]
    assert hashes[0] == hashes[3]
    assert len(set(hashes)) == 3


def _water(top_mm: float, density: float = 1.0, x_mm: float = 0.0) -> Voxels:
    grid = Grid((10, 10, 10), (10.0, 10.0, 10.0), (x_mm - 45.0, -45.0, top_mm - 95.0))
    shape = grid.array_shape
    return Voxels.on_grid(grid, np.zeros(shape, np.uint8), np.full(shape, density, np.float32), [named("G4_WATER")])


def test_a_device_that_reaches_into_the_patient_is_refused_with_both_heights() -> None:
    devices, field = (plate("RS", PMMA, 30.0, 50.0),), ((-30.0, 30.0), (-30.0, 30.0))
    with pytest.raises(InputError, match=r"range shifter 'RS' reaches into the patient.*50\.0 mm .* up to 79\.0 mm"):
        refuse_in_patient(devices, _water(80.0), Rigid.identity(), field)
    refuse_in_patient(devices, _water(50.0), Rigid.identity(), field)
    refuse_in_patient(devices, _water(80.0, density=0.0012), Rigid.identity(), field)
    refuse_in_patient(devices, _water(80.0, x_mm=100.0), Rigid.identity(), field)
    with pytest.raises(InputError, match="reaches into the patient"):
        refuse_in_patient(devices, _water(80.0, x_mm=100.0), Rigid.identity(), ((-30.0, 60.0), (-30.0, 30.0)))
