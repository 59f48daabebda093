"""Bad measurements are refused: too few planes, depths in another unit, and the like."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.beam_fit.measurements import read_measurements
from dosewright.commissioning.demonstration.water_depth_dose import DepthDose
from dosewright.core.errors import InputError

TOML = """
name = "room1"
plane_mm = 500.0
scanning_mm = [2000.0, 2500.0]
[depth_dose]
file = "depth.csv"
[spots]
file = "spots.csv"
"""
PLANES = "\n".join(f"150,{z},4.0,4.2" for z in (-200, 0, 200))


def write(tmp_path: Path, *, toml: str = TOML, spots: str = PLANES, factor: float = 1.0, **tables: str) -> Path:
    depth = np.arange(1.0, 175.0)
    core, halo = DepthDose.of(150.0, 1.0).at(depth)
    rows = "\n".join(f"150,{factor * z:g},{d:.5g}" for z, d in zip(depth, core + halo, strict=True))
    (tmp_path / "depth.csv").write_text(tables.get("depth", f"nominal_MeV,depth_mm,dose\n{rows}\n"))
    (tmp_path / "spots.csv").write_text(tables.get("sizes", f"nominal_MeV,z_mm,sigma_x_mm,sigma_y_mm\n{spots}\n"))
    (tmp_path / "absolute.csv").write_text(tables.get("absolute", ""))
    path = tmp_path / "measurements.toml"
    path.write_text(toml)
    return path


def test_good_measurements_are_read(tmp_path: Path) -> None:
    found = read_measurements(write(tmp_path))
    assert found.curves[0].range_mm == pytest.approx(157.6, abs=1.0)
    assert found.spots[0].sigma_y_mm.tolist() == [4.2, 4.2, 4.2]
    assert [path.name for path in found.files] == ["measurements.toml", "depth.csv", "spots.csv"]


def test_full_widths_and_walls(tmp_path: Path) -> None:
    toml = TOML.replace('file = "depth.csv"', 'file = "depth.csv"\noffset_mm = 2.5')
    sizes = "nominal_MeV,z_mm,fwhm_x_mm,sigma_y_cm\n150,-200,10,0.4\n150,0,10,0.4\n150,200,10,0.4\n"
    found = read_measurements(write(tmp_path, toml=toml, sizes=sizes))
    assert found.curves[0].depth_mm[0] == 3.5
    assert found.spots[0].sigma_x_mm[0] == pytest.approx(4.2466, abs=1e-4)
    assert found.spots[0].sigma_y_mm[0] == 4.0


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"factor": 0.1}, r"The range is not that of the nominal energy\. Are the depths in cm\?"),
        ({"factor": 10.0}, "tenths of mm"),
        ({"factor": 1 / 25.4}, "inches"),
        ({"factor": 0.7}, r"not that of the nominal energy\. Given: 110\.\d+ mm"),
        ({"spots": "150,0,4,4\n150,200,4,4"}, r"more planes\. Given: 2\. Allowed: at least 3"),
        ({"spots": "150,0,4,4\n150,20,4,4\n150,40,4,4"}, "too close together"),
        ({"spots": PLANES.replace("4.0", "0.04")}, "are they sigmas in mm"),
        ({"spots": PLANES.replace("150,", "140,")}, r"lie outside those with spot sizes\. Given: 150 MeV"),
        ({"sizes": "nominal_MeV,z_mm,sigma_x_mm\n150,0,4\n"}, "spot size along y once"),
        ({"depth": "nominal_MeV,depth_mm,dose\n150,1,2\n150,3,4\n"}, "needs more points"),
        ({"toml": TOML.replace("2000.0", "400.0")}, "scanning magnets stand upstream of the model plane"),
        ({"toml": TOML.replace("room1", "../room1")}, "name: String should match pattern"),
        ({"toml": TOML + "sigma = 2\n"}, r"Unknown key 'spots.sigma'"),
        ({"toml": TOML.replace('file = "spots.csv"', 'file = "none.csv"')}, "cannot be read"),
    ],
)
def test_refusals(tmp_path: Path, keywords: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_measurements(write(tmp_path, **keywords))  # type: ignore[arg-type]


def test_a_depth_dose_must_ascend_and_reach_its_end(tmp_path: Path) -> None:
    path = write(tmp_path)
    lines = (tmp_path / "depth.csv").read_text().splitlines()
    (tmp_path / "depth.csv").write_text("\n".join([*lines[:20], lines[18], *lines[20:]]))
    with pytest.raises(InputError, match=r"must ascend\. Given: 18 after 19 mm"):
        read_measurements(path)
    (tmp_path / "depth.csv").write_text("\n".join(lines[:150]))
    with pytest.raises(InputError, match="ends before it has fallen"):
        read_measurements(path)


@pytest.mark.parametrize(
    ("absolute", "said"),
    [
        ("nominal_MeV,dose_Gy\n150,1\n", "lacks columns"),
        ("nominal_MeV,particles_per_mu\n150,-1\n", "must be positive"),
        ("nominal_MeV,particles_per_mu\n150,1e8\n150,2e8\n", "each energy once"),
        ("nominal_MeV,particles_per_mu\n140,1e8\n", "outside those with absolute doses"),
    ],
)
def test_absolute_doses(tmp_path: Path, absolute: str, said: str) -> None:
    toml = TOML + '[absolute]\nfile = "absolute.csv"\n'
    with pytest.raises(InputError, match=said):
        read_measurements(write(tmp_path, toml=toml, absolute=absolute))


def test_the_problems_of_all_tables_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_measurements(write(tmp_path, factor=0.1, spots="150,0,4,4"))
    assert len(refused.value.problems) == 2
