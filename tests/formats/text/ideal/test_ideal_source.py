"""Source properties of IDEAL: order of the polynomials, units, emittance as an area, convergence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.ideal.ideal_source import covariance, read_ideal_source

# Every number differs, so that no two fields can be swapped unnoticed. At 100 MeV: mean 101, sigma x 4, theta 3e-3,
# sigma y 5, phi 2e-3, areas 0.03 and 0.02, 2.5e6 particles per MU.
SOURCE = """# BEAM PARAMETERS - from highest to lowest - mm and rad
# nozzle
1300
6700
7420
# mean energy
1
1.0
1.0
# energy spread
{unit}2
0.0001
0.0
0.5
# x
1
-0.01
5.0
# theta
0
0.003
# y
1
-0.02
7
# phi
1
-1e-5
0.003
# x-theta
0
0.03
# y-phi
1
0.0001
0.01
{monitor}
"""


def write(folder: Path, *, unit: str = "", monitor: str = "", name: str = "RoomA_PROTON_source_properties.txt") -> Path:
    path = folder / name
    path.write_text(SOURCE.format(unit=unit, monitor=monitor))
    return path


def test_values_in_the_order_of_the_file(tmp_path: Path) -> None:
    model = read_ideal_source(write(tmp_path, unit="MeV\n", monitor="1\n2e4\n5e5"))
    assert (model.machine, model.radiation, model.medium) == ("RoomA", "PROTON", "air")
    assert (model.plane_mm, model.scanning_mm) == (1300.0, (6700.0, 7420.0))
    beam = model.at(100.0)
    assert beam.mean_energy_MeV == pytest.approx(101.0)
    assert beam.energy_sigma_MeV == pytest.approx(1.5)
    assert beam.particles_per_mu == pytest.approx(2.5e6)
    (spot,) = beam.optics
    assert np.sqrt([spot.cov_x[0, 0], spot.cov_x[1, 1]]) == pytest.approx([4.0, 0.003])
    assert np.sqrt([spot.cov_y[0, 0], spot.cov_y[1, 1]]) == pytest.approx([5.0, 0.002])
    assert np.pi * np.sqrt(np.linalg.det(spot.cov_x)) == pytest.approx(0.03)  # the ellipse's area
    assert np.pi * np.sqrt(np.linalg.det(spot.cov_y)) == pytest.approx(0.02)


@pytest.mark.parametrize(("unit", "spread"), [("", 1.515), ("percent\n", 1.515), ("PERCENT\n", 1.515), ("MeV\n", 1.5)])
def test_the_spread_is_a_percentage_of_the_mean_energy_unless_it_says_mev(
    tmp_path: Path, unit: str, spread: float
) -> None:
    assert read_ideal_source(write(tmp_path, unit=unit)).at(100.0).energy_sigma_MeV == pytest.approx(spread)


@pytest.mark.parametrize("convergent", [(True, False), (False, True)])
def test_twiss_parameters_and_the_sign_of_convergence(tmp_path: Path, convergent: tuple[bool, bool]) -> None:
    (spot,) = read_ideal_source(write(tmp_path), convergent=convergent).at(100.0).optics
    for cov, sigma, slope, area, converges in (
        (spot.cov_x, 4.0, 0.003, 0.03, convergent[0]),
        (spot.cov_y, 5.0, 0.002, 0.02, convergent[1]),
    ):
        emittance = area / np.pi
        beta, gamma = sigma**2 / emittance, slope**2 / emittance
        alpha = np.sqrt(beta * gamma - 1) * (1 if converges else -1)
        # Courant and Snyder: beta(s) = beta - 2 alpha s + gamma s^2 after a drift s.
        for drift in (0.0, 500.0, 1300.0):
            expected = np.sqrt(emittance * (beta - 2 * alpha * drift + gamma * drift**2))
            ours = np.sqrt(cov[0, 0] + 2 * drift * cov[0, 1] + drift**2 * cov[1, 1])
            assert ours == pytest.approx(expected)
    shrinks = spot.cov_x[0, 1] < 0
    assert shrinks == convergent[0]


def test_a_full_ellipse_is_upright() -> None:
    np.testing.assert_allclose(covariance(2.0, 0.001, np.pi * 0.002, True), [[4.0, 0.0], [0.0, 1e-6]], atol=1e-12)


def test_convergence_comes_from_the_macro_beside_the_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    macro = tmp_path / "RoomA_beamline_details.mac"
    macro.write_text(
        "# nozzle\n/control/alias PROTON_CONVERGENCE_XTHETA   true\n/control/alias PROTON_YPHI false\n"
        "/control/alias ION_6_12_6_CONVERGENCE_XTHETA false\n"
    )
    (spot,) = read_ideal_source(path).at(100.0).optics
    assert spot.cov_x[0, 1] < 0 < spot.cov_y[0, 1]
    macro.write_text("/control/alias PROTON_CONVERGENCE_XTHETA true\n")
    with pytest.raises(InputError, match="PROTON_CONVERGENCE_YPHI"):
        read_ideal_source(path)
    macro.write_text("/control/alias PROTON_XTHETA true\n/control/alias PROTON_YPHI treu\n")
    with pytest.raises(InputError, match="Did you mean 'true'"):
        read_ideal_source(path)
    macro.write_text("/control/alias PROTON_XTHETA true\n/gate/source/addSource PBS\n")
    with pytest.raises(InputError, match=r"shapes the beam.*line 2"):
        read_ideal_source(path)


def test_convergence_may_stand_in_a_macro_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "RoomA").mkdir()
    path = write(tmp_path / "RoomA")
    (tmp_path / "common" / "optics.mac").write_text(
        "/control/alias PROTON_CONVERGENCE_XTHETA false\n/control/alias PROTON_CONVERGENCE_YPHI true\n"
    )
    macro = path.with_name("RoomA_beamline_details.mac")
    macro.write_text("/control/execute ./data/optics.mac\n")
    (spot,) = read_ideal_source(path).at(100.0).optics
    assert spot.cov_y[0, 1] < 0 < spot.cov_x[0, 1]


def test_a_nozzle_beside_the_file_is_not_left_out_silently(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "RoomA_beamline_details.mac").write_text(
        "/control/alias PROTON_XTHETA true\n/control/alias PROTON_YPHI true\n"
        "/gate/world/daughters/name window\n/gate/world/daughters/insert box\n"
    )
    with pytest.raises(InputError, match=r"nozzle of its machine.*builds window"):
        read_ideal_source(path)
    assert read_ideal_source(path, convergent=(True, True)).at(100.0).optics[0].cov_x[0, 1] < 0


def test_without_macro_divergence_is_assumed_aloud(tmp_path: Path) -> None:
    model = read_ideal_source(write(tmp_path))
    assert any("diverge" in said for said in model.assumptions)
    assert model.at(100.0).optics[0].cov_x[0, 1] > 0


def test_the_energy_range_is_found_stated_and_kept(tmp_path: Path) -> None:
    model = read_ideal_source(write(tmp_path))
    low, high = model.energy_range_MeV
    # phi = 0.003 - 1e-5 E and area y = 0.01 + 1e-4 E: full ellipse where pi (7 - 0.02 E)(0.003 - 1e-5 E) = area.
    assert low == 1.0
    assert np.pi * (7 - 0.02 * high) * (0.003 - 1e-5 * high) >= 0.01 + 1e-4 * high - 1e-4
    assert high == 131.5
    assert any(f"{high:g} MeV" in said for said in model.assumptions)
    with pytest.raises(InputError, match=f"{low:g} to {high:g} MeV"):
        model.at(high + 1)
    chosen = read_ideal_source(write(tmp_path), energy_range_MeV=(70.0, 130.0))
    assert chosen.energy_range_MeV == (70.0, 130.0)
    with pytest.raises(InputError, match="exceeds"):
        read_ideal_source(write(tmp_path), energy_range_MeV=(70.0, 400.0))


def test_ions_are_known_by_the_files_name(tmp_path: Path) -> None:
    model = read_ideal_source(write(tmp_path, name="IR2VBL_ION_6_12_6_source_properties.txt"))
    assert (model.machine, model.radiation) == ("IR2VBL", "ION_6_12_6")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1300\n", "-1300\n", "positive"),
        ("# y-phi\n1\n0.0001\n0.01\n", "", "emittance y-phi"),
        ("0\n0.03\n", "0\nhello\n", "coefficient of emittance x-theta"),
        ("# theta\n0\n", "# theta\n1.5\n", "whole number"),
        ("2\n0.0001", "keV\n2\n0.0001", "unit of the energy spread"),
        ("0.003\n# y\n", "-0.003\n# y\n", "no possible beam"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_ideal_source(path)


def test_text_after_the_last_polynomial_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="goes on"):
        read_ideal_source(write(tmp_path, monitor="0\n1e6\n17"))


def test_the_published_example(shared_data: Path) -> None:
    folder = shared_data / "beam-models" / "ideal-template"
    model = read_ideal_source(folder / "ExampleBeamLine_PROTON_source_properties.txt")
    assert (model.machine, model.plane_mm, model.scanning_mm) == ("ExampleBeamLine", 1300.0, (6700.0, 7420.0))
    low, high = model.energy_range_MeV
    assert 50 < low < 60 and 255 < high < 270
    beam = model.at(150.0)
    assert (beam.mean_energy_MeV, beam.energy_sigma_MeV) == pytest.approx((149.052, 0.19896), rel=1e-4)
    (spot,) = beam.optics
    assert np.sqrt(spot.cov_x[0, 0]) == pytest.approx(2.5763, rel=1e-4)
    assert np.sqrt(np.linalg.det(spot.cov_x)) == pytest.approx(0.0027717 / np.pi, rel=1e-4)


def test_other_source_files_beside(shared_data: Path) -> None:
    files = sorted((shared_data / "beam-models" / "gate-rtion").glob("*/*ource*.txt"))
    assert len(files) == 4
    for file in files:
        assert read_ideal_source(file).at(120.0).mean_energy_MeV == pytest.approx(120.0)
    with_monitor = read_ideal_source(files[0])
    assert with_monitor.at(120.0).particles_per_mu == pytest.approx(240.0)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 40))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "RoomA_PROTON_source_properties.txt"
    good = SOURCE.format(unit="", monitor="").encode()
    for data in (noise, good[:start] + noise[:10] + good[start + cut :]):
        path.write_bytes(data)
        try:
            model = read_ideal_source(path)
        except InputError:
            continue
        assert model.at(model.energy_range_MeV[0]).mean_energy_MeV > 0
