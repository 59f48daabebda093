"""A plan as a script in FRED's language: the same voxels, the same beams, the same dose."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.cli.demo import made_case
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.plan import Block, IonBeam, RangeShifterSetting
from dosewright.delivery.steps import read_delivery
from dosewright.geometry.trace import BEAMLINE, PATIENT, medium_of
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate
from dosewright.workflow.postprocess.final_doses import Scale
from dosewright.workflow.preprocess.case import Case, open_case
from dosewright.workflow.preprocess.target import Target, beam_frame, build_target
from dosewright.workflow.read_wishes import read_wishes
from dosewright.workflow.treatment.deliver import deliver_all
from dosewright.workflow.treatment.plan_portions import plan_portions
from dosewright.workflow.treatment.treatment import Treatment, treatment_of

SHIFTER = RangeShifterSetting("RS_3CM", 1, isocenter_distance_mm=100.0, water_equivalent_thickness_mm=None)
OVERRIDE = ("-m", "Cord:G4_BONE_COMPACT_ICRU")


@pytest.fixture(scope="module")
def oblique(make_case: Callable[..., Any], make_beam: Callable[..., IonBeam]) -> Any:
    """Two beams from odd angles, one through a range shifter, beside an isocentre that is not the origin."""
    first = make_beam(1, "Top/left", gantry_deg=30.0, couch_deg=20.0, isocenter_mm=(3.0, -2.0, 4.0))
    layers = tuple(replace(one, nominal_energy_MeV=one.nominal_energy_MeV + 35.0) for one in first.layers)
    second = make_beam(2, "Back", gantry_deg=200.0, isocenter_mm=(3.0, -2.0, 4.0), layers=layers,
                       range_shifters=(SHIFTER,))  # fmt: skip
    return make_case(beams=(first, second))


def script(case: Any, folder: Path, *arguments: str) -> Treatment:
    ended = case.run("plan", "to-script", str(case.folder), "-o", str(folder), *arguments)
    assert ended.returncode == 0, ended.stderr
    return treatment_of(read_delivery(folder / "fred.inp"))


def calculated(case: Any, *overrides: tuple[str, str]) -> tuple[Case, Target]:
    said = {"plan": case.folder, "overrides": [":".join(one) for one in overrides], "full_ct_grid": True}
    wishes = read_wishes(said)
    of = open_case(wishes)
    return of, build_target(of.study, of.request, of.library, of.tps, tuple(one.beam for one in of.beams))


def test_the_voxels_of_a_script_are_those_of_a_calculation(oblique: Any, tmp_path: Path) -> None:
    """Density of every voxel exactly, composition and mean excitation energy of its medium."""
    treatment = script(oblique, tmp_path / "script", *OVERRIDE)
    _, target = calculated(oblique, ("Cord", "G4_BONE_COMPACT_ICRU"))
    ours, theirs = treatment.portions[0].voxels, target.patient.voxels
    np.testing.assert_allclose(ours.density_g_cm3, theirs.density_g_cm3, rtol=1e-6)
    assert treatment.grids["Patient"].matches(target.patient.report.grid)
    pairs = np.unique(np.stack([ours.material.ravel(), theirs.material.ravel()]), axis=1).T
    assert len(pairs) == len({theirs for _, theirs in pairs}) >= 3
    for mine, other in pairs:
        a, b = ours.materials[mine], theirs.materials[other]
        assert a.mass_fractions == {z: pytest.approx(w, abs=1e-7) for z, w in b.mass_fractions.items()}
        if b.mean_excitation_eV is not None:
            assert a.mean_excitation_eV == pytest.approx(b.mean_excitation_eV, rel=1e-5)
    assert not any("RSP of the HU table differs" in one for one in treatment.said)


def test_the_beams_of_a_script_are_those_of_a_calculation(oblique: Any, tmp_path: Path) -> None:
    treatment = script(oblique, tmp_path / "script", "-n", "1800")
    of, _ = calculated(oblique)
    assert [len(step.fields) for step in treatment.steps] == [1, 1]
    assert [sorted(one for one in step.active if one.startswith("B")) for step in treatment.steps] == [
        [],
        ["B2_RS_3CM_1"],
    ]
    for portion, one in zip(treatment.portions, of.beams, strict=True):
        np.testing.assert_allclose(portion.beams.rows, one.pencils.rows, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(portion.beams.particles, one.pencils.particles * of.fractions)
        np.testing.assert_allclose(portion.beams.to_room.rotation, beam_frame(one.beam).rotation, atol=1e-9)
        np.testing.assert_allclose(portion.beams.to_room.translation, one.beam.isocenter_mm, atol=1e-9)
        assert portion.beams.histories == 1800
    (shifter,) = treatment.portions[1].around.devices
    thickness = of.beams[1].devices[0].solids[0].shape.size_mm[2]  # type: ignore[union-attr]
    assert shifter.id == "B2_RS_3CM_1"
    assert shifter.solids[0].centre_mm[2] == pytest.approx(100.0 + thickness / 2, abs=1e-6)


def test_a_script_is_packed_to_the_problem_of_calc(oblique: Any, tmp_path: Path) -> None:
    """Beams, boxes, media and the numbers of their tables, as the kernels read them; but for the rounding of text."""
    treatment = script(oblique, tmp_path / "script", *OVERRIDE, "-n", "1800")
    of, target = calculated(oblique, ("Cord", "G4_BONE_COMPACT_ICRU"))
    for mine, theirs in zip(treatment.portions, plan_portions(of, target), strict=True):
        assert (mine.step, mine.field, mine.region) == (theirs.step, theirs.field, theirs.region)
        assert mine.settings == theirs.settings
        a, b = mine.problem(), theirs.problem()
        np.testing.assert_allclose(a.pencil_weights, b.pencil_weights, rtol=1e-10)
        np.testing.assert_allclose(a.mass_g, b.mass_g, rtol=1e-6)
        ours, others = a.packed, b.packed
        np.testing.assert_allclose(ours.source.pencils, others.source.pencils, rtol=1e-7, atol=1e-9)
        assert ours.controls == others.controls
        for name in ("rotation", "gap_density"):
            np.testing.assert_allclose(getattr(ours.geometry, name), getattr(others.geometry, name), atol=1e-9)
        for axis in range(3):
            here, there = (edges(one, PATIENT, axis) - one.geometry.translation[axis] for one in (ours, others))
            np.testing.assert_allclose(here, there, atol=1e-7)  # the origin of the box is another
        np.testing.assert_allclose(edges(ours, BEAMLINE, 2), edges(others, BEAMLINE, 2), atol=1e-7)
        same_media(ours, others)
        if edges(others, BEAMLINE, 2).size:
            same_medium(ours, heaviest(ours), others, heaviest(others))


def test_portions_have_the_particles_that_doses_are_multiplied_by(oblique: Any) -> None:
    """Those of all fractions, times the dose factor of the machine."""
    of, target = calculated(oblique)
    corrected = replace(
        of, beams=[replace(one, correction=one.correction.model_copy(update={"dose_factor": 0.9})) for one in of.beams]
    )
    for portion, one in zip(plan_portions(corrected, target), of.beams, strict=True):
        assert portion.particles == pytest.approx(Scale(one.audit.particles, of.fractions, 0.9).total, rel=1e-12)


def edges(packed: Any, box: int, axis: int) -> NDArray[np.float64]:
    """Return the edges of a box along an axis, cm; plates are as wide as the beam in a script, as can be in a plan."""
    first, cells = packed.geometry.first[box, axis], packed.geometry.cells[box, axis]
    found: NDArray[np.float64] = packed.geometry.edges[first : first + cells + 1] if cells else np.zeros(0)
    return found


def same_media(ours: Any, others: Any) -> None:
    """Compare the densities of all voxels of the patient, and the tables of the media that they name."""
    words = [packed.geometry.voxels[: packed.geometry.voxel_first[BEAMLINE]] for packed in (ours, others)]
    pairs = np.unique(np.stack(words), axis=1).T
    for mine, theirs in pairs:
        same_medium(ours, mine, others, theirs)


def heaviest(packed: Any) -> np.int32:
    """Return the voxel of what stands in the beam that is densest: of the device, not of the air beside it."""
    words = packed.geometry.voxels[packed.geometry.voxel_first[BEAMLINE] :]
    return max(words, key=lambda word: medium_of(word)[1])


def same_medium(ours: Any, mine: np.int32, others: Any, theirs: np.int32) -> None:
    """Compare density and table of a voxel each."""
    tables = [packed.tables.values.reshape(len(packed.tables.charge_radius2), -1) for packed in (ours, others)]
    (number, density), (other_number, other_density) = medium_of(mine), medium_of(theirs)
    assert density == pytest.approx(other_density, rel=1e-6)
    np.testing.assert_allclose(tables[0][int(number)], tables[1][int(other_number)], rtol=1e-4)


def planes(dose: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the dose summed across each axis."""
    return [dose.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]


def test_a_script_gives_the_dose_of_calc(oblique: Any, tmp_path: Path) -> None:
    """Both of 150,000 histories per beam, other random numbers: sum within 0.3 %, planes of much dose within 1.5 %.

    A plane has a standard error of about 0.4 % in each. Dose to water is compared, in all that is denser than air.
    """
    treatment = script(oblique, tmp_path / "script", *OVERRIDE, "-n", "150000")
    sums = deliver_all(treatment.portions, tmp_path / "parts", threads=1)["Patient"]
    assert sums.water is not None
    of, target = calculated(oblique, ("Cord", "G4_BONE_COMPACT_ICRU"))
    dense = target.patient.voxels.density_g_cm3 > 0.5
    theirs = np.zeros(dense.shape)
    for one in plan_portions(of, target):
        result = simulate(one.problem(), Goal(histories=150_000), seed=one.seed, threads=1)
        theirs += result.dose_to_water.values * one.particles
    a, b = np.where(dense, sums.water.dose_Gy, 0.0), np.where(dense, theirs, 0.0)
    assert a.sum() == pytest.approx(b.sum(), rel=0.003)
    for mine, other in zip(planes(a), planes(b), strict=True):
        high = other > 0.2 * other.max()
        np.testing.assert_allclose(mine[high], other[high], rtol=0.015)


def test_what_cannot_be_said_is_refused_by_name(
    make_case: Callable[..., Any], make_beam: Callable[..., IonBeam], tmp_path: Path
) -> None:
    outline = np.array([[-20.0, -20.0], [20.0, -20.0], [20.0, 20.0], [-20.0, 20.0]])
    block = Block("Aperture A", 1, "APERTURE", "BRASS", 30.0, 150.0, "SOURCE_SIDE", False, outline)
    case = make_case(beams=(make_beam(1, "Top", blocks=(block,)),))
    ended = case.run("plan", "to-script", str(case.folder), "-o", str(tmp_path / "script"))
    assert ended.returncode == 2 and "is not made of boxes" in ended.stderr
    assert not (tmp_path / "script").exists()


def test_nothing_is_written_over_unless_forced_and_no_name_is_in_it(tiny: Any, tmp_path: Path) -> None:
    folder = tmp_path / "script"
    script(tiny, folder)
    text = "".join((folder / name).read_text() for name in ("fred.inp", "hu_table.inp", "pencil_beams.inp"))
    assert "Secret" not in text and "no medical device" in text
    ended = tiny.run("plan", "to-script", str(tiny.folder), "-o", str(folder))
    assert ended.returncode == 2 and "exists already" in ended.stderr
    ended = tiny.run("plan", "to-script", str(tiny.folder), "-o", str(folder), "--force", "--json")
    assert ended.returncode == 0 and len(json.loads(ended.stdout)["files"]) == 5


@pytest.mark.slow
def test_the_demonstration_as_a_script(tiny: Any, tmp_path: Path) -> None:
    """A head, two fields with hundreds of spots, one through a range shifter: as above, of a million histories each."""
    plan = made_case(tmp_path)
    chosen = ("-s", str(PACKAGED), "-n", "1000000")
    ended = tiny.run("plan", "to-script", str(plan), "-o", str(tmp_path / "script"), *chosen)
    assert ended.returncode == 0, ended.stderr
    treatment = treatment_of(read_delivery(tmp_path / "script" / "fred.inp"))
    sums = deliver_all(treatment.portions, tmp_path / "parts")["Patient"]
    assert sums.water is not None
    of = open_case(read_wishes({"plan": plan, "full_ct_grid": True, "library": PACKAGED}))
    target = build_target(of.study, of.request, of.library, of.tps, tuple(one.beam for one in of.beams))
    theirs = np.zeros(sums.mass_g.shape)
    for one in plan_portions(of, target):
        result = simulate(one.problem(), Goal(histories=1_000_000), seed=one.seed)
        theirs += result.dose_to_water.values * one.particles
    dense = target.patient.voxels.density_g_cm3 > 0.5
    a, b = np.where(dense, sums.water.dose_Gy, 0.0), np.where(dense, theirs, 0.0)
    assert a.sum() == pytest.approx(b.sum(), rel=0.002)
    for mine, other in zip(planes(a), planes(b), strict=True):
        high = other > 0.2 * other.max()
        np.testing.assert_allclose(mine[high], other[high], rtol=0.015)
