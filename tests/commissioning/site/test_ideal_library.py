"""IDEAL's tree read unchanged: what becomes of each of its files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.solids import Box

ELEMENT = """/gate/world/daughters/name {name}
/gate/world/daughters/insert box
/gate/{name}/setMaterial {material}
/gate/{name}/geometry/setXLength 250 mm
/gate/{name}/geometry/setYLength {thickness} mm
/gate/{name}/geometry/setZLength 250 mm
/gate/{name}/placement/setTranslation 0 -400 0 mm
"""
Changed = Callable[[str, str, str], None]
IR2 = "commissioning/beamlines/IR2/"


def test_system_cfg_names_the_tree_and_gives_the_settings(ideal: Path, tmp_path: Path) -> None:
    library = Library.open(ideal)
    assert library.folder is not None
    assert library.folder.resolve() == tmp_path / "commissioning"
    assert library.settings_file == ideal
    assert library.settings.calculation.air_margin_mm == 12.0
    assert library.settings.correction_for("IR2", "PROTON").dose_factor == 0.97371
    assert [one.acronym for one in library.settings.user] == ["OKE", "OKE_C"]
    absolute = ideal.read_text().replace("../commissioning", str(tmp_path / "commissioning"))
    ideal.write_text(absolute)
    assert Library.open(ideal).beam_model_names() == library.beam_model_names()


def test_log_daemon_cfg_says_what_becomes_of_jobs(ideal: Path, change: Changed) -> None:
    change("cfg/log_daemon.cfg", "", "[Time variables]\nhistoric after = 172800\nunsuccessfull after = 7200\n")
    jobs = Library.open(ideal).settings.jobs
    assert (jobs.historic_after_days, jobs.unsuccessful_after_hours) == (2.0, 2.0)
    change("cfg/log_daemon.cfg", "172800", "two days")
    with pytest.raises(InputError, match=r"two days.*log_daemon\.cfg, line 2"):
        Library.open(ideal)


def test_api_cfg_is_named_and_its_mistakes_refuse_no_library(ideal: Path, change: Changed) -> None:
    change("cfg/api.cfg", "", "[receiver]\nsend result = true\n")
    assert any("send result" in note and "no web service" in note for note in Library.open(ideal).content.notes)
    change("cfg/api.cfg", "send result", "sent result")
    assert any("sent result" in note for note in Library.open(ideal).content.notes)


def test_files_of_ideal_may_be_named_by_their_path(ideal: Path, tmp_path: Path, change: Changed) -> None:
    packaged = Library.open()
    change("commissioning/phantoms/water_box.mac", "PMMA", "G4_PLEXIGLASS")
    folder = tmp_path / "commissioning" / "phantoms"
    assert packaged.phantom(str(folder / "water_box.cfg")).voxel_mm == (4.0, 4.0, 5.0)
    source = tmp_path / "commissioning" / "beamlines" / "IR2" / "IR2_PROTON_source_properties.txt"
    with pytest.raises(InputError, match="does not hold the nozzle of its machine"):
        packaged.beam_model(str(source))
    change(f"{IR2}IR2_beamline_details.mac", "/control/execute ./data/chamber.mac\n", "")
    before = packaged.beam_model(str(source)).sha256
    change(f"{IR2}IR2_beamline_details.mac", "PROTON_CONVERGENCE_YPHI false", "PROTON_CONVERGENCE_YPHI true")
    assert packaged.beam_model(str(source)).sha256 != before


def test_a_commissioning_folder_that_does_not_exist_is_named(ideal: Path, tmp_path: Path) -> None:
    ideal.write_text(ideal.read_text().replace("../commissioning", "../comissioning"))
    with pytest.raises(InputError, match="The commissioning folder does not exist") as refused:
        Library.open(ideal)
    assert f"Given: {tmp_path / 'cfg' / '..' / 'comissioning'}." in str(refused.value)
    assert "Where: system.cfg, section [directories], commissioning." in str(refused.value)


def test_the_tree_itself_is_a_library_with_default_settings(ideal: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path / "commissioning")
    assert library.settings_file is None
    assert library.settings.calculation.air_margin_mm == 10.0
    assert library.beam_model_names() == Library.open(ideal).beam_model_names()
    assert "PMMA" in library.content.materials.own


def test_every_machine_and_radiation_type_has_its_model(ideal: Path) -> None:
    library = Library.open(ideal)
    assert library.beam_model_names() == ("IR2_ION_6_12_6", "IR2_PROTON", "MyToy_PROTON")
    proton, carbon = library.beam_model_for("IR2", "PROTON"), library.beam_model_for("ir2", "ION_6_12_6")
    assert (proton.name, proton.machine, proton.radiation) == ("IR2_PROTON", "IR2", "PROTON")
    assert (carbon.name, carbon.radiation) == ("IR2_ION_6_12_6", "ION_6_12_6")
    assert (proton.plane_mm, proton.scanning_mm) == (1300.0, (6700.0, 7420.0))
    (spot,), (other,) = proton.at(150.0).optics, carbon.at(150.0).optics
    assert (spot.cov_x[0, 0], spot.cov_y[0, 0], other.cov_x[0, 0]) == pytest.approx((16.0, 25.0, 9.0))
    assert proton.at(150.0).energy_sigma_MeV == 0.9
    # Convergent in x and divergent in y for protons, the other way round for carbon.
    assert spot.cov_x[0, 1] < 0 < spot.cov_y[0, 1]
    assert other.cov_x[0, 1] > 0 > other.cov_y[0, 1]
    assert "The horizontal beam line of room 2." in library.content.beam_models["IR2_PROTON"].description
    assert any("Convergence at the source plane is that of IR2_beamline_details.mac" in s for s in proton.assumptions)
    with pytest.raises(InputError, match="no beam model for machine 'IR2' with ION_2_4_2"):
        library.beam_model_for("IR2", "ION_2_4_2")


def test_a_model_of_no_machine_is_had_by_name_only(ideal: Path) -> None:
    library = Library.open(ideal)
    toy = library.beam_model("MyToy")
    assert toy is library.beam_model("mytoy_proton")
    assert library.beam_model("IR2").radiation == "PROTON"
    assert library.beam_model("IR2", "ION_6_12_6").radiation == "ION_6_12_6"
    with pytest.raises(InputError, match=r"The machine 'MyToy' has no beam model for ION_6_12_6\. Allowed: PROTON"):
        library.beam_model("MyToy", "ION_6_12_6")
    with pytest.raises(InputError, match="no beam model for machine 'TR4'"):
        library.beam_model_for("TR4", "PROTON")
    assert any("taken to diverge" in said for said in toy.assumptions)


def test_the_nozzle_stands_in_the_room_of_the_macro(ideal: Path) -> None:
    nozzle = Library.open(ideal).beam_model_for("IR2", "PROTON").nozzle
    assert nozzle is not None
    assert (nozzle.id, nozzle.kind, nozzle.axes) == ("IR2", "nozzle", "room")
    chamber, foil = nozzle.solids
    assert chamber.shape == Box((300.0, 200.0, 300.0))
    assert foil.shape == Box((280.0, 0.2, 280.0))
    assert chamber.centre_mm == foil.centre_mm == (0.0, -1000.0, 0.0)
    assert foil.material is not None
    assert (foil.material.name, foil.density_g_cm3) == ("G4_KAPTON", 1.42)


def test_passive_elements_are_those_of_the_machine_and_common_ones(ideal: Path, change: Changed) -> None:
    devices = Library.open(ideal).beam_model_for("IR2", "PROTON").devices
    assert {name: one.kind for name, one in devices.items()} == {"RS30": "range_shifter", "RIFI": "range_modulator"}
    (slab,) = devices["RS30"].solids
    assert (slab.shape, slab.centre_mm) == (Box((250.0, 30.0, 250.0)), (0.0, -400.0, 0.0))
    (ripple,) = devices["RIFI"].solids
    assert ripple.density_g_cm3 == pytest.approx(1.195)  # the database's PMMA, not the package's
    assert set(Library.open(ideal).beam_model("MyToy").devices) == {"RS30"}
    own = "/gate/world/daughters/name thicker\n/gate/world/daughters/insert box\n/gate/thicker/setMaterial G4_WATER\n"
    own += "".join(f"/gate/thicker/geometry/set{axis}Length 99 mm\n" for axis in "XYZ")
    change(f"{IR2}IR2_rs_RS30_details.mac", "", own)
    (slab,) = Library.open(ideal).beam_model_for("IR2", "PROTON").devices["RS30"].solids
    assert slab.shape == Box((99.0, 99.0, 99.0))


def test_a_spot_tune_has_a_model_of_its_own(ideal: Path) -> None:
    model = Library.open(ideal).beam_model_for("IR2", "PROTON")
    assert set(model.tunes) == {"3.0"}
    assert model.tuned("3.0").at(150.0).optics[0].cov_x[0, 0] == pytest.approx(49.0)
    assert model.tuned("3.0").nozzle is model.nozzle
    assert model.tuned("4.0") is model
    assert not Library.open(ideal).beam_model_for("IR2", "ION_6_12_6").tunes


def test_phantoms_are_boxes_and_cylinders_on_their_dose_grid(ideal: Path) -> None:
    phantom = Library.open(ideal).phantom("water_box")
    assert phantom.dose_to_water is False
    assert phantom.dose_box is not None
    dose = phantom.dose_box.grid((10.0, 20.0, 30.0))
    assert (dose.shape, dose.spacing_mm) == ((50, 40, 20), (4.0, 4.0, 5.0))
    np.testing.assert_allclose(dose.corner_mm, [10 - 100, 20 - 80, 30 - 50])
    assert (phantom.shape, phantom.isocenter_mm) == ((50, 40, 20), (100.0, 80.0, 50.0))
    voxels = phantom.voxels()
    names = [one.name for one in voxels.materials]
    assert names == ["G4_AIR", "G4_WATER", "PMMA"]
    rod = np.count_nonzero(voxels.material == 2) * 4.0 * 4.0 * 5.0
    assert rod == pytest.approx(np.pi * 20**2 * 80, rel=0.03)
    assert np.count_nonzero(voxels.material == 0) == 0
    # Its centre lies 50 mm to the left of the patient: x = 150 mm from the corner.
    assert voxels.material[10, 20, 37] == 2
    assert voxels.material[10, 20, 12] == 1
    assert "cut into voxels of 4 x 4 x 5 mm" in phantom.assumptions[0]


def test_a_phantom_may_reach_beyond_its_dose_grid(ideal: Path, change: Changed) -> None:
    change("commissioning/phantoms/water_box.mac", "{water_box_move_x} {water_box_move_y} {water_box_move_z}", "0 0 0")
    couch = ELEMENT.format(name="couch", material="PMMA", thickness=18).replace("0 -400 0", "0 89 0")
    change("commissioning/phantoms/water_box.mac", "/gate/water_box/vis/setColor blue\n", couch)
    phantom = Library.open(ideal).phantom("water_box")
    assert phantom.dose_box is not None
    assert phantom.dose_box.grid().shape == (50, 40, 20)
    # The couch is 250 mm wide and long and ends 98 mm below the isocentre: voxels on all sides, five below.
    assert phantom.shape == (50 + 2 * 7, 40 + 5, 20 + 2 * 15)
    np.testing.assert_allclose(phantom.grid().corner_mm, [-128, -80, -125])
    names = [one.name for one in phantom.voxels().materials]
    material = phantom.voxels().material
    assert names[material[0, 43, 2]] == "PMMA"
    assert names[material[0, 20, 2]] == "G4_AIR"
    assert names[material[25, 20, 12]] == "G4_WATER"


def test_ct_protocols_are_recognised_and_interpolated(ideal: Path, tmp_path: Path) -> None:
    library = Library.open(ideal)
    assert library.ct_protocol_names() == ("Schneider Head", "artificial")
    table = library.ct_protocol_for({"SeriesDescription": "Head", "KVP": "120"})
    assert table.name == "Schneider Head"
    assert "tolerance 0.01 g/cm3" in table.source
    assert len(list((tmp_path / "commissioning" / "CT" / "cache").glob("*.txt"))) == 1
    assert library.ct_protocol("artif").name == "artificial"
    with pytest.raises(InputError, match="KVP is missing, not '120'"):
        library.ct_protocol_for({"SeriesDescription": "Head"})


def test_hashes_cover_every_file_that_shaped_a_model(ideal: Path, change: Changed) -> None:
    def hashes() -> dict[str, str]:
        library = Library.open(ideal)
        found = {name: library.beam_model(name).sha256 for name in ("IR2_PROTON", "IR2_ION_6_12_6", "MyToy_PROTON")}
        found["head"] = library.ct_protocol("Schneider").sha256
        found["phantom"] = library.phantom("water_box").sha256
        return found

    def differing(after: str, file: str, old: str, new: str) -> None:
        before = hashes()
        change(file, old, new)
        now = hashes()
        assert {name for name in now if now[name] != before[name]} == set(after.split()), file

    differing("IR2_PROTON", f"{IR2}IR2_PROTON_source_properties.txt", "1300", "1301")
    differing("IR2_PROTON", f"{IR2}IR2_PROTON_3.0_source_properties.txt", "1300", "1301")
    differing("IR2_PROTON IR2_ION_6_12_6", f"{IR2}IR2_beamline_details.mac", "XTHETA true", "XTHETA false")
    differing("IR2_PROTON IR2_ION_6_12_6", "commissioning/beamlines/common/chamber.mac", "0.2 mm", "0.3 mm")
    differing("IR2_PROTON IR2_ION_6_12_6", f"{IR2}IR2_rm_RIFI_details.mac", "2 mm", "3 mm")
    differing("IR2_PROTON IR2_ION_6_12_6 MyToy_PROTON", "commissioning/beamlines/common/rs_RS30_details.mac",
              "30 mm", "31 mm")  # fmt: skip
    differing("head", "commissioning/CT/density/curve.txt", "0.93\n", "0.931\n")
    differing("head", "commissioning/CT/composition/tissues.txt", "Lung", "LungTissue")
    differing("phantom", "commissioning/phantoms/water_box.cfg", "= 50\n", "= 100\n")
    differing("phantom", "commissioning/phantoms/water_box.mac", "Rmax 20 mm", "Rmax 25 mm")
    # The database's PMMA is in the ripple filter and in the rod of the phantom.
    change("cfg/system.cfg", "PMMA = 1.195\n", "")
    differing("IR2_PROTON IR2_ION_6_12_6 phantom", "commissioning/material/Clinic.db", "1.195", "1.18")


def test_a_density_that_contradicts_the_database_is_refused_where_it_is_used(ideal: Path, change: Changed) -> None:
    change("cfg/system.cfg", "PMMA = 1.195", "PMMA = 1.19")
    library = Library.open(ideal)
    with pytest.raises(InputError, match=r"The density of 'PMMA' is given twice.*1\.195.*system\.cfg, line"):
        library.material("PMMA")
    assert library.material("G4_WATER").density_g_cm3 == 1.0
    with pytest.raises(InputError, match="given twice"):
        library.beam_model("IR2_PROTON")


def test_the_template_of_ideal_is_accepted_as_it_lies(shared_data: Path, tmp_path: Path) -> None:
    template = shared_data / "beam-models" / "ideal-template"
    library = Library.open(template)
    model = library.beam_model_for("ExampleBeamLine", "PROTON")
    assert model.plane_mm == 1300.0
    assert library.ct_protocol("Schneider").name == "My CT Schneider protocol name"
    assert library.ct_protocol_for({"SeriesDescription": "QA"}).name == "protocol for artificial CTs, for commissioning"
    assert "only intended to demonstrate" in library.content.beam_models["ExampleBeamLine_PROTON"].description
    tree = tmp_path / "sorted"
    for folder, names in {
        "beamlines/ExampleBeamLine": [
            "ExampleBeamLine_PROTON_source_properties.txt",
            "ExampleBeamLine_description.txt",
        ],
        "CT": ["hlut.conf"],
        "CT/density": ["Schneider2000DensitiesTable.txt"],
        "CT/composition": ["Schneider2000MaterialsTable.txt"],
    }.items():
        (tree / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(template / name, tree / folder / name)
    again = Library.open(tree)
    assert again.beam_model_for("ExampleBeamLine", "PROTON").sha256 == model.sha256
    assert again.ct_protocol("Schneider").sha256 == library.ct_protocol("Schneider").sha256


def test_a_broken_beam_line_hides_no_other(ideal: Path, change: Changed) -> None:
    change("commissioning/beamlines/MyToy/MyToy_PROTON_source_properties.txt", "1300", "x")
    library = Library.open(ideal)
    assert library.beam_model_for("IR2", "PROTON").machine == "IR2"
    with pytest.raises(InputError, match=r"no beam model for machine 'IR9' with PROTON.*IR2 \(PROTON\)"):
        library.beam_model_for("IR9", "PROTON")


def test_an_installation_of_ideal_is_answered_with_its_configuration(ideal: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an installation of IDEAL.*Allowed: .*cfg/system\.cfg"):
        Library.open(tmp_path)
    assert ideal.is_file()


def test_a_folder_of_both_kinds_is_refused(ideal: Path, tmp_path: Path) -> None:
    (tmp_path / "commissioning" / "library.toml").write_text('name = "x"\n')
    with pytest.raises(InputError, match="a library of ours and a tree of IDEAL"):
        Library.open(tmp_path / "commissioning")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (f"{IR2}IR2_beamline_details.mac", "PROTON_CONVERGENCE_XTHETA true", "PROTON_CONVERGENCE_XTHETA ture",
         r"Expected true or false\. Did you mean 'true'\? Given: 'ture'"),
        (f"{IR2}IR2_beamline_details.mac", "PROTON_CONVERGENCE_YPHI", "PROTON_CONVERGENCE_YPHY",
         "Allowed: /control/alias PROTON_CONVERGENCE_YPHI"),
        (f"{IR2}IR2_beamline_details.mac", "chamber.mac", "chambre.mac", r"missing.*chamber\.mac.*line 5"),
        ("commissioning/beamlines/common/chamber.mac", "G4_KAPTON", "G4_Kapton", "Did you mean 'G4_KAPTON'"),
        ("commissioning/beamlines/common/IR2_extra.mac", "", "#\n",
         r"The folder common holds files of machine IR2\. Given: IR2_extra\.mac"),
        (f"{IR2}rs_RS50_details.mac", "", "#\n", r"needs the machine in front of its name.*IR2_rs_RS50_details\.mac"),
        (f"{IR2}IR2_rs_RS50_details.mac", "", "# nothing\n", "range shifter 'RS50' places nothing in the beam"),
        (f"{IR2}IR3_PROTON_source_properties.txt", "", "1\n", "does not fit its beam line. Given: IR3_PROTON"),
        (f"{IR2}IR2_PROTON_source_properties.txt", "1300", "13oo", "nozzle-to-isocentre distance.*line 2"),
    ],
)  # fmt: skip
def test_mistakes_of_a_beam_line_are_named(ideal: Path, change: Changed, file: str, old: str, new: str,
                                           message: str) -> None:  # fmt: skip
    change(file, old, new)
    library = Library.open(ideal)
    with pytest.raises(InputError, match=message):
        library.beam_model_for("IR2", "PROTON")


def test_a_machine_with_tunes_only_needs_a_model_for_the_others(ideal: Path, tmp_path: Path) -> None:
    folder = tmp_path / "commissioning" / "beamlines" / "MyToy"
    (folder / "MyToy_PROTON_source_properties.txt").rename(folder / "MyToy_PROTON_1.0_source_properties.txt")
    library = Library.open(ideal)
    assert any("source files of spot tunes only" in problem for problem in library.content.problems)
    with pytest.raises(InputError, match=r"no beam model for machine 'MyToy'.*`dosewright check` tells"):
        library.beam_model_for("MyToy", "PROTON")
    assert library.beam_model_for("IR2", "PROTON").machine == "IR2"  # the rest works
    with pytest.raises(InputError, match="Unknown beam model"):
        library.beam_model("MyToy")
