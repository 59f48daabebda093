"""Our own beam model file: what is written is read again; mistakes are named with their line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Device, Frustum, Prism, Relief, Solid, Tube
from dosewright.formats.text.beam_toml import read_beam_toml, write_beam_toml

LEXAN = Material("G4_POLYCARBONATE", 1.2, {1: 0.0555, 6: 0.7557, 8: 0.1888}, 73.1)


def named(name: str) -> Material:
    assert name == LEXAN.name
    return LEXAN


def beam(energy: float) -> BeamAtEnergy:
    x = np.array([[16.0, 0.002 * energy / 100], [0.002 * energy / 100, 9e-6]])
    y = np.array([[25.0, -0.003], [-0.003, 4e-6]])
    optics = (Optics(0.96, x, y), Optics(0.04, 9 * x, 9 * y))
    return BeamAtEnergy(energy + 0.25, 0.01 * energy, optics, 1e6 * energy)


MODEL = BeamModel(
    'Site "A"',
    "TR1",
    "PROTON",
    410.0,
    (2200.0, np.inf),
    (70.0, 230.0),
    beam,
    "vacuum",
    {"RS": RangeShifter("RS", LEXAN, 50.0, None), "WE": RangeShifter("WE", LEXAN, None, 34.3)},
    "measured",
    ("one", "two \\ three"),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    write_beam_toml(path, MODEL, [70.0, 150.0, 230.0])
    assert path.stat().st_mode & 0o777 == 0o600
    back = read_beam_toml(path, named)
    assert (back.name, back.machine, back.radiation, back.medium) == ('Site "A"', "TR1", "PROTON", "vacuum")
    assert (back.plane_mm, back.scanning_mm, back.energy_range_MeV) == (410.0, (2200.0, np.inf), (70.0, 230.0))
    assert back.assumptions == MODEL.assumptions
    assert back.range_shifters == MODEL.range_shifters
    assert len(back.sha256) == 64
    for energy in (70.0, 150.0, 230.0):
        ours, theirs = back.at(energy), beam(energy)
        assert ours.mean_energy_MeV == pytest.approx(theirs.mean_energy_MeV)
        assert ours.energy_sigma_MeV == pytest.approx(theirs.energy_sigma_MeV)
        assert ours.particles_per_mu == pytest.approx(theirs.particles_per_mu)
        for a, b in zip(ours.optics, theirs.optics, strict=True):
            assert a.weight == pytest.approx(b.weight)
            np.testing.assert_allclose(a.cov_x, b.cov_x, rtol=1e-9)
            np.testing.assert_allclose(a.cov_y, b.cov_y, rtol=1e-9)


def written(folder: Path) -> str:
    write_beam_toml(folder / "m.toml", MODEL, [70.0, 230.0])
    return (folder / "m.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("plane_mm = 410.0", "plane = 410.0", r"Unknown key 'plane'. Did you mean 'plane_mm'.*line 4"),
        ("sigma_x_mm", "sigma_x_cm", r"Did you mean 'sigma_x_mm'"),
        ("plane_mm = 410.0", 'plane_mm = "410"', r"plane_mm.*line 4"),
        ("plane_mm = 410.0", "plane_mm = -1.0", r"greater than 0"),
        ('medium = "vacuum"', 'medium = "helium"', r"air, vacuum"),
        ("thickness_mm = 50.0", "", r"thickness_mm or a wet_mm"),
        ("[energy]", "[energy", r"not TOML.*line"),
        ("sigma_MeV = [", "sigma_MeV = [1.0, ", r"one finite value per nominal energy"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = written(tmp_path)
    assert old in text
    path = tmp_path / "bad.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_beam_toml(path, named)


def test_all_problems_are_listed_together(tmp_path: Path) -> None:
    text = written(tmp_path).replace("plane_mm", "plan_mm").replace("[energy]", "[energy]\ncolour = 1")
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_beam_toml(tmp_path / "bad.toml", named)
    assert len(caught.value.problems) == 3  # two unknown keys, one missing


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 1500), st.integers(0, 60))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    good = written(folder).encode()
    for data in (noise, good[:start] + noise[:10] + good[start + cut :]):
        (folder / "f.toml").write_bytes(data)
        try:
            read_beam_toml(folder / "f.toml", lambda name: LEXAN)
        except InputError:
            continue


TILT = rotation_about("z", 40.0) @ rotation_about("y", -25.0) @ rotation_about("x", 10.0)
SOLIDS = (
    Solid("plate", Box((90.0, 80.0, 30.5)), LEXAN, 1.2, (0.0, 1.0, 15.25)),
    Solid("ring", Tube(60.0, 10.0, 40.0, 30.0, 90.0), LEXAN, 1.21, (1.0, 2.0, 450.0), TILT),
    Solid("ridge", Prism(np.array([[-2.0, 0.0], [2.0, 0.0], [0.0, 6.1]]), 200.0), LEXAN, 1.2,
          rotation=rotation_about("x", 90.0)),
    Solid("pin", Frustum((4.0, 4.0), (0.5, 0.25), 6.0), LEXAN, 1.2, rotation=rotation_about("y", 90.0)),
    Solid("steps", Relief(np.array([0.0, 1.0, 2.5]), np.array([0.0, 1.0]), np.zeros((1, 2)), np.array([[1.0, 2.0]])),
          LEXAN, 1.2),
    Solid("hole", Box((9.0, 8.0, 30.5)), None, 0.0, (0.0, 1.0, 15.25)),
)  # fmt: skip
FULL = replace(
    MODEL,
    nozzle=Device("N1", "nozzle", SOLIDS, axes="room"),
    devices={
        "RM_3": Device("RM_3", "range_modulator", SOLIDS[2:3]),
        "RS_S": Device("RS_S", "range_shifter", SOLIDS[:1], on_snout=True),
    },
    tunes={
        "4.0": replace(MODEL, name="tune", plane_mm=455.0, scanning_mm=(2100.0, 2300.0), at=lambda e: beam(e + 1.0)),
        "5.0": replace(MODEL, energy_range_MeV=(100.0, 230.0), at=lambda e: beam(e + 2.0)),
    },
)


def same(one: Device, other: Device) -> None:
    assert (one.id, one.kind, one.on_snout, one.axes) == (other.id, other.kind, other.on_snout, other.axes)
    for a, b in zip(one.solids, other.solids, strict=True):
        assert (a.name, a.material, a.density_g_cm3) == (b.name, b.material, b.density_g_cm3)
        np.testing.assert_allclose(a.centre_mm, b.centre_mm)
        np.testing.assert_allclose(a.rotation, b.rotation, atol=1e-12)
        assert type(a.shape) is type(b.shape)
        for key, value in vars(a.shape).items():
            np.testing.assert_array_equal(value, getattr(b.shape, key))


def test_devices_and_tunes_are_read_again(tmp_path: Path) -> None:
    write_beam_toml(tmp_path / "m.toml", FULL, [70.0, 150.0, 230.0])
    back = read_beam_toml(tmp_path / "m.toml", named)
    assert back.nozzle is not None
    assert FULL.nozzle is not None
    same(back.nozzle, FULL.nozzle)
    assert set(back.devices) == {"RM_3", "RS_S"}
    for name, device in FULL.devices.items():
        same(back.devices[name], device)
    assert (back.tuned("4.0 ").plane_mm, back.tuned("4.0").scanning_mm) == (455.0, (2100.0, 2300.0))
    assert back.tuned("4.0").at(150.0).mean_energy_MeV == pytest.approx(151.25)
    assert back.tuned("5.0").at(150.0).mean_energy_MeV == pytest.approx(152.25)
    assert back.tuned("5.0").energy_range_MeV == (150.0, 230.0)
    assert back.tuned("6.0") is back


def test_a_tune_may_have_a_file_of_its_own_that_counts_in_the_hash(tmp_path: Path) -> None:
    write_beam_toml(tmp_path / "t4.toml", replace(MODEL, range_shifters={}, plane_mm=444.0), [70.0, 230.0])
    path = tmp_path / "m.toml"
    path.write_text(written(tmp_path) + '\n[[tune]]\nid = "4.0"\nfile = "t4.toml"\n')
    model = read_beam_toml(path, named)
    assert model.tuned("4.0").plane_mm == 444.0
    write_beam_toml(tmp_path / "t4.toml", replace(MODEL, range_shifters={}, plane_mm=445.0), [70.0, 230.0])
    assert read_beam_toml(path, named).sha256 != model.sha256


SOLID = """
[[device]]
id = "D"
kind = "range_modulator"
[[device.solid]]
box_mm = [9.0, 9.0, 3.0]
material = "G4_POLYCARBONATE"
"""
THICK_TUBE = "tube = { radius_mm = 3.0, length_mm = 1.0, inner_radius_mm = 4.0 }"
BAD_PRISM = "prism = { outline_mm = [[0.0, 0.0], [1.0, 0.0], [2.0]], length_mm = 1.0 }"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (SOLID.replace("range_modulator", "wedge"), "Unknown kind of device 'D'.*range_shifter, range_modulator"),
        (SOLID + SOLID, "Two devices have the same ID"),
        (SOLID.replace('"D"', '"rs"').replace("range_modulator", "range_shifter"), "by its thickness and as solids"),
        (SOLID.replace("box_mm = [9.0, 9.0, 3.0]", ""), "exactly one shape. Given: none. Allowed: box_mm, tube"),
        (SOLID + "tube = { radius_mm = 3.0, length_mm = 1.0 }\n", "exactly one shape. Given: box_mm, tube"),
        (SOLID.replace("3.0]", "-3.0]"), "three positive lengths"),
        (SOLID.replace("box_mm", "boxmm"), r"Unknown key 'device.0.solid.0.boxmm'. Did you mean 'box_mm'\?.*line"),
        (SOLID + "turns = [[\"w\", 3.0]]\n", "axis and an angle in degrees"),
        (SOLID.replace('material = "G4_POLYCARBONATE"', "density_g_cm3 = 1.2"), "A hole has no density"),
        (SOLID.replace("box_mm = [9.0, 9.0, 3.0]", THICK_TUBE),
         "inner radius must be smaller"),
        (SOLID.replace("box_mm = [9.0, 9.0, 3.0]", BAD_PRISM),
         "wrong number of values"),
        (SOLID + "centre_mm = [0.0, nan, 0.0]\n", "A solid needs finite numbers. Where: bad.toml, 'D', solid 1"),
        ('\n[[tune]]\nid = "4.0"\n', "needs a file, or columns"),
        ('\n[[tune]]\nid = "4.0"\nfile = "away.toml"\n', "does not lie beside the beam model. Given: away.toml"),
        ('\n[[tune]]\nid = "4.0"\nfile = "t.toml"\nplane_mm = 3.0\n', "a file of its own or columns, not both"),
        ('\n[[tune]]\nfile = "t.toml"\n', "key 'tune.0.id' is missing"),
    ],
)  # fmt: skip
def test_mistakes_in_devices_and_tunes_are_named(tmp_path: Path, more: str, message: str) -> None:
    (tmp_path / "t.toml").write_text("name = 3")
    path = tmp_path / "bad.toml"
    path.write_text(written(tmp_path) + more)
    with pytest.raises(InputError, match=message):
        read_beam_toml(path, named)
