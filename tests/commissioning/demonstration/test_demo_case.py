"""The demonstration case as files: complete, consistent, and with the dose it claims."""

import stat
from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.demonstration.demo_case import FIELDS, write_demo_case
from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.mask import mask
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.dicom.study import Study, find_study
from dosewright.materials.library import named

SOFT = Material("Soft", 1.04, {1: 0.105, 6: 0.14, 7: 0.03, 8: 0.725})
BONE = Material("Bone", 1.6, {1: 0.04, 6: 0.2, 7: 0.04, 8: 0.45, 15: 0.09, 20: 0.18})
TABLE = HounsfieldTable(
    "test",
    np.array([-1000.0, -100.0, 0.0, 100.0, 1600.0, 3071.0]),
    np.array([0.0012, 0.93, 1.0, 1.08, 1.97, 2.8]),
    np.array([-1000.0, -950.0, 150.0]),
    None,
    (named("G4_AIR"), SOFT, BONE),
)


def machine(shifter: str = "RS_3CM", per_mu: float | None = 1e8) -> BeamModel:
    def at(energy: float) -> BeamAtEnergy:
        cov = np.array([[(3.2 + 0.01 * (230 - energy)) ** 2, 0.0], [0.0, 9e-6]])
        return BeamAtEnergy(energy + 0.1, 0.007 * energy, (Optics(1.0, cov, cov),), per_mu and per_mu * energy / 100)

    slab = RangeShifter(shifter, named("G4_PLEXIGLASS"), 30.0, None)
    return BeamModel("m", "Made", "PROTON", 400.0, (1900.0, 2300.0), (70.0, 230.0), at, "air", {shifter: slab})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return find_study(write_demo_case(tmp_path_factory.mktemp("demo") / "case", machine(), TABLE))


def test_every_file_is_found_and_nothing_is_odd(study: Study) -> None:
    assert study.warnings == () and study.plan.warnings == ()
    assert study.ct is not None and study.structures is not None
    assert {d.beam_number for d in study.doses} == {1, 2, None}
    assert {d.dose_type for d in study.doses} == {"EFFECTIVE"}
    assert {s.kind for s in study.structures.structures} == {"EXTERNAL", "PTV", "ORGAN"}


def test_only_the_owner_may_read_it(study: Study) -> None:
    folder = study.plan_path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir()} == {0o600}


def test_the_plan_is_what_the_demonstration_promises(study: Study) -> None:
    first, second = study.plan.beams
    assert first.gantry_deg != second.gantry_deg and first.couch_deg != second.couch_deg
    assert [s.id for s in first.range_shifters] == ["RS_3CM"] and not second.range_shifters
    for beam in study.plan.beams:
        assert 200 <= beam.spot_count <= 500
        assert beam.machine == "Made" and beam.meterset_unit == "MU"
        assert beam.meterset is not None
        assert beam.final_cumulative_weight / beam.meterset == pytest.approx(5 / 9, rel=1e-6)
        assert beam.sum_of_weights == pytest.approx(beam.final_cumulative_weight, rel=1e-9)
        assert all(np.all(layer.weights > 0) for layer in beam.layers)
        energies = [layer.nominal_energy_MeV for layer in beam.layers]
        assert energies == sorted(energies, reverse=True) and len(energies) >= 8
    assert study.plan.fractions == 15 and study.plan.prescription_Gy == 30.0


def test_the_target_gets_its_dose_and_the_beams_add_up(study: Study) -> None:
    doses = {d.beam_number: d.image for d in study.doses}
    assert study.structures is not None
    target = mask(study.structures.named("PTV"), doses[None].grid)
    total = doses[None].values.astype(float)
    assert total[target].mean() == pytest.approx(30.0, rel=0.01)
    assert total[target].std() < 0.03 * 30.0
    assert np.percentile(total[target], 2) > 0.9 * 30.0
    assert total.max() < 1.08 * 30.0
    assert doses[1].values.astype(float) + doses[2].values == pytest.approx(total, abs=1e-5)
    for number in (1, 2):
        assert doses[number].values[target].mean() == pytest.approx(15.0, rel=0.02)
    assert np.all(total[~mask(study.structures.named("EXTERNAL"), doses[None].grid)] == 0)


def test_energy_in_the_dose_is_that_of_the_protons(study: Study) -> None:
    """Protons from the file's own meterset; what reaches the head is their energy less range shifter and air."""
    model = machine()
    for beam in study.plan.beams:
        dose = next(d.image for d in study.doses if d.beam_number == beam.number)
        joule = dose.values.astype(float).sum() * dose.grid.voxel_volume_cm3 * 1e-3  # as water
        protons = energy = 0.0
        for layer in beam.layers:
            at = model.at(layer.nominal_energy_MeV)
            n = float(layer.weights.sum()) * beam.meterset / beam.final_cumulative_weight * at.particles_per_mu
            lost = 25.5 if beam.range_shifters else 0.3  # MeV in 34.9 mm of water (PSTAR) and in air
            protons, energy = protons + n, energy + n * (at.mean_energy_MeV - lost)
        expected = energy * 1.602176634e-13 * 15 * 1.1
        assert 0.90 < joule / expected < 1.06  # neutrals leave; the formula knows no density


def test_it_is_the_same_every_time(study: Study, tmp_path: Path) -> None:
    again = find_study(write_demo_case(tmp_path / "again", machine(), TABLE))
    for one, other in zip(study.plan.beams, again.plan.beams, strict=True):
        assert one.meterset == other.meterset
    first, second = (next(d for d in s.doses if d.beam_number is None) for s in (study, again))
    assert np.array_equal(first.image.values, second.image.values)
    assert again.plan.uid != study.plan.uid


def test_a_case_is_there_whole_or_not_at_all(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there already"):
        write_demo_case(study.plan_path.parent, machine(), TABLE)
    (tmp_path / "case.unfinished").mkdir()  # left by a run that was killed
    (tmp_path / "case.unfinished" / "CT_0001.dcm").touch()
    with pytest.raises(InputError):
        write_demo_case(tmp_path / "case", machine(shifter="RS_9CM"), TABLE)
    assert not (tmp_path / "case").exists()
    path = write_demo_case(tmp_path / "case", machine(), TABLE)
    assert find_study(path).warnings == ()
    assert [p.name for p in tmp_path.iterdir()] == ["case"]


def test_a_machine_that_cannot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such range shifter"):
        write_demo_case(tmp_path / "a", machine(shifter="RS_9CM"), TABLE)
    with pytest.raises(InputError, match="no particles per MU"):
        write_demo_case(tmp_path / "b", machine(per_mu=None), TABLE)
    assert FIELDS[0].range_shifter == "RS_3CM"
