"""Pencil beams as rows of a source: places, slopes, widths and energies, in the room."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.core.frame import Rigid, rotation_about
from dosewright.formats.text.fred.fred_input import read_fred
from dosewright.formats.text.fred.pencil_beams import PencilBeam
from dosewright.sources import emit
from dosewright.workflow.treatment.beam_checks import check_beams
from dosewright.workflow.treatment.beams import BeamGroup, beam_groups

SIGMA = 2.3548200450309493
NOWHERE = Rigid.identity()


def beams(folder: Path, *texts: str) -> tuple[PencilBeam, ...]:
    path = folder / "fred.inp"
    lines = [f"pb: {n} 1 ; N = 1 ; {text}" for n, text in enumerate(texts)]
    path.write_text("region: a ; material = water\nfield: 1\n" + "\n".join(lines))
    return read_fred(path).beams


def group(folder: Path, text: str, field: Rigid = NOWHERE, window_mm: float = 0.0) -> BeamGroup:
    (one,) = beam_groups(beams(folder, text), field, window_mm)
    return one


def in_room(one: BeamGroup, row: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return where a row starts in the room, mm, and its direction."""
    columns = one.rows[row]
    place = one.to_room.points(10 * columns[[emit.X, emit.Y, emit.START_Z]])
    way = one.to_room.directions(np.array([columns[emit.SLOPE_X], columns[emit.SLOPE_Y], -1.0]))
    return place, way / np.linalg.norm(way)


def covariance(one: BeamGroup, axis: str) -> np.ndarray:
    columns = {"x": (emit.XX, emit.XS, emit.SS_X), "y": (emit.YY, emit.YS, emit.SS_Y)}[axis]
    width, along, rest = one.rows[0][list(columns)]
    return np.array([[100 * width**2, 10 * width * along], [10 * width * along, along**2 + rest**2]])


def test_places_and_directions_in_the_room(tmp_path: Path) -> None:
    field = Rigid(rotation_about("x", 40.0) @ rotation_about("z", 20.0), np.array([1.0, 2.0, 3.0]))
    one = group(tmp_path, "P = [1,-2,3] ; v = [0.05,-0.1,1] ; T = 120 ; EFWHM = 2", field)
    place, way = in_room(one)
    np.testing.assert_allclose(place, field.points(np.array([10.0, -20.0, 30.0])))
    expected = field.directions(np.array([0.05, -0.1, 1.0]))
    np.testing.assert_allclose(way, expected / np.linalg.norm(expected))
    np.testing.assert_allclose(one.rows[0, [emit.MEAN_ENERGY, emit.ENERGY_SIGMA]], [120, 2 / SIGMA])


def test_a_spread_of_momentum(tmp_path: Path) -> None:
    """1 % of the momentum at 100 MeV is 1.904 % of the energy: (T + 2M)/(T + M)."""
    one = group(tmp_path, "T = 100 ; pSpread = 0.01")
    assert one.rows[0, emit.ENERGY_SIGMA] == pytest.approx(1.9037 / SIGMA, rel=1e-4)


def test_pencil_beams_that_lean_much_have_axes_of_their_own(tmp_path: Path) -> None:
    field = Rigid(rotation_about("y", 30.0), np.array([5.0, 0.0, 0.0]))
    texts = ("v = [0.1,0,1]", "v = [1,0,1]", "v = [0,0,-1] ; P = [1,2,3]", "v = [0,-0.1,1]")
    found = beam_groups(beams(tmp_path, *texts), field, 0.0)
    assert [len(one.rows) for one in found] == [2, 1, 1]
    for one, direction in zip(found[1:], ([1.0, 0.0, 1.0], [0.0, 0.0, -1.0]), strict=True):
        place, way = in_room(one)
        np.testing.assert_allclose(way, field.directions(np.array(direction) / np.linalg.norm(direction)), atol=1e-12)
        assert one.rows[0, emit.SLOPE_X] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(place, field.points(np.array([10.0, 20.0, 30.0])))


def test_widths_lie_across_the_pencil_beam(tmp_path: Path) -> None:
    one = group(tmp_path, "v = [0.2,0,1] ; Xsec = gauss ; FWHMx = 1 ; FWHMy = 2")
    sigma_x, sigma_y = np.sqrt(covariance(one, "x")[0, 0]), np.sqrt(covariance(one, "y")[0, 0])
    assert sigma_x == pytest.approx(10 / SIGMA * np.sqrt(1.04)) and sigma_y == pytest.approx(20 / SIGMA)


def test_an_oblong_pencil_beam_is_turned_about_its_axis(tmp_path: Path) -> None:
    one = group(tmp_path, "Xsec = gauss ; FWHMx = 1 ; FWHMy = 2 ; alpha = 90 ; P = [3,0,0]")
    np.testing.assert_allclose(one.to_room.directions(np.array([1.0, 0.0, 0.0])), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(in_room(one)[0], [30, 0, 0], atol=1e-12)
    assert len(beam_groups(beams(tmp_path, "alpha = 90 ; Xsec = gauss ; FWHM = 1", "T = 90"), NOWHERE, 0.0)) == 1


def test_a_virtual_point_source_spreads_in_straight_lines(tmp_path: Path) -> None:
    """The size is that of the plane at its distance, and in proportion to the distance from the source elsewhere."""
    one = group(tmp_path, "Xsec = gauss ; FWHM = 1 ; VSDx = -200 ; VSDy = -100 ; refPlaneDistance = 50")
    for axis, source in (("x", -2000.0), ("y", -1000.0)):
        found = covariance(one, axis)
        sigma = 10 / SIGMA * (0.0 - source) / (500.0 - source)
        assert np.sqrt(found[0, 0]) == pytest.approx(sigma)
        assert found[0, 1] == pytest.approx(sigma**2 / (0.0 - source))
        assert np.linalg.det(found) == pytest.approx(0, abs=1e-12)


def test_an_emittance_at_its_plane(tmp_path: Path) -> None:
    """Drifted back from its plane: at the plane the covariance is emittance times (beta, -alpha, gamma)."""
    one = group(tmp_path, "emittanceX = 0.001 ; twissAlphaX = 0.5 ; twissBetaX = 200 ; emittanceRefPlaneDistance = 40")
    drift = np.array([[1.0, 400.0], [0.0, 1.0]])
    at_plane = drift @ covariance(one, "x") @ drift.T
    expected = [[100 * 0.2, -10 * 0.0005], [-10 * 0.0005, 0.001 * 1.25 / 200]]
    np.testing.assert_allclose(at_plane, expected, rtol=1e-9)


def test_up_to_the_exit_window_beams_fly_in_vacuum(tmp_path: Path) -> None:
    shape = "emittanceX = 0.001 ; twissAlphaX = 0 ; twissBetaX = 100 ; emittanceRefPlaneDistance = 0"
    text = f"P = [1,0,-10] ; v = [0.1,0,1] ; {shape}"
    before, after = group(tmp_path, text), group(tmp_path, text, window_mm=200.0)
    np.testing.assert_allclose(in_room(after)[0], [40.0, 0, 200.0])
    drift = np.array([[1.0, 300.0], [0.0, 1.0]])
    np.testing.assert_allclose(covariance(after, "y"), drift @ covariance(before, "y") @ drift.T)
    behind = group(tmp_path, "P = [0,0,30]", window_mm=200.0)
    np.testing.assert_allclose(in_room(behind)[0], [0, 0, 300.0])


def test_beams_without_particles_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "fred.inp"
    path.write_text("region: a ; material = water\nfield: 1\npb: 1 1 ; N = 0\npb: 2 1 ; N = 3 ; nprim = 7\n")
    (one,) = beam_groups(read_fred(path).beams, NOWHERE, 0.0)
    assert one.particles.tolist() == [3] and one.histories == 7
    assert beam_groups(read_fred(path).beams[:1], NOWHERE, 0.0) == []


def test_shapes_have_the_widths_that_are_given(tmp_path: Path) -> None:
    """Full widths of 1 and 2 cm: of a box sqrt(12) standard deviations, of a disc four."""
    for name, shape, per_sigma in (("box", emit.RECTANGULAR, 12**0.5), ("disc", emit.ELLIPTIC, 4.0)):
        one = group(tmp_path, f"Xsec = {name} ; FWHMx = 1 ; FWHMy = 2")
        assert one.rows[0, emit.SHAPE] == shape
        np.testing.assert_allclose(one.rows[0, [emit.XX, emit.YY]], [1 / per_sigma, 2 / per_sigma])


def test_a_square_that_is_turned_has_axes_of_its_own(tmp_path: Path) -> None:
    one = group(tmp_path, "Xsec = box ; FWHM = 1 ; alpha = 30")
    np.testing.assert_allclose(one.to_room.rotation[:, 0], rotation_about("z", 30.0)[:, 0], atol=1e-12)


def test_radii_widen_with_the_beam_from_the_plane_of_its_cross_section(tmp_path: Path) -> None:
    one = group(tmp_path, "Xsec = gauss ; FWHM = 1 ; rmin = 0.2 ; rmax = 0.5 ; VSD = -200 ; refPlaneDistance = 50")
    np.testing.assert_allclose(one.rows[0, [emit.LEAST_RADIUS, emit.MOST_RADIUS]], [0.16, 0.4])
    leaning = group(tmp_path, "v = [0.1,0,1] ; Xsec = gauss ; FWHM = 1 ; rmax = 0.5")
    assert leaning.rows[0, emit.SLOPE_X] == pytest.approx(0.0, abs=1e-12)  # across the pencil beam


def test_energies_within_bounds(tmp_path: Path) -> None:
    uniform = group(tmp_path, "Edistrib = uniform ; Emin = 90 ; Emax = 110").rows[0]
    assert uniform[emit.MEAN_ENERGY] == 100 and uniform[emit.FLAT_ENERGY] == 1
    assert uniform[emit.ENERGY_SIGMA] * 12**0.5 == pytest.approx(20.0)
    cut = group(tmp_path, "T = 100 ; EFWHM = 2 ; Emax = 101").rows[0]
    assert (cut[emit.LEAST_ENERGY], cut[emit.MOST_ENERGY]) == (0.0, 101.0)
    free = group(tmp_path, "T = 100 ; EFWHM = 1 ; Emin = 90 ; Emax = 110").rows[0]
    assert (free[emit.LEAST_ENERGY], free[emit.MOST_ENERGY]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("particle = He4", "only protons"),
        ("T = 100 ; EFWHM = 2 ; Emin = 105", "hardly an energy"),
        ("T = 100 ; Emax = 99", "hardly an energy"),
        ("T = 349 ; EFWHM = 2", "beyond the tables"),
        ("T = 0.5", "beyond the tables"),
        ("Xsec = uparrow ; FWHM = 1", "cross-section"),
        ("Xsec = gauss ; FWHM = 1 ; rmin = 3", "hardly a particle"),
        ("rmin = 1", "hardly a particle"),
        ("Xsec = gauss ; FWHM = 1 ; rmax = 2 ; VSDx = -100 ; VSDy = -200", "one point source"),
        (
            "emittanceX = 0.001 ; twissAlphaX = 0 ; twissBetaX = 100 ; emittanceRefPlaneDistance = 0 ; rmax = 1",
            "no radial bounds",
        ),
    ],
)
def test_what_cannot_be_transported_is_named(tmp_path: Path, text: str, words: str) -> None:
    (problem,) = check_beams(beams(tmp_path, text))
    assert words in problem and "pb 0 of field 1" in problem and "line 3" in problem
    assert check_beams(beams(tmp_path, "T = 100 ; EFWHM = 1 ; Emin = 90 ; Emax = 110")) == []
