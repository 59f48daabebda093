"""The library: where it lies, what it holds, how things are found."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.errors import InputError
from dosewright.materials.hlut import classify
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power


@pytest.fixture(autouse=True)
def no_library_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


def site(folder: Path) -> Path:
    (folder / "beam_models").mkdir(parents=True)
    shutil.copy(PACKAGED / "beam_models" / "generic.toml", folder / "beam_models" / "room1.toml")
    (folder / "ct").mkdir()
    (folder / "ct" / "hlut.conf").write_text(
        "[Head]\n-1024,-500 = G4_AIR\n-500,3000 = Putty\nSeriesDescription = Head\nKVP = 120\n"
        "[Head HD]\n-1024,-500 = G4_AIR\n-500,3000 = G4_WATER\nSeriesDescription = Head\n"
        "[QA]\n-1024,-500 = G4_AIR\n-500,3000 = G4_WATER\nSeriesDescription = QA\n"
    )
    (folder / "materials.toml").write_text(
        '[[material]]\nname = "Putty"\ndensity_g_cm3 = 1.5\nmass_fractions = {H = 0.1, Oxygen = 0.9}\n'
    )
    (folder / "library.toml").write_text(
        'name = "our clinic"\n[[machine]]\nname = "TR1"\nbeam_model = "room1"\n'
        '[[machine]]\nname = "TR2"\nbeam_model = "room1"\n'
    )
    return folder


def test_the_packaged_library_is_complete() -> None:
    library = Library.open()
    assert library.folder is None
    assert library.beam_model_names() == ("generic",)
    assert library.ct_protocol_names() == ("generic",)
    assert library.phantom_names() == ("water_box",)
    assert "G4_WATER" in library.material_names()


def test_the_generic_beam_model_is_labelled_and_plausible() -> None:
    model = Library.open().beam_model_for("GENERIC", "PROTON")
    assert any("not that of a real machine" in said for said in model.assumptions)
    assert (model.plane_mm, model.scanning_mm, model.medium) == (500.0, (2000.0, 2500.0), "air")
    assert {k: s.thickness_mm for k, s in model.range_shifters.items()} == {"RS_2CM": 20, "RS_3CM": 30, "RS_5CM": 50}
    water, air = named("water"), named("air")
    lexan = model.range_shifters["RS_5CM"].material
    wet = 50 * lexan.density_g_cm3 * proton_mass_stopping_power(lexan, 150.0) / proton_mass_stopping_power(water, 150.0)
    assert float(wet) == pytest.approx(57.4, abs=0.3)
    for energy, sigma in ((70.0, 6.0), (150.0, 3.0 + 3.0 * 0.5**1.5), (230.0, 3.0)):
        beam = model.at(energy)
        (spot,) = beam.optics
        for cov, size in ((spot.cov_x, sigma), (spot.cov_y, 1.05 * sigma)):
            assert np.sqrt(cov[0, 0] + 1000 * cov[0, 1] + 250000 * cov[1, 1]) == pytest.approx(size, rel=1e-3)
            assert cov[0, 1] + 500 * cov[1, 1] == pytest.approx(0.0, abs=1e-6)  # the waist
        collected = beam.particles_per_mu * proton_mass_stopping_power(air, energy) * air.density_g_cm3 / 34.44
        assert float(collected) * 1.602176634e-13 == pytest.approx(3e-9, rel=1e-3)
        assert 0.00599 < beam.energy_sigma_MeV / energy < 0.01001
    assert len(model.sha256) == 64


def test_the_generic_ct_protocol_is_schneiders() -> None:
    library = Library.open()
    table = library.ct_protocol("generic")
    got = classify(np.array([-1000, -98, -50, 14, 18, 50, 101, 1000]), table)
    expected = [1.21e-3, 0.93, 1.018 - 0.893e-3 * 50, 1.018 + 0.893e-3 * 14, 1.03, 1.003 + 1.169e-3 * 50]
    expected += [1.017 + 0.592e-3 * 101, 1.017 + 0.592]
    assert got.density_g_cm3.tolist() == pytest.approx(expected, rel=2e-6)
    assert got.material.tolist() == [0, 2, 4, 6, 6, 7, 8, 18]
    assert table.materials[18].mass_fractions[20] == pytest.approx(0.181, rel=5e-3)
    by_default = library.ct_protocol_for({"SeriesDescription": "x"})
    assert "the default of library" in by_default.source
    assert by_default.sha256 == table.sha256 != ""


def test_where_a_library_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = site(tmp_path / "site")
    usual = tmp_path / "config" / "dosewright" / "library"
    site(usual)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert Library.open().folder == usual
    monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(folder))
    assert Library.open().folder == folder
    assert Library.open(usual / "library.toml").folder == usual
    for wrong in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            Library.open(wrong)


def test_machines_get_their_beam_model(tmp_path: Path) -> None:
    library = Library.open(site(tmp_path / "site"))
    for machine in ("TR1", "tr2", "GENERIC"):
        model = library.beam_model_for(machine, "PROTON")
        assert (model.name, model.machine) == ("room1", machine)
    with pytest.raises(InputError, match=r"no beam model for machine 'TR3'.*-z.*TR1 \(PROTON\)"):
        library.beam_model_for("TR3", "PROTON")
    for machine, radiation in (("TR1", "ION_6_12_6"), ("", "PROTON")):
        with pytest.raises(InputError, match="no beam model"):
            library.beam_model_for(machine, radiation)
    shutil.copy(PACKAGED / "beam_models" / "generic.toml", tmp_path / "site" / "beam_models" / "room2.toml")
    with pytest.raises(InputError, match="Several beam models"):
        Library.open(tmp_path / "site").beam_model_for("GENERIC", "PROTON")


def test_ct_protocols_by_name_part_and_keywords(tmp_path: Path) -> None:
    library = Library.open(site(tmp_path / "site"))
    assert library.ct_protocol("Head").name == "Head"
    assert library.ct_protocol("head hd").name == "Head HD"
    assert library.ct_protocol("hd").name == "Head HD"
    with pytest.raises(InputError, match="part of several"):
        library.ct_protocol("hea")
    assert library.ct_protocol_for({"SeriesDescription": "Head", "KVP": "120"}).name == "Head"
    assert library.ct_protocol_for({"SeriesDescription": "Head", "KVP": "80"}).name == "Head HD"
    assert library.ct_protocol("Head").materials[1].name == "Putty"
    assert library.ct_protocol_for({"seriesdescription": "Head", "kVp": "120.0"}).name == "Head"
    with pytest.raises(InputError, match="No CT protocol claims") as refused:
        library.ct_protocol_for({"SeriesDescription": "Thorax"})
    assert (
        "Head: SeriesDescription is 'Thorax', not 'Head', KVP is missing, not '120'; "
        "Head HD: SeriesDescription is 'Thorax', not 'Head'; QA: SeriesDescription is 'Thorax', not 'QA'."
    ) in str(refused.value)


def test_a_tie_of_ct_protocols_is_refused(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    conf = folder / "ct" / "hlut.conf"
    conf.write_text(conf.read_text().replace("KVP = 120\n", ""))
    with pytest.raises(InputError, match="Several CT protocols claim") as refused:
        Library.open(folder).ct_protocol_for({"SeriesDescription": "Head"})
    assert "Given: Head (SeriesDescription = Head); Head HD (SeriesDescription = Head)." in str(refused.value)


def test_materials_of_the_site_come_first(tmp_path: Path) -> None:
    library = Library.open(site(tmp_path / "site"))
    assert library.material("Putty").mass_fractions == {1: 0.1, 8: 0.9}
    with pytest.raises(InputError, match="Did you mean 'Putty'"):
        library.material("putty")
    with pytest.raises(InputError, match="Did you mean 'G4_WATER'"):
        library.material("G4_Water")
    assert library.material("water").name == "G4_WATER"
    with pytest.raises(InputError, match="Did you mean 'Putty'"):
        library.material("Puttyy")
    with pytest.raises(InputError, match="Did you mean 'G4_WATER'"):
        library.material("G4_WATR")


def test_files_of_other_programs_by_path(shared_data: Path, tmp_path: Path) -> None:
    library, models = Library.open(), shared_data / "beam-models"
    files = {
        "dcpt/DCPT_beam_model__v5.csv": (600.0, "air"),
        "mcsquare-bdl/BDL_default_UN_RangeShifter.txt": (410.0, "vacuum"),
        "ideal-template/ExampleBeamLine_PROTON_source_properties.txt": (1300.0, "air"),
        "gate-rtion/example5/Source-Properties.txt": (500.0, "air"),
    }
    for file, expected in files.items():
        model = library.beam_model(str(models / file))
        assert (model.plane_mm, model.medium) == expected
        assert len(model.sha256) == 64
    scanner = library.ct_protocol(str(models / "mcsquare-scanner-default"))
    assert scanner.materials[0].name == "SCHNEIDER_AIR"
    conf = models / "ideal-template" / "hlut.conf"
    assert len(library.ct_protocol(f"{conf}:Schneider").materials) == 27
    with pytest.raises(InputError, match="several CT protocols"):
        library.ct_protocol(str(conf))
    curve = tmp_path / "curve.csv"
    curve.write_text("HU,density\n-1000,0.0012\n0,1\n2000,2.2\n")
    table = library.ct_protocol(str(curve))
    assert (table.name, len(table.materials)) == ("curve", 24)
    with pytest.raises(InputError, match="no beam model that is known"):
        library.beam_model(str(models / "pymchelper" / "beam_model_generic.csv"))


def test_a_site_may_add_what_comes_with_the_package(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    assert Library.open(folder).phantom_names() == ()
    with (folder / "library.toml").open("r+") as stream:
        text = stream.read()
        stream.seek(0)
        stream.write("with_packaged = true\n" + text)
    library = Library.open(folder)
    assert library.phantom_names() == ("water_box",)
    assert set(library.beam_model_names()) == {"room1", "generic"}


def test_only_a_library_of_a_site_names_a_default_for_it(tmp_path: Path) -> None:
    (tmp_path / "library.toml").write_text('name = "mine"\nwith_packaged = true\n')
    with pytest.raises(InputError, match=r"choose one with -c, or name a default_ct_protocol in library\.toml"):
        Library.open(tmp_path).ct_protocol_for({"Manufacturer": "X"})
    (tmp_path / "library.toml").write_text('name = "mine"\nwith_packaged = true\ndefault_ct_protocol = "generic"\n')
    table = Library.open(tmp_path).ct_protocol_for({"Manufacturer": "X"})
    assert table.name == "generic"
    assert "the default of library 'mine', since no protocol claims this CT" in table.source


def test_a_file_that_cannot_be_read_is_named_by_its_purpose(tmp_path: Path) -> None:
    (tmp_path / "plan.dcm").write_bytes(b"\xff\xfe\x00\x01")
    library = Library.open(PACKAGED)
    for look, purpose in ((library.beam_model, "Beam model"), (library.ct_protocol, "CT protocol"),
                          (library.phantom, "Phantom")):  # fmt: skip
        with pytest.raises(InputError, match=f"^{purpose}: "):
            look(str(tmp_path / "plan.dcm"))


def test_a_place_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        Library.open(Path())
    assert f"Given: {tmp_path}. Allowed" in str(refused.value)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("library.toml", 'nmae = "x"\n', "Did you mean 'name'.*line 1"),
        ("library.toml", "[[machine]]\nname = 1\n", "machine.0.name"),
        ("materials.toml", '[[material]]\nname = "a"\ndensity_g_cm3 = 1.0\nmass_fractions = {Q = 1.0}\n', "element"),
        ("materials.toml", '[[material]]\nname = "a"\ndensity_g_cm3 = -1.0\nmass_fractions = {H = 1.0}\n', "greater"),
    ],
)
def test_mistakes_of_the_configuration_are_named(tmp_path: Path, file: str, text: str, message: str) -> None:
    folder = site(tmp_path / "site")
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=message):
        Library.open(folder)


@pytest.mark.parametrize("ask", ["beam_model", "ct_protocol", "phantom", "material"])
@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20) | st.just("x" * 5000) | st.just("../../etc") | st.just("/etc/passwd"))
def test_any_word_is_found_or_refused(ask: str, word: str) -> None:
    library = Library.open(PACKAGED)
    try:
        getattr(library, ask)(word)
    except InputError as refusal:
        assert refusal.problems


def test_near_words_are_offered() -> None:
    library = Library.open()
    with pytest.raises(InputError, match="Did you mean 'generic'"):
        library.beam_model("genric")
    with pytest.raises(InputError, match="Did you mean 'water_box'"):
        library.phantom("waterbox")
