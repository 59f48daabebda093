"""The way from the beamline to the patient, against the same air made of voxels."""

import numpy as np
import pytest

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.solids import Box, Device, Solid
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.scoring import deposit as account
from dosewright.simulation.problem import TransportSettings, proton_problem
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams

from .flights import run

AIR, WATER = named("G4_AIR"), named("G4_WATER")
GRID = Grid((400, 1, 1), (0.5, 200.0, 2.0), (-99.75, 0.0, -1.0))  # a layer of water just below the isocentre
HISTORIES, START_MM, ENERGY_MEV = 200_000, 1000.0, 100.0


def _beam(medium: str) -> PencilBeams:
    rows = np.zeros((1, emit.PENCIL_COLUMNS))
    rows[:, emit.MEAN_ENERGY], rows[:, emit.START_Z] = ENERGY_MEV, START_MM / 10
    return PencilBeams(rows, np.ones(1), START_MM, medium, None, ())


def _run(medium: str, *slabs: Device) -> tuple[np.ndarray, np.ndarray]:
    """The energy account per history, and the share of the deposits in the layer along x."""
    density = np.ones(GRID.array_shape, np.float32)
    voxels = Voxels.on_grid(GRID, np.zeros(GRID.array_shape, np.uint8), density, (WATER,))
    problem = proton_problem(
        voxels=voxels, pencil_beams=_beam(medium), beamline=slabs, to_patient=Rigid.identity(), score_grid=GRID,
        settings=TransportSettings(processes_off=("nuclear",)),
    ).packed  # fmt: skip
    tally = run(problem, HISTORIES)
    return tally.account / HISTORIES, tally.energy / tally.energy.sum()


def _width_mm(share: np.ndarray) -> float:
    """Half the width of the middle 68.3 %."""
    low, high = np.interp([0.1585, 0.8415], np.cumsum(share), GRID.centres_mm(0) + 0.25)
    return float(high - low) / 2


def test_a_metre_of_air_takes_its_stopping_power() -> None:
    energy, _ = _run("air")
    path = START_MM / 10 * AIR.density_g_cm3
    loss = path * float(proton_mass_stopping_power(AIR, np.array(ENERGY_MEV - 0.4)))
    assert energy[account.BEFORE_PATIENT] == pytest.approx(loss, rel=2e-3)
    assert energy[1:6].sum() == pytest.approx(ENERGY_MEV, rel=1e-7)


def test_a_vacuum_takes_nothing_and_turns_nobody() -> None:
    energy, layer = _run("vacuum")
    assert energy[account.BEFORE_PATIENT] == 0.0
    assert layer[198:202].sum() == pytest.approx(1.0, abs=1e-3), "but within the 2 mm of water"


def test_air_between_the_boxes_is_as_air_in_the_beamline() -> None:
    """A slab of air down to the water holds a voxel instead of the gap: same loss, same core to 1 %.

    Statistics of the core: 0.3 %. Voxel or gap, no step through air may be a large share of the way.
    """
    gap, in_gap = _run("air")
    foil = plate("foil", WATER, 1e-3, 0.0)  # without it nothing but the gap's own medium would be in the beam
    air = Solid("air", Box((2000.0, 2000.0, START_MM)), AIR, AIR.density_g_cm3, (0.0, 0.0, START_MM / 2))
    voxels, in_voxels = _run("air", Device("air", "nozzle", (air, *foil.solids)))
    assert voxels[account.BEFORE_PATIENT] == pytest.approx(gap[account.BEFORE_PATIENT], rel=2e-3)
    assert _width_mm(in_voxels) == pytest.approx(_width_mm(in_gap), rel=0.01)
    assert _width_mm(in_gap) == pytest.approx(_highland_rad(0.1205 / 36.66) * START_MM / np.sqrt(3), rel=0.06)


def _highland_rad(radiation_lengths: float) -> float:
    """Projected angle of protons of 98 MeV: 13.6 MeV/pv sqrt(t) (1 + 0.038 ln t), good to some 5 % (PDG review)."""
    return float(13.6 / 187.0 * np.sqrt(radiation_lengths) * (1 + 0.038 * np.log(radiation_lengths)))


def test_what_a_slab_turns_goes_on_turned_in_the_gap() -> None:
    """Water of 5 mm at 1 m spreads the beam by its angle times the way, deflections still due included."""
    _, layer = _run("vacuum", plate("slab", WATER, 5.0, START_MM - 5.0))
    assert _width_mm(layer) == pytest.approx(_highland_rad(0.5 / 36.08) * 997.5, rel=0.06)
