"""A beam of a DICOM plan as the source of a run: where its spots go and how many Gray they give."""

import json
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.plan import EnergyLayer, IonBeam, IonPlan, RangeShifterSetting
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dose.mhd import read_mhd
from dosewright.materials.library import named
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import SpotsSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.transport_tables import Transport
from dosewright.simulation.setup.resolvers import Resolvers

PARTICLES = 5e7


def model(_name: str) -> BeamModel:
    point = Optics(1.0, np.diag([1e-6, 1e-12]), np.diag([1e-6, 1e-12]))
    return BeamModel(
        "sharp", "M", "PROTON", 300.0, (2000.0, 2500.0), (50, 200),
        lambda energy: BeamAtEnergy(energy, 0.0, (point,), None), medium="vacuum",
        range_shifters={"RS": RangeShifter("RS", named("G4_WATER"), 10.0, None)},
    )  # fmt: skip


def beam(number: int, *shifters: RangeShifterSetting) -> IonBeam:
    layer = EnergyLayer(0, 70.0, np.array([15.0]), np.array([-10.0]), np.array([2.0]))
    return IonBeam(
        number, f"B{number}", "M", "PROTON", "NP", PARTICLES, 2.0, 0.0, 0.0, 0.0, 0.0, "HFS", (10.0, 20.0, 30.0),
        (layer,), range_shifters=shifters, snout_position_mm=200.0 if shifters else None,
    )  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    beams = (beam(1), beam(2, RangeShifterSetting("RS", 1, isocenter_distance_mm=150.0)))
    write_ion_plan(tmp_path / "RN.dcm", IonPlan("two", "", "", "", 3, beams), Identity.new("No^One", "0"))
    return tmp_path / "RN.dcm"


def run_of(plan: Path, which: int | str | None) -> RunFile:
    return RunFile(
        phantom=Phantom(size_mm=(60, 60, 60), voxel_mm=(1, 1, 1), origin_mm=(-5, 0, -10), material="G4_WATER"),
        source=SpotsSource(particle="proton", plan=str(plan), beam=which, beam_model="sharp"),
        transport=Transport(processes_off=("nuclear", "scattering", "straggling")),
        score=(Score(quantity="energy"),),
        goal=Goals(histories=500),
    )


def last_mm(along: np.ndarray) -> float:
    """Where the energy ends, mm from the first edge."""
    return float(np.flatnonzero(along > 0.2 * along.max())[-1] + 1)


@pytest.mark.parametrize(("which", "behind_mm"), [(1, 0.0), ("B2", 10.0)])
def test_a_spot_lies_at_its_place_with_its_particles(
    tmp_path: Path, plan: Path, which: int | str, behind_mm: float
) -> None:
    """Head first supine, gantry 0: the beam flies to +y (posterior); gantry x is the patient's x, gantry y its z."""
    out = tmp_path / "out"
    run_in_folder(run_of(plan, which), out, resolvers=Resolvers(beam_model=model))
    energy = read_mhd(out / "energy.mhd").values.astype(float)
    at_iso = energy[:, 20, :]  # the isocentre plane, y = 20 mm
    x = (at_iso.sum(axis=0) * (np.arange(60) - 4.5)).sum() / at_iso.sum()
    z = (at_iso.sum(axis=1) * (np.arange(60) - 9.5)).sum() / at_iso.sum()
    assert (x, z) == pytest.approx((25, 20), abs=0.6)
    assert last_mm(energy.sum(axis=(0, 2))) == pytest.approx(41.0 - behind_mm, abs=1.1)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["particles"] == pytest.approx(PARTICLES)
    assert summary["unit"] == "Gy"
    left = summary["energy_MeV_per_primary"]["before_phantom"]
    assert energy.sum() == pytest.approx(PARTICLES * (70 - left), rel=1e-3)
    assert (left > 5) == (behind_mm > 0)
    assert any("isocentre is at [10.0, 20.0, 30.0]" in one for one in summary["warnings"])
    assert any("one fraction" in one for one in summary["warnings"])


def test_a_beam_must_be_chosen(tmp_path: Path, plan: Path) -> None:
    for which, said in ((None, "several beams"), (3, "no such beam"), ("B", "Did you mean")):
        with pytest.raises(InputError, match=said):
            run_in_folder(run_of(plan, which), tmp_path / "out", resolvers=Resolvers(beam_model=model))
    assert not (tmp_path / "out").exists()


def test_uneven_phantoms_need_a_score_grid(tmp_path: Path, plan: Path) -> None:
    run = run_of(plan, 1)
    uneven = Phantom.model_validate({**run.phantom.model_dump(exclude_none=True), "edges_mm": {"y": [0, 1, 60]}})
    with pytest.raises(InputError, match="grid of their own"):
        run_in_folder(
            run.model_copy(update={"phantom": uneven}), tmp_path / "out", resolvers=Resolvers(beam_model=model)
        )
