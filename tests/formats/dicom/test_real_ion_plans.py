"""Real ion plans against the facts published with them, and real plans that must be refused."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.formats.dicom.ion_plan import read_ion_plan

# name, label, fractions; per beam: layers, spots, meterset, final weight, gantry, first energy, machine
LET_PLANS = "ion-dcpt-let-plans/"
REAL = [
    ("ion-dcpt-headphantom/RN.*", "Brain_fin2", 5,
     [(24, 659, 5199.03, 2888.35, 0, 186.197, "TR3"), (19, 624, 5532.589989, 3073.661111, 0, 156.92, "TR3"),
      (19, 624, 4726.129995, 2625.627778, 0, 154.114, "TR3")]),
    (LET_PLANS + "plan01_sobp/*178041*", "1_SOBP_1Gy", 1,
     [(12, 3468, 17571.2003322833, 15719.83447, 0, 149.419, "TR2")]),
    (LET_PLANS + "plan01_sobp/*178042*", "1_SOBP_.5Gy", 1,
     [(12, 3468, 8129.5701842079, 16106.2075, 0, 149.428, "TR2")]),
    (LET_PLANS + "plan01_sobp/*178319*", "1_SOBP_2Gy", 1,
     [(21, 6069, 41806.7405069583, 19117.08202, 0, 149.419, "TR2")]),
    (LET_PLANS + "plan02_mono/*", "2_mono_2Gy", 1, [(1, 323, 58414.5492229546, 6847.778384, 0, 160.0, "TR2")]),
    (LET_PLANS + "plan03_ramp_full/ramped*.dcm", "Slope101010E_o_1", 1,
     [(22, 9218, 39294.15, 39294.15, 90, 149.4, "TR3"), (22, 9218, 39294.15, 39294.15, 270, 149.4, "TR3")]),
    (LET_PLANS + "plan04_ramp_middle/ramped*.dcm", "Slope101004", 1,
     [(17, 7708, 40545.5, 40545.5, 90, 134.4, "TR3"), (17, 7708, 40545.5, 40545.5, 270, 134.4, "TR3")]),
    (LET_PLANS + "plan05_sobp_3d/RP*", "LET_com_SOBP2", 1, [(13, 5929, 52188.75, 52188.75, 0, 119.5, "TR3")]),
    (LET_PLANS + "plan07_sobp_5d/RP*", "5_SOBP_2Gy", 1, [(27, 7912, 63606.62, 63606.62, 0, 171.8, "TR3")]),
    ("ion-opentps-waterphantom/Plan*", "", 30,
     [(4, 34, 3.3166428312115386, 3.31664283121154, 0, 38.4973767645605, "Unknown")]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "label", "fractions", "beams"), REAL, ids=[r[0] for r in REAL])
def test_real_plans(
    shared_data: Path, pattern: str, label: str, fractions: int, beams: list[tuple[object, ...]]
) -> None:
    (file,) = [p for p in shared_data.glob(pattern) if p.suffix == ".dcm"]
    plan = read_ion_plan(file)
    assert (plan.label, plan.fractions) == (label, fractions)
    found = [
        (len(b.layers), b.spot_count, b.meterset, b.final_cumulative_weight, b.gantry_deg,
         b.layers[0].nominal_energy_MeV, b.machine)
        for b in plan.beams
    ]  # fmt: skip
    assert found == [tuple(b) for b in beams]
    for one in plan.beams:
        assert one.sum_of_weights == pytest.approx(one.final_cumulative_weight, rel=1e-6)
        assert (one.radiation, one.meterset_unit) == ("PROTON", "MU")


def test_head_phantom_range_shifters(shared_data: Path) -> None:
    (file,) = (shared_data / "ion-dcpt-headphantom").glob("RN*.dcm")
    shifters = [b.range_shifters for b in read_ion_plan(file).beams]
    assert [(s.id, s.water_equivalent_thickness_mm) for (s,) in shifters] == [("RS_5CM", 57.0)] * 3
    assert [s.isocenter_distance_mm for (s,) in shifters] == pytest.approx([275.5312, 293.6173, 252.2347], abs=1e-3)


def test_range_shifter_of_plan_07(shared_data: Path) -> None:
    (file,) = (shared_data / "ion-dcpt-let-plans" / "plan07_sobp_5d").glob("RP*.dcm")
    (shifter,) = read_ion_plan(file).beams[0].range_shifters
    assert shifter.water_equivalent_thickness_mm == pytest.approx(34.3)


def test_third_party_spot_list_agrees(shared_data: Path) -> None:
    """Another program's list of the same plan: positions in cm, rounded to 0.1 mm, and particles per spot."""
    folder = shared_data / "ion-dcpt-let-plans" / "plan02_mono"
    rows = np.loadtxt(folder / "spotlist_plan02_field01.dat", comments="*")
    (plan_file,) = folder.glob("RN*.dcm")
    (layer,) = read_ion_plan(plan_file).beams[0].layers
    np.testing.assert_allclose(layer.x_mm, 10 * rows[:, 2], atol=0.051)
    np.testing.assert_allclose(layer.y_mm, 10 * rows[:, 3], atol=0.051)
    np.testing.assert_allclose(layer.weights / layer.weights.sum(), rows[:, 6] / rows[:, 6].sum(), rtol=1e-3)


def test_demo_with_aperture_is_refused_for_both_reasons(shared_data: Path) -> None:
    """Its aperture is described, but for its material; its range shifter has no setting."""
    with pytest.raises(InputError) as refused:
        read_ion_plan(shared_data / "ion-rtip-demo" / "rtip_demo.dcm")
    one, two = refused.value.problems
    assert "Range shifter '40mm'" in one
    assert "does not say what it is made of (MaterialID)" in two
    assert "block apt" in two


def test_demo_with_aperture_removed_and_range_shifter_set(shared_data: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "ion-rtip-demo" / "rtip_demo.dcm")
    setting = Dataset()
    setting.ReferencedRangeShifterNumber, setting.RangeShifterSetting = 1, "IN"
    dataset.IonBeamSequence[0].IonControlPointSequence[0].RangeShifterSettingsSequence = [setting]
    dataset.save_as(tmp_path / "plan.dcm")
    plan = read_ion_plan(tmp_path / "plan.dcm", ignore_devices=True)
    (one,) = plan.beams
    assert (len(one.layers), one.spot_count, one.gantry_deg, plan.fractions) == (12, 246, 90.0, 14)
    assert (one.meterset_unit, one.meterset) == ("NP", 2.48879e10)
    assert (one.layers[0].nominal_energy_MeV, one.layers[-1].nominal_energy_MeV) == pytest.approx(
        (155.03, 121), abs=0.6
    )


def test_the_demo_s_aperture_is_read_once_its_material_is_known(shared_data: Path, tmp_path: Path) -> None:
    """72 points around a field of 65 by 63 mm, 30 mm thick, hanging below its tray at the snout's face."""
    dataset = pydicom.dcmread(shared_data / "ion-rtip-demo" / "rtip_demo.dcm")
    setting = Dataset()
    setting.ReferencedRangeShifterNumber, setting.RangeShifterSetting = 1, "IN"
    dataset.IonBeamSequence[0].IonControlPointSequence[0].RangeShifterSettingsSequence = [setting]
    dataset.IonBeamSequence[0].IonBlockSequence[0].MaterialID = "brass"
    dataset.save_as(tmp_path / "plan.dcm")
    (beam,) = read_ion_plan(tmp_path / "plan.dcm").beams
    (block,) = beam.blocks
    assert (block.name, block.kind, block.mounting, block.divergent) == ("apt", "APERTURE", "PATIENT_SIDE", False)
    assert (block.thickness_mm, block.outline_mm.shape) == (30.0, (72, 2))
    np.testing.assert_allclose(np.ptp(block.outline_mm, axis=0), [64.943, 62.574], atol=1e-3)
    assert block.tray_mm == beam.snout_position_mm == pytest.approx(192.27)


def test_line_scanning_is_refused_beam_by_beam(shared_data: Path) -> None:
    (file,) = (shared_data / "ion-line-scanning").glob("*.dcm")
    with pytest.raises(InputError) as refused:
        read_ion_plan(file)
    assert sum("line scanning" in p for p in refused.value.problems) == 5
    assert sum("no meterset" in p for p in refused.value.problems) == 4
    with pytest.raises(InputError) as chosen:
        read_ion_plan(file, chosen_beams=("1",))
    assert 1 <= len(chosen.value.problems) < len(refused.value.problems)


def test_photon_plans_are_refused_as_such(shared_data: Path) -> None:
    plans = [p for p in shared_data.glob("photon-*/**/*.dcm") if _sop_class(p).endswith(".481.5")]
    assert len(plans) == 12
    for file in plans:
        with pytest.raises(InputError, match="photon or electron plan"):
            read_ion_plan(file)


def _sop_class(path: Path) -> str:
    return str(pydicom.dcmread(path, specific_tags=["SOPClassUID"], force=True).get("SOPClassUID", ""))


def test_a_vendors_own_kind_of_plan_is_refused(shared_data: Path) -> None:
    (file,) = (shared_data / "photon-tps-variety" / "halcyon").glob("RP*.dcm")
    with pytest.raises(InputError, match=r"no RT Ion Plan\. Given: object of SOP class 1\.2\.246\.352\.70\.1\.70"):
        read_ion_plan(file)
