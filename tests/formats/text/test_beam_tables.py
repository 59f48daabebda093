"""DCPT tables and MCsquare libraries: columns, signs, ranges; garbage is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.formats.text.dcpt import COLUMNS, read_dcpt_table
from dosewright.formats.text.mcsquare import read_mcsquare_bdl

PLASTIC = Material("plastic", 1.19, {1: 0.08, 6: 0.6, 8: 0.32})

HEADER = "NominalEnergy MeanEnergy EnergySpread ProtonsMU Weight1 SpotSize1x Divergence1x Correlation1x"
HEADER += " SpotSize1y Divergence1y Correlation1y"
BDL = f"""--Lookup table BDL format--
# comment

Nozzle exit to Isocenter distance
400.0
SMX to Isocenter distance
2200
SMY to Isocenter distance
1800

Range Shifter parameters
RS_ID = RS_A\t# by its name in the plan
RS_type = binary
RS_material = 64
RS_density = 1.20
RS_WET = 74.1

Range Shifter parameters
RS_ID = RS_B
RS_type = analog
RS_material = 64
RS_density = 1.18

Beam parameters
2 energies

{HEADER}
100 100.3\t0.7 9e7 1.0 4.0 0.006 0.1 5.0 0.005 -0.25
200 200.5 0.5 \t1.5e8 1.0 3.0 0.004 0.3 4.0 0.003 -0.5
"""


def plastic(code: int) -> Material:
    assert code == 64
    return PLASTIC


def sigma_after(covariance: np.ndarray, drift_mm: float) -> float:
    """Size after a drift, as a beam physicist writes it: c00 + 2 D c01 + D^2 c11."""
    return float(np.sqrt(covariance[0, 0] + 2 * drift_mm * covariance[0, 1] + drift_mm**2 * covariance[1, 1]))


def test_mcsquare_values_between_two_rows(tmp_path: Path) -> None:
    (tmp_path / "site.txt").write_text(BDL)
    model = read_mcsquare_bdl(tmp_path / "site.txt", plastic)
    assert (model.plane_mm, model.scanning_mm, model.medium) == (400.0, (2200.0, 1800.0), "vacuum")
    assert model.energy_range_MeV == (100.0, 200.0)
    beam = model.at(125.0)
    assert beam.mean_energy_MeV == pytest.approx(125.35)
    assert beam.energy_sigma_MeV == pytest.approx(0.7 * 0.75 + 1.0 * 0.25)  # percent of nominal energy
    assert beam.particles_per_mu == pytest.approx(1.05e8)
    (spot,) = beam.optics
    assert spot.weight == 1.0
    np.testing.assert_allclose(spot.cov_x, [[3.75**2, 0.15 * 3.75 * 0.0055], [0.15 * 3.75 * 0.0055, 0.0055**2]])
    np.testing.assert_allclose(spot.cov_y[0, 1], -0.3125 * 4.75 * 0.0045)


def test_mcsquare_range_shifters(tmp_path: Path) -> None:
    (tmp_path / "site.txt").write_text(BDL)
    shifters = read_mcsquare_bdl(tmp_path / "site.txt", plastic).range_shifters
    assert (shifters["RS_A"].wet_mm, shifters["RS_A"].thickness_mm) == (74.1, None)
    assert shifters["RS_A"].material.density_g_cm3 == 1.20
    assert shifters["RS_B"].wet_mm is None
    assert shifters["RS_B"].material.mass_fractions == PLASTIC.mass_fractions


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SMY to Isocenter distance\n1800\n", "", "lacks 'SMY to Isocenter"),
        ("SMX to Isocenter", "SMX to Isocentre", "Did you mean 'SMX to Isocenter distance'"),
        ("RS_type = binary", "RS_type = sliding", "range shifter type"),
        ("RS_WET = 74.1\n", "", "incomplete"),
        ("RS_WET", "RS_WTE", "Did you mean 'RS_WET'"),
        ("2 energies", "3 energies", "fewer rows"),
        ("-0.25\n", "\n", "Expected 11 columns"),
        ("4.0 0.006 0.1", "4.0 0.006 1.1", "correlation"),
        ("9e7 1.0", "9e7 0.8", "add up to one"),
        ("4.0 0.006", "4.0 6.0", "are they in mm and rad"),
        ("200.5 0.5", "200.5 150", "spread as large"),
        ("100.3", "nan", "Expected MeanEnergy"),
        ("Divergence1x", "Divergence1z", "columns"),
    ],
)
def test_mcsquare_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in BDL
    (tmp_path / "site.txt").write_text(BDL.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_mcsquare_bdl(tmp_path / "site.txt", plastic)


def test_surplus_rows_are_used_and_said(tmp_path: Path) -> None:
    (tmp_path / "site.txt").write_text(BDL.replace("2 energies", "1 energies"))
    model = read_mcsquare_bdl(tmp_path / "site.txt", plastic)
    assert model.energy_range_MeV == (100.0, 200.0)
    assert any("holds 2 rows" in said for said in model.assumptions)


def test_energies_outside_the_table_name_its_range(tmp_path: Path) -> None:
    (tmp_path / "site.txt").write_text(BDL)
    model = read_mcsquare_bdl(tmp_path / "site.txt", plastic)
    assert model.at(100.0 - 1e-4).mean_energy_MeV == pytest.approx(100.3)
    for energy in (99.9, 200.1):
        with pytest.raises(InputError, match="100 to 200 MeV"):
            model.at(energy)


def test_spots_of_the_upenn_library_are_round_at_the_isocentre(shared_data: Path) -> None:
    """The dedicated nozzle is tuned to round spots; the wrong sign of the correlation makes ellipses of them."""
    folder = shared_data / "beam-models" / "mcsquare-bdl"
    model = read_mcsquare_bdl(folder / "BDL_default_DN_RangeShifter.txt", plastic)
    assert model.range_shifters["RS_Block"].wet_mm == 74.1
    beam = model.at(225.0)
    assert [o.weight for o in beam.optics] == pytest.approx([0.968, 0.032])
    first = beam.optics[0]
    sizes = [sigma_after(c, model.plane_mm) for c in (first.cov_x, first.cov_y)]
    assert sizes == pytest.approx([3.099, 3.136], abs=2e-3)
    single = read_mcsquare_bdl(folder / "BDL_matrad.txt", plastic).at(150.0)
    assert len(single.optics) == 1


def test_every_library_beside_reads(shared_data: Path) -> None:
    files = sorted((shared_data / "beam-models").glob("*-bdl/BDL_*.txt"))
    assert len(files) == 7
    for file in files:
        model = read_mcsquare_bdl(file, plastic)
        low, high = model.energy_range_MeV
        for energy in np.linspace(low, high, 9):
            assert model.at(float(energy)).mean_energy_MeV == pytest.approx(energy, rel=0.02)


def test_dcpt_versions_meet_at_the_isocentre(shared_data: Path) -> None:
    """Two commissionings of one machine at two planes: only divergence downstream brings them together."""
    folder = shared_data / "beam-models" / "dcpt"
    v2, v5 = (read_dcpt_table(folder / f"DCPT_beam_model__v{v}.csv") for v in (2, 5))
    assert (v2.plane_mm, v5.plane_mm) == (500.0, 600.0)
    assert v2.energy_range_MeV == v5.energy_range_MeV == (70.0, 244.0)
    assert np.all(np.isnan(v2.scanning_mm))
    for energy in (70.0, 150.0, 230.0):
        for axis in ("cov_x", "cov_y"):
            sizes = [sigma_after(getattr(m.at(energy).optics[0], axis), m.plane_mm) for m in (v2, v5)]
            assert sizes[0] == pytest.approx(sizes[1], rel=0.05)
    assert any("reversed" in said for said in v2.assumptions)
    assert not any("reversed" in said for said in v5.assumptions)


def test_dcpt_columns(shared_data: Path) -> None:
    model = read_dcpt_table(shared_data / "beam-models" / "dcpt" / "DCPT_beam_model__v2.csv")
    beam = model.at(70.0)
    assert (beam.mean_energy_MeV, beam.energy_sigma_MeV, beam.particles_per_mu) == (71.38, 1.23, 2106924)
    (spot,) = beam.optics
    np.testing.assert_allclose(
        spot.cov_x, [[4.472**2, 0.306094 * 4.472 * 0.0061], [0.306094 * 4.472 * 0.0061, 0.0061**2]]
    )
    np.testing.assert_allclose(spot.cov_y[0, 0], 3.629**2)
    np.testing.assert_allclose(spot.cov_y[1, 1], 0.0056**2)
    assert model.at(70.05).particles_per_mu == pytest.approx((2106924 + 2109109) / 2)


TITLE = ",".join(f'"# {name}"' for name in COLUMNS)
DCPT = f"""#"Årlig model, Søren",,,,,,,,,
#"BMODPOS 500.0 mm",,,,,,,,,
#{TITLE.replace('"# Energy', '"Energy', 1)}
70,71,1.2,2e6,4.4,3.6,0.006,0.005,0.3,0.7
80,81,1.1,2.3e6,4.2,3.5,0.005,0.004,0.2,0.6
"""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_dcpt_files_of_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(DCPT.replace("\n", "\r\n").encode(encoding))
    model = read_dcpt_table(tmp_path / "t.csv")
    assert "Søren" in model.source
    assert model.at(75.0).mean_energy_MeV == pytest.approx(76.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("BMODPOS 500.0 mm", "plane somewhere", "where its plane lies"),
        ("sigma x [mm]", "sigma y [mm]", "column names"),
        ("4.4,3.6", "4.4", "Expected 10 columns"),
        ("71,1.2", "x,1.2", "E real"),
        ("80,81", "70,81", "ascending"),
    ],
)
def test_dcpt_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DCPT
    (tmp_path / "t.csv").write_text(DCPT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_dcpt_table(tmp_path / "t.csv")


def mangled(text: str) -> st.SearchStrategy[bytes]:
    """The text with a piece of it replaced by anything, or anything at all."""
    data = text.encode()
    pieces = st.tuples(st.integers(0, len(data)), st.integers(0, 60), st.binary(max_size=20) | st.just(b"nan"))
    return st.binary(max_size=200) | pieces.map(lambda p: data[: p[0]] + p[2] + data[p[0] + p[1] :])


def read_or_refuse(path: Path, read: object) -> BeamModel | None:
    try:
        return read(path)  # type: ignore[operator,no-any-return]
    except InputError:
        return None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_garbage_is_refused_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "f.txt"
    path.write_bytes(data.draw(mangled(BDL)))
    model = read_or_refuse(path, lambda p: read_mcsquare_bdl(p, lambda code: PLASTIC))
    path.write_bytes(data.draw(mangled(DCPT)))
    other = read_or_refuse(path, read_dcpt_table)
    for one in (model, other):
        if one is not None:
            assert one.at(one.energy_range_MeV[0]).mean_energy_MeV > 0


def test_missing_files_are_refused(tmp_path: Path) -> None:
    for read in (read_dcpt_table, lambda p: read_mcsquare_bdl(p, plastic)):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path / "none.txt")
        with pytest.raises(InputError):
            read(tmp_path)
