"""Single spots through the whole chain: plan, pencil beam, couch, gantry, patient position, transport, dose grid.

The expected line of flight is written from elementary rotations of the IEC 61217 systems, without the package's own
frames: the gantry turns the beam about Y, the table turns the patient about Z, pitches about X and rolls about Y.
"""

from math import cos, radians, sin

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics
from dosewright.core.frame import gantry_to_patient
from dosewright.core.grid import Grid
from dosewright.core.plan import EnergyLayer, IonBeam
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import TransportSettings, proton_problem
from dosewright.simulation.run import simulate
from dosewright.sources.pencil_beams import pencil_beams

ISOCENTRE = (12.0, -7.0, 31.0)
SCANNING = (500.0, 650.0)  # short, so that a wrong sign of convergence turns the line by degrees
SPOT = (17.0, -11.0)

# Patient axes seen along fixed X, Y, Z, worded as a person on the table lies: (left, posterior, superior).
LIES = {
    "HFS": (lambda X, Y, Z: (X, -Z, Y)),
    "HFP": (lambda X, Y, Z: (-X, Z, Y)),
    "FFS": (lambda X, Y, Z: (-X, -Z, -Y)),
    "FFP": (lambda X, Y, Z: (X, Z, -Y)),
    "HFDR": (lambda X, Y, Z: (Z, X, Y)),
    "HFDL": (lambda X, Y, Z: (-Z, -X, Y)),
    "FFDR": (lambda X, Y, Z: (Z, -X, -Y)),
    "FFDL": (lambda X, Y, Z: (-Z, X, -Y)),
}


def expected_mm(point: tuple[float, float, float], beam: IonBeam) -> np.ndarray:
    """A point of the gantry system in patient coordinates, by one elementary turn after the other."""
    x, y, z = point
    g = radians(beam.gantry_deg)
    x, z = x * cos(g) + z * sin(g), -x * sin(g) + z * cos(g)  # gantry about fixed Y
    t = radians(beam.couch_deg)
    x, y = x * cos(t) + y * sin(t), -x * sin(t) + y * cos(t)  # seen from a table turned by t about Z
    p = radians(beam.pitch_deg)
    y, z = y * cos(p) + z * sin(p), -y * sin(p) + z * cos(p)  # seen from a top pitched by p about X
    r = radians(beam.roll_deg)
    x, z = x * cos(r) - z * sin(r), x * sin(r) + z * cos(r)  # and rolled by r about its own Y
    return np.array(LIES[beam.patient_position](x, y, z)) + ISOCENTRE


def sharp_model() -> BeamModel:
    """A beam of no width and no spread, parallel to its own axis."""
    optics = (Optics(1.0, np.zeros((2, 2)), np.zeros((2, 2))),)
    return BeamModel(
        "sharp", "TEST", "PROTON", 400.0, SCANNING, (1.0, 250.0), lambda e: BeamAtEnergy(e, 0.0, optics, None)
    )


def one_spot(position: str, gantry: float, couch: float, pitch: float, roll: float) -> IonBeam:
    layer = EnergyLayer(0, 160.0, np.array([SPOT[0]]), np.array([SPOT[1]]), np.array([2.5]))
    return IonBeam(
        1, "one", "TEST", "PROTON", "NP", 1e6, 2.5, gantry, couch, pitch, roll, position, ISOCENTRE, (layer,)
    )  # fmt: skip


def dose_line(beam: IonBeam) -> tuple[np.ndarray, np.ndarray]:
    """Dose-weighted centre and direction of the track through a water cube 80 mm wide about the isocentre."""
    n, spacing = 80, 1.0
    grid = Grid((n, n, n), (spacing,) * 3, tuple(c - (n - 1) / 2 * spacing for c in ISOCENTRE))
    cube = Voxels.on_grid(
        grid, np.zeros(grid.array_shape, np.uint8), np.ones(grid.array_shape, np.float32), [named("G4_WATER")]
    )
    to_patient = gantry_to_patient(
        gantry_deg=beam.gantry_deg,
        couch_deg=beam.couch_deg,
        pitch_deg=beam.pitch_deg,
        roll_deg=beam.roll_deg,
        patient_position=beam.patient_position,
        isocenter_mm=np.array(beam.isocenter_mm),
    )
    problem = proton_problem(
        voxels=cube,
        pencil_beams=pencil_beams(beam, sharp_model()),
        beamline=(),
        to_patient=to_patient,
        score_grid=grid,
        settings=TransportSettings(processes_off=("nuclear", "scattering", "straggling"), dose_to_water=False),
    )
    dose = simulate(problem, Goal(histories=200), seed=5, threads=1).dose_Gy
    k, j, i = np.nonzero(dose)
    points = grid.to_patient(np.stack([i, j, k], axis=1).astype(float))
    weights = dose[k, j, i]
    centre = np.average(points, axis=0, weights=weights)
    spread = points - centre
    _, _, axes = np.linalg.svd(spread * np.sqrt(weights)[:, None], full_matrices=False)
    return centre, axes[0]


ANGLES = [
    (0, 0, 0, 0),
    (90, 0, 0, 0),
    (0, 90, 0, 0),
    (237, 0, 0, 0),
    (40, 320, 0, 0),
    (115, 35, 3, 0),
    (300, 10, -2, 4),
]


@pytest.mark.parametrize("position", LIES)
@pytest.mark.parametrize(("gantry", "couch", "pitch", "roll"), ANGLES)
def test_a_spot_flies_where_the_formulas_say(
    position: str, gantry: float, couch: float, pitch: float, roll: float
) -> None:
    beam = one_spot(position, gantry, couch, pitch, roll)
    centre, axis = dose_line(beam)
    focus_slope = (SPOT[0] / SCANNING[0], SPOT[1] / SCANNING[1])
    at_isocentre = expected_mm((SPOT[0], SPOT[1], 0.0), beam)
    upstream = expected_mm((SPOT[0] - 100 * focus_slope[0], SPOT[1] - 100 * focus_slope[1], 100.0), beam)
    flight = (at_isocentre - upstream) / np.linalg.norm(at_isocentre - upstream)
    off_line = (centre - at_isocentre) - ((centre - at_isocentre) @ flight) * flight
    assert np.linalg.norm(off_line) < 0.3  # a third of a voxel
    assert abs(axis @ flight) > np.cos(radians(1.0))


def test_the_beam_comes_from_the_source_side() -> None:
    """Energy falls along the flight, so the dose per path rises from the source side on: the Bragg curve's slope."""
    beam = one_spot("HFS", 90.0, 0.0, 0.0, 0.0)
    centre, _ = dose_line(beam)
    # At gantry 90 in a head-first supine patient the source is on the left (+x): dose rises towards -x.
    assert centre[0] < ISOCENTRE[0]


def test_known_points_of_the_standard() -> None:
    """Check values of the conventions: G=0 spot (10, 0) is left, spot (0, 10) superior; G=90, T=90 source inferior."""
    beam = one_spot("HFS", 0.0, 0.0, 0.0, 0.0)
    assert expected_mm((10.0, 0.0, 0.0), beam) - ISOCENTRE == pytest.approx([10.0, 0.0, 0.0])
    assert expected_mm((0.0, 10.0, 0.0), beam) - ISOCENTRE == pytest.approx([0.0, 0.0, 10.0])
    turned = one_spot("HFS", 90.0, 90.0, 0.0, 0.0)
    assert expected_mm((0.0, 0.0, 1.0), turned) - ISOCENTRE == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)
