"""Our own beam model file: what is written is read again; mistakes are named with their line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics, RangeShifter
from dosewright.core.errors import InputError
from dosewright.core.matter import Material
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
