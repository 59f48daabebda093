"""Golden geometry: IEC 61217 to DICOM patient coordinates, against formulas written without the code's matrices."""

from itertools import product
from math import cos, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.frame import PATIENT_AXES, Rigid, gantry_to_patient, rotation_about

POSITIONS = ("HFS", "HFP", "FFS", "FFP", "HFDR", "HFDL", "FFDR", "FFDL")
GANTRY = (0.0, 37.0, 90.0, 180.0, 270.0, 333.3)
COUCH = (0.0, 15.0, 90.0, 270.0, 341.5)
TILTS = ((0.0, 0.0), (3.0, 0.0), (0.0, -4.0), (2.5, 5.0), (-30.0, 20.0))
ISOCENTRE = np.array([12.5, -140.25, 333.0])
# Isocentre plane, towards the source, and off every axis.
GANTRY_POINTS = np.array([(10.0, 0, 0), (0, 10.0, 0), (0, 0, 1000.0), (-63.0, 25.0, -140.0)])


def left_posterior_superior(position):
    """The patient's axes in the room, from what the words mean: +Y to the gantry, +Z up, x cross y = z."""
    superior = np.array([0, 1, 0]) if position.startswith("HF") else np.array([0, -1, 0])
    lies_on = position[2:]
    if lies_on in ("S", "P"):  # supine: the back is down
        posterior = np.array([0, 0, -1 if lies_on == "S" else 1])
        return np.cross(posterior, superior), posterior, superior
    left = np.array([0, 0, 1 if lies_on == "DR" else -1])  # decubitus right: on the right side, left is up
    return left, np.cross(superior, left), superior


def mapped(point, gantry, couch, pitch, roll, position):
    """Coordinates of one point, system by system, as IEC 61217 defines them."""
    x, y, z = (float(c) for c in point)
    g, t, p, r = (radians(a) for a in (gantry, couch, pitch, roll))
    x, z = x * cos(g) + z * sin(g), -x * sin(g) + z * cos(g)  # gantry to fixed
    x, y = x * cos(t) + y * sin(t), -x * sin(t) + y * cos(t)  # fixed to patient support
    y, z = y * cos(p) + z * sin(p), -y * sin(p) + z * cos(p)  # to the pitched table top
    x, z = x * cos(r) - z * sin(r), x * sin(r) + z * cos(r)  # to the table top that then rolled about its own Y
    return ISOCENTRE + [np.dot((x, y, z), axis) for axis in left_posterior_superior(position)]


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_gantry_couch_pitch_and_roll(position):
    for gantry, couch, (pitch, roll) in product(GANTRY, COUCH, TILTS):
        transform = gantry_to_patient(
            gantry_deg=gantry,
            couch_deg=couch,
            patient_position=position,
            isocenter_mm=ISOCENTRE,
            pitch_deg=pitch,
            roll_deg=roll,
        )
        expected = [mapped(point, gantry, couch, pitch, roll, position) for point in GANTRY_POINTS]
        np.testing.assert_allclose(transform.points(GANTRY_POINTS), expected, atol=1e-9)


@pytest.mark.parametrize("gantry", GANTRY)
@pytest.mark.parametrize("couch", COUCH)
def test_head_first_supine_closed_forms(gantry, couch):
    """Source direction and spots as worked out by hand for HFS, x left, y posterior, z superior."""
    g, t = radians(gantry), radians(couch)
    transform = gantry_to_patient(gantry_deg=gantry, couch_deg=couch, patient_position="HFS", isocenter_mm=ISOCENTRE)
    np.testing.assert_allclose(
        transform.directions(np.array([0.0, 0.0, 1.0])), (sin(g) * cos(t), -cos(g), -sin(g) * sin(t)), atol=1e-12
    )
    xg, yg = 31.0, -17.0
    spot = (xg * cos(g) * cos(t) + yg * sin(t), xg * sin(g), -xg * cos(g) * sin(t) + yg * cos(t))
    np.testing.assert_allclose(transform.points(np.array([xg, yg, 0.0])), ISOCENTRE + spot, atol=1e-9)


@pytest.mark.parametrize(
    ("gantry", "couch", "position", "point", "patient"),
    [
        (0, 0, "HFS", (0, 0, 1), (0, -1, 0)),  # from above onto a supine patient: anterior
        (90, 0, "HFS", (0, 0, 1), (1, 0, 0)),  # left
        (270, 0, "HFS", (0, 0, 1), (-1, 0, 0)),  # right
        (180, 0, "HFS", (0, 0, 1), (0, 1, 0)),  # posterior
        (0, 0, "HFS", (10, 0, 0), (10, 0, 0)),
        (0, 0, "HFS", (0, 10, 0), (0, 0, 10)),  # towards the gantry: superior
        (90, 90, "HFS", (0, 0, 1), (0, 0, -1)),  # inferior
        (0, 0, "HFP", (0, 0, 1), (0, 1, 0)),  # prone: the beam enters the back
        (90, 0, "FFS", (0, 0, 1), (-1, 0, 0)),  # feet first: from the right
        (0, 0, "FFP", (0, 10, 0), (0, 0, -10)),
        (0, 0, "HFDR", (0, 0, 1), (1, 0, 0)),  # on the right side: left is up
        (0, 0, "FFDL", (0, 0, 1), (-1, 0, 0)),
    ],
)
def test_check_values(gantry, couch, position, point, patient):
    transform = gantry_to_patient(
        gantry_deg=gantry, couch_deg=couch, patient_position=position, isocenter_mm=np.zeros(3)
    )
    np.testing.assert_allclose(transform.points(np.array(point, float)), patient, atol=1e-12)


def test_signs_of_pitch_and_roll_in_words():
    """Positive pitch lifts the gantry end of the table; positive roll lowers its +X side (right-handed about Y)."""

    def table(pitch, roll):
        return gantry_to_patient(
            gantry_deg=0, couch_deg=0, patient_position="HFS", isocenter_mm=np.zeros(3), pitch_deg=pitch, roll_deg=roll
        ).inverse()  # at gantry 0 the gantry system is the fixed one

    head, left = np.array([0.0, 0.0, 100.0]), np.array([100.0, 0.0, 0.0])
    assert table(5, 0).points(head)[2] == pytest.approx(100 * sin(radians(5)))
    assert table(0, 5).points(left)[2] == pytest.approx(-100 * sin(radians(5)))
    assert not np.allclose(table(20, 30).rotation, table(0, 30).then(table(20, 0)).rotation)


def test_the_couch_turns_as_seen_from_above():
    """Couch +90: counter-clockwise from above, so the head (HFS) goes from the gantry to -X."""
    transform = gantry_to_patient(gantry_deg=0, couch_deg=90, patient_position="HFS", isocenter_mm=np.zeros(3))
    np.testing.assert_allclose(transform.inverse().points(np.array([0.0, 0.0, 1.0])), (-1, 0, 0), atol=1e-12)


def test_the_table_of_positions_is_complete_and_proper():
    assert set(PATIENT_AXES) == set(POSITIONS)
    for axes in PATIENT_AXES.values():
        assert np.linalg.det(np.array(axes, float)) == pytest.approx(1.0)


def test_an_unknown_position_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="HFDL"):
        gantry_to_patient(gantry_deg=0, couch_deg=0, patient_position="hfs", isocenter_mm=np.zeros(3))


angles = st.floats(-360, 360)
lengths = st.floats(-2000, 2000)
rigids = st.builds(
    lambda a, t: Rigid(rotation_about("x", a[0]) @ rotation_about("y", a[1]) @ rotation_about("z", a[2]), np.array(t)),
    st.tuples(angles, angles, angles),
    st.tuples(lengths, lengths, lengths),
)
points = st.lists(st.tuples(lengths, lengths, lengths), min_size=2, max_size=5).map(np.array)


@settings(max_examples=80, deadline=None)
@given(a=rigids, b=rigids, p=points)
def test_rigid_transforms_compose_and_undo(a, b, p):
    np.testing.assert_allclose(a.inverse().points(a.points(p)), p, atol=1e-8)
    np.testing.assert_allclose(a.then(b).points(p), b.points(a.points(p)), atol=1e-8)
    np.testing.assert_allclose(a.then(a.inverse()).points(p), Rigid.identity().points(p), atol=1e-8)
    np.testing.assert_allclose(a.directions(p[1] - p[0]), a.points(p)[1] - a.points(p)[0], atol=1e-8)
    assert np.linalg.norm(a.directions(p[1] - p[0])) == pytest.approx(np.linalg.norm(p[1] - p[0]), abs=1e-8)


@given(degrees=angles)
def test_rotations_are_right_handed(degrees):
    c, s = cos(radians(degrees)), sin(radians(degrees))
    np.testing.assert_allclose(rotation_about("x", degrees) @ [0, 1, 0], [0, c, s], atol=1e-12)
    np.testing.assert_allclose(rotation_about("y", degrees) @ [0, 0, 1], [s, 0, c], atol=1e-12)
    np.testing.assert_allclose(rotation_about("z", degrees) @ [1, 0, 0], [c, s, 0], atol=1e-12)


@pytest.mark.parametrize("matrix", [np.diag([1.0, 1.0, -1.0]), np.eye(3) * 1.01, np.ones((3, 3)), np.eye(2)])
def test_only_proper_rotations_are_rigid(matrix):
    with pytest.raises(InputError):
        Rigid(matrix, np.zeros(3))
