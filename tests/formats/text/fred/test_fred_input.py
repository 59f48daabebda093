"""What a FRED input defines: every key with a value of its own, defaults, mistakes, and the real decks."""

import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.text.fred.fred_texts import DECKS, SMALL, deck, written

from dosewright.core.errors import InputError
from dosewright.formats.dose.mhd import read_mhd_header
from dosewright.formats.text.fred.beam_shape import Envelope, PointSource
from dosewright.formats.text.fred.fred_input import FredInput, read_fred
from dosewright.formats.text.fred.known_words import NOT_DONE
from dosewright.formats.text.fred.scope import Budget
from dosewright.formats.text.fred.variance_reduction import Mode

BOX = "region: phantom ; L=[1,1,1] ; material = water\n"


def of(folder: Path, text: str) -> FredInput:
    return read_fred(written(folder, text))


def beam(folder: Path, keys: str):  # type: ignore[no-untyped-def]
    return of(folder, f"{BOX}field: 1 ; O=[0,0,-50]\npb: 1 1 ; {keys}").beams[0]


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        of(folder, text)
    assert all("fred.inp" in one for one in refused.value.problems)
    return refused.value.problems


def test_a_region(tmp_path: Path) -> None:
    text = """region< ID = det_1 ; O = [20, 0, -20.5] ; L=[10,11,5] ; f=[1,0,1] ; u=[0,2,0] ; pivot=[0.5,0.5,0]
voxels = [2,3,4] ; maxStepSize = 0.2 ; material = 'PMMA' ; score=[Dose,LETd] ; scoreij = dose
lWriteDensity = T ; lWriteRSP = f ; lAdaptiveSize = true
region>"""
    found = of(tmp_path, text)
    (region,) = found.regions
    assert region.box.name == "det_1"
    assert region.box.size_mm == (100.0, 110.0, 50.0)
    assert (region.box.low_mm, region.box.high_mm) == ((-50.0, -55.0, 0.0), (50.0, 55.0, 50.0))
    r = math.sqrt(0.5)
    # front (1, 0, 1), up y, left = up x front
    assert np.allclose(region.box.frame.rotation.T, [[r, 0, -r], [0, 1, 0], [r, 0, r]])
    assert np.allclose(region.box.frame.translation, [200, 0, -205])
    assert region.voxels == (2, 3, 4)
    assert (region.max_step_mm, region.material, region.hounsfield) == (2.0, "PMMA", None)
    assert (region.scores, region.scores_ij, region.writes) == (("Dose", "LETd"), ("dose",), ("lWriteDensity",))
    assert region.adaptive
    assert found.room_material == "vacuum"


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ("", "xyz"),
        ("f=[0,1,0] ; u=[0,0,1]", "lxyz"),
        ("l=[0,0,-1] ; u=[1,0,0]", ((0, 0, -1), (1, 0, 0), (0, -1, 0))),
        ("l=[1,0,0] ; u=[0,-1,0]", ((1, 0, 0), (0, -1, 0), (0, 0, -1))),
        ("f=[0,0,-2] ; l=[0,3,0]", ((0, 1, 0), (1, 0, 0), (0, 0, -1))),
        ("f=[0,0,1] ; u=[0,1,0] ; l=[1,0,0]", "xyz"),
    ],
)
def test_axes_from_two_of_three_vectors(tmp_path: Path, keys: str, columns: object) -> None:
    expected = {"xyz": np.eye(3), "lxyz": [[1, 0, 0], [0, 0, 1], [0, 1, 0]]}.get(str(columns), columns)
    if str(columns) == "lxyz":
        expected = [np.cross((0, 0, 1), (0, 1, 0)), (0, 0, 1), (0, 1, 0)]
    frame = of(tmp_path, f"region: a ; material=air ; {keys}").regions[0].box.frame
    assert np.allclose(frame.rotation.T, expected)
    assert np.linalg.det(frame.rotation) == pytest.approx(1.0)


def test_axes_that_are_not_perpendicular_are_told(tmp_path: Path) -> None:
    found = of(tmp_path, "region: a ; material=air ; f=[0,0,1] ; u=[0,1,1]")
    assert np.allclose(found.regions[0].box.frame.rotation, np.eye(3))
    assert any("not perpendicular" in note for note in found.notes)


def test_fields_and_the_default_field(tmp_path: Path) -> None:
    found = of(tmp_path, SMALL + "field: 3; exitWindowPlane=40.5 ; L=[1,2,3]; O.y=4\npb: 1 3")
    assert [one.box.name for one in found.fields] == ["field_1", "field_2", "field_3"]
    assert np.allclose(found.fields[1].box.frame.directions((0, 0, 1)), (0, 1, 0))
    assert found.fields[2].exit_window_mm == 405.0
    assert np.allclose(found.fields[2].box.frame.translation, (0, 40, 0))
    (field,) = of(tmp_path, BOX).fields
    assert (field.id, field.box.size_mm, field.box.pivot) == ("0", (200.0, 200.0, 500.0), (0.5, 0.5, 0.2))
    assert np.allclose(field.box.frame.translation, (0, 0, -500))


def test_the_default_pencil_beam(tmp_path: Path) -> None:
    found = of(tmp_path, BOX + "pbE = 150; pbXsec=disc; pbFWHM=5; pbESpread=0.01 ; nprim=1e5; pbParticle = C12")
    (one,) = found.beams
    assert (one.id, one.field, one.particle, one.histories, one.particles) == ("1", "0", "C12", 100_000, 1.0)
    assert (one.energy.mean_MeV, one.energy.fwhm_MeV) == (150.0, pytest.approx(1.5))
    assert (one.section.shape, one.section.fwhm_mm) == ("disc", (50.0, 50.0))


def test_a_pencil_beam_by_default(tmp_path: Path) -> None:
    one = beam(tmp_path, "")
    assert (one.particle, one.particles, one.histories) == ("proton", 1.0, 10_000)
    assert (one.energy.mean_MeV, one.energy.distribution, one.energy.fwhm_MeV) == (100.0, "line", 0.0)
    assert (one.position_mm, one.direction, one.section.shape, one.spread) == ((0, 0, 0), (0, 0, 1), "pin", None)


@pytest.mark.parametrize(
    ("keys", "fwhm", "kind"),
    [
        ("E=70 ; Estdev=0.5", 0.5 * 2.3548200450309493, "gauss"),
        ("E=70 ; EFWHM=1.5 ; Edistrib=gaussian", 1.5, "gauss"),
        ("T=70 ; Espread=0.02", 1.4, "gauss"),
        ("Edistrib=uniform ; Emin=60 ; Emax=80", 20.0, "uniform"),
        ("E=70 ; EFWHM=3 ; Edistrib=flat", 3.0, "uniform"),
        ("E=70 ; Edistrib = gauss", 0.0, "line"),
    ],
)
def test_widths_of_energy(tmp_path: Path, keys: str, fwhm: float, kind: str) -> None:
    energy = beam(tmp_path, keys).energy
    assert (energy.mean_MeV, energy.distribution) == (70.0, kind)
    assert energy.fwhm_MeV == pytest.approx(fwhm, rel=1e-9)


def test_energy_per_nucleon_bounds_and_momentum(tmp_path: Path) -> None:
    energy = beam(tmp_path, "particle=carbon ; Tu=200 ; EuFWHM=2 ; Eumin=190 ; Eumax=210").energy
    assert (energy.mean_MeV, energy.per_nucleon, energy.fwhm_MeV) == (200.0, True, 2.0)
    assert (energy.least_MeV, energy.most_MeV) == (190.0, 210.0)
    energy = beam(tmp_path, "T=200 ; pSpread=0.005").energy
    assert (energy.momentum_fwhm, energy.distribution, energy.fwhm_MeV) == (0.005, "gauss", 0.0)


def test_place_cross_section_and_numbers(tmp_path: Path) -> None:
    one = beam(tmp_path, "P=[1,-2,0.5]; v=[-2,0,200]; Xsec=gauss; FWHMx=0.5; FWHMy=0.75; alpha=30; rmin=0.1; rmax=2; "
                         "N=1e7; nprim=1.5e3; particle=p")  # fmt: skip
    assert one.position_mm == (10.0, -20.0, 5.0)
    assert one.direction == pytest.approx((-0.0099995, 0, 0.99995), abs=1e-7)
    section = one.section
    assert (section.shape, section.fwhm_mm, section.turned_deg) == ("gauss", (5.0, 7.5), 30.0)
    assert (section.least_radius_mm, section.most_radius_mm) == (1.0, 20.0)
    assert (one.particles, one.histories, one.particle) == (1e7, 1500, "proton")


def test_the_two_forms_of_the_gaussian_beam_in_phase_space_agree(tmp_path: Path) -> None:
    # Both are in the FRED manual, for one set of spot sizes about the isocentre.
    a, b, c = 0.27326425714285724, -0.0003427399999999939, 3.9535714285714174e-05
    by_size = beam(tmp_path, f"T=100 ; sigmaSqrModel = [55,{a},{b},{c}]").spread
    by_twiss = beam(tmp_path, "Xsec=emittance ; twissAlphaX=0.05220831320123199 ; twissBetaX=83.25066186389999 ; "
                              "emittanceX=0.0032824274429144556 ; emittanceRefPlaneDistance=55").spread  # fmt: skip
    assert isinstance(by_size, Envelope) and isinstance(by_twiss, Envelope)
    assert by_size.plane_mm == by_twiss.plane_mm == 550.0
    for cov in (by_size.optics.cov_x, by_size.optics.cov_y, by_twiss.optics.cov_x, by_twiss.optics.cov_y):
        assert np.allclose(cov, [[100 * a, 5 * b], [5 * b, c]], rtol=1e-6)
    z = 200.0  # mm behind the isocentre: the parabola in cm gives the size there
    size = by_size.optics.cov_x[0, 0] + 2 * z * by_size.optics.cov_x[0, 1] + z * z * by_size.optics.cov_x[1, 1]
    assert size == pytest.approx(100 * (a + b * 20 + c * 400), rel=1e-9)


def test_a_point_source(tmp_path: Path) -> None:
    one = beam(tmp_path, "Xsec=disc; FWHM=4; refPlaneDistance=50; VSDx=-20 ; VSDy = -30")
    assert one.spread == PointSource((-200.0, -300.0), 500.0)
    assert beam(tmp_path, "Xsec=disc; FWHM=4; refPlaneDistance=50").spread == PointSource((0.0, 0.0), 500.0)
    assert beam(tmp_path, "Xsec=disc; FWHM=4; refPlaneDistance=50 ; VSD=50").spread is None


def test_rows_under_a_master_are_beams_of_their_own(tmp_path: Path) -> None:
    text = (
        BOX
        + """field: 1
field: 2
pb: 9 2 75 1e7 ; N = 4e7
pbmaster: 1 ; particle=p; sigmaSqr_D_ISO=200; v.z=200; columns=[E,N,v.x,v.y,sigmaSqr_aX,sigmaSqr_bX,sigmaSqr_cX]
pb: 1 1 70 1e7 -2 0 0.36343 0.00294 0.00004731
pb: 2 1 90 3e7 +2 0 0.49745 0.00300 0.00004342
pbmaster: 2 ; columns = [T, N] ; Xsec=gauss ; FWHM = 1
"""
    )
    three, one, two = of(tmp_path, text).beams
    assert (one.energy.mean_MeV, two.energy.mean_MeV, one.particles, two.particles) == (70.0, 90.0, 1e7, 3e7)
    assert one.direction == pytest.approx((-0.0099995, 0, 0.99995), abs=1e-7)
    assert isinstance(two.spread, Envelope) and two.spread.plane_mm == 2000.0
    assert two.spread.optics.cov_x[0, 0] == pytest.approx(49.745)
    assert (three.id, three.field, three.energy.mean_MeV, three.particles) == ("9", "2", 75.0, 4e7)


def test_materials_and_the_room(tmp_path: Path) -> None:
    text = """region: a ; material = myWater
region: b ; material = graphite
region<
ID=Room
material=Air
region>
material: myWater ; basedOn = water ; rho=0.97 ; Ipot = 76.2
material<
ID = Graphite ; rho=1.644 ; composition=[C]; Ipot = 78 ; Lrad =42.7
longName = 'pure carbon'
material>
material: w ; rho = 1 ; Ipot = 75 ; Lrad = 36 ; composition = [H,O] ; fractions = [0.667, 0.333]"""
    found = of(tmp_path, text)
    based, graphite, mixed = found.materials
    assert (based.based_on, based.density_g_cm3, based.mean_excitation_eV) == ("water", 0.97, 76.2)
    assert (graphite.elements, graphite.shares, graphite.radiation_length_g_cm2) == (("C",), (1.0,), 42.7)
    assert (mixed.elements, mixed.shares, mixed.by_number) == (("H", "O"), (0.667, 0.333), True)
    assert found.room_material == "Air"
    assert [one.box.name for one in found.regions] == ["a", "b"]


def test_what_else_a_room_has_is_named(tmp_path: Path) -> None:
    found = of(tmp_path, BOX + "region: Room ; material=air ; L=[500,500,500]")
    assert (found.room_material, [one.what for one in found.unsupported]) == ("air", ["L = [500,500,500]"])


def test_pencil_beams_without_particles_or_energy_are_told(tmp_path: Path) -> None:
    notes = of(tmp_path, BOX + "pb: 1 0 ; N = 1e7 ; T = 70\npb: 2 0").notes
    assert any("1 of 2 pencil beams have no N" in note for note in notes)
    assert any("without an energy have 100 MeV" in note for note in notes)
    assert not of(tmp_path, BOX + "pb: 1 0 ; T = 70\npb: 2 0 ; T = 71").notes


def test_the_hu_table(tmp_path: Path) -> None:
    text = """region: a ; material = HU-400
region: b ; material = HU +100
matColumns: HU rho RSP Ipot Lrad C H O
mat: 100 1.1 1.09 78 36.1 0 11.2 88.8
mat: -1000 0.001 0.0011 80 36 10 50 10
"""
    found = of(tmp_path, text)
    low, high = found.hu_rows
    assert (low.hounsfield, high.hounsfield, low.density_g_cm3) == (-1000.0, 100.0, 0.001)
    assert (high.relative_stopping_power, high.mean_excitation_eV, high.radiation_length_g_cm2) == (1.09, 78.0, 36.1)
    assert high.mass_percent == {"C": 0.0, "H": 11.2, "O": 88.8}
    assert [one.hounsfield for one in found.regions] == [-400.0, 100.0]
    assert any("do not add up to 100 %" in note and "-1000" in note for note in found.notes)


@pytest.mark.parametrize(
    ("keys", "mode", "iterations", "stratified"),
    [
        ("maxNumIterations=10", Mode.FIXED, 10, False),
        ("maxNumIterations=10 ; lStratifiedSampling=t", Mode.FIXED, 10, True),
        ("recalculationPrimaryPercentage = 1", Mode.PERCENTAGE, 10, True),
        ("recalculationPrimaryPercentage = 1 ; maxNumIterations=20", Mode.PERCENTAGE, 20, True),
        ("DD = 1 ; DCO = 50 ; DDType = G", Mode.ERROR, 100, False),
    ],
)
def test_variance_reduction(tmp_path: Path, keys: str, mode: Mode, iterations: int, stratified: bool) -> None:
    for text in (
        f"varianceReduction: {keys}",
        "varianceReduction<\n" + keys.replace(";", "\n") + "\nvarianceReduction>",
    ):
        found = of(tmp_path, BOX + text).variance_reduction
        assert found is not None
        assert (found.mode, found.most_iterations, found.stratified) == (mode, iterations, stratified)
        assert (found.cut_off_percent, found.relative_to_maximum) == (50.0, True)


def test_all_keys_of_variance_reduction(tmp_path: Path) -> None:
    text = "varianceReduction: DD=2 ; DCO=30 ; DDType=LOCAL ; lWriteDoseMeanError=T ; maxNumIterations = 7"
    found = of(tmp_path, BOX + text).variance_reduction
    assert found is not None
    assert (found.dose_error_percent, found.cut_off_percent, found.relative_to_maximum) == (2.0, 30.0, False)
    assert (found.write_mean_error, found.write_stdev, found.most_iterations) == (True, False, 7)
    text = "varianceReduction: DD=2 ; DGRef=60 ; lWriteDoseStdev=t"
    found = of(tmp_path, BOX + text).variance_reduction
    assert found is not None and found.reference_Gy == 60.0 and found.write_stdev


def test_what_fred_knows_and_is_not_done_is_named(tmp_path: Path) -> None:
    text = (
        BOX.strip()
        + " ; rescale = 2\nlTracking_nuc_el = f\nlTracking_dEdx = t\nverbose: physics 3\nijFormatVersion = 21"
    )
    found = {one.what: one.changes_dose for one in of(tmp_path, text).unsupported}
    assert found == {"rescale = 2": True, "lTracking_nuc_el = f": True, "lTracking_dEdx = t": False,
                     "verbose: physics 3": False, "ijFormatVersion = 21": False}  # fmt: skip
    text = BOX + "\n".join(f"{key} = 1" for key in NOT_DONE)
    assert len(of(tmp_path, text).unsupported) == len(NOT_DONE)


MISTAKES = {
    "nprimm = 3": "Did you mean 'nprim'",
    "regoin: a": "Did you mean 'region'",
    "nprim = 2.5": "nprim: Expected a whole number",
    "nprim = 1e4\nnprim = 1e4": "stands twice",
    "region: b ; voxel=[1,1,1] ; material=air": "Did you mean 'voxels'",
    "region: b ; voxels=[1.5,1,1] ; material=air": "whole numbers from 1",
    "region: b ; L=[1,0,1] ; material=air": "every extent must be positive",
    "region: b ; L=[1,1] ; material=air": "Expected 3 numbers in brackets",
    "region: b ; L=[1,1,x] ; material=air": "Expected a number",
    "region: b ; L=[1,1,inf] ; material=air": "Expected a number",
    "region: b ; L=[1,1,1e10] ; material=air": "Expected a number",
    "region: b ; O.x=-1e10 ; material=air": "Expected a number",
    "region: b ; L=[1,1,1] ; L=[2,1,1] ; material=air": "'L' stands twice",
    "region: b ; material=watr": "Did you mean 'water'",
    "region: b ; material=HU+100": "needs a HU table",
    "region: b ; material=air ; f=[0,0,0]": "has no length",
    "region: b ; material=air ; f=[0,0,1] ; u=[0,0,2]": "are parallel",
    "region: b ; material=air ; l=[1,0,0]": "left alone",
    "region: b ; material=air ; f=[0,0,1] ; u=[0,1,0] ; l=[-1,0,0]": "contradict each other",
    "region: b ; material=air ; score=[Dosis]": "unknown score",
    "region: b ; material=air ; lWriteRSP = maybe": "Expected t or f",
    "region: ; material=air": "the ID is missing",
    "region: Phantom ; material=air": "defined twice, but for the case",
    "region: self ; material=air": "A name cannot be that of a region",
    "region: b ; CTscan = nowhere.mhd": "The CT is not there|the CT is not there",
    "region: b ; CTscan = MrHead": "built into FRED",
    "region: Room ; material=HU+1\nlUseInternalHU2Mat=t": "The room has a named material",
    "region: room ; material=air\nregion: Room ; material=air": "The room is defined twice",
    "region: room ; material=airr": "Did you mean 'air'",
    "region: room ; colour=red": "unknown key",
    "field: 1": "fields and no pencil beams",
    "field: 1 ; colour = red\npb: 1 1": "unknown key",
    "pb: 1 0 ; E = 70\npb: 1 0 ; E = 80": "defined twice",
    "pb: 1 7": "unknown field",
    "pb: 1": "needs its ID and that of its field",
    "pb<\nID = 1\npb>": "needs its ID and that of its field",
    "pb: 1 0 ; E = -1": "Expected a number",
    "pb: 1 0 ; E = 70 ; T = 70": "two keys mean the same",
    "pb: 1 0 ; E = 70 ; Eu = 70": "the energy is given twice",
    "pb: 1 0 ; Estdev = 1 ; EFWHM = 1": "given more than once",
    "pb: 1 0 ; EFWHM = 1 ; Edistrib = line": "a line has no width",
    "pb: 1 0 ; FWHM = 1": "a pin has no width",
    "pb: 1 0 ; Xsec = gauss": "the cross-section has no width",
    "pb: 1 0 ; Xsec = gaus ; FWHM = 1": "Did you mean 'gauss'",
    "pb: 1 0 ; Xsec = disc ; FWHM = 1 ; FWHMx = 1": "for both and for one axis",
    "pb: 1 0 ; Xsec = emittance": "lacks its values",
    "pb: 1 0 ; emittanceX = 0.1": "is not complete",
    "pb: 1 0 ; sigmaSqrModel = [1,2]": "needs its values once",
    "pb: 1 0 ; sigmaSqrModel = [55,0.1,1,0.001]": "not positive",
    "pb: 1 0 ; particle = protom": "Did you mean 'proton'",
    "pb: 1 0 ; v = [0,0,0]": "has no length",
    "pb: 1 0 ; v = [0,0,1] ; v.x = 2": "as a whole and by components",
    "pb: 1 0 ; E = 70\npbE = 80": "has its own",
    "pb: 1 0 70": "values without columns",
    "pbmaster: 0 ; columns=[E]\npb: 1 0 70 80": "another number of values",
    "pbmaster: 0 ; columns=[E]\npb: 1 0": "lacks the columns",
    "pbmaster: 0 ; columns=[E,E]\npb: 1 0 1 1": "stands twice",
    "pbmaster: 0 ; columns=[E] ; E = 70\npb: 1 0 1": "stands twice, or is a key",
    "material: m": "is not complete",
    "material: m ; basedOn = watr": "Did you mean 'water'",
    "material: water ; basedOn = air": "name of a built-in one",
    "material: m ; basedOn = water ; composition=[H]": "keeps its composition",
    "material: m ; rho=1 ; Ipot=75 ; composition=[H,O] ; weights=[1]": "elements and shares do not fit",
    "mat: 1 2": "needs the names of its columns",
    "matColumns: HU rho C\nmat: 0 1": "another number of columns",
    "matColumns: HU rho C\nmat: 0 1 0": "has no elements",
    "matColumns: HU rho C\nmat: 0 1 1\nmat: 0 1 1": "stands twice",
    "matColumns: HU C": "cannot be used",
    "matColumns: HU rho C\nmat: 0 1 1\nlUseInternalHU2Mat=t": "asks for FRED's own",
    "varianceReduction: lWriteDoseStdev = t": "does not say what to do",
    "varianceReduction: DD = 1 ; recalculationPrimaryPercentage = 1": "two goals",
    "varianceReduction: DD = 1 ; DDType = L ; DGRef = 2": "reference of GLOBAL",
    "varianceReduction: DD = 1 ; DDTyp = L": "Did you mean 'DDType'",
    "varianceReduction: DD = 1\nvarianceReduction: DD = 1": "stands twice",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    assert any(re.search(MISTAKES[text], one) for one in problems(tmp_path, BOX + text))


def test_no_region_and_all_problems_at_once(tmp_path: Path) -> None:
    assert "no region" in problems(tmp_path, "nprim = 10")[0]
    found = problems(tmp_path, BOX + "foo = 1\nregion: b ; x = 1 ; L = [1,1]\npb: 1 0 ; E = a\npb: 2 5\ndef: x = 1/0")
    assert sorted(one.rpartition("line ")[2] for one in found) == ["2.", "3.", "3.", "4.", "5.", "6."]


@pytest.mark.parametrize("name", DECKS)
def test_the_real_decks_read(shared_data: Path, tmp_path: Path, name: str) -> None:
    found = read_fred(deck(shared_data, tmp_path, name))
    (phantom,) = found.regions
    assert (phantom.box.name, phantom.voxels, phantom.ct is not None) == ("Phantom", (10, 20, 10), True)
    assert phantom.box.size_mm == (100.0, 200.0, 100.0)
    assert (len(found.fields), len(found.hu_rows), found.room_material) == (2, 8, "Air")
    assert (len(found.beams), found.histories) == {"matrad": (14, 100), "pyradplan": (12, 200)}[name]
    # The dose that FRED wrote for this deck says where its first voxel lies, and along which axes its voxels run.
    header = read_mhd_header(shared_data / "fred-decks" / name / "out" / "score" / "Phantom.Dose.mhd")
    first = phantom.box.frame.points(np.array(phantom.box.low_mm) + 5.0)
    assert np.allclose(first, [float(word) for word in header["Offset"].split()])
    assert np.allclose(phantom.box.frame.rotation.T.ravel(), [float(x) for x in header["TransformMatrix"].split()])
    energies = {"matrad": (106.0783, 112.3394, 118.357), "pyradplan": (106.30447592769909, 112.52418091932932)}[name]
    assert tuple(dict.fromkeys(one.energy.mean_MeV for one in found.beams)) == energies


def test_a_ct_without_a_place_lies_where_its_header_says(shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(shared_data / "fred-decks" / "pyradplan" / "inp" / "regions", tmp_path / "ct")
    found = of(tmp_path, "region: Phantom ; CTscan = ct/CTpatient.mhd\nlUseInternalHU2Mat = t")
    box = found.regions[0].box
    assert np.allclose(box.frame.points(np.array(box.low_mm) + 5.0), (-50, -100, -50))  # Offset of the header
    assert any("where its header says" in note for note in found.notes)


SNIPPETS = [line for text in (BOX, SMALL, *MISTAKES) for line in text.splitlines()]


@settings(max_examples=150, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SNIPPETS), max_size=12), st.data())
def test_mutated_inputs_are_read_or_refused(tmp_path: Path, lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    for _ in range(3):
        at = data.draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "=", ";", "]", "1e30", "-1", ":", " ", "\n", "t"]))
            + text[at + 1 :]
        )
    (tmp_path / "fred.inp").write_text(text)
    try:
        read_fred(tmp_path / "fred.inp", budget=Budget(20_000, 2_000))
    except InputError as refused:
        assert refused.problems
