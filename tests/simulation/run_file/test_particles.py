"""Run files of photons, electrons and positrons: what goes with each particle, and what is refused."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.simulation import read_run_file
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.transport_tables import PROCESSES
from dosewright.simulation.run_file.values import PARTICLES
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.setup.leaving_bins import bins_of
from dosewright.simulation.setup.prepare import coupled_settings
from dosewright.simulation.setup.transport_warnings import transport_warnings

GOOD = """\
[phantom]
size_mm = [20, 20, 40]
voxel_mm = [2, 2, 1]
origin_mm = [-10, -10, 0]
material = "G4_WATER"

[[phantom.slab]]
name = "target"
z_mm = [0, 10]
material = "G4_W"

[source]
kind = "pencil"
particle = "photon"
energy_MeV = 6
position_mm = [0, 0, -10]

[goal]
histories = 1e3
"""
REGION = "[[transport.region]]\nname = 'target'\nelectron_cut_MeV = 0.01\n"
SPECTRUM = "[[score]]\nquantity = 'spectrum'\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        read_run_file(written(folder, text))
    return refused.value.problems


def source_of(particle: str, energy: str) -> str:
    return GOOD.replace('"photon"', f'"{particle}"').replace("energy_MeV = 6", energy)


def test_every_particle_has_its_abilities_and_every_process_a_particle() -> None:
    assert set(ABILITIES) == {*PARTICLES, "phase_space"}
    assert {word for able in ABILITIES.values() for word in able.processes} == set(PROCESSES)


@pytest.mark.parametrize(("particle", "energy"), [("photon", 0.0101), ("photon", 50), ("electron", 0.21),
                                                  ("positron", 50)])  # fmt: skip
def test_energies_inside_the_tables_are_taken(tmp_path: Path, particle: str, energy: float) -> None:
    run = read_run_file(written(tmp_path, source_of(particle, f"energy_MeV = {energy}")))
    assert run.source.particle == particle


@pytest.mark.parametrize(
    ("particle", "energy", "allowed"),
    [
        ("photon", "energy_MeV = 50.1", "from 0.001 MeV, above photon_cut_MeV (0.01) and, with 5 sigmas of spread, up "
                                        "to 50 MeV"),
        ("photon", "energy_MeV = 0.01", "above photon_cut_MeV (0.01)"),
        ("photon", "energy_MeV = 49\nenergy_spread_percent = 1", "with 5 sigmas of spread, up to 50 MeV"),
        ("photon", "energy_MeV = 0.011\nenergy_spread_percent = 20", "from 0.001 MeV"),
        ("electron", "energy_MeV = 0.2", "above electron_cut_MeV (0.2)"),
        ("positron", "energy_MeV = 0.1", "above electron_cut_MeV (0.2)"),
        ("electron", "energy_MeV = 60", "up to 50 MeV"),
    ],
)  # fmt: skip
def test_energies_beyond_tables_and_cuts_are_refused(tmp_path: Path, particle: str, energy: str, allowed: str) -> None:
    (one,) = problems(tmp_path, source_of(particle, energy))
    assert "source.energy_MeV is out of range" in one
    assert allowed in one
    assert "run.toml, line 15." in one


def test_a_region_with_a_lower_cut_lets_its_electrons_start(tmp_path: Path) -> None:
    text = source_of("electron", "energy_MeV = 0.15")
    assert "above electron_cut_MeV (0.2)" in problems(tmp_path, text)[0]
    assert read_run_file(written(tmp_path, text + REGION)).transport.region[0].electron_cut_MeV == 0.01


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('[transport]\nprocesses_off = ["nuclear"]', "'nuclear' is no process of photons. Allowed: rayleigh, bound"),
        ('[transport]\nprocesses_off = ["raleigh"]', "Did you mean 'rayleigh'?"),
        ("[transport]\nphoton_cut_MeV = 0.0005", "transport.photon_cut_MeV is out of range. Given: 0.0005. Allowed: at "
                                                 "least 0.001"),
        ("[transport]\nelectron_cut_MeV = 51", "at most 50"),
        ("[transport]\nrange_rejection_MeV = -1", "at least 0"),
        (REGION.replace("target", "targe"), "has this name. Did you mean 'target'? Given: 'targe'. Allowed: G4_WATER, "
                                            "G4_W, target."),
        (REGION + REGION, "Two regions have one name. Given: target"),
        ("[[transport.region]]\nname = 'target'", "The region has no cut of its own"),
        ("[[transport.region]]\nelectron_cut_MeV = 0.1", "'transport.region[1].name' is missing"),
        (REGION + "proton_cut_MeV = 1", "Unknown key 'transport.region[1].proton_cut_MeV'. Did you mean"),
        ("[[score]]\nquantity = 'letd'", "'letd' is nothing that photons score. Allowed: dose, dose_to_water, energy, "
                                         "spectrum"),
        (SPECTRUM, "The key 'score[1].particle' is missing. Allowed: photon, electron, positron"),
        (SPECTRUM + "particle = 'proton'", "score[1].particle is not a known word"),
        (SPECTRUM + "particle = 'photon'\nvoxel_mm = [1, 1, 1]", "score[1].voxel_mm belongs to a grid of voxels"),
        (SPECTRUM + "particle = 'photon'\nangle_bins = 0", "score[1].angle_bins is out of range"),
        ("[[score]]\nenergy_bins = 3", "score[1].energy_bins belongs to spectra, not to 'dose'"),
        (f"{SPECTRUM}particle = 'photon'\n{SPECTRUM}particle = 'photon'", "would write the same files"),
        (f"{SPECTRUM}particle = 'photon'\nangle_bins = 3\n{SPECTRUM}particle = 'electron'", "share their bins"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, added: str, said: str) -> None:
    found = problems(tmp_path, f"{GOOD}\n{added}\n")
    assert any(said in one and "run.toml, line" in one for one in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("energy_MeV = 6", "energy_MeV = 1.01", "Given: photons of 1.01 MeV. Allowed: photons up to 1 MeV"),
        ('"photon"', '"electron"', "Given: a source of electrons"),
        ("[goal]", "[[score]]\nquantity = 'dose_to_water'\n[goal]", "Given: a score of dose_to_water"),
        ("[goal]", "[[score]]\nsize_mm = [2, 2, 2]\nvoxel_mm = [2, 2, 2]\norigin_mm = [0, 0, 0]\n[goal]",
         "Given: a score with a grid of its own"),
        ("[goal]", REGION + "photon_cut_MeV = 0.02\n[goal]", "a photon_cut_MeV of its own"),
    ],
)  # fmt: skip
def test_dose_by_track_length_has_limits(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new) + "[variance_reduction]\ntrack_length = true\n"
    assert any("no dose by track length for this" in one and said in one for one in problems(tmp_path, text))
    allowed = GOOD.replace("energy_MeV = 6", "energy_MeV = 0.1") + "[variance_reduction]\ntrack_length = true\n"
    assert coupled_settings(read_run_file(written(tmp_path, allowed))).track_length


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"photon"', '"positron"', "Given: a source of positrons. Allowed: a source of photons"),
        ("[goal]", f"{SPECTRUM}particle = 'photon'\n[goal]", "Given: a score of what leaves the phantom"),
        ("[goal]", "[[score]]\nsize_mm = [2, 2, 2]\nvoxel_mm = [2, 2, 2]\norigin_mm = [0, 0, 0]\n[goal]",
         "Given: a score with a grid of its own"),
    ],
)  # fmt: skip
def test_photon_splitting_has_limits(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new) + "[variance_reduction]\nphoton_splitting = 8\n"
    assert any("Photons are not split for this" in one and said in one for one in problems(tmp_path, text))
    allowed = GOOD + "[variance_reduction]\nphoton_splitting = 8\n"
    assert coupled_settings(read_run_file(written(tmp_path, allowed))).photon_splitting == 8


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("photon_splitting = 1", "Given: 1. Allowed: 0, or 2 to 30"),
        ("photon_splitting = 31", "at most 30"),
        ("photon_splitting = 8\ntrack_length = true", "Given: track_length. Allowed: one of the two"),
    ],
)
def test_photon_splitting_is_a_number_of_places(tmp_path: Path, added: str, said: str) -> None:
    text = GOOD.replace("energy_MeV = 6", "energy_MeV = 0.1") + f"[variance_reduction]\n{added}\n"
    assert any(said in one for one in problems(tmp_path, text))


def test_spots_are_for_protons(tmp_path: Path) -> None:
    text = GOOD.replace('"pencil"', '"spots"').replace("energy_MeV = 6", 'file = "s.csv"')
    said = "There are no sources of kind 'spots' for photons. Allowed: pencil, rectangle, point, volume."
    assert any(said in one for one in problems(tmp_path, text))


def test_protons_have_no_regions_spectra_or_photon_processes(tmp_path: Path) -> None:
    text = source_of("proton", "energy_MeV = 70") + f"[transport]\nprocesses_off = ['pair']\n{REGION}{SPECTRUM}"
    found = problems(tmp_path, text + "particle = 'photon'\n")
    for said in ("'pair' is no process of protons", "region means nothing to protons", "nothing that protons score"):
        assert any(said in one for one in found), found


def test_an_insert_is_not_named_as_a_material(tmp_path: Path) -> None:
    text = GOOD.replace('name = "target"', 'name = "G4_WATER"')
    assert "An insert must not have the name of a material. Given: G4_WATER" in problems(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,2,-1\n2,3,4\n", "must not be negative"),
        ("1,2,0\n2,3,0\n", "nor all zero"),
        ("1,51,1\n", "source.spectrum is out of range. Given: 1 to 51 MeV"),
        ("0,2,1\n", "from 0.001 MeV"),
        ("-1,2,1\n", "An energy is negative"),
        ("0.002,0.009,1\n", "above photon_cut_MeV (0.01)"),
    ],
)
def test_wrong_spectra_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "s.csv").write_text("low_MeV,high_MeV,weight\n" + rows)
    found = problems(tmp_path, source_of("photon", 'spectrum = "s.csv"'))
    assert any(said in one for one in found), found


def test_what_lies_below_the_cut_is_said(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("low_MeV,high_MeV,weight\n0.005,0.015,1\n0.02,0.02,3\n0.1,0.2,0\n")
    run = read_run_file(written(tmp_path, source_of("photon", 'spectrum = "s.csv"')))
    below, no_electrons = transport_warnings(run)
    assert "12.5 % of the photons of the spectrum lie below photon_cut_MeV (0.01)" in below
    assert "electron_cut_MeV (0.2): all electrons are absorbed where they are made" in no_electrons
    assert transport_warnings(read_run_file(written(tmp_path, GOOD))) == ()


def test_keys_without_effect_are_said(tmp_path: Path) -> None:
    run = read_run_file(written(tmp_path, GOOD + "[transport]\nproton_cut_MeV = 1\n"))
    assert transport_warnings(run) == ("transport.proton_cut_MeV = 1 changes nothing for a source of photons.",)
    text = source_of("proton", "energy_MeV = 70") + "[transport]\nelectron_cut_MeV = 1\n"
    run = read_run_file(written(tmp_path, text))
    assert transport_warnings(run) == ("transport.electron_cut_MeV = 1 changes nothing for a source of protons.",)


def test_settings_carry_cuts_regions_and_processes(tmp_path: Path) -> None:
    text = f"{GOOD}[transport]\nphoton_cut_MeV = 0.02\nprocesses_off = ['doppler']\n{REGION}range_rejection_MeV = 1\n"
    settings = coupled_settings(read_run_file(written(tmp_path, text)))
    assert settings.processes_off == ("doppler",)
    assert settings.dose_to_water is False
    water, target = settings.cuts_in("G4_WATER"), settings.cuts_in("G4_W", "target")
    assert (water.photon_MeV, water.electron_MeV, water.rejection_MeV) == (0.02, 0.2, 0.0)
    assert (target.photon_MeV, target.electron_MeV, target.rejection_MeV) == (0.02, 0.01, 1.0)


@pytest.mark.parametrize(("particle", "highest"), [("photon", 6.0), ("positron", 6 + 2 * 0.51099895)])
def test_the_resolved_file_is_the_same_run(tmp_path: Path, particle: str, highest: float) -> None:
    text = f"{source_of(particle, 'energy_MeV = 6')}{REGION}{SPECTRUM}particle = 'photon'\nangle_bins = 4\n"
    run = read_run_file(written(tmp_path, text))
    bins = bins_of(run)
    assert (bins.energy_bins, bins.highest_MeV, bins.angle_bins) == (100, pytest.approx(highest), 4)
    out = tmp_path / "out"
    out.mkdir()
    content = resolved_content(run, out)
    (spectrum,) = content["score"]
    assert spectrum["name"] == "spectrum_photon"
    assert (spectrum["energy_bins"], spectrum["energy_max_MeV"]) == (100, pytest.approx(highest))
    assert content["transport"]["region"] == [{"name": "target", "electron_cut_MeV": 0.01}]
    (out / "run.toml").write_text(to_toml(content), encoding="utf-8")
    again = read_run_file(out / "run.toml")
    assert resolved_content(again, out) == content
    assert bins_of(again) == bins
